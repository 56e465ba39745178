//! The order of two values of one type, as Trino's `<` and its extremes see it.

use std::cmp::Ordering;

use datafusion::arrow::array::{Array, ArrowNativeTypeOp, AsArray, make_comparator};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::Result;

use crate::sql::Failure;

/// Where NaN stands among numbers: last to `least`, first to `greatest`, so that neither
/// takes it while there is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nan {
    First,
    Last,
}

fn null_element(what: &str) -> Failure {
    Failure::not_supported(match what {
        "array" => "ARRAY comparison not supported for arrays with null elements",
        _ => "ROW comparison not supported for fields with null elements",
    })
}

/// The order of two values that are not NULL; an error where a NULL inside decides.
pub(super) fn order(
    left: &dyn Array,
    at: usize,
    right: &dyn Array,
    other: usize,
    nan: Nan,
) -> Result<Ordering> {
    let is_null = |array: &dyn Array, at| array.is_null(at) || array.data_type() == &DataType::Null;
    match left.data_type() {
        DataType::Float64 => {
            let value = |array: &dyn Array, at| array.as_primitive::<Float64Type>().value(at);
            Ok(floats(value(left, at), value(right, other), f64::is_nan, nan))
        }
        DataType::Float32 => {
            let value = |array: &dyn Array, at| array.as_primitive::<Float32Type>().value(at);
            Ok(floats(value(left, at), value(right, other), f32::is_nan, nan))
        }
        DataType::List(_) => {
            let (left, right) =
                (left.as_list::<i32>().value(at), right.as_list::<i32>().value(other));
            for item in 0..left.len().min(right.len()) {
                if is_null(left.as_ref(), item) || is_null(right.as_ref(), item) {
                    return Err(null_element("array").into());
                }
                let found = order(left.as_ref(), item, right.as_ref(), item, nan)?;
                if found != Ordering::Equal {
                    return Ok(found);
                }
            }
            Ok(left.len().cmp(&right.len()))
        }
        DataType::Struct(_) => {
            let fields = left.as_struct().columns().iter().zip(right.as_struct().columns());
            for (left, right) in fields {
                if is_null(left.as_ref(), at) || is_null(right.as_ref(), other) {
                    return Err(null_element("row").into());
                }
                let found = order(left.as_ref(), at, right.as_ref(), other, nan)?;
                if found != Ordering::Equal {
                    return Ok(found);
                }
            }
            Ok(Ordering::Equal)
        }
        _ => Ok(make_comparator(left, right, SortOptions::default())?(at, other)),
    }
}

fn floats<T: ArrowNativeTypeOp>(left: T, right: T, is_nan: fn(T) -> bool, nan: Nan) -> Ordering {
    match (is_nan(left), is_nan(right)) {
        (false, false) => left.partial_cmp(&right).unwrap_or(Ordering::Equal),
        (true, true) => Ordering::Equal,
        (true, false) if nan == Nan::Last => Ordering::Greater,
        (false, true) if nan == Nan::First => Ordering::Greater,
        _ => Ordering::Less,
    }
}

/// Whether values of a type have an order of their own here.
pub(super) fn is_special(kind: &DataType) -> bool {
    matches!(kind, DataType::Float32 | DataType::Float64 | DataType::List(_) | DataType::Struct(_))
}
