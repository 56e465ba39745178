//! Intervals: their literals, their arithmetic, and moments moved by them.
//!
//! An interval of years and months is a number of months, one of days and below of milliseconds.

mod arithmetic;
mod literal;
mod shift;

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, DurationMillisecondArray, IntervalYearMonthArray,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, DurationMillisecondType, IntervalYearMonthType};
use datafusion::common::Result;

use super::function::{Function, Plan, exactly, unexpected};
use crate::sql::{Failure, TrinoType};

pub(in crate::trino) use literal::interval_literal;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "$interval_year_month",
        |given| literal::types(given, TrinoType::IntervalYearMonth),
        literal::literal,
    ),
    Function::new(
        "$interval_day_second",
        |given| literal::types(given, TrinoType::IntervalDaySecond),
        literal::literal,
    ),
    Function::new(
        "$interval_add",
        |given| arithmetic::pair_types("+", given),
        |call| arithmetic::combined(call, "addition", "+", i64::checked_add),
    ),
    Function::new(
        "$interval_subtract",
        |given| arithmetic::pair_types("-", given),
        |call| arithmetic::combined(call, "subtraction", "-", i64::checked_sub),
    ),
    Function::new("$interval_multiply", arithmetic::multiply_types, arithmetic::multiply),
    Function::new("$interval_divide", arithmetic::divide_types, arithmetic::divide),
    Function::new("$interval_negate", arithmetic::negate_types, arithmetic::negate),
    Function::new(
        "$shift",
        |given| shift::shift_types("+", given),
        |call| shift::shift(call, false),
    ),
    Function::new(
        "$shift_back",
        |given| shift::shift_types("-", given),
        |call| shift::shift(call, true),
    ),
    Function::new("$elapsed", shift::elapsed_types, shift::elapsed),
    Function::new(
        "to_milliseconds",
        |given| match given {
            [TrinoType::IntervalDaySecond] => Ok(Plan::given(given, TrinoType::Bigint)),
            _ => {
                Err(unexpected("to_milliseconds", given, "to_milliseconds(interval day to second)"))
            }
        },
        |call| Ok(cast(&call.array(0)?, &DataType::Int64)?),
    ),
    Function::new(
        "parse_duration",
        |given| {
            exactly(
                "parse_duration",
                given,
                &[TrinoType::Varchar(None)],
                TrinoType::IntervalDaySecond,
            )
        },
        literal::parse_duration,
    ),
];

/// An array of intervals from months or milliseconds.
fn amounts_of(
    kind: &DataType,
    amounts: impl Iterator<Item = Result<Option<i64>, Failure>>,
    overflow: impl Fn() -> Failure,
) -> Result<ArrayRef> {
    if matches!(kind, DataType::Duration(_)) {
        let found: DurationMillisecondArray = amounts.collect::<Result<_, Failure>>()?;
        return Ok(Arc::new(found));
    }
    let found: IntervalYearMonthArray = amounts
        .map(|months| {
            months?.map(|months| i32::try_from(months).map_err(|_| overflow())).transpose()
        })
        .collect::<Result<_, Failure>>()?;
    Ok(Arc::new(found))
}

/// Months, or milliseconds, of intervals.
pub(super) fn amounts(array: &dyn Array) -> Vec<Option<i64>> {
    if let Some(months) = array.as_primitive_opt::<IntervalYearMonthType>() {
        return months.iter().map(|months| months.map(i64::from)).collect();
    }
    match array.as_primitive_opt::<DurationMillisecondType>() {
        Some(millis) => millis.iter().collect(),
        None => vec![None; array.len()],
    }
}

/// A product or quotient as the whole number it starts with.
#[expect(clippy::cast_possible_truncation, reason = "as Trino does, at the ends of the range too")]
fn truncated(value: f64) -> i64 {
    value as i64
}
