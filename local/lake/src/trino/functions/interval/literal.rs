//! Intervals from their texts.

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;

use super::{amounts_of, truncated};
use crate::moment::too_far;
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::call::Call;
use crate::trino::functions::function::{Plan, exactly};

/// Fields of interval literals, the widest first.
const FIELDS: [&str; 6] = ["year", "month", "day", "hour", "minute", "second"];

/// The function that makes an interval from one field to another, `None` when there is none such.
pub(in crate::trino) fn interval_literal(from: &str, to: &str) -> Option<&'static str> {
    let at = |field: &str| FIELDS.iter().position(|name| *name == field);
    let (from, to) = (at(from)?, at(to)?);
    match (from, to) {
        _ if from > to => None,
        (0 | 1, 0 | 1) => Some("$interval_year_month"),
        (2.., 2..) => Some("$interval_day_second"),
        _ => None,
    }
}

/// Months, or milliseconds, of `42 12:34:56.1` from one field to another.
fn read(text: &str, from: &str, to: &str) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let first = FIELDS.iter().position(|name| *name == from)?;
    let last = FIELDS.iter().position(|name| *name == to)?;
    let mut total: i64 = 0;
    let mut rest = Some(rest);
    for (at, field) in FIELDS.iter().enumerate().take(last + 1).skip(first) {
        let separator = match at {
            _ if at == last => None,
            0 => Some('-'),
            2 => Some(' '),
            _ => Some(':'),
        };
        // Fields that are not said are none.
        let Some(text) = rest else { break };
        let (part, after) = separator
            .and_then(|separator| text.split_once(separator))
            .map_or((text, None), |(part, after)| (part, Some(after)));
        rest = after;
        let each: i64 = match at {
            0 => 12,
            1 => 1,
            2 => 86_400_000,
            3 => 3_600_000,
            4 => 60_000,
            _ => 1_000,
        };
        let amount = if *field == "second" { thousandths(part)? } else { whole(part)? };
        let each = if *field == "second" { 1 } else { each };
        total = total.checked_add(amount.checked_mul(each)?)?;
    }
    rest.is_none().then_some(if negative { -total } else { total })
}

fn whole(text: &str) -> Option<i64> {
    (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// Seconds with up to three digits of a fraction, in thousandths.
fn thousandths(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let digits = format!("{:0<3}", &fraction[..fraction.len().min(3)]);
    whole(seconds)?.checked_mul(1_000)?.checked_add(digits.parse().ok()?)
}

/// A literal's text, and the fields it goes from and to.
pub(super) fn types(given: &[TrinoType], result: TrinoType) -> Result<Plan, Failure> {
    exactly("interval", given, &[const { TrinoType::Varchar(None) }; 3], result)
}

pub(super) fn literal(call: &Call) -> Result<ArrayRef> {
    let (texts, from, to) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let amounts = (0..call.rows).map(|row| {
        let text = texts.value(row);
        read(text, from.value(row), to.value(row)).map(Some).ok_or_else(|| {
            Failure::new("INVALID_LITERAL", format!("'{text}' is not a valid INTERVAL literal"))
        })
    });
    amounts_of(&call.result, amounts, || {
        Failure::new("INVALID_LITERAL", "the interval of a literal is too long")
    })
}

/// `1.5h`, `20 ms`: a number and a unit.
pub(super) fn parse_duration(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let found = texts.iter().map(|text| text.map(duration).transpose());
    amounts_of(&call.result, found, too_far)
}

fn duration(text: &str) -> Result<i64, Failure> {
    if text.is_empty() {
        return Err(Failure::invalid_argument("duration is empty"));
    }
    let malformed = || {
        Failure::invalid_argument(format!("duration is not a valid data duration string: {text}"))
    };
    let trimmed = text.trim();
    let end = trimmed.find(|c: char| !(c.is_ascii_digit() || c == '.')).ok_or_else(malformed)?;
    let (number, unit) = (&trimmed[..end], trimmed[end..].trim_start());
    let number: f64 = number.parse().map_err(|_| malformed())?;
    if unit.is_empty() || !unit.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Err(malformed());
    }
    let each = match unit {
        "ns" => 1e-6,
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        "m" => 6e4,
        "h" => 3.6e6,
        "d" => 8.64e7,
        other => {
            return Err(Failure::invalid_argument(format!("Unknown time unit: {other}")));
        }
    };
    Ok(truncated((number * each).round()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read() {
        let cases = [
            ("42-7", "year", "month", Some(42 * 12 + 7)),
            ("-2", "month", "month", Some(-2)),
            ("1 12", "day", "hour", Some(36 * 3_600_000)),
            ("12:34:56.1", "hour", "second", Some(45_296_100)),
            ("0.5", "second", "second", Some(500)),
            ("1:2", "second", "second", None),
            ("x", "day", "day", None),
        ];
        for (text, from, to, expected) in cases {
            assert_eq!(read(text, from, to), expected, "{text}");
        }
        assert_eq!(interval_literal("month", "day"), None);
        assert_eq!(interval_literal("second", "day"), None);
    }
}
