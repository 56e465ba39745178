//! Dates and times as texts and back: `MySQL`'s formats (`date_format`, `date_parse`),
//! Java's (`format_datetime`, `parse_datetime`), and ISO 8601.

mod parse;
mod reading;

use std::fmt::Write as _;

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;

use super::call::Call;
use super::cast::instants;
use super::date_parts::{iso_week, weekday, year_day};
use super::function::{Function, Plan, exactly, unexpected};
use crate::sql::{Failure, TrinoType, civil};

const TEXT: TrinoType = TrinoType::Varchar(None);

use parse::{date_parse, parse_datetime};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "date_format",
        |given| format_types("date_format", given),
        |call| format(call, mysql),
    ),
    Function::new(
        "format_datetime",
        |given| format_types("format_datetime", given),
        |call| format(call, java),
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
    Function::new("to_iso8601", iso_types, to_iso8601),
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
    nanos: i64,
}

impl Moment {
    fn of((seconds, nanos): (i64, i64)) -> Self {
        let days = seconds.div_euclid(86_400);
        let clock = seconds.rem_euclid(86_400);
        let (year, month, day) = civil(days);
        Self {
            days,
            year,
            month,
            day,
            hour: clock / 3_600,
            minute: clock / 60 % 60,
            second: clock % 60,
            nanos,
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

fn format(
    call: &Call,
    write: fn(&Moment, &str, &mut String) -> Result<(), Failure>,
) -> Result<ArrayRef> {
    let patterns = call.texts(1)?;
    let found = instants(&call.array(0)?);
    call.each_text(|row| {
        let Some(instant) = found[row] else { return Ok(None) };
        let mut text = String::new();
        write(&Moment::of(instant), patterns.value(row), &mut text)?;
        Ok(Some(text))
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
            'f' => write!(out, "{:06}", moment.nanos / 1_000),
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
                let digits = format!("{:09}", moment.nanos / 1_000_000 * 1_000_000);
                out.push_str(&digits[..width.min(9)]);
            }
            'Z' if width == 1 => out.push_str("+0000"),
            'Z' if width == 2 => out.push_str("+00:00"),
            'Z' | 'z' => out.push_str("UTC"),
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

fn iso_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Date | TrinoType::Timestamp(_) | TrinoType::TimestampWithZone(_)] => {
            Ok(Plan::given(given, TEXT))
        }
        _ => Err(unexpected("to_iso8601", given, "to_iso8601(date or timestamp)")),
    }
}

fn to_iso8601(call: &Call) -> Result<ArrayRef> {
    let kind = call.kind(0).clone();
    let found = instants(&call.array(0)?);
    call.each_text(|row| {
        let Some(instant) = found[row] else { return Ok(None) };
        let moment = Moment::of(instant);
        let mut text = format!("{:04}-{:02}-{:02}", moment.year, moment.month, moment.day);
        let precision = match kind {
            TrinoType::Timestamp(precision) | TrinoType::TimestampWithZone(precision) => {
                usize::from(precision.min(9))
            }
            _ => return Ok(Some(text)),
        };
        let _ = write!(text, "T{:02}:{:02}:{:02}", moment.hour, moment.minute, moment.second);
        if precision > 0 {
            let digits = format!("{:09}", moment.nanos);
            let _ = write!(text, ".{}", &digits[..precision]);
        }
        if matches!(kind, TrinoType::TimestampWithZone(_)) {
            text.push('Z');
        }
        Ok(Some(text))
    })
}
