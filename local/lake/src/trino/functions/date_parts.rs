//! Parts of dates and times: `year(x)`, `day_of_week(x)` (Monday is 1) …

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit};
use datafusion::common::Result;

use super::call::Call;
use super::function::{Function, Plan, unexpected};
use crate::moment::{DAY, MILLISECOND, SECOND, clocks, moments};
use crate::sql::{Failure, TrinoType, civil, day_number};

/// A part of the day; of an interval the whole units in the next wider one.
macro_rules! part {
    ($name:literal, $part:ident, $unit:literal, $units:literal) => {
        Function::new(
            $name,
            |given| plan($name, given),
            |call| match call.kind(0) {
                TrinoType::IntervalDaySecond | TrinoType::IntervalYearMonth => {
                    interval_part(call, $unit, $units)
                }
                _ => run(call, Part::OfClock($part)),
            },
        )
    };
}

/// A part that the day alone decides.
macro_rules! day_part {
    ($name:literal, $part:ident, $unit:literal, $units:expr) => {
        Function::new(
            $name,
            |given| plan($name, given),
            |call| match call.kind(0) {
                TrinoType::IntervalDaySecond | TrinoType::IntervalYearMonth => {
                    interval_part(call, $unit, $units)
                }
                _ => run(call, Part::OfDay($part)),
            },
        )
    };
    ($name:literal, $part:ident) => {
        Function::new($name, |given| plan($name, given), |call| run(call, Part::OfDay($part)))
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    day_part!("year", year, 12, i64::MAX),
    day_part!("quarter", quarter),
    day_part!("month", month, 1, 12),
    day_part!("week", week),
    day_part!("week_of_year", week),
    day_part!("year_of_week", year_of_week),
    day_part!("yow", year_of_week),
    day_part!("day", day, 86_400_000, i64::MAX),
    day_part!("day_of_month", day),
    day_part!("day_of_week", weekday),
    day_part!("dow", weekday),
    day_part!("day_of_year", year_day),
    day_part!("doy", year_day),
    part!("hour", hour, 3_600_000, 24),
    part!("minute", minute, 60_000, 60),
    part!("second", second, 1_000, 60),
    part!("millisecond", millisecond, 1, 1_000),
    Function::new(
        "timezone_hour",
        |given| zone_plan("timezone_hour", given),
        |call| zone_part(call, |minutes| minutes / 60),
    ),
    Function::new(
        "timezone_minute",
        |given| zone_plan("timezone_minute", given),
        |call| zone_part(call, |minutes| minutes % 60),
    ),
];

fn plan(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    let of_clock = matches!(name, "hour" | "minute" | "second" | "millisecond");
    let known = match given {
        [TrinoType::Unknown] => {
            return Ok(Plan::new(vec![TrinoType::Timestamp(3)], TrinoType::Bigint));
        }
        [TrinoType::Date] => !of_clock,
        [kind] if kind.is_moment() => true,
        [kind] if kind.is_time() => of_clock,
        [TrinoType::IntervalDaySecond] => of_clock || name == "day",
        [TrinoType::IntervalYearMonth] => matches!(name, "year" | "month"),
        _ => false,
    };
    if known {
        return Ok(Plan::given(given, TrinoType::Bigint));
    }
    Err(unexpected(name, given, &format!("{name}(date), {name}(timestamp(p))")))
}

fn zone_plan(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::TimestampWithZone(_) | TrinoType::TimeWithZone(_)] => {
            Ok(Plan::given(given, TrinoType::Bigint))
        }
        _ => Err(unexpected(name, given, &format!("{name}(timestamp(p) with time zone)"))),
    }
}

/// A part of the minutes a value's zone is ahead of UTC.
fn zone_part(call: &Call, part: fn(i64) -> i64) -> Result<ArrayRef> {
    let array = call.array(0)?;
    if call.kind(0).is_time() {
        let found = clocks(&array);
        return call.each_long(|row| Ok(found[row].map(|clock| part(clock.offset))));
    }
    let found = moments(&array);
    call.each_long(|row| {
        Ok(found[row].map(|moment| part(moment.zone.offset_at(moment.seconds) / 60)))
    })
}

/// A part, and what decides it.
#[derive(Clone, Copy)]
enum Part {
    /// The day, counted from the epoch.
    OfDay(fn(i64) -> i64),
    OfClock(fn(&Clock) -> i64),
}

