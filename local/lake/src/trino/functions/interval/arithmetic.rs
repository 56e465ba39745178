//! Intervals beside intervals and numbers.

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use datafusion::common::Result;

use super::{amounts, amounts_of, truncated};
use crate::moment::too_far;
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::call::Call;
use crate::trino::functions::function::{Plan, unexpected};

pub(super) fn pair_types(sign: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [left, right] if left == right && left.is_interval() => {
            Ok(Plan::given(given, left.clone()))
        }
        _ => Err(unexpected(sign, given, "two intervals of one kind")),
    }
}

fn out_of_range(kind: &TrinoType, noun: &str, shown: &str) -> Failure {
    Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", format!("{kind} {noun} overflow: {shown}"))
}

/// A number within what an interval of a kind holds.
fn in_range(kind: &TrinoType, amount: i64) -> Option<i64> {
    (*kind == TrinoType::IntervalDaySecond || i32::try_from(amount).is_ok()).then_some(amount)
}

pub(super) fn combined(
    call: &Call,
    noun: &str,
    sign: &str,
    operation: fn(i64, i64) -> Option<i64>,
) -> Result<ArrayRef> {
    let kind = call.kind(0);
    let (left, right) = (amounts(&call.array(0)?), amounts(&call.array(1)?));
    let found = left.into_iter().zip(right).map(|(left, right)| {
        let Some((left, right)) = left.zip(right) else { return Ok(None) };
        operation(left, right)
            .and_then(|amount| in_range(kind, amount))
            .map(Some)
            .ok_or_else(|| out_of_range(kind, noun, &format!("{left} {sign} {right}")))
    });
    amounts_of(&call.result, found, too_far)
}

fn factor_type(kind: &TrinoType) -> Option<TrinoType> {
    Some(match kind {
        TrinoType::Tinyint
        | TrinoType::Smallint
        | TrinoType::Integer
        | TrinoType::Bigint
        | TrinoType::Unknown => TrinoType::Bigint,
        kind if kind.is_numeric() => TrinoType::Double,
        _ => return None,
    })
}

pub(super) fn multiply_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let refused = || unexpected("*", given, "an interval and a number");
    match given {
        [interval, number] if interval.is_interval() => {
            let number = factor_type(number).ok_or_else(refused)?;
            Ok(Plan::new(vec![interval.clone(), number], interval.clone()))
        }
        [number, interval] if interval.is_interval() => {
            let number = factor_type(number).ok_or_else(refused)?;
            Ok(Plan::new(vec![number, interval.clone()], interval.clone()))
        }
        _ => Err(refused()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "as Trino does")]
pub(super) fn multiply(call: &Call) -> Result<ArrayRef> {
    let swapped = call.kind(1).is_interval();
    let (interval, number) = if swapped { (1, 0) } else { (0, 1) };
    let kind = call.kind(interval);
    let lengths = amounts(&call.array(interval)?);
    let factors = call.array(number)?;
    if *call.kind(number) == TrinoType::Bigint {
        let factors = factors.as_primitive::<Int64Type>();
        let found = lengths.into_iter().zip(factors.iter()).map(|(length, factor)| {
            let Some((length, factor)) = length.zip(factor) else { return Ok(None) };
            length
                .checked_mul(factor)
                .and_then(|amount| in_range(kind, amount))
                .map(Some)
                .ok_or_else(|| {
                    let (left, right) = if swapped { (factor, length) } else { (length, factor) };
                    out_of_range(kind, "multiplication", &format!("{left} * {right}"))
                })
        });
        return amounts_of(&call.result, found, too_far);
    }
    let factors: &Float64Array = factors.as_primitive::<Float64Type>();
    let found = lengths.into_iter().zip(factors.iter()).map(|(length, factor)| {
        let Some((length, factor)) = length.zip(factor) else { return Ok(None) };
        if factor.is_nan() {
            return Err(Failure::invalid_argument("Cannot multiply by double NaN"));
        }
        Ok(Some(truncated(length as f64 * factor)))
    });
    amounts_of(&call.result, found, || {
        Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", format!("{kind} multiplication overflow"))
    })
}

pub(super) fn divide_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [interval, number] if interval.is_interval() && factor_type(number).is_some() => {
            Ok(Plan::new(vec![interval.clone(), TrinoType::Double], interval.clone()))
        }
        _ => Err(unexpected("/", given, "an interval and a number")),
    }
}

#[expect(clippy::cast_precision_loss, reason = "as Trino does")]
pub(super) fn divide(call: &Call) -> Result<ArrayRef> {
    let kind = call.kind(0);
    let (lengths, divisors) = (amounts(&call.array(0)?), call.doubles(1)?);
    let found = lengths.into_iter().zip(divisors.iter()).map(|(length, divisor)| {
        let Some((length, divisor)) = length.zip(divisor) else { return Ok(None) };
        if divisor.is_nan() || divisor == 0.0 {
            let mut shown = String::new();
            crate::sql::write_double(divisor, &mut shown);
            return Err(Failure::invalid_argument(format!("Cannot divide by double {shown}")));
        }
        Ok(Some(truncated(length as f64 / divisor)))
    });
    amounts_of(&call.result, found, || {
        Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", format!("{kind} division overflow"))
    })
}

pub(super) fn negate_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [interval] if interval.is_interval() => Ok(Plan::given(given, interval.clone())),
        _ => Err(unexpected("-", given, "an interval")),
    }
}

pub(super) fn negate(call: &Call) -> Result<ArrayRef> {
    let kind = call.kind(0);
    let found = amounts(&call.array(0)?).into_iter().map(|amount| {
        let Some(amount) = amount else { return Ok(None) };
        amount
            .checked_neg()
            .and_then(|negative| in_range(kind, negative))
            .map(Some)
            .ok_or_else(|| out_of_range(kind, "negation", &amount.to_string()))
    });
    amounts_of(&call.result, found, too_far)
}
