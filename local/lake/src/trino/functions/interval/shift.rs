//! Moments and times of the day moved by intervals, and what lies between two.

use datafusion::arrow::array::{ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue};

use super::{amounts, amounts_of};
use crate::moment::{
    Clock, DAY, MILLISECOND, Moment, clocks, moments, of_clocks, of_moments, too_far,
};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::call::Call;
use crate::trino::functions::conditional::wider;
use crate::trino::functions::date_arithmetic::{add_months, later, shown};
use crate::trino::functions::function::{Plan, unexpected};
use crate::trino::functions::milliseconds;

pub(super) fn shift_types(sign: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    let precise = |precision: u8| precision.max(3);
    let result = match given {
        [moment, TrinoType::IntervalYearMonth] if moment.is_moment() => moment.clone(),
        [TrinoType::Date, TrinoType::IntervalDaySecond] => TrinoType::Date,
        [TrinoType::Timestamp(precision), TrinoType::IntervalDaySecond] => {
            TrinoType::Timestamp(precise(*precision))
        }
        [TrinoType::TimestampWithZone(precision), TrinoType::IntervalDaySecond] => {
            TrinoType::TimestampWithZone(precise(*precision))
        }
        [TrinoType::Time(precision), TrinoType::IntervalDaySecond] => {
            TrinoType::Time(precise(*precision))
        }
        [TrinoType::TimeWithZone(precision), TrinoType::IntervalDaySecond] => {
            TrinoType::TimeWithZone(precise(*precision))
        }
        _ => return Err(unexpected(sign, given, "a date, time or timestamp and an interval")),
    };
    Ok(Plan::given(given, result))
}

/// Timestamps moved by one interval: a number of milliseconds, added to each. None where that is not all there is to it.
fn shift_by_constant(call: &Call, back: bool) -> Result<Option<ArrayRef>> {
    let Some(ScalarValue::DurationMillisecond(Some(step))) = call.scalar(1) else {
        return Ok(None);
    };
    let moments = call.array(0)?;
    // What overflows is told by the general way.
    let (DataType::Timestamp(..), Some(step)) =
        (moments.data_type(), if back { step.checked_neg() } else { Some(*step) })
    else {
        return Ok(None);
    };
    let moved = |array: &PrimitiveArray<Int64Type>| {
        array.try_unary::<_, Int64Type, ArrowError>(|value| {
            value.checked_add(step).ok_or_else(|| ArrowError::ArithmeticOverflow(String::new()))
        })
    };
    let kind = moments.data_type().clone();
    let numbers = cast(&moments, &DataType::Int64)?;
    match moved(numbers.as_primitive()) {
        Ok(numbers) => Ok(Some(cast(&numbers, &kind)?)),
        Err(_) => Ok(None),
    }
}

pub(super) fn shift(call: &Call, back: bool) -> Result<ArrayRef> {
    if let Some(moved) = shift_by_constant(call, back)? {
        return Ok(moved);
    }
    let (kind, values) = (call.kind(0), call.array(0)?);
    let steps = amounts(&call.array(1)?);
    let result = TrinoType::of_arrow(&call.result);
    let sign: i128 = if back { -1 } else { 1 };
    if kind.is_time() {
        let found = clocks(&values).into_iter().zip(steps).map(|(clock, step)| {
            let (clock, step) = clock.zip(step)?;
            Some(Clock::plus(clock, sign * i128::from(step) * i128::from(MILLISECOND)))
        });
        return of_clocks(found, &result);
    }
    let of_months = *call.kind(1) == TrinoType::IntervalYearMonth;
    let found = moments(&values).into_iter().zip(steps).map(|(moment, step)| {
        let Some((moment, step)) = moment.zip(step) else { return Ok(None) };
        if of_months {
            let months = if back { step.checked_neg() } else { Some(step) };
            return shown(moment, |seconds| add_months(seconds, months?)).map(Some);
        }
        if *kind == TrinoType::Date && step % (DAY * 1_000) != 0 {
            return Err(Failure::invalid_argument(if back {
                "Cannot subtract hour, minutes or seconds from a date"
            } else {
                "Cannot add hour, minutes or seconds to a date"
            }));
        }
        let step = if back { step.checked_neg() } else { Some(step) };
        step.and_then(|step| later(moment, step)).map(Some).ok_or_else(too_far)
    });
    of_moments::<Failure>(found, &result)
}

pub(super) fn elapsed_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [from, to] if from.is_moment() && to.is_moment() || from.is_time() && to.is_time() => {
            let kind = wider(from, to).ok_or_else(|| unexpected("-", given, "two of one kind"))?;
            Ok(Plan::new(vec![kind.clone(), kind], TrinoType::IntervalDaySecond))
        }
        _ => Err(unexpected("-", given, "timestamp - timestamp")),
    }
}

/// Milliseconds of picoseconds, rounded half up.
fn millis(picos: i128) -> Result<i64, Failure> {
    let each = i128::from(MILLISECOND);
    i64::try_from((picos + each / 2).div_euclid(each)).map_err(|_| too_far())
}

pub(super) fn elapsed(call: &Call) -> Result<ArrayRef> {
    let (left, right) = (call.array(0)?, call.array(1)?);
    if call.kind(0).is_time() {
        let pairs = clocks(&left).into_iter().zip(clocks(&right)).map(|(left, right)| {
            let Some((left, right)) = left.zip(right) else { return Ok(None) };
            millis(i128::from(left.utc_picos()) - i128::from(right.utc_picos())).map(Some)
        });
        return amounts_of(&call.result, pairs, too_far);
    }
    if let Some(found) = milliseconds::elapsed(&left, &right) {
        return Ok(found);
    }
    let pairs = moments(&left).into_iter().zip(moments(&right)).map(|(left, right)| {
        let Some((left, right)): Option<(Moment, Moment)> = left.zip(right) else {
            return Ok(None);
        };
        millis(left.since(right)).map(Some)
    });
    amounts_of(&call.result, pairs, too_far)
}
