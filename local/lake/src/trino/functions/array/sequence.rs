//! `sequence(start, stop[, step])` of numbers, dates and timestamps.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Date32Array, Int64Array};
use datafusion::arrow::datatypes::{Date32Type, Int64Type};
use datafusion::common::Result;

use super::lists;
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::call::Call;
use crate::trino::functions::common;
use crate::trino::functions::function::{Function, Plan, coerces, unexpected};

/// Most items of a sequence. Source: Trino's limit.
const LONGEST: i64 = 10_000;

pub(super) const FUNCTIONS: &[Function] = &[Function::new("sequence", sequence_types, sequence)];

fn sequence_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let long = |kind: &TrinoType| coerces(kind, &TrinoType::Bigint);
    match given {
        [TrinoType::Date, TrinoType::Date] => {
            Ok(Plan::given(given, TrinoType::Array(Box::new(TrinoType::Date))))
        }
        [start @ (TrinoType::Date | TrinoType::Timestamp(_)), stop, step]
            if step.is_interval() && stop.is_moment() =>
        {
            let kind = common(&[start.clone(), stop.clone()]).ok_or_else(|| no_sequence(given))?;
            Ok(Plan::new(
                vec![kind.clone(), kind.clone(), step.clone()],
                TrinoType::Array(Box::new(kind)),
            ))
        }
        _ if (2..=3).contains(&given.len()) && given.iter().all(long) => Ok(Plan::new(
            vec![TrinoType::Bigint; given.len()],
            TrinoType::Array(Box::new(TrinoType::Bigint)),
        )),
        _ => Err(no_sequence(given)),
    }
}

fn no_sequence(given: &[TrinoType]) -> Failure {
    unexpected(
        "sequence",
        given,
        "sequence(bigint, bigint[, bigint]), sequence(date, date), sequence(timestamp(p), timestamp(p), interval)",
    )
}

fn sequence(call: &Call) -> Result<ArrayRef> {
    if call.count() > 2 && call.kind(2).is_interval() {
        return super::moments::sequence(call);
    }
    let of_dates = *call.kind(0) == TrinoType::Date;
    let arrays = call.arrays()?;
    let value = |at: usize, row: usize| -> i64 {
        if of_dates {
            i64::from(arrays[at].as_primitive::<Date32Type>().value(row))
        } else {
            arrays[at].as_primitive::<Int64Type>().value(row)
        }
    };
    let (mut items, mut lengths, mut present) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        if !Call::present(&arrays, row) {
            lengths.push(0);
            present.push(false);
            continue;
        }
        let (start, stop) = (value(0, row), value(1, row));
        let stride = match call.count() {
            2 if stop >= start => 1,
            2 => -1,
            _ => value(2, row),
        };
        let count = sequence_length(i128::from(stop) - i128::from(start), i128::from(stride))?;
        items.extend((0..count).map(|at| start + at * stride));
        lengths.push(usize::try_from(count).unwrap_or(0));
        present.push(true);
    }
    let items: ArrayRef = if of_dates {
        Arc::new(items.into_iter().map(|day| i32::try_from(day).ok()).collect::<Date32Array>())
    } else {
        Arc::new(Int64Array::from(items))
    };
    lists(items, lengths, present, &call.result)
}

/// How many items a sequence has that goes so far by steps of a stride.
pub(super) fn sequence_length(distance: i128, stride: i128) -> Result<i64, Failure> {
    if stride == 0 {
        return Err(Failure::invalid_argument("step must not be zero"));
    }
    if (stride > 0 && distance < 0) || (stride < 0 && distance > 0) {
        return Err(Failure::invalid_argument(
            "sequence stop value should be greater than or equal to start value if step is greater than zero otherwise stop should be less than or equal to start",
        ));
    }
    let count = distance / stride + 1;
    if count > i128::from(LONGEST) {
        return Err(Failure::invalid_argument(
            "result of sequence function must not have more than 10000 entries",
        ));
    }
    Ok(i64::try_from(count).unwrap_or(0))
}
