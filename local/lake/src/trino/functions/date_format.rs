//! Dates and times as texts and back: MySQL's formats (`date_format`, `date_parse`),
//! Java's (`format_datetime`, `parse_datetime`), and ISO 8601.

use std::fmt::Write as _;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::Result;

use super::call::Call;
use super::cast::{from_instants, instants};
use super::date_parts::{iso_week, weekday, year_day};
use super::function::{Function, Plan, exactly, unexpected};
use crate::sql::{Failure, TrinoType, civil, day_number};

const TEXT: TrinoType = TrinoType::Varchar(None);

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

/// MySQL's codes, as Trino reads them.
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
        let number = |value: i64, out: &mut String| drop(write!(out, "{value:0width$}"));
        match letter {
            'y' | 'Y' | 'u' if width == 2 => {
                drop(write!(out, "{:02}", moment.year.rem_euclid(100)))
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

/// What has been read of a text.
struct Reading<'a> {
    rest: &'a str,
    year: i64,
    month: i64,
    day: i64,
    day_of_year: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    afternoon: Option<bool>,
}

impl<'a> Reading<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            year: 1970,
            month: 1,
            day: 1,
            day_of_year: None,
            hour: 0,
            minute: 0,
            second: 0,
            nanos: 0,
            afternoon: None,
        }
    }

    fn number(&mut self, most: usize) -> Option<i64> {
        let length = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        digits.parse().ok()
    }

    fn year(&mut self, most: usize) -> Option<i64> {
        if let Some(rest) = self.rest.strip_prefix('-') {
            self.rest = rest;
            return self.number(most).map(|year| -year);
        }
        self.number(most)
    }

    /// Digits after the point.
    fn fraction(&mut self, most: usize) -> Option<i64> {
        let before = self.rest.len();
        let value = self.number(most)?;
        let digits = u32::try_from(before - self.rest.len()).ok()?;
        Some(value * 10_i64.pow(9 - digits.min(9)))
    }

    fn name(&mut self, names: &[&str]) -> Option<i64> {
        for (at, name) in names.iter().enumerate() {
            for spelling in [*name, &name[..3]] {
                let found = self
                    .rest
                    .get(..spelling.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(spelling));
                if found {
                    self.rest = &self.rest[spelling.len()..];
                    return i64::try_from(at + 1).ok();
                }
            }
        }
        None
    }

    fn half(&mut self) -> Option<bool> {
        let half = self.rest.get(..2)?;
        self.rest = &self.rest[2..];
        match half.to_ascii_uppercase().as_str() {
            "AM" => Some(false),
            "PM" => Some(true),
            _ => None,
        }
    }

    fn literal(&mut self, c: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(c)?;
        Some(())
    }

    fn finish(self) -> Option<(i64, i64)> {
        if !self.rest.is_empty() || self.hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let hour = match self.afternoon {
            Some(afternoon) if self.hour <= 12 => self.hour % 12 + if afternoon { 12 } else { 0 },
            Some(_) => return None,
            None => self.hour,
        };
        let days = match self.day_of_year {
            Some(day) => day_number(self.year, 1, 1)? + day - 1,
            None => day_number(self.year, self.month, self.day)?,
        };
        Some((days * 86_400 + hour * 3_600 + self.minute * 60 + self.second, self.nanos))
    }
}

