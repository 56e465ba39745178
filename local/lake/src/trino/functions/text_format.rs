//! `format(pattern, …)` in Java's notation, `format_number`, `human_readable_seconds`.

use std::fmt::Write as _;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::Result;

use super::call::Call;
use super::function::{Function, Plan, exactly, unexpected};
use crate::sql::{Failure, TrinoType, write_value};

const TEXT: TrinoType = TrinoType::Varchar(None);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("format", format_types, format),
    Function::new("format_number", format_number_types, format_number),
    Function::new(
        "human_readable_seconds",
        |given| exactly("human_readable_seconds", given, &[TrinoType::Double], TEXT),
        human_readable_seconds,
    ),
];

fn format_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Varchar(_), _, ..] => Ok(Plan::given(given, TEXT)),
        [first, _, ..] => Err(Failure::type_mismatch(format!(
            "Type of first argument to format() must be VARCHAR (actual: {first})"
        ))),
        _ => Err(unexpected("format", given, "format(varchar, args...)")),
    }
}

/// `%[argument$][flags][width][.precision]conversion`.
#[derive(Default)]
struct Directive {
    argument: Option<usize>,
    flags: String,
    width: usize,
    precision: Option<usize>,
    conversion: char,
}

enum Piece {
    Text(String),
    Value(Directive),
}

fn pieces(pattern: &str) -> Result<Vec<Piece>, Failure> {
    let refused = |what: &str| {
        Failure::invalid_argument(format!("Invalid format string: {pattern} ({what})"))
    };
    let mut found = Vec::new();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        found.push(Piece::Text(rest[..at].to_owned()));
        rest = &rest[at + 1..];
        let mut directive = Directive::default();
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0 && rest[digits..].starts_with('$') {
            directive.argument = rest[..digits].parse().ok();
            rest = &rest[digits + 1..];
        }
        let flags = rest.bytes().take_while(|b| b"-#+ 0,(".contains(b)).count();
        rest[..flags].clone_into(&mut directive.flags);
        rest = &rest[flags..];
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        directive.width = rest[..digits].parse().unwrap_or(0);
        rest = &rest[digits..];
        if let Some(after) = rest.strip_prefix('.') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            directive.precision = Some(after[..digits].parse().map_err(|_| refused("precision"))?);
            rest = &after[digits..];
        }
        directive.conversion = rest
            .chars()
            .next()
            .ok_or_else(|| refused("UnknownFormatConversionException: Conversion = '%'"))?;
        rest = &rest[directive.conversion.len_utf8()..];
        found.push(match directive.conversion {
            '%' => Piece::Text("%".to_owned()),
            'n' => Piece::Text("\n".to_owned()),
            _ => Piece::Value(directive),
        });
    }
    found.push(Piece::Text(rest.to_owned()));
    Ok(found)
}

fn format(call: &Call) -> Result<ArrayRef> {
    let patterns = call.texts(0)?;
    let arrays = call.arrays()?;
    let mut found = datafusion::arrow::array::StringBuilder::new();
    for row in 0..call.rows {
        if patterns.is_null(row) {
            found.append_null();
            continue;
        }
        let pattern = patterns.value(row);
        let mut text = String::new();
        let mut next = 1;
        for piece in pieces(pattern)? {
            match piece {
                Piece::Text(part) => text.push_str(&part),
                Piece::Value(directive) => {
                    let at = directive.argument.unwrap_or_else(|| {
                        next += 1;
                        next - 1
                    });
                    let array = arrays.get(at).ok_or_else(|| {
                        Failure::invalid_argument(format!(
                            "Invalid format string: {pattern} (MissingFormatArgumentException: Format specifier '%{}')",
                            directive.conversion
                        ))
                    })?;
                    written(&directive, array, row, call.kind(at), &mut text)?;
                }
            }
        }
        found.append_value(&text);
    }
    Ok(std::sync::Arc::new(found.finish()))
}

