//! `array_sort(array, (x, y) -> …)`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt32Array, UInt64Array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::LambdaArgument;

use super::{bounds_of, evaluate};
use crate::sql::Failure;

/// Every pair of an array's items is compared, so arrays may not be longer.
const LONGEST: usize = 2_000;

pub(super) fn run(
    array: &ArrayRef,
    lambda: &LambdaArgument,
    result: &DataType,
) -> Result<ArrayRef> {
    let list = array.as_list::<i32>();
    let DataType::List(field) = result else {
        return Err(Failure::type_mismatch("array_sort gives an array").into());
    };
    let bounds = bounds_of(list.offsets(), list);
    let (mut order, mut lengths) = (Vec::new(), Vec::new());
    for (row, (start, end)) in bounds.iter().enumerate() {
        let length = end - start;
        if length > LONGEST {
            return Err(Failure::not_supported(format!(
                "array_sort with a comparator of more than {LONGEST} items"
            ))
            .into());
        }
        let compared = compared(list, lambda, row, (*start, length))?;
        let is_after = |one, other| compared[one * length + other] > 0;
        let items = sorted((0..length).collect(), &is_after);
        order.extend(items.into_iter().map(|item| (start + item) as u64));
        lengths.push(length);
    }
    Ok(Arc::new(ListArray::try_new(
        field.clone(),
        OffsetBuffer::from_lengths(lengths),
        take(list.values(), &UInt64Array::from(order), None)?,
        list.nulls().cloned(),
    )?))
}

/// What the comparator says of each pair of a row's items.
fn compared(
    list: &ListArray,
    lambda: &LambdaArgument,
    row: usize,
    (start, length): (usize, usize),
) -> Result<Vec<i64>> {
    let pairs = (0..length).flat_map(|one| (0..length).map(move |other| (one, other)));
    let (ones, others): (Vec<u64>, Vec<u64>) =
        pairs.map(|(one, other)| ((start + one) as u64, (start + other) as u64)).unzip();
    let count = ones.len();
    if count == 0 {
        return Ok(Vec::new());
    }
    let origin = UInt32Array::from(vec![u32::try_from(row).unwrap_or(u32::MAX); count]);
    let items = [
        take(list.values(), &UInt64Array::from(ones), None)?,
        take(list.values(), &UInt64Array::from(others), None)?,
    ];
    let found = cast(&evaluate(lambda, &items, &origin, count)?, &DataType::Int64)?;
    let found = found.as_primitive::<Int64Type>();
    let refused = || Failure::invalid_argument("Lambda comparator must return either -1, 0, or 1");
    let mut answers = Vec::with_capacity(count);
    for answer in found {
        let answer = answer.filter(|answer| (-1..=1).contains(answer)).ok_or_else(refused)?;
        answers.push(answer);
    }
    Ok(answers)
}

/// The items in order, equal ones as they come. The comparator may contradict itself: some order comes out.
fn sorted(items: Vec<usize>, is_after: &impl Fn(usize, usize) -> bool) -> Vec<usize> {
    if items.len() < 2 {
        return items;
    }
    let right = items[items.len() / 2..].to_vec();
    let left = sorted(items[..items.len() / 2].to_vec(), is_after);
    let right = sorted(right, is_after);
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut merged = Vec::new();
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        merged.extend(if is_after(*one, *other) { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    merged
}
