//! `=` of any two values: NULL where an element decides and is NULL, maps in any order.

use datafusion::arrow::array::{Array, AsArray, Datum};
use datafusion::arrow::compute::kernels::cmp;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use datafusion::common::Result;

use crate::moment::Layout;

/// Whether two values are equal; `None` when a NULL leaves it open.
#[expect(clippy::float_cmp, reason = "as SQL does")]
pub(super) fn same(
    left: &dyn Array,
    at: usize,
    right: &dyn Array,
    other: usize,
) -> Result<Option<bool>> {
    // Values of no type are NULL, and their arrays do not say so.
    let is_null = |array: &dyn Array, at| array.is_null(at) || array.data_type() == &DataType::Null;
    if is_null(left, at) || is_null(right, other) {
        return Ok(None);
    }
    match left.data_type() {
        DataType::List(_) => {
            let (left, right) =
                (left.as_list::<i32>().value(at), right.as_list::<i32>().value(other));
            if left.len() != right.len() {
                return Ok(Some(false));
            }
            all((0..left.len()).map(|item| same(left.as_ref(), item, right.as_ref(), item)))
        }
        DataType::Map(..) => {
            let (left, right) = (left.as_map().value(at), right.as_map().value(other));
            if left.len() != right.len() {
                return Ok(Some(false));
            }
            let (keys, values) = (left.column(0).as_ref(), left.column(1).as_ref());
            let (others, found) = (right.column(0).as_ref(), right.column(1).as_ref());
            all((0..left.len()).map(|entry| {
                for candidate in 0..right.len() {
                    if same(keys, entry, others, candidate)? == Some(true) {
                        return same(values, entry, found, candidate);
                    }
                }
                Ok(Some(false))
            }))
        }
        DataType::Struct(_) => {
            let (left, right) = (left.as_struct(), right.as_struct());
            let fields = left.columns().iter().zip(right.columns());
            all(fields.map(|(one, two)| same(one.as_ref(), at, two.as_ref(), other)))
        }
        // NaN is no equal of NaN, which Arrow's kernels say it is.
        DataType::Float64 => {
            let value = |array: &dyn Array, at| array.as_primitive::<Float64Type>().value(at);
            Ok(Some(value(left, at) == value(right, other)))
        }
        DataType::Float32 => {
            let value = |array: &dyn Array, at| array.as_primitive::<Float32Type>().value(at);
            Ok(Some(value(left, at) == value(right, other)))
        }
        DataType::FixedSizeBinary(width) => {
            let value = |array: &dyn Array, at| array.as_fixed_size_binary().value(at).to_vec();
            let (left, right) = (value(left, at), value(right, other));
            let telling = Layout::of_width(*width).map_or(left.len(), Layout::telling);
            Ok(Some(left.get(..telling) == right.get(..telling)))
        }
        _ => {
            let (left, right) = (left.slice(at, 1), right.slice(other, 1));
            let (left, right): (&dyn Datum, &dyn Datum) = (&left, &right);
            Ok(Some(cmp::eq(left, right)?.value(0)))
        }
    }
}

/// False if any is, else unknown if any is.
fn all(mut parts: impl Iterator<Item = Result<Option<bool>>>) -> Result<Option<bool>> {
    parts.try_fold(Some(true), |so_far, part| {
        Ok(match (so_far, part?) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (None, _) | (_, None) => None,
            _ => Some(true),
        })
    })
}