fn written(
    directive: &Directive,
    array: &ArrayRef,
    row: usize,
    kind: &TrinoType,
    out: &mut String,
) -> Result<(), Failure> {
    let mut shown = String::new();
    let present = write_value(array.as_ref(), row, &mut shown);
    if !present {
        "null".clone_into(&mut shown);
    }
    let refused = || {
        Failure::invalid_argument(format!(
            "Invalid format string: (IllegalFormatConversionException: {} != {kind})",
            directive.conversion
        ))
    };
    let whole = || shown.parse::<i64>().map_err(|_| refused());
    let text = match directive.conversion {
        _ if !present => shown,
        's' | 'S' => {
            let shown = super::iso8601::java_text(array, row, kind).unwrap_or(shown);
            match directive.precision {
                Some(most) => shown.chars().take(most).collect(),
                None => shown,
            }
        }
        'b' | 'B' => {
            if *kind == TrinoType::Boolean {
                shown
            } else {
                "true".to_owned()
            }
        }
        'd' => signed(&grouped(&whole()?.to_string(), directive), directive),
        'x' => format!("{:x}", whole()?),
        'X' => format!("{:X}", whole()?),
        'o' => format!("{:o}", whole()?),
        'f' | 'e' | 'E'
            if matches!(kind, TrinoType::Double | TrinoType::Real | TrinoType::Decimal(..)) =>
        {
            let value: f64 = shown.parse().map_err(|_| refused())?;
            let digits = directive.precision.unwrap_or(6);
            let text = match directive.conversion {
                'f' => grouped(&format!("{value:.digits$}"), directive),
                _ => exponent(&format!("{value:.digits$e}")),
            };
            let text = signed(&text, directive);
            if directive.conversion == 'E' { text.to_uppercase() } else { text }
        }
        _ => return Err(refused()),
    };
    let text = if directive.conversion == 'S' { text.to_uppercase() } else { text };
    padded(&text, directive, out);
    Ok(())
}

/// `1.5e3` as Java writes it: `1.5e+03`.
fn exponent(rust: &str) -> String {
    let Some((mantissa, power)) = rust.split_once('e') else { return rust.to_owned() };
    let (sign, digits) = power.strip_prefix('-').map_or(('+', power), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn grouped(number: &str, directive: &Directive) -> String {
    if directive.flags.contains(',') { with_commas(number) } else { number.to_owned() }
}

/// `1234567.8` → `1,234,567.8`.
fn with_commas(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |digits| ("-", digits));
    let (whole, fraction) =
        digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut out = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        let _ = write!(out, ".{fraction}");
    }
    out
}

fn signed(number: &str, directive: &Directive) -> String {
    match number.strip_prefix('-') {
        Some(digits) if directive.flags.contains('(') => format!("({digits})"),
        Some(_) => number.to_owned(),
        None if directive.flags.contains('+') => format!("+{number}"),
        None if directive.flags.contains(' ') => format!(" {number}"),
        None => number.to_owned(),
    }
}

fn padded(text: &str, directive: &Directive, out: &mut String) {
    let missing = directive.width.saturating_sub(text.chars().count());
    if directive.flags.contains('-') {
        let _ = write!(out, "{text}{}", " ".repeat(missing));
    } else if directive.flags.contains('0') {
        let (sign, digits) = match text.chars().next() {
            Some(sign @ ('-' | '+')) => (sign.to_string(), &text[1..]),
            _ => (String::new(), text),
        };
        let _ = write!(out, "{sign}{}{digits}", "0".repeat(missing));
    } else {
        let _ = write!(out, "{}{text}", " ".repeat(missing));
    }
}

fn format_number_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    exactly("format_number", given, &[TrinoType::Double], TEXT)
}

/// `123456` → `123K`.
fn format_number(call: &Call) -> Result<ArrayRef> {
    const UNITS: [&str; 6] = ["", "K", "M", "B", "T", "Q"];
    let values = call.doubles(0)?;
    call.each_text(|row| {
        let mut value = values.value(row);
        let sign = if value < 0.0 { "-" } else { "" };
        value = value.abs();
        let mut unit = 0;
        while value >= 1_000.0 && unit + 1 < UNITS.len() {
            value /= 1_000.0;
            unit += 1;
        }
        let digits = if value >= 1_000.0 {
            2
        } else if value >= 100.0 || unit == 0 && value.fract() == 0.0 {
            0
        } else if value >= 10.0 {
            1
        } else {
            2
        };
        let text = format!("{value:.digits$}");
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            text.as_str()
        };
        Ok(Some(format!("{sign}{text}{}", UNITS[unit])))
    })
}

/// `3762` → `1 hour, 2 minutes, 42 seconds`.
fn human_readable_seconds(call: &Call) -> Result<ArrayRef> {
    const UNITS: [(i64, &str); 5] =
        [(604_800, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let values = call.doubles(0)?;
    call.each_text(|row| {
        let value = values.value(row);
        if !value.is_finite() {
            let mut shown = String::new();
            crate::sql::write_double(value, &mut shown);
            return Err(
                Failure::invalid_argument(format!("Invalid argument found: {shown}")).into()
            );
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "seconds beyond a bigint are not times"
        )]
        let mut left = value.round().abs() as i64;
        let mut parts = Vec::new();
        for (each, name) in UNITS {
            let count = left / each;
            left %= each;
            if count > 0 {
                parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
            }
        }
        Ok(Some(if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(", ") }))
    })
}
