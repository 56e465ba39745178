//! Keys of dates: a range in a pattern of Java's, absolute or from now on.

use jiff::civil::DateTime;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

pub(super) struct Dates {
    /// The pattern in the words of strftime.
    format: String,
    first: End,
    last: End,
    step: Span,
}

/// One end of a range.
enum End {
    At(DateTime),
    /// So much after now.
    Now(Span),
}

impl Dates {
    /// `pattern` is Java's (`yyyy/MM/dd`), `unit` one of `YEARS` … `SECONDS`. The step defaults to one
    /// of the smallest unit of the pattern when that is a day or a month.
    pub fn new(
        pattern: &str,
        first: &str,
        last: &str,
        step: Option<i64>,
        unit: Option<&str>,
    ) -> Result<Self, String> {
        let format = strftime(pattern)?;
        let step = match (step, unit) {
            (step, Some(unit)) => span(step.unwrap_or(1), unit.trim())
                .ok_or_else(|| format!("'{unit}' is no unit of an interval"))?,
            (step, None) => match smallest(&format) {
                Some(unit) => span(step.unwrap_or(1), unit).unwrap_or_default(),
                None => {
                    return Err(format!("the format '{pattern}' needs interval and interval.unit"));
                }
            },
        };
        let end = |text: &str| end(text, &format);
        Ok(Self { first: end(first)?, last: end(last)?, format: format.clone(), step })
    }

    pub fn values(&self, now: Timestamp) -> Result<Vec<String>, String> {
        let now = now.to_zoned(TimeZone::UTC).datetime();
        let (first, last) = (self.first.at(now)?, self.last.at(now)?);
        let mut found: Vec<String> = Vec::new();
        for steps in 0.. {
            let step = self.step.checked_mul(steps).map_err(|error| error.to_string())?;
            let Ok(at) = first.checked_add(step) else { break };
            if at > last {
                break;
            }
            if found.len() >= super::MOST {
                return Err("the range has too many dates".to_owned());
            }
            let text =
                jiff::fmt::strtime::format(&self.format, at).map_err(|error| error.to_string())?;
            if found.last() != Some(&text) {
                found.push(text);
            }
        }
        Ok(found)
    }
}

impl End {
    fn at(&self, now: DateTime) -> Result<DateTime, String> {
        match self {
            Self::At(at) => Ok(*at),
            Self::Now(span) => now.checked_add(*span).map_err(|error| error.to_string()),
        }
    }
}

fn span(count: i64, unit: &str) -> Option<Span> {
    let unit = unit.to_uppercase();
    let span = Span::new();
    match unit.strip_suffix('S').unwrap_or(&unit) {
        "YEAR" => span.try_years(count),
        "MONTH" => span.try_months(count),
        "WEEK" => span.try_weeks(count),
        "DAY" => span.try_days(count),
        "HOUR" => span.try_hours(count),
        "MINUTE" => span.try_minutes(count),
        "SECOND" => span.try_seconds(count),
        "MILLI" | "MILLISECOND" => span.try_milliseconds(count),
        _ => return None,
    }
    .ok()
}

/// The unit a pattern's values step by, where one need not say so.
fn smallest(format: &str) -> Option<&'static str> {
    let has = |letters: &[&str]| letters.iter().any(|letter| format.contains(letter));
    if has(&["%H", "%-H", "%I", "%-I", "%M", "%-M", "%S", "%-S", "%3f"]) {
        return None;
    }
    if has(&["%d", "%-d", "%j"]) {
        return Some("DAYS");
    }
    has(&["%m", "%-m", "%b", "%B"]).then_some("MONTHS")
}

/// `2024/01/31`, `NOW`, `NOW-3YEARS`.
fn end(text: &str, format: &str) -> Result<End, String> {
    let text = text.trim();
    let Some(after) = text.strip_prefix("NOW").or_else(|| text.strip_prefix("now")) else {
        return parsed(text, format).map(End::At);
    };
    let after = after.trim();
    if after.is_empty() {
        return Ok(End::Now(Span::new()));
    }
    let wrong = || format!("'{text}' is no end of a range");
    let (sign, rest) = match after.split_at(1) {
        ("+", rest) => (1, rest.trim()),
        ("-", rest) => (-1, rest.trim()),
        _ => return Err(wrong()),
    };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let count: i64 = rest[..digits].parse().map_err(|_| wrong())?;
    span(sign * count, rest[digits..].trim()).map(End::Now).ok_or_else(wrong)
}

fn parsed(text: &str, format: &str) -> Result<DateTime, String> {
    let wrong =
        |error: &dyn std::fmt::Display| format!("'{text}' is no date of the format: {error}");
    let mut read = BrokenDownTime::parse(format, text).map_err(|error| wrong(&error))?;
    if read.day_of_year().is_none() {
        let month = read.month().unwrap_or(1);
        read.set_month(Some(month)).map_err(|error| wrong(&error))?;
        let day = read.day().unwrap_or(1);
        read.set_day(Some(day)).map_err(|error| wrong(&error))?;
    }
    let date = read.to_date().map_err(|error| wrong(&error))?;
    let part = |value: Option<i8>| value.unwrap_or(0);
    Ok(date.at(
        part(read.hour()),
        part(read.minute()),
        part(read.second()),
        read.subsec_nanosecond().unwrap_or(0),
    ))
}

/// A pattern of Java's `DateTimeFormatter` in the words of strftime.
fn strftime(pattern: &str) -> Result<String, String> {
    let mut found = String::new();
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        if letter == '\'' {
            let Some((quoted, after)) = rest[1..].split_once('\'') else {
                return Err(format!("the format '{pattern}' has a quote that does not end"));
            };
            found.push_str(if quoted.is_empty() { "'" } else { quoted });
            rest = after;
            continue;
        }
        let count = rest.chars().take_while(|next| *next == letter).count();
        let length = count * letter.len_utf8();
        match (letter, count) {
            ('y' | 'u', 4) => found.push_str("%Y"),
            ('y' | 'u', 2) => found.push_str("%y"),
            ('M' | 'L', 1) => found.push_str("%-m"),
            ('M' | 'L', 2) => found.push_str("%m"),
            ('M' | 'L', 3) => found.push_str("%b"),
            ('M' | 'L', 4) => found.push_str("%B"),
            ('d', 1) => found.push_str("%-d"),
            ('d', 2) => found.push_str("%d"),
            ('D', 3) => found.push_str("%j"),
            ('H', 1) => found.push_str("%-H"),
            ('H', 2) => found.push_str("%H"),
            ('h', 1) => found.push_str("%-I"),
            ('h', 2) => found.push_str("%I"),
            ('m', 1) => found.push_str("%-M"),
            ('m', 2) => found.push_str("%M"),
            ('s', 1) => found.push_str("%-S"),
            ('s', 2) => found.push_str("%S"),
            ('S', 3) => found.push_str("%3f"),
            ('a', 1) => found.push_str("%p"),
            ('%', _) => found.push_str(&"%%".repeat(count)),
            (letter, _) if letter.is_ascii_alphabetic() => {
                return Err(format!(
                    "the letters '{}' of the format '{pattern}' are not supported here",
                    &rest[..length]
                ));
            }
            _ => found.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    Ok(found)
}
