//! `date_parse` and `parse_datetime`.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::Result;

use super::reading::Reading;
use super::{DAYS, MONTHS, not_supported, quoted};
use crate::moment::{Moment, Zone, of_moments};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::call::Call;

pub(super) fn date_parse(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let found = (0..call.rows).map(|row| {
        if texts.is_null(row) || patterns.is_null(row) {
            return Ok(None);
        }
        read_mysql(texts.value(row), patterns.value(row)).map(Some)
    });
    of_moments::<Failure>(found, &TrinoType::Timestamp(3))
}

fn read_mysql(text: &str, pattern: &str) -> Result<Moment, Failure> {
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
            Some('a' | 'W') => reading.name(&DAYS).map(|_| ()),
            Some('H' | 'k') => reading.number(2).map(|hour| reading.hour = hour),
            Some('h' | 'I' | 'l') => reading.number(2).map(|hour| {
                (reading.hour, reading.half_day) = (hour, true);
            }),
            Some('i') => reading.number(2).map(|minute| reading.minute = minute),
            Some('s' | 'S') => reading.number(2).map(|second| reading.second = second),
            Some('f') => reading.fraction(9).map(|picos| reading.picos = picos),
            Some('p') => reading.half().map(|afternoon| reading.afternoon = Some(afternoon)),
            Some('T') => read_clock(&mut reading),
            Some('r') => read_clock(&mut reading)
                .and_then(|()| reading.literal(' '))
                .and_then(|()| reading.half())
                .map(|afternoon| reading.afternoon = Some(afternoon)),
            Some('x') => reading.year(9).map(|year| reading.week_year = Some(year)),
            Some('v') => reading.number(2).map(|week| reading.week = Some(week)),
            Some(code @ ('D' | 'U' | 'u' | 'V' | 'w' | 'X')) => {
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

pub(super) fn parse_datetime(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let found = (0..call.rows).map(|row| {
        if texts.is_null(row) || patterns.is_null(row) {
            return Ok(None);
        }
        read_java(texts.value(row), patterns.value(row), call.zone).map(Some)
    });
    of_moments::<Failure>(found, &TrinoType::TimestampWithZone(3))
}

fn read_java(text: &str, pattern: &str, session: Zone) -> Result<Moment, Failure> {
    let malformed = |rest: &str| {
        Failure::invalid_argument(format!("Invalid format: \"{text}\" is malformed at \"{rest}\""))
    };
    let mut reading = Reading::new(text);
    let mut zone = session;
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
            'E' => reading.name(&DAYS).map(|_| ()),
            'a' => reading.half().map(|afternoon| reading.afternoon = Some(afternoon)),
            'H' | 'k' | 'h' | 'K' => reading.number(most(2)).map(|hour| reading.hour = hour),
            'm' => reading.number(most(2)).map(|minute| reading.minute = minute),
            's' => reading.number(most(2)).map(|second| reading.second = second),
            'S' => reading.fraction(most(9)).map(|picos| reading.picos = picos),
            'Z' | 'z' => {
                let end = reading.rest.find(' ').unwrap_or(reading.rest.len());
                let (name, rest) = reading.rest.split_at(end);
                reading.rest = rest;
                Zone::parse(name).map(|named| zone = named)
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
    let local = reading.finish().ok_or_else(|| malformed(rest))?;
    Ok(Moment::in_zone(local, zone))
}
