//! From text to everything else, as strictly as Trino.
#![expect(
    clippy::cast_possible_truncation,
    reason = "NaN and infinities alone go from double to real"
)]

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, PrimitiveArray,
    StringArray, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray,
    TimestampSecondArray,
};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimeUnit,
};
use datafusion::common::Result;

use super::OnFailure;
use super::number::{pow10, rescale};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::time_zone;

pub(super) fn from_text(
    array: &ArrayRef,
    to: &TrinoType,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let texts = array.as_string::<i32>();
    Ok(match to {
        TrinoType::Boolean => {
            let found: BooleanArray = each(texts, to, on_failure, boolean)?;
            Arc::new(found)
        }
        TrinoType::Tinyint => numbers::<Int8Type>(texts, to, on_failure, whole)?,
        TrinoType::Smallint => numbers::<Int16Type>(texts, to, on_failure, whole)?,
        TrinoType::Integer => numbers::<Int32Type>(texts, to, on_failure, whole)?,
        TrinoType::Bigint => numbers::<Int64Type>(texts, to, on_failure, whole)?,
        TrinoType::Double => numbers::<Float64Type>(texts, to, on_failure, double)?,
        TrinoType::Real => numbers::<Float32Type>(texts, to, on_failure, |text| {
            let text = trim(text);
            match java_float(text) {
                Some(number) => number.parse().ok(),
                None => special(text).map(|value| value as f32),
            }
        })?,
        TrinoType::Decimal(precision, scale) => {
            let found: Decimal128Array =
                each(texts, to, on_failure, |text| parse_decimal(trim(text), *precision, *scale))?;
            Arc::new(found.with_precision_and_scale(*precision, *scale)?)
        }
        TrinoType::Date => {
            let found: Date32Array = each(texts, to, on_failure, |text| {
                parse_date(trim(text)).and_then(|days| i32::try_from(days).ok())
            })?;
            Arc::new(found)
        }
        TrinoType::Timestamp(precision) => {
            let precision = *precision;
            timestamps(texts, to, on_failure, precision, false)?
        }
        TrinoType::TimestampWithZone(precision) => {
            let precision = *precision;
            timestamps(texts, to, on_failure, precision, true)?
        }
        TrinoType::Time(precision) => time_of_day(texts, to, on_failure, *precision)?,
        TrinoType::Uuid => Arc::new(texts.clone()),
        other => {
            return Err(Failure::type_mismatch(format!("Cannot cast varchar to {other}")).into());
        }
    })
}

/// Blanks around a number or time do not count.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_ascii_whitespace() || c.is_control())
}

