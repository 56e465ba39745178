//! Dates and times as texts and back: `MySQL`'s formats (`date_format`, `date_parse`),
//! Java's (`format_datetime`, `parse_datetime`).

mod parse;
mod reading;

use std::fmt::Write as _;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use datafusion::arrow::datatypes::TimestampMillisecondType;
use datafusion::common::Result;

use super::call::Call;
use super::date_parts::{iso_week, weekday, year_day};
use super::function::{Function, Plan, exactly, unexpected};
use crate::moment::{DAY, Moment as Instant, moments};
use crate::sql::{Failure, TrinoType, civil};

const TEXT: TrinoType = TrinoType::Varchar(None);

use parse::{date_parse, parse_datetime};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "date_format",
        |given| format_types("date_format", given),
        |call| format(call, mysql, &mysql_of_days),
    ),
    Function::new(
        "format_datetime",
        |given| format_types("format_datetime", given),
        format_datetime,
    ),
    Function::new(
        "date_parse",
        |given| exactly("date_parse", given, &[TEXT, TEXT], TrinoType::Timestamp(3)),
        date_parse,
    ),
    Function::new(
        "parse_datetime",
        |given| exactly("parse_datetime", given, &[TEXT, TEXT], TrinoType::TimestampWithZone(3)),
        parse_datetime,
    ),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn format_types(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Timestamp(_) | TrinoType::TimestampWithZone(_), TrinoType::Varchar(_)] => {
            Ok(Plan::given(given, TEXT))
        }
        [TrinoType::Date | TrinoType::Unknown, TrinoType::Varchar(_)] => {
            Ok(Plan::new(vec![TrinoType::Timestamp(3), TEXT], TEXT))
        }
        _ => Err(unexpected(name, given, &format!("{name}(timestamp(p), varchar(x))"))),
    }
}

/// A moment's parts.
struct Moment {
    days: i64,
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    picos: i64,
    /// Seconds ahead of UTC.
    offset: i64,
    zone: crate::moment::Zone,
}

impl Moment {
    fn of(instant: Instant) -> Self {
        let local = instant.local();
        let days = local.seconds.div_euclid(DAY);
        let clock = local.seconds.rem_euclid(DAY);
        let (year, month, day) = civil(days);
        Self {
            days,
            year,
            month,
            day,
            hour: clock / 3_600,
            minute: clock / 60 % 60,
            second: clock % 60,
            picos: local.picos,
            offset: local.seconds - instant.seconds,
            zone: instant.zone,
        }
    }

    fn hour12(&self) -> i64 {
        (self.hour + 11) % 12 + 1
    }

    fn month_name(&self) -> &'static str {
        MONTHS[usize::try_from(self.month - 1).unwrap_or(0) % 12]
    }

    fn day_name(&self) -> &'static str {
        DAYS[usize::try_from(weekday(self.days) - 1).unwrap_or(0) % 7]
    }

    fn half(&self) -> &'static str {
        if self.hour < 12 { "AM" } else { "PM" }
    }
}

/// Whether a pattern of Joda's asks for a zone.
fn shows_zone(pattern: &str) -> bool {
    let mut quoted = false;
    pattern.chars().any(|c| {
        quoted ^= c == '\'';
        !quoted && matches!(c, 'z' | 'Z')
    })
}

fn format_datetime(call: &Call) -> Result<ArrayRef> {
    let zoned = matches!(call.kind(0), TrinoType::TimestampWithZone(_));
    if !zoned && call.texts(1)?.iter().flatten().any(shows_zone) {
        return Err(Failure::invalid_argument(
            "format_datetime for TIMESTAMP type, cannot use 'Z' nor 'z' in format, as this type does not contain TZ information",
        )
        .into());
    }
    format(call, java, &java_of_days)
}

type Write = fn(&Moment, &str, &mut String) -> Result<(), Failure>;

