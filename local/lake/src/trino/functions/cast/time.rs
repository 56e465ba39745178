//! Between dates, times and timestamps.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Date32Array, TimestampMillisecondArray};
use datafusion::arrow::datatypes::{DataType, Date32Type, TimeUnit, TimestampMillisecondType};
use datafusion::common::Result;

use super::OnFailure;
use crate::moment::{
    Clock, ClockBuilder, DAY, Moment, MomentBuilder, SECOND, Zone, clocks, moments,
};
use crate::sql::{Failure, TrinoType};

pub(super) fn is_temporal(kind: &TrinoType) -> bool {
    kind.is_moment() || kind.is_time()
}

pub(super) fn cast(
    array: &ArrayRef,
    from: &TrinoType,
    to: &TrinoType,
    on_failure: OnFailure,
    zone: Zone,
) -> Result<ArrayRef> {
    match (from.is_time(), to.is_time()) {
        (true, true) => {
            let now = session_offset(zone);
            let mut found = ClockBuilder::new(to, array.len())?;
            for clock in clocks(array) {
                let clock = clock.map(|clock| match (from, to) {
                    (TrinoType::Time(_), TrinoType::TimeWithZone(_)) => {
                        Clock { offset: now, ..clock }
                    }
                    (_, TrinoType::Time(_)) => Clock { offset: 0, ..clock },
                    _ => clock,
                });
                found.append(clock)?;
            }
            Ok(found.finish())
        }
        (false, true) => {
            let mut found = ClockBuilder::new(to, array.len())?;
            for moment in moments(array) {
                found.append(moment.map(|moment| clock_of(moment, from, to, zone)))?;
            }
            Ok(found.finish())
        }
        (true, false) => {
            let today = today(zone);
            let of_clock = |clock: Clock| match from {
                TrinoType::TimeWithZone(_) => {
                    let local = Moment::new(today * DAY + clock.second_of_day(), clock.fraction());
                    let zone = Zone::of_offset(clock.offset).unwrap_or(Zone::UTC);
                    Moment::in_zone(local, zone)
                }
                _ => Moment::new(today * DAY + clock.second_of_day(), clock.fraction()),
            };
            let found = clocks(array).into_iter().map(|clock| clock.map(of_clock));
            append_all(found, from, to, on_failure, zone, array.len())
        }
        (false, false) => {
            if let Some(found) = at_once(array, to) {
                return Ok(found);
            }
            append_all(moments(array).into_iter(), from, to, on_failure, zone, array.len())
        }
    }
}

/// Timestamps of milliseconds to their days and back, where all fit.
fn at_once(array: &ArrayRef, to: &TrinoType) -> Option<ArrayRef> {
    match (array.data_type(), to) {
        (DataType::Timestamp(TimeUnit::Millisecond, None), TrinoType::Date) => {
            let moments = array.as_primitive::<TimestampMillisecondType>();
            let days = kernels::days(moments.values())?;
            Some(Arc::new(Date32Array::new(days.into(), moments.nulls().cloned())))
        }
        (DataType::Date32, TrinoType::Timestamp(3)) => {
            let days = array.as_primitive::<Date32Type>();
            let moments = kernels::midnights(days.values())?;
            Some(Arc::new(TimestampMillisecondArray::new(moments.into(), days.nulls().cloned())))
        }
        _ => None,
    }
}

fn append_all(
    found: impl Iterator<Item = Option<Moment>>,
    from: &TrinoType,
    to: &TrinoType,
    on_failure: OnFailure,
    zone: Zone,
    rows: usize,
) -> Result<ArrayRef> {
    let mut built = MomentBuilder::new(to, rows)?;
    let zoned = |kind: &TrinoType| {
        matches!(kind, TrinoType::TimestampWithZone(_) | TrinoType::TimeWithZone(_))
    };
    for moment in found {
        let moment = moment.map(|moment| match (zoned(from), zoned(to)) {
            (false, true) => Moment::in_zone(moment, zone),
            (true, false) => moment.local(),
            _ => moment,
        });
        match (built.append(moment), on_failure) {
            (Ok(()), _) => {}
            (Err(_), OnFailure::Null) => built.append(None)?,
            (Err(_), OnFailure::Fail) if *from == TrinoType::Date => {
                let days = moment.map_or(0, Moment::day);
                return Err(Failure::new(
                    "NUMERIC_VALUE_OUT_OF_RANGE",
                    format!("Date cannot be represented as timestamp: {days}"),
                )
                .into());
            }
            (Err(failure), OnFailure::Fail) => return Err(failure.into()),
        }
    }
    Ok(built.finish())
}

/// The time of the day of a moment, with its distance from UTC.
fn clock_of(moment: Moment, from: &TrinoType, to: &TrinoType, zone: Zone) -> Clock {
    let local = moment.local();
    let picos = local.seconds.rem_euclid(DAY) * SECOND + local.picos;
    let offset = match (from, to) {
        (_, TrinoType::Time(_)) => 0,
        // Trino asks the zone for its offset at the local time, as if that were UTC's.
        (TrinoType::TimestampWithZone(_), _) => moment.zone.offset_at(local.seconds) / 60,
        _ => zone.offset_at(local.seconds) / 60,
    };
    Clock::new(picos, offset)
}

/// Minutes a session's zone is ahead of UTC now.
pub(in crate::trino) fn session_offset(zone: Zone) -> i64 {
    zone.offset_at(crate::clock::now().as_second()) / 60
}

/// The day number of today in a session's zone.
fn today(zone: Zone) -> i64 {
    Moment::of_millis(crate::clock::now().as_millisecond(), zone).day()
}