fn each<T, A: FromIterator<Option<T>>>(
    texts: &StringArray,
    to: &TrinoType,
    on_failure: OnFailure,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<A> {
    texts
        .iter()
        .map(|text| match text {
            None => Ok(None),
            Some(text) => match (parse(text), on_failure) {
                (Some(value), _) => Ok(Some(value)),
                (None, OnFailure::Null) => Ok(None),
                (None, OnFailure::Fail) => Err(refusal(text, to).into()),
            },
        })
        .collect()
}

fn numbers<T: ArrowPrimitiveType>(
    texts: &StringArray,
    to: &TrinoType,
    on_failure: OnFailure,
    parse: impl Fn(&str) -> Option<T::Native>,
) -> Result<ArrayRef> {
    let mut found = datafusion::arrow::array::PrimitiveBuilder::<T>::with_capacity(texts.len());
    for text in texts {
        match text {
            None => found.append_null(),
            Some(text) => match (parse(text), on_failure) {
                (Some(value), _) => found.append_value(value),
                (None, OnFailure::Null) => found.append_null(),
                (None, OnFailure::Fail) => return Err(refusal(text, to).into()),
            },
        }
    }
    let found: PrimitiveArray<T> = found.finish();
    Ok(Arc::new(found))
}

fn refusal(text: &str, to: &TrinoType) -> Failure {
    match to {
        TrinoType::Integer => Failure::cast(text, "INT"),
        TrinoType::Decimal(..) => Failure::new(
            "INVALID_CAST_ARGUMENT",
            format!(
                "Cannot cast VARCHAR '{text}' to DECIMAL{}",
                to.to_string().trim_start_matches("decimal").replace(',', ", ")
            ),
        ),
        TrinoType::Date
        | TrinoType::Timestamp(_)
        | TrinoType::TimestampWithZone(_)
        | TrinoType::Time(_) => {
            let name = match to {
                TrinoType::Date => "date",
                TrinoType::Timestamp(_) => "timestamp",
                TrinoType::Time(_) => "time",
                _ => "timestamp with time zone",
            };
            Failure::new("INVALID_CAST_ARGUMENT", format!("Value cannot be cast to {name}: {text}"))
        }
        other => Failure::cast(text, &other.to_string()),
    }
}

fn whole<T: std::str::FromStr>(text: &str) -> Option<T> {
    trim(text).parse().ok()
}

fn boolean(text: &str) -> Option<bool> {
    if ["true", "t", "1"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Some(true)
    } else if ["false", "f", "0"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        Some(false)
    } else {
        None
    }
}

fn double(text: &str) -> Option<f64> {
    let text = trim(text);
    match java_float(text) {
        Some(number) => number.parse().ok(),
        None => special(text),
    }
}

/// A number as both Java and Rust read it: digits, a point, an exponent, Java's `d`
/// or `f` dropped.
fn java_float(text: &str) -> Option<&str> {
    let number = match text.as_bytes().last()? {
        b'd' | b'D' | b'f' | b'F' => &text[..text.len() - 1],
        _ => text,
    };
    let plain =
        number.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    (plain && number.bytes().any(|b| b.is_ascii_digit())).then_some(number)
}

fn special(text: &str) -> Option<f64> {
    match text {
        "NaN" | "+NaN" | "-NaN" => Some(f64::NAN),
        "Infinity" | "+Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// The unscaled value of a decimal text at a precision and scale, rounded half up;
/// `None` when it is no number or does not fit.
pub(in crate::trino) fn parse_decimal(text: &str, precision: u8, scale: i8) -> Option<i128> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut value: i128 = 0;
    let mut dropped = 0_i32;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return None;
        }
        match value.checked_mul(10).and_then(|v| v.checked_add(i128::from(digit - b'0'))) {
            Some(next) if dropped == 0 && next < pow10(38)? => value = next,
            _ => dropped += 1,
        }
    }
    let found_scale = i32::try_from(fraction.len()).ok()? - exponent - dropped;
    let value = if negative { -value } else { value };
    let value = rescale(value, found_scale, i32::from(scale))?;
    (value.unsigned_abs() < pow10(u32::from(precision))?.unsigned_abs()).then_some(value)
}

/// The day number of `2024-1-31`; the year may have a sign and more digits.
fn parse_date(text: &str) -> Option<i64> {
    let (days, rest) = date_prefix(text.as_bytes())?;
    rest.is_empty().then_some(days)
}

fn date_prefix(text: &[u8]) -> Option<(i64, &[u8])> {
    let (negative, rest) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    let (year, rest) = digits(rest, 9)?;
    let rest = rest.strip_prefix(b"-")?;
    let (month, rest) = digits(rest, 2)?;
    let rest = rest.strip_prefix(b"-")?;
    let (day, rest) = digits(rest, 2)?;
    let year = if negative { -year } else { year };
    Some((crate::sql::day_number(year, month, day)?, rest))
}