fn format(call: &Call, write: Write, is_of_days: &dyn Fn(&str) -> bool) -> Result<ArrayRef> {
    let array = call.array(0)?;
    if let Some(pattern) = call.constant_text(1).filter(|pattern| is_of_days(pattern))
        && let Some(found) = by_days(&array, pattern, write)?
    {
        return Ok(found);
    }
    let patterns = call.texts(1)?;
    let found = moments(&array);
    call.each_text(|row| {
        let Some(instant) = found[row] else { return Ok(None) };
        let mut text = String::new();
        // Trino shows milliseconds, rounded.
        write(&Moment::of(instant.rounded(3)), patterns.value(row), &mut text)?;
        Ok(Some(text))
    })
}

/// A format that days alone decide, written once for the rows of one day that follow each other; `None` where these are no
/// milliseconds, or too far away.
fn by_days(array: &ArrayRef, pattern: &str, write: Write) -> Result<Option<ArrayRef>> {
    let Some(moments) = array.as_primitive_opt::<TimestampMillisecondType>() else {
        return Ok(None);
    };
    let Some(days) = kernels::days(moments.values()) else { return Ok(None) };
    let mut found = StringBuilder::with_capacity(days.len(), days.len() * 10);
    let (mut known, mut text) = (None, String::new());
    for (row, day) in days.into_iter().enumerate() {
        if moments.is_null(row) {
            found.append_null();
            continue;
        }
        if known != Some(day) {
            text.clear();
            write(&Moment::of(Instant::of_day(day.into())), pattern, &mut text)?;
            known = Some(day);
        }
        found.append_value(&text);
    }
    Ok(Some(Arc::new(found.finish())))
}

fn mysql_of_days(pattern: &str) -> bool {
    let mut codes = pattern.split('%').skip(1);
    // An escaped sign leaves an empty code and the text behind it.
    codes.all(|code| {
        code.starts_with(['a', 'b', 'c', 'd', 'e', 'j', 'M', 'm', 'v', 'W', 'x', 'Y', 'y'])
    })
}

fn java_of_days(pattern: &str) -> bool {
    let mut letters = pattern.chars();
    letters.all(|letter| {
        !letter.is_ascii_alphabetic() && letter != '\'' || "yYuxwMdDeEG".contains(letter)
    })
}

fn not_supported(code: char) -> Failure {
    Failure::invalid_argument(format!("%{code} not supported in date format string"))
}

/// `MySQL`'s codes, as Trino reads them.
fn mysql(moment: &Moment, pattern: &str, out: &mut String) -> Result<(), Failure> {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let Some(code) = chars.next() else { break };
        // Writing to a String cannot fail.
        let _ = match code {
            'a' => write!(out, "{}", &moment.day_name()[..3]),
            'b' => write!(out, "{}", &moment.month_name()[..3]),
            'c' => write!(out, "{}", moment.month),
            'd' => write!(out, "{:02}", moment.day),
            'e' => write!(out, "{}", moment.day),
            'f' => write!(out, "{:06}", moment.picos / 1_000_000),
            'H' => write!(out, "{:02}", moment.hour),
            'h' | 'I' => write!(out, "{:02}", moment.hour12()),
            'i' => write!(out, "{:02}", moment.minute),
            'j' => write!(out, "{:03}", year_day(moment.days)),
            'k' => write!(out, "{}", moment.hour),
            'l' => write!(out, "{}", moment.hour12()),
            'M' => write!(out, "{}", moment.month_name()),
            'm' => write!(out, "{:02}", moment.month),
            'p' => write!(out, "{}", moment.half()),
            'r' => write!(
                out,
                "{:02}:{:02}:{:02} {}",
                moment.hour12(),
                moment.minute,
                moment.second,
                moment.half()
            ),
            'S' | 's' => write!(out, "{:02}", moment.second),
            'T' => write!(out, "{:02}:{:02}:{:02}", moment.hour, moment.minute, moment.second),
            'v' => write!(out, "{:02}", iso_week(moment.days).1),
            'W' => write!(out, "{}", moment.day_name()),
            'x' => write!(out, "{:04}", iso_week(moment.days).0),
            'Y' => write!(out, "{:04}", moment.year),
            'y' => write!(out, "{:02}", moment.year.rem_euclid(100)),
            '%' => write!(out, "%"),
            'D' | 'U' | 'u' | 'V' | 'w' | 'X' => return Err(not_supported(code)),
            other => write!(out, "{other}"),
        };
    }
    Ok(())
}