/// The time of a day: its second, the picosecond of that second.
struct Clock {
    second_of_day: i64,
    picos: i64,
}

fn run(call: &Call, part: Part) -> Result<ArrayRef> {
    let array = call.array(0)?;
    if let Some((ticks, per_second)) = ticks(&array) {
        return Ok(of_ticks(&ticks, per_second, part));
    }
    let of = |seconds: i64, picos: i64| match part {
        Part::OfDay(part) => part(seconds.div_euclid(DAY)),
        Part::OfClock(part) => part(&Clock { second_of_day: seconds.rem_euclid(DAY), picos }),
    };
    if call.kind(0).is_time() {
        let found = clocks(&array);
        return call.each_long(|row| {
            Ok(found[row].map(|clock| of(clock.second_of_day(), clock.fraction())))
        });
    }
    let found = moments(&array);
    call.each_long(|row| {
        Ok(found[row].map(|moment| {
            let local = moment.local();
            of(local.seconds, local.picos)
        }))
    })
}

/// A part of an interval, towards zero.
fn interval_part(call: &Call, unit: i64, units: i64) -> Result<ArrayRef> {
    let found = super::interval::amounts(&call.array(0)?);
    call.each_long(|row| Ok(found[row].map(|amount| amount / unit % units)))
}

/// Dates and timestamps as numbers, and how many of them make a second; none of a second is a date's.
fn ticks(array: &ArrayRef) -> Option<(Int64Array, i64)> {
    let per_second = match array.data_type() {
        DataType::Date32 => 0,
        DataType::Timestamp(TimeUnit::Second, _) => 1,
        DataType::Timestamp(TimeUnit::Millisecond, _) => 1_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000_000,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => 1_000_000_000,
        _ => return None,
    };
    let days = match per_second {
        0 => cast(array, &DataType::Int32).ok()?,
        _ => array.clone(),
    };
    let ticks = cast(&days, &DataType::Int64).ok()?;
    Some((ticks.as_primitive::<Int64Type>().clone(), per_second))
}

fn of_ticks(ticks: &Int64Array, per_second: i64, part: Part) -> ArrayRef {
    let parts = match part {
        Part::OfDay(part) => kernels::by_day(ticks.values(), (per_second * DAY).max(1), part),
        // A date has the clock of its midnight.
        Part::OfClock(part) if per_second == 0 => {
            vec![part(&Clock { second_of_day: 0, picos: 0 }); ticks.len()]
        }
        Part::OfClock(part) => {
            let clock = |tick: &i64| Clock {
                second_of_day: tick.div_euclid(per_second).rem_euclid(DAY),
                picos: tick.rem_euclid(per_second) * (SECOND / per_second),
            };
            ticks.values().iter().map(|tick| part(&clock(tick))).collect()
        }
    };
    Arc::new(Int64Array::new(parts.into(), ticks.nulls().cloned()))
}

fn year(days: i64) -> i64 {
    civil(days).0
}

fn quarter(days: i64) -> i64 {
    (civil(days).1 + 2) / 3
}

fn month(days: i64) -> i64 {
    civil(days).1
}

fn day(days: i64) -> i64 {
    civil(days).2
}

/// Monday is 1.
pub(super) fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

pub(super) fn year_day(days: i64) -> i64 {
    let (year, _, _) = civil(days);
    days - day_number(year, 1, 1).unwrap_or(days) + 1
}

/// ISO 8601: the week with the year's first Thursday is its first.
pub(super) fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - (weekday(days) - 4);
    let (year, _, _) = civil(thursday);
    let first = day_number(year, 1, 1).unwrap_or(thursday);
    (year, (thursday - first) / 7 + 1)
}

fn week(days: i64) -> i64 {
    iso_week(days).1
}

fn year_of_week(days: i64) -> i64 {
    iso_week(days).0
}

fn hour(clock: &Clock) -> i64 {
    clock.second_of_day / 3_600
}

fn minute(clock: &Clock) -> i64 {
    clock.second_of_day / 60 % 60
}

fn second(clock: &Clock) -> i64 {
    clock.second_of_day % 60
}

fn millisecond(clock: &Clock) -> i64 {
    clock.picos / MILLISECOND
}