fn digits(text: &[u8], most: usize) -> Option<(i64, &[u8])> {
    let length = text.iter().take(most).take_while(|b| b.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let value =
        text[..length].iter().fold(0_i64, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some((value, &text[length..]))
}

/// `2024-01-31 10:20[:30[.123]]` or a date alone: day number, second of the day,
/// nanosecond, and what follows (a zone).
pub(in crate::trino) fn parse_timestamp(text: &str) -> Option<(i64, i64, i64, &str)> {
    let (days, rest) = date_prefix(text.as_bytes())?;
    let Some((b' ' | b'T', clock)) = rest.split_first() else {
        return rest.is_empty().then_some((days, 0, 0, ""));
    };
    let Some((seconds, nanos, rest)) = clock_prefix(clock) else {
        // A date with a zone alone.
        return Some((days, 0, 0, std::str::from_utf8(clock).ok()?.trim()));
    };
    Some((days, seconds, nanos, std::str::from_utf8(rest).ok()?.trim()))
}

fn clock_prefix(text: &[u8]) -> Option<(i64, i64, &[u8])> {
    let (hour, rest) = digits(text, 2)?;
    let rest = rest.strip_prefix(b":")?;
    let (minute, rest) = digits(rest, 2)?;
    let (second, nanos, rest) = match rest.strip_prefix(b":") {
        None => (0, 0, rest),
        Some(rest) => {
            let (second, rest) = digits(rest, 2)?;
            match rest.strip_prefix(b".") {
                None => (second, 0, rest),
                Some(fraction) => {
                    let length = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
                    if length == 0 {
                        return None;
                    }
                    let mut nanos = 0_i64;
                    for at in 0..9 {
                        let digit =
                            fraction[..length].get(at).map_or(0, |digit| i64::from(digit - b'0'));
                        nanos = nanos * 10 + digit;
                    }
                    // Picoseconds round half up.
                    if fraction[..length].get(9).is_some_and(|digit| *digit >= b'5') {
                        nanos += 1;
                    }
                    (second, nanos, &fraction[length..])
                }
            }
        }
    };
    (hour < 24 && minute < 60 && second < 60).then_some((
        hour * 3_600 + minute * 60 + second,
        nanos,
        rest,
    ))
}

fn timestamps(
    texts: &StringArray,
    to: &TrinoType,
    on_failure: OnFailure,
    precision: u8,
    zoned: bool,
) -> Result<ArrayRef> {
    let (per_second, unit) = match precision {
        0 => (1, TimeUnit::Second),
        1..=3 => (1_000, TimeUnit::Millisecond),
        4..=6 => (1_000_000, TimeUnit::Microsecond),
        _ => (1_000_000_000, TimeUnit::Nanosecond),
    };
    let coarse = 10_i64.pow(9 - u32::from(precision.min(9)));
    let ticks = |text: &str| -> Option<i64> {
        let (days, seconds, nanos, zone) = parse_timestamp(trim(text))?;
        let nanos = (nanos + coarse / 2) / coarse * coarse;
        let local = days * 86_400 + seconds;
        let seconds = match (zone, zoned) {
            ("", _) => local,
            // Without a zone in the type, a zone in the text is dropped.
            (zone, false) => {
                time_zone::parse(zone)?;
                local
            }
            (zone, true) => time_zone::parse(zone)?.to_utc(local)?,
        };
        seconds.checked_mul(per_second)?.checked_add(nanos / (1_000_000_000 / per_second))
    };
    let zone = || zoned.then(|| "UTC".to_owned());
    Ok(match unit {
        TimeUnit::Second => {
            let found: TimestampSecondArray = each(texts, to, on_failure, ticks)?;
            Arc::new(found.with_timezone_opt(zone()))
        }
        TimeUnit::Millisecond => {
            let found: TimestampMillisecondArray = each(texts, to, on_failure, ticks)?;
            Arc::new(found.with_timezone_opt(zone()))
        }
        TimeUnit::Microsecond => {
            let found: TimestampMicrosecondArray = each(texts, to, on_failure, ticks)?;
            Arc::new(found.with_timezone_opt(zone()))
        }
        TimeUnit::Nanosecond => {
            let found: TimestampNanosecondArray = each(texts, to, on_failure, ticks)?;
            Arc::new(found.with_timezone_opt(zone()))
        }
    })
}

fn time_of_day(
    texts: &StringArray,
    to: &TrinoType,
    on_failure: OnFailure,
    precision: u8,
) -> Result<ArrayRef> {
    use datafusion::arrow::array::{
        Time32MillisecondArray, Time64MicrosecondArray, Time64NanosecondArray,
    };
    let coarse = 10_i64.pow(9 - u32::from(precision.min(9)));
    let nanos = |text: &str| -> Option<i64> {
        let (seconds, nanos, rest) = clock_prefix(trim(text).as_bytes())?;
        rest.is_empty().then(|| {
            (seconds * 1_000_000_000 + (nanos + coarse / 2) / coarse * coarse) % 86_400_000_000_000
        })
    };
    Ok(match precision {
        0..=3 => {
            let found: Time32MillisecondArray = each(texts, to, on_failure, |text| {
                nanos(text).and_then(|nanos| i32::try_from(nanos / 1_000_000).ok())
            })?;
            Arc::new(found)
        }
        4..=6 => {
            let found: Time64MicrosecondArray =
                each(texts, to, on_failure, |text| nanos(text).map(|n| n / 1_000))?;
            Arc::new(found)
        }
        _ => {
            let found: Time64NanosecondArray = each(texts, to, on_failure, nanos)?;
            Arc::new(found)
        }
    })
}
