//! Between dates, times and timestamps.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, PrimitiveArray, Time32MillisecondArray,
    Time64MicrosecondArray, Time64NanosecondArray,
};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use datafusion::common::Result;

use crate::sql::{Failure, TrinoType, ticks_of};

const NANOS: i64 = 1_000_000_000;

/// Seconds and nanoseconds since the epoch in each row; a date is its midnight.
pub(in crate::trino) fn instants(array: &ArrayRef) -> Vec<Option<(i64, i64)>> {
    match array.data_type() {
        DataType::Date32 => array
            .as_primitive::<Date32Type>()
            .iter()
            .map(|days| days.map(|days| (i64::from(days) * 86_400, 0)))
            .collect(),
        DataType::Timestamp(unit, _) => (0..array.len())
            .map(|row| {
                (!array.is_null(row)).then(|| {
                    let (ticks, per_second, _) = ticks_of(array.as_ref(), *unit, row);
                    (
                        ticks.div_euclid(per_second),
                        ticks.rem_euclid(per_second) * (NANOS / per_second),
                    )
                })
            })
            .collect(),
        _ => vec![None; array.len()],
    }
}

/// Timestamps of a type from seconds and nanoseconds, rounded half up.
pub(in crate::trino) fn from_instants(
    instants: impl Iterator<Item = Option<(i64, i64)>>,
    to: &TrinoType,
) -> Result<ArrayRef> {
    let (precision, zone) = match to {
        TrinoType::TimestampWithZone(precision) => (*precision, Some("UTC")),
        TrinoType::Timestamp(precision) => (*precision, None),
        TrinoType::Date => {
            let found: Date32Array = instants
                .map(|instant| {
                    instant.and_then(|(seconds, _)| i32::try_from(seconds.div_euclid(86_400)).ok())
                })
                .collect();
            return Ok(Arc::new(found));
        }
        other => {
            return Err(Failure::type_mismatch(format!("Cannot cast timestamp to {other}")).into());
        }
    };
    let coarse = 10_i64.pow(9 - u32::from(precision.min(9)));
    let per_second = match precision {
        0 => 1,
        1..=3 => 1_000,
        4..=6 => 1_000_000,
        _ => NANOS,
    };
    let ticks = instants.map(|instant| {
        instant.and_then(|(seconds, nanos)| {
            let nanos = (nanos + coarse / 2) / coarse * coarse;
            seconds.checked_mul(per_second)?.checked_add(nanos / (NANOS / per_second))
        })
    });
    Ok(match per_second {
        1 => {
            Arc::new(ticks.collect::<PrimitiveArray<TimestampSecondType>>().with_timezone_opt(zone))
        }
        1_000 => Arc::new(
            ticks.collect::<PrimitiveArray<TimestampMillisecondType>>().with_timezone_opt(zone),
        ),
        1_000_000 => Arc::new(
            ticks.collect::<PrimitiveArray<TimestampMicrosecondType>>().with_timezone_opt(zone),
        ),
        _ => Arc::new(
            ticks.collect::<PrimitiveArray<TimestampNanosecondType>>().with_timezone_opt(zone),
        ),
    })
}

pub(super) fn cast(array: &ArrayRef, from: &TrinoType, to: &TrinoType) -> Result<ArrayRef> {
    match (from, to) {
        (_, TrinoType::Time(precision)) => Ok(time_of_day(array, *precision)),
        _ => from_instants(instants(array).into_iter(), to),
    }
}

/// Seconds and nanoseconds since midnight of times.
pub(in crate::trino) fn times_of_day(array: &ArrayRef) -> Vec<Option<(i64, i64)>> {
    nanos_of_day(array)
        .into_iter()
        .map(|nanos| nanos.map(|nanos| (nanos / NANOS, nanos % NANOS)))
        .collect()
}

fn nanos_of_day(array: &ArrayRef) -> Vec<Option<i64>> {
    match array.data_type() {
        DataType::Time32(TimeUnit::Millisecond) => array
            .as_primitive::<datafusion::arrow::datatypes::Time32MillisecondType>()
            .iter()
            .map(|value| value.map(|value| i64::from(value) * 1_000_000))
            .collect(),
        DataType::Time64(TimeUnit::Microsecond) => array
            .as_primitive::<datafusion::arrow::datatypes::Time64MicrosecondType>()
            .iter()
            .map(|value| value.map(|value| value * 1_000))
            .collect(),
        DataType::Time64(_) => array
            .as_primitive::<datafusion::arrow::datatypes::Time64NanosecondType>()
            .iter()
            .collect(),
        _ => instants(array)
            .into_iter()
            .map(|instant| {
                instant.map(|(seconds, nanos)| seconds.rem_euclid(86_400) * NANOS + nanos)
            })
            .collect(),
    }
}

fn time_of_day(array: &ArrayRef, precision: u8) -> ArrayRef {
    let coarse = 10_i64.pow(9 - u32::from(precision.min(9)));
    let day = 86_400 * NANOS;
    let rounded = nanos_of_day(array)
        .into_iter()
        .map(|nanos| nanos.map(|nanos| (nanos + coarse / 2) / coarse * coarse % day));
    match precision {
        0..=3 => Arc::new(
            rounded
                .map(|nanos| nanos.and_then(|nanos| i32::try_from(nanos / 1_000_000).ok()))
                .collect::<Time32MillisecondArray>(),
        ),
        4..=6 => Arc::new(
            rounded
                .map(|nanos| nanos.map(|nanos| nanos / 1_000))
                .collect::<Time64MicrosecondArray>(),
        ),
        _ => Arc::new(rounded.collect::<Time64NanosecondArray>()),
    }
}
