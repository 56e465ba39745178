//! `sequence(start, stop[, step])` of numbers, dates and timestamps.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Date32Array, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit};
use datafusion::common::Result;

use super::lists;
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::call::Call;
use crate::trino::functions::date_arithmetic::{add_months, intervals};
use crate::trino::functions::function::{Function, Plan, coerces, unexpected};

/// Most items of a sequence. Source: Trino's limit.
const LONGEST: usize = 10_000;
const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;

pub(super) const FUNCTIONS: &[Function] = &[Function::new("sequence", types, sequence)];

fn types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let long = |kind: &TrinoType| coerces(kind, &TrinoType::Bigint);
    let array = |kind: TrinoType| TrinoType::Array(Box::new(kind));
    match given {
        [TrinoType::Date, TrinoType::Date] => Ok(Plan::given(given, array(TrinoType::Date))),
        [
            TrinoType::Date,
            TrinoType::Date,
            TrinoType::IntervalDaySecond | TrinoType::IntervalYearMonth,
        ] => Ok(Plan::given(given, array(TrinoType::Date))),
        [
            TrinoType::Timestamp(start),
            TrinoType::Timestamp(stop),
            step @ (TrinoType::IntervalDaySecond | TrinoType::IntervalYearMonth),
        ] => {
            let kind = TrinoType::Timestamp(*start.max(stop));
            Ok(Plan::new(vec![kind.clone(), kind.clone(), step.clone()], array(kind)))
        }
        _ if (2..=3).contains(&given.len()) && given.iter().all(long) => {
            Ok(Plan::new(vec![TrinoType::Bigint; given.len()], array(TrinoType::Bigint)))
        }
        _ => Err(unexpected(
            "sequence",
            given,
            "sequence(bigint, bigint[, bigint]), sequence(date, date[, interval]), sequence(timestamp, timestamp, interval)",
        )),
    }
}

/// From one item to the next: so much more, or so many months later.
#[derive(Clone, Copy)]
enum Step {
    Ticks(i64),
    Months(i64),
}

fn too_long() -> Failure {
    Failure::invalid_argument("result of sequence function must not have more than 10000 entries")
}

/// The items from a start to a stop. Months are counted from the start, in its seconds.
fn items(start: i64, stop: i64, step: Step, per_second: i64) -> Result<Vec<i64>, Failure> {
    let (Step::Ticks(stride) | Step::Months(stride)) = step;
    if stride == 0 {
        return Err(Failure::invalid_argument("step must not be zero"));
    }
    if (stride > 0 && stop < start) || (stride < 0 && stop > start) {
        return Err(Failure::invalid_argument(
            "sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start",
        ));
    }
    match step {
        Step::Ticks(stride) => {
            let count = (i128::from(stop) - i128::from(start)) / i128::from(stride) + 1;
            let count = usize::try_from(count).ok().filter(|count| *count <= LONGEST);
            let count = i64::try_from(count.ok_or_else(too_long)?).unwrap_or(0);
            Ok((0..count).map(|at| start + at * stride).collect())
        }
        Step::Months(months) => {
            let (seconds, rest) = (start.div_euclid(per_second), start.rem_euclid(per_second));
            let later = |at: i64| Some(add_months(seconds, months * at)? * per_second + rest);
            let within = |item: &i64| if months > 0 { *item <= stop } else { *item >= stop };
            let found: Vec<i64> = (0..=10_000).map_while(later).take_while(within).collect();
            if found.len() > LONGEST { Err(too_long()) } else { Ok(found) }
        }
    }
}

/// Ticks of a second in the values of a type; dates count seconds here.
fn per_second(kind: &DataType) -> i64 {
    match kind {
        DataType::Timestamp(TimeUnit::Millisecond, _) => 1_000,
        DataType::Timestamp(TimeUnit::Microsecond, _) => 1_000_000,
        DataType::Timestamp(TimeUnit::Nanosecond, _) => NANOS,
        _ => 1,
    }
}

/// A step of an interval: its months, or its days and the nanoseconds beside them.
fn step_of(
    (months, days, nanos): (i64, i64, i64),
    of_dates: bool,
    per_second: i64,
) -> Result<Step, Failure> {
    if months != 0 {
        return Ok(Step::Months(months));
    }
    if of_dates && nanos % (DAY * NANOS) != 0 {
        return Err(Failure::invalid_argument(
            "sequence step must be a day interval if start and end values are dates",
        ));
    }
    Ok(Step::Ticks(days * DAY * per_second + nanos / (NANOS / per_second)))
}

fn sequence(call: &Call) -> Result<ArrayRef> {
    let arrays = call.arrays()?;
    let kind = arrays[0].data_type().clone();
    let of_dates = kind == DataType::Date32;
    let of_moments = of_dates || matches!(kind, DataType::Timestamp(..));
    let per_second = per_second(&kind);
    let ends = arrays[..2]
        .iter()
        .map(|array| if of_dates { cast(array, &DataType::Int32) } else { Ok(array.clone()) })
        .map(|array| array.and_then(|array| cast(&array, &DataType::Int64)))
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let scale = if of_dates { DAY } else { 1 };
    let end = |at: usize, row: usize| ends[at].as_primitive::<Int64Type>().value(row) * scale;
    let steps = match arrays.get(2) {
        Some(steps) if of_moments => intervals(steps),
        _ => Vec::new(),
    };
    let (mut found, mut lengths, mut present) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        if !Call::present(&arrays, row) {
            lengths.push(0);
            present.push(false);
            continue;
        }
        let (start, stop) = (end(0, row), end(1, row));
        let step = match (arrays.get(2), steps.get(row)) {
            (Some(_), Some(step)) => step_of(step.unwrap_or_default(), of_dates, per_second)?,
            (Some(steps), None) => Step::Ticks(steps.as_primitive::<Int64Type>().value(row)),
            (None, _) if stop >= start => Step::Ticks(scale),
            (None, _) => Step::Ticks(-scale),
        };
        let items = items(start, stop, step, per_second)?;
        lengths.push(items.len());
        present.push(true);
        found.extend(items);
    }
    let found: ArrayRef = if of_dates {
        let days = found.into_iter().map(|seconds| i32::try_from(seconds / DAY).ok());
        Arc::new(days.collect::<Date32Array>())
    } else {
        cast(&Int64Array::from(found), &kind)?
    };
    lists(found, lengths, present, &call.result)
}