/// Joda's letters.
fn java(moment: &Moment, pattern: &str, out: &mut String) -> Result<(), Failure> {
    let letters: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    while at < letters.len() {
        let letter = letters[at];
        if letter == '\'' {
            at = quoted(&letters, at, out);
            continue;
        }
        if !letter.is_ascii_alphabetic() {
            out.push(letter);
            at += 1;
            continue;
        }
        let width = letters[at..].iter().take_while(|c| **c == letter).count();
        at += width;
        let number = |value: i64, out: &mut String| {
            let _ = write!(out, "{value:0width$}");
        };
        match letter {
            'y' | 'Y' | 'u' if width == 2 => {
                let _ = write!(out, "{:02}", moment.year.rem_euclid(100));
            }
            'y' | 'Y' | 'u' => number(moment.year, out),
            'x' => number(iso_week(moment.days).0, out),
            'w' => number(iso_week(moment.days).1, out),
            'M' if width >= 4 => out.push_str(moment.month_name()),
            'M' if width == 3 => out.push_str(&moment.month_name()[..3]),
            'M' => number(moment.month, out),
            'd' => number(moment.day, out),
            'D' => number(year_day(moment.days), out),
            'e' => number(weekday(moment.days), out),
            'E' if width >= 4 => out.push_str(moment.day_name()),
            'E' => out.push_str(&moment.day_name()[..3]),
            'a' => out.push_str(moment.half()),
            'H' => number(moment.hour, out),
            'k' => number(if moment.hour == 0 { 24 } else { moment.hour }, out),
            'K' => number(moment.hour % 12, out),
            'h' => number(moment.hour12(), out),
            'm' => number(moment.minute, out),
            's' => number(moment.second, out),
            'S' => {
                // Joda has milliseconds.
                let digits = format!("{:03}", moment.picos / crate::moment::MILLISECOND);
                let _ = write!(out, "{digits:0<width$.width$}");
            }
            'Z' | 'z' => zone(moment, letter, width, out)?,
            'G' => out.push_str(if moment.year > 0 { "AD" } else { "BC" }),
            other => {
                return Err(Failure::invalid_argument(format!(
                    "Illegal pattern component: {other}"
                )));
            }
        }
    }
    Ok(())
}

/// `+0545`, `+05:45`, the zone's name, or its short name.
fn zone(moment: &Moment, letter: char, width: usize, out: &mut String) -> Result<(), Failure> {
    let minutes = moment.offset.abs() / 60;
    let sign = if moment.offset < 0 { '-' } else { '+' };
    match (letter, width) {
        ('Z', 1) => drop(write!(out, "{sign}{:02}{:02}", minutes / 60, minutes % 60)),
        ('Z', 2) => drop(write!(out, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)),
        ('Z', _) => moment.zone.write(out),
        _ if moment.zone.is_fixed() => moment.zone.write(out),
        _ => {
            return Err(Failure::not_supported(
                "the short and long names of zones (z) are not known here: Z shows the offset, ZZZ the zone",
            ));
        }
    }
    Ok(())
}

/// Copies a quoted part; where the pattern goes on.
fn quoted(letters: &[char], start: usize, out: &mut String) -> usize {
    let mut at = start + 1;
    if letters.get(at) == Some(&'\'') {
        out.push('\'');
        return at + 1;
    }
    while at < letters.len() {
        if letters[at] == '\'' {
            if letters.get(at + 1) == Some(&'\'') {
                out.push('\'');
                at += 2;
                continue;
            }
            return at + 1;
        }
        out.push(letters[at]);
        at += 1;
    }
    at
}
