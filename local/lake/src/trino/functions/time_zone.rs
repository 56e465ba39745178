//! Zones: `now()`, and moving between zones and UTC.
//!
//! A timestamp with a zone is kept as its instant, shown in UTC: the session's zone.
//! What would have to show another zone is refused rather than answered wrongly.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::unnecessary_wraps,
    reason = "seconds are doubles in Trino; bodies share one signature"
)]

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, TimestampMillisecondArray};
use datafusion::common::Result;
use jiff::tz::{Offset, TimeZone};

use super::call::Call;
use super::cast::{from_instants, instants};
use super::function::{Function, Plan, exactly, unexpected};
use crate::sql::{Failure, TrinoType};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::volatile("now", |_| Ok(Plan::new(Vec::new(), TrinoType::TimestampWithZone(3))), now),
    Function::new("at_timezone", |given| moved("at_timezone", given), at_timezone),
    Function::new(
        "with_timezone",
        |given| {
            exactly(
                "with_timezone",
                given,
                &[TrinoType::Timestamp(3), TrinoType::Varchar(None)],
                TrinoType::TimestampWithZone(3),
            )
        },
        with_timezone,
    ),
    Function::new("from_unixtime", from_unixtime_types, from_unixtime),
    Function::new("to_unixtime", to_unixtime_types, to_unixtime),
    Function::new(
        "from_iso8601_timestamp",
        |given| {
            exactly(
                "from_iso8601_timestamp",
                given,
                &[TrinoType::Varchar(None)],
                TrinoType::TimestampWithZone(3),
            )
        },
        from_iso8601,
    ),
    Function::new(
        "from_iso8601_date",
        |given| exactly("from_iso8601_date", given, &[TrinoType::Varchar(None)], TrinoType::Date),
        from_iso8601_date,
    ),
    Function::new("timezone_hour", |given| zone_part("timezone_hour", given), zero),
    Function::new("timezone_minute", |given| zone_part("timezone_minute", given), zero),
];

/// A zone by name or offset.
#[derive(Clone)]
pub(in crate::trino) struct Zone(TimeZone);

/// `UTC`, `America/New_York`, `+05:45`; `None` when there is no such zone.
pub(in crate::trino) fn parse(name: &str) -> Option<Zone> {
    let name = name.trim();
    if matches!(name, "UTC" | "Z" | "GMT" | "utc" | "UT" | "Zulu") {
        return Some(Zone(TimeZone::UTC));
    }
    if let Some(seconds) = offset(name) {
        return Offset::from_seconds(seconds).ok().map(|offset| Zone(TimeZone::fixed(offset)));
    }
    TimeZone::get(name).ok().map(Zone)
}

/// `+05:45`, `-8`, `+0530` in seconds.
fn offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some(parts) => parts,
        None if rest.len() == 4 => rest.split_at(2),
        None => (rest, "0"),
    };
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

impl Zone {
    /// Seconds since the epoch of a local time given as if it were UTC.
    pub fn to_utc(&self, local: i64) -> Option<i64> {
        let civil = Offset::UTC.to_datetime(jiff::Timestamp::from_second(local).ok()?);
        self.0.to_timestamp(civil).ok().map(jiff::Timestamp::as_second)
    }
}

fn now(call: &Call) -> Result<ArrayRef> {
    let millis = crate::clock::now().as_millisecond();
    Ok(Arc::new(TimestampMillisecondArray::from_value(millis, call.rows).with_timezone("UTC")))
}

fn moved(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::TimestampWithZone(precision), TrinoType::Varchar(_)] => {
            Ok(Plan::given(given, TrinoType::TimestampWithZone(*precision)))
        }
        [TrinoType::Timestamp(precision), TrinoType::Varchar(_)] => Ok(Plan::new(
            vec![TrinoType::TimestampWithZone(*precision), TrinoType::Varchar(None)],
            TrinoType::TimestampWithZone(*precision),
        )),
        _ => Err(unexpected(
            name,
            given,
            &format!("{name}(timestamp(p) with time zone, varchar(x))"),
        )),
    }
}

fn at_timezone(call: &Call) -> Result<ArrayRef> {
    let zones = call.texts(1)?;
    for zone in zones.iter().flatten() {
        let found = parse(zone).ok_or_else(|| {
            Failure::invalid_argument(format!("'{zone}' is not a valid time zone"))
        })?;
        if !found.0.is_unknown() && found.0 != TimeZone::UTC {
            return Err(Failure::not_supported(format!(
                "timestamps are shown in UTC here: AT TIME ZONE '{zone}' cannot be shown"
            ))
            .into());
        }
    }
    call.array(0)
}

fn with_timezone(call: &Call) -> Result<ArrayRef> {
    let zones = call.texts(1)?;
    let moved = instants(&call.array(0)?)
        .into_iter()
        .enumerate()
        .map(|(row, instant)| {
            let Some((local, nanos)) = instant else { return Ok(None) };
            let name = zones.value(row);
            let zone = parse(name).ok_or_else(|| {
                Failure::invalid_argument(format!("'{name}' is not a valid time zone"))
            })?;
            Ok(zone.to_utc(local).map(|seconds| (seconds, nanos)))
        })
        .collect::<Result<Vec<_>>>()?;
    from_instants(moved.into_iter(), &TrinoType::TimestampWithZone(3))
}

