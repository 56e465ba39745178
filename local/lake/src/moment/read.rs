//! Moments and times read from their texts, as strictly as Trino.

use super::{Clock, DAY, Moment};
use crate::sql::day_number;

/// A timestamp's text, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampText<'t> {
    /// As the text has it, whatever the zone.
    pub local: Moment,
    /// Digits of the second's fraction.
    pub precision: u8,
    /// What follows the time.
    pub zone: Option<&'t str>,
}

/// `2024-01-31[ 10:20[:30[.123]]][ zone]`; `None` when the text is no such thing.
pub fn read_timestamp(text: &str) -> Option<TimestampText<'_>> {
    let (days, rest) = read_date(text)?;
    let none = TimestampText { local: Moment::of_day(days), precision: 0, zone: None };
    let Some(clock) = rest.strip_prefix(' ') else {
        return rest.is_empty().then_some(none);
    };
    let zone_of = |rest: &str| -> Option<usize> {
        let zone = rest.trim_start();
        (!zone.is_empty()).then(|| text.len() - zone.len())
    };
    let Some((seconds, picos, precision, rest)) = read_seconds(clock) else {
        // A date and a zone.
        return Some(TimestampText { zone: zone_of(clock).map(|at| &text[at..]), ..none });
    };
    Some(TimestampText {
        local: Moment::new(days * DAY + seconds, picos),
        precision,
        zone: zone_of(rest).map(|at| &text[at..]),
    })
}

/// `10:20[:30[.123]][+01:00]`, its digits of a fraction, and whether it says its distance from UTC.
pub fn read_clock(text: &str) -> Option<(Clock, u8, bool)> {
    let (seconds, picos, precision, rest) = read_seconds(text)?;
    let local = seconds * super::SECOND + picos;
    let rest = rest.trim_start();
    if rest.is_empty() {
        return Some((Clock::new(local, 0), precision, false));
    }
    let (sign, digits) = match rest.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let two = |text: &str| -> Option<i64> {
        (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    let offset = sign * (hours * 60 + minutes);
    (minutes < 60 && offset.abs() <= 14 * 60).then(|| (Clock::new(local, offset), precision, true))
}

/// A day number and what follows it. The year has at least four digits and may have a sign.
fn read_date(text: &str) -> Option<(i64, &str)> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (year, length, rest) = digits(rest, 9)?;
    let (month, _, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let (day, _, rest) = digits(rest.strip_prefix('-')?, 2)?;
    let year = if negative { -year } else { year };
    (length >= 4).then_some(())?;
    Some((day_number(year, month, day)?, rest))
}

/// Second of the day, picoseconds, digits of the fraction, and what follows.
fn read_seconds(text: &str) -> Option<(i64, i64, u8, &str)> {
    let (hour, _, rest) = digits(text, 2)?;
    let (minute, _, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (second, fraction, rest) = match rest.strip_prefix(':') {
        None => (0, None, rest),
        Some(rest) => {
            let (second, _, rest) = digits(rest, 2)?;
            match rest.strip_prefix('.') {
                None => (second, None, rest),
                Some(rest) => {
                    let (fraction, length, rest) = digits(rest, 12)?;
                    (second, Some((fraction, length)), rest)
                }
            }
        }
    };
    if hour > 23 || minute > 59 || second > 59 || rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (picos, precision) = match fraction {
        None => (0, 0),
        Some((fraction, length)) => {
            let precision = u8::try_from(length).ok()?;
            (fraction * super::coarse(precision), precision)
        }
    };
    Some((hour * 3_600 + minute * 60 + second, picos, precision, rest))
}

fn digits(text: &str, most: usize) -> Option<(i64, usize, &str)> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (found, rest) = text.split_at(length);
    Some((found.parse().ok()?, length, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_read() {
        let cases = [
            ("2020-05-01", Some((18_383 * DAY, 0, 0, None))),
            ("2020-5-1 1:2", Some((18_383 * DAY + 3_720, 0, 0, None))),
            ("1970-01-01 00:00:01.25 UTC", Some((1, 250_000_000_000, 2, Some("UTC")))),
            ("1970-01-01 +01:00", Some((0, 0, 0, Some("+01:00")))),
            ("1970-01-01 00:00:00.123456789012", Some((0, 123_456_789_012, 12, None))),
            ("1970-01-01 00:00:00.1234567890123", Some((0, 0, 0, Some("00:00:00.1234567890123")))),
            ("1970-01-01T00:00:00", None),
            ("70-01-01", None),
            ("1970-02-30", None),
        ];
        for (text, expected) in cases {
            let found = read_timestamp(text)
                .map(|found| (found.local.seconds, found.local.picos, found.precision, found.zone));
            assert_eq!(found, expected, "{text}");
        }
    }
}