fn date_parse(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let found = (0..call.rows)
        .map(|row| {
            if texts.is_null(row) || patterns.is_null(row) {
                return Ok(None);
            }
            read_mysql(texts.value(row), patterns.value(row)).map(Some)
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    from_instants(found.into_iter(), &TrinoType::Timestamp(3))
}

fn read_mysql(text: &str, pattern: &str) -> Result<(i64, i64), Failure> {
    let malformed = |rest: &str| {
        Failure::invalid_argument(format!("Invalid format: \"{text}\" is malformed at \"{rest}\""))
    };
    let mut reading = Reading::new(text);
    let mut codes = pattern.chars();
    while let Some(c) = codes.next() {
        let before = reading.rest;
        let code = if c == '%' { codes.next() } else { None };
        let read = match code {
            None => reading.literal(c),
            Some('Y') => reading.year(9).map(|year| reading.year = year),
            Some('y') => reading
                .number(2)
                .map(|year| reading.year = if year < 70 { 2_000 + year } else { 1_900 + year }),
            Some('m' | 'c') => reading.number(2).map(|month| reading.month = month),
            Some('M' | 'b') => reading.name(&MONTHS).map(|month| reading.month = month),
            Some('d' | 'e') => reading.number(2).map(|day| reading.day = day),
            Some('j') => reading.number(3).map(|day| reading.day_of_year = Some(day)),
            Some('a' | 'W') => reading.name(&DAYS).map(drop),
            Some('H' | 'k' | 'h' | 'I' | 'l') => reading.number(2).map(|hour| reading.hour = hour),
            Some('i') => reading.number(2).map(|minute| reading.minute = minute),
            Some('s' | 'S') => reading.number(2).map(|second| reading.second = second),
            Some('f') => reading.fraction(9).map(|nanos| reading.nanos = nanos),
            Some('p') => reading.half().map(|afternoon| reading.afternoon = Some(afternoon)),
            Some('T') => read_clock(&mut reading),
            Some('r') => read_clock(&mut reading)
                .and_then(|()| reading.literal(' '))
                .and_then(|()| reading.half())
                .map(|afternoon| reading.afternoon = Some(afternoon)),
            Some(code @ ('D' | 'U' | 'u' | 'V' | 'w' | 'X' | 'v' | 'x')) => {
                return Err(not_supported(code));
            }
            Some(other) => reading.literal(other),
        };
        read.ok_or_else(|| malformed(before))?;
    }
    let rest = reading.rest;
    reading.finish().ok_or_else(|| malformed(rest))
}

fn read_clock(reading: &mut Reading<'_>) -> Option<()> {
    reading.hour = reading.number(2)?;
    reading.literal(':')?;
    reading.minute = reading.number(2)?;
    reading.literal(':')?;
    reading.second = reading.number(2)?;
    Some(())
}

fn parse_datetime(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let found = (0..call.rows)
        .map(|row| {
            if texts.is_null(row) || patterns.is_null(row) {
                return Ok(None);
            }
            read_java(texts.value(row), patterns.value(row)).map(Some)
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    from_instants(found.into_iter(), &TrinoType::TimestampWithZone(3))
}

fn read_java(text: &str, pattern: &str) -> Result<(i64, i64), Failure> {
    let malformed = |rest: &str| {
        Failure::invalid_argument(format!("Invalid format: \"{text}\" is malformed at \"{rest}\""))
    };
    let mut reading = Reading::new(text);
    let mut zone = None;
    let letters: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    while at < letters.len() {
        let before = reading.rest;
        let letter = letters[at];
        if letter == '\'' || !letter.is_ascii_alphabetic() {
            let mut literal = String::new();
            at = if letter == '\'' {
                quoted(&letters, at, &mut literal)
            } else {
                literal.push(letter);
                at + 1
            };
            reading.rest = reading.rest.strip_prefix(&literal).ok_or_else(|| malformed(before))?;
            continue;
        }
        let width = letters[at..].iter().take_while(|c| **c == letter).count();
        at += width;
        // Digits follow digits: each takes its own width.
        let packed = letters.get(at).is_some_and(char::is_ascii_alphabetic);
        let most = |usual: usize| if packed { width } else { usual };
        let read = match letter {
            'y' | 'Y' | 'u' | 'x' => reading.year(most(9)).map(|year| {
                reading.year = if width == 2 { 2_000 + year } else { year };
            }),
            'M' if width >= 3 => reading.name(&MONTHS).map(|month| reading.month = month),
            'M' => reading.number(most(2)).map(|month| reading.month = month),
            'd' => reading.number(most(2)).map(|day| reading.day = day),
            'D' => reading.number(most(3)).map(|day| reading.day_of_year = Some(day)),
            'E' => reading.name(&DAYS).map(drop),
            'a' => reading.half().map(|afternoon| reading.afternoon = Some(afternoon)),
            'H' | 'k' | 'h' | 'K' => reading.number(most(2)).map(|hour| reading.hour = hour),
            'm' => reading.number(most(2)).map(|minute| reading.minute = minute),
            's' => reading.number(most(2)).map(|second| reading.second = second),
            'S' => reading.fraction(most(9)).map(|nanos| reading.nanos = nanos),
            'Z' | 'z' => {
                let end = reading.rest.find(' ').unwrap_or(reading.rest.len());
                let (name, rest) = reading.rest.split_at(end);
                reading.rest = rest;
                zone = super::time_zone::parse(name);
                zone.as_ref().map(|_| ())
            }
            other => {
                return Err(Failure::invalid_argument(format!(
                    "Illegal pattern component: {other}"
                )));
            }
        };
        read.ok_or_else(|| malformed(before))?;
    }
    let rest = reading.rest;
    let (seconds, nanos) = reading.finish().ok_or_else(|| malformed(rest))?;
    let seconds = match zone {
        Some(zone) => zone.to_utc(seconds).ok_or_else(|| malformed(rest))?,
        None => seconds,
    };
    Ok((seconds, nanos))
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