fn from_unixtime_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [number] if number.is_numeric() => {
            Ok(Plan::new(vec![TrinoType::Double], TrinoType::TimestampWithZone(3)))
        }
        [number, TrinoType::Varchar(_)] if number.is_numeric() => Err(Failure::not_supported(
            "timestamps are shown in UTC here: from_unixtime with a zone cannot be shown",
        )),
        _ => Err(unexpected("from_unixtime", given, "from_unixtime(double)")),
    }
}

fn from_unixtime(call: &Call) -> Result<ArrayRef> {
    let millis: TimestampMillisecondArray = call
        .doubles(0)?
        .iter()
        .map(|seconds| seconds.map(|seconds| (seconds * 1_000.0).round() as i64))
        .collect();
    Ok(Arc::new(millis.with_timezone("UTC")))
}

fn to_unixtime_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Timestamp(_) | TrinoType::TimestampWithZone(_)] => {
            Ok(Plan::given(given, TrinoType::Double))
        }
        [TrinoType::Date | TrinoType::Unknown] => {
            Ok(Plan::new(vec![TrinoType::Timestamp(3)], TrinoType::Double))
        }
        _ => Err(unexpected("to_unixtime", given, "to_unixtime(timestamp(p))")),
    }
}

fn to_unixtime(call: &Call) -> Result<ArrayRef> {
    let found = instants(&call.array(0)?);
    let mut rows = found.into_iter();
    let doubles: datafusion::arrow::array::Float64Array = (&mut rows)
        .map(|instant| {
            instant.map(|(seconds, nanos)| seconds as f64 + (nanos / 1_000) as f64 / 1e6)
        })
        .collect();
    Ok(Arc::new(doubles))
}

/// ISO 8601: dates, weeks and ordinal days are as Trino's; a missing zone is UTC.
fn from_iso8601(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let found = texts
        .iter()
        .map(|text| {
            let Some(text) = text else { return Ok(None) };
            let refused = || Failure::invalid_argument(format!("Invalid format: \"{text}\""));
            let (date, clock) = text.split_once('T').unwrap_or((text, ""));
            let days = iso_date(date).ok_or_else(refused)?;
            if clock.is_empty() {
                return Ok(Some((days * 86_400, 0)));
            }
            let zone_at = clock.find(['Z', '+', '-']).unwrap_or(clock.len());
            let (clock, zone) = clock.split_at(zone_at);
            let padded = match clock.matches(':').count() {
                0 => format!("1970-01-01 {clock}:00"),
                _ => format!("1970-01-01 {clock}"),
            };
            let (_, seconds, nanos, rest) =
                super::cast::parse_timestamp(&padded).ok_or_else(refused)?;
            if !rest.is_empty() {
                return Err(refused().into());
            }
            let local = days * 86_400 + seconds;
            let utc = if zone.is_empty() {
                local
            } else {
                parse(zone).and_then(|zone| zone.to_utc(local)).ok_or_else(refused)?
            };
            Ok(Some((utc, nanos / 1_000_000 * 1_000_000)))
        })
        .collect::<Result<Vec<_>>>()?;
    from_instants(found.into_iter(), &TrinoType::TimestampWithZone(3))
}

/// `2024-01-31`, `2024-01`, `2024`, `2024-031`, `2024-W05-3`.
fn iso_date(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split('-').collect();
    match parts.as_slice() {
        [year] => crate::sql::day_number(year.parse().ok()?, 1, 1),
        [year, week] | [year, week, _] if week.starts_with('W') => {
            let day = parts.get(2).map_or(Some(1), |day| day.parse().ok())?;
            let first = crate::sql::day_number(year.parse().ok()?, 1, 4)?;
            let monday = first - (first + 3).rem_euclid(7);
            let week: i64 = week[1..].parse().ok()?;
            ((1..=53).contains(&week) && (1..=7).contains(&day))
                .then_some(monday + (week - 1) * 7 + day - 1)
        }
        [year, day] if day.len() == 3 => {
            Some(crate::sql::day_number(year.parse().ok()?, 1, 1)? + day.parse::<i64>().ok()? - 1)
        }
        [year, month] => crate::sql::day_number(year.parse().ok()?, month.parse().ok()?, 1),
        [year, month, day] => {
            crate::sql::day_number(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
        }
        _ => None,
    }
}

fn from_iso8601_date(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let days: datafusion::arrow::array::Date32Array = texts
        .iter()
        .map(|text| {
            let Some(text) = text else { return Ok(None) };
            let days = iso_date(text).and_then(|days| i32::try_from(days).ok());
            days.map(Some)
                .ok_or_else(|| Failure::invalid_argument(format!("Invalid format: \"{text}\"")))
        })
        .collect::<Result<_, Failure>>()?;
    Ok(Arc::new(days))
}

fn zone_part(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::TimestampWithZone(_)] => Ok(Plan::given(given, TrinoType::Bigint)),
        _ => Err(unexpected(name, given, &format!("{name}(timestamp(p) with time zone)"))),
    }
}

/// UTC is zero hours and minutes from itself.
fn zero(call: &Call) -> Result<ArrayRef> {
    call.each_long(|_| Ok(Some(0)))
}
