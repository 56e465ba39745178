//! `transform`, `filter`, `any_match` and its kin, `zip_with`.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, UInt32Array, UInt64Array, new_null_array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{filter, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::LambdaArgument;

use super::{bounds_of, evaluate, origins, places};
use crate::sql::Failure;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Transform,
    Filter,
    Any,
    All,
    None,
}

pub(super) fn run(
    kind: Kind,
    array: &ArrayRef,
    lambda: &LambdaArgument,
    result: &DataType,
) -> Result<ArrayRef> {
    let list = array.as_list::<i32>();
    let bounds = bounds_of(list.offsets(), list);
    let items = take(list.values(), &places(&bounds), None)?;
    let lengths: Vec<usize> = bounds.iter().map(|(start, end)| end - start).collect();
    let found = if items.is_empty() {
        None
    } else {
        Some(evaluate(lambda, std::slice::from_ref(&items), &origins(&bounds), items.len())?)
    };
    match kind {
        Kind::Transform => {
            let DataType::List(field) = result else {
                return Err(Failure::type_mismatch("transform gives an array").into());
            };
            let found = found.unwrap_or_else(|| new_null_array(field.data_type(), 0));
            Ok(Arc::new(ListArray::try_new(
                field.clone(),
                OffsetBuffer::from_lengths(lengths),
                found,
                list.nulls().cloned(),
            )?))
        }
        Kind::Filter => {
            let tests = tests(found.as_ref());
            let kept: BooleanArray = (0..items.len())
                .map(|at| Some(tests.as_ref().is_some_and(|t| t.is_valid(at) && t.value(at))))
                .collect();
            let mut start = 0;
            let lengths: Vec<usize> = lengths
                .iter()
                .map(|length| {
                    let count = (start..start + length).filter(|at| kept.value(*at)).count();
                    start += length;
                    count
                })
                .collect();
            let DataType::List(field) = result else {
                return Err(Failure::type_mismatch("filter gives an array").into());
            };
            Ok(Arc::new(ListArray::try_new(
                field.clone(),
                OffsetBuffer::from_lengths(lengths),
                filter(&items, &kept)?,
                list.nulls().cloned(),
            )?))
        }
        Kind::Any | Kind::All | Kind::None => {
            Ok(Arc::new(matched(kind, list, &lengths, tests(found.as_ref()).as_ref())))
        }
    }
}

fn tests(found: Option<&ArrayRef>) -> Option<BooleanArray> {
    found.and_then(|found| found.as_boolean_opt().cloned())
}

/// SQL's three values: an unknown test decides nothing unless another one does.
fn matched(
    kind: Kind,
    list: &ListArray,
    lengths: &[usize],
    tests: Option<&BooleanArray>,
) -> BooleanArray {
    let mut start = 0;
    lengths
        .iter()
        .enumerate()
        .map(|(row, length)| {
            let range = start..start + length;
            start += length;
            if list.is_null(row) {
                return None;
            }
            let mut unknown = false;
            for at in range {
                match tests.filter(|tests| tests.is_valid(at)).map(|tests| tests.value(at)) {
                    Some(true) if kind == Kind::Any => return Some(true),
                    Some(true) if kind == Kind::None => return Some(false),
                    Some(false) if kind == Kind::All => return Some(false),
                    None => unknown = true,
                    Some(_) => {}
                }
            }
            (!unknown).then_some(kind != Kind::Any)
        })
        .collect()
}

/// The longer list decides; the shorter one goes on with NULL.
pub(super) fn zip_with(
    left: &ArrayRef,
    right: &ArrayRef,
    lambda: &LambdaArgument,
    result: &DataType,
) -> Result<ArrayRef> {
    let (left, right) = (left.as_list::<i32>(), right.as_list::<i32>());
    let DataType::List(field) = result else {
        return Err(Failure::type_mismatch("zip_with gives an array").into());
    };
    let (left_bounds, right_bounds) =
        (bounds_of(left.offsets(), left), bounds_of(right.offsets(), right));
    let mut lengths = Vec::with_capacity(left.len());
    let (mut left_places, mut right_places, mut origin) = (Vec::new(), Vec::new(), Vec::new());
    for (row, (a, b)) in left_bounds.iter().zip(&right_bounds).enumerate() {
        let present = left.is_valid(row) && right.is_valid(row);
        let length = if present { (a.1 - a.0).max(b.1 - b.0) } else { 0 };
        for at in 0..length {
            left_places.push((a.0 + at < a.1).then_some((a.0 + at) as u64));
            right_places.push((b.0 + at < b.1).then_some((b.0 + at) as u64));
            origin.push(u32::try_from(row).unwrap_or(u32::MAX));
        }
        lengths.push(length);
    }
    let count = origin.len();
    let items = [
        take(left.values(), &UInt64Array::from(left_places), None)?,
        take(right.values(), &UInt64Array::from(right_places), None)?,
    ];
    let found = if count == 0 {
        new_null_array(field.data_type(), 0)
    } else {
        evaluate(lambda, &items, &UInt32Array::from(origin), count)?
    };
    let nulls = datafusion::arrow::buffer::NullBuffer::union(left.nulls(), right.nulls());
    Ok(Arc::new(ListArray::try_new(
        field.clone(),
        OffsetBuffer::from_lengths(lengths),
        found,
        nulls,
    )?))
}
