//! Parts of dates and times: `year(x)`, `day_of_week(x)` (Monday is 1) …

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;

use super::call::Call;
use super::cast::instants;
use super::function::{Function, Plan, unexpected};
use crate::sql::{Failure, TrinoType, civil, day_number};

macro_rules! part {
    ($name:literal, $part:ident) => {
        Function::new($name, |given| plan($name, given), |call| run(call, $part))
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    part!("year", year),
    part!("quarter", quarter),
    part!("month", month),
    part!("week", week),
    part!("week_of_year", week),
    part!("year_of_week", year_of_week),
    part!("yow", year_of_week),
    part!("day", day),
    part!("day_of_month", day),
    part!("day_of_week", day_of_week),
    part!("dow", day_of_week),
    part!("day_of_year", day_of_year),
    part!("doy", day_of_year),
    part!("hour", hour),
    part!("minute", minute),
    part!("second", second),
    part!("millisecond", millisecond),
];

fn plan(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Date | TrinoType::Timestamp(_) | TrinoType::TimestampWithZone(_)] => {
            Ok(Plan::given(given, TrinoType::Bigint))
        }
        [TrinoType::Time(_)] if matches!(name, "hour" | "minute" | "second" | "millisecond") => {
            Ok(Plan::given(given, TrinoType::Bigint))
        }
        [TrinoType::IntervalDaySecond]
            if matches!(
                name,
                "day" | "hour" | "minute" | "second" | "millisecond" | "year" | "month"
            ) =>
        {
            Ok(Plan::given(given, TrinoType::Bigint))
        }
        [TrinoType::Unknown] => Ok(Plan::new(vec![TrinoType::Timestamp(3)], TrinoType::Bigint)),
        _ => Err(unexpected(name, given, &format!("{name}(date), {name}(timestamp(p))"))),
    }
}

/// A moment: its day number, the second of that day, the nanosecond of that second.
struct Moment {
    days: i64,
    second_of_day: i64,
    nanos: i64,
}

impl Moment {
    fn civil(&self) -> (i64, i64, i64) {
        civil(self.days)
    }
}

fn run(call: &Call, part: fn(&Moment) -> i64) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let found = match call.kind(0) {
        TrinoType::Time(_) => super::cast::times_of_day(&array),
        TrinoType::IntervalDaySecond => super::date_arithmetic::interval_parts(&array),
        _ => instants(&array),
    };
    call.each_long(|row| {
        Ok(found[row].map(|(seconds, nanos)| {
            part(&Moment {
                days: seconds.div_euclid(86_400),
                second_of_day: seconds.rem_euclid(86_400),
                nanos,
            })
        }))
    })
}

fn year(moment: &Moment) -> i64 {
    moment.civil().0
}

fn quarter(moment: &Moment) -> i64 {
    (moment.civil().1 + 2) / 3
}

fn month(moment: &Moment) -> i64 {
    moment.civil().1
}

fn day(moment: &Moment) -> i64 {
    moment.civil().2
}

fn day_of_week(moment: &Moment) -> i64 {
    weekday(moment.days)
}

/// Monday is 1.
pub(super) fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

fn day_of_year(moment: &Moment) -> i64 {
    year_day(moment.days)
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

fn week(moment: &Moment) -> i64 {
    iso_week(moment.days).1
}

fn year_of_week(moment: &Moment) -> i64 {
    iso_week(moment.days).0
}

fn hour(moment: &Moment) -> i64 {
    moment.second_of_day / 3_600
}

fn minute(moment: &Moment) -> i64 {
    moment.second_of_day / 60 % 60
}

fn second(moment: &Moment) -> i64 {
    moment.second_of_day % 60
}

fn millisecond(moment: &Moment) -> i64 {
    moment.nanos / 1_000_000
}
