//! From text to everything else, as strictly as Trino.
#![expect(
    clippy::cast_possible_truncation,
    reason = "NaN and infinities alone go from double to real"
)]

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, PrimitiveArray,
    StringArray,
};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::common::Result;

use super::OnFailure;
use super::number::{pow10, rescale};
use super::time::session_offset;
use crate::moment::{Clock, ClockBuilder, Moment, MomentBuilder, Zone, read_clock, read_timestamp};
use crate::sql::{Failure, TrinoType};

pub(super) fn from_text(
    array: &ArrayRef,
    to: &TrinoType,
    on_failure: OnFailure,
    zone: Zone,
) -> Result<ArrayRef> {
    let texts = array.as_string::<i32>();
    if let Some(plain) = to.plain_kind().and_then(|kind| fields::read(kind, texts)) {
        return Ok(plain);
    }
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
        TrinoType::Timestamp(_) | TrinoType::TimestampWithZone(_) => {
            timestamps(texts, to, on_failure, zone)?
        }
        TrinoType::Time(_) | TrinoType::TimeWithZone(_) => times(texts, to, on_failure, zone)?,
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
        | TrinoType::Time(_)
        | TrinoType::TimeWithZone(_) => {
            let name = match to {
                TrinoType::Date => "date",
                TrinoType::Time(_) => "time",
                TrinoType::TimeWithZone(_) => "time with time zone",
                _ => "timestamp",
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

/// The moment a text says; without a zone of its own it is of the session's.
pub(super) fn moment_of(text: &str, to: &TrinoType, session: Zone) -> Option<Moment> {
    let found = read_timestamp(trim(text))?;
    let zone = match found.zone {
        Some(zone) => Zone::parse(zone)?,
        None => session,
    };
    Some(match to {
        TrinoType::TimestampWithZone(_) => Moment::in_zone(found.local, zone),
        // Without a zone in the type, a zone in the text is dropped.
        _ => found.local,
    })
}

fn timestamps(
    texts: &StringArray,
    to: &TrinoType,
    on_failure: OnFailure,
    session: Zone,
) -> Result<ArrayRef> {
    let mut found = MomentBuilder::new(to, texts.len())?;
    for text in texts {
        let Some(text) = text else {
            found.append(None)?;
            continue;
        };
        let moment = moment_of(text, to, session);
        let appended = moment.is_some() && found.append(moment).is_ok();
        match (appended, on_failure) {
            (true, _) => {}
            (false, OnFailure::Null) => found.append(None)?,
            (false, OnFailure::Fail) => return Err(refusal(text, to).into()),
        }
    }
    Ok(found.finish())
}

fn times(
    texts: &StringArray,
    to: &TrinoType,
    on_failure: OnFailure,
    session: Zone,
) -> Result<ArrayRef> {
    let zoned = matches!(to, TrinoType::TimeWithZone(_));
    let clock_of = |text: &str| -> Option<Clock> {
        let (clock, _, has_zone) = read_clock(trim(text))?;
        match (zoned, has_zone) {
            (true, false) => Some(Clock { offset: session_offset(session), ..clock }),
            (false, true) => None,
            _ => Some(clock),
        }
    };
    let mut found = ClockBuilder::new(to, texts.len())?;
    for text in texts {
        let clock = text.and_then(clock_of);
        if let Some(text) = text
            && clock.is_none()
            && on_failure == OnFailure::Fail
        {
            return Err(refusal(text, to).into());
        }
        found.append(clock)?;
    }
    Ok(found.finish())
}
