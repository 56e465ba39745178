//! `transform_keys`, `transform_values`, `map_filter`.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, MapArray, StructArray, UInt32Array, UInt64Array,
    new_null_array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{filter, interleave, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::LambdaArgument;

use super::{bounds_of, evaluate, origins, places};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::equality::same;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Keys,
    Values,
    Filter,
}

/// The map type a transformation gives.
pub(super) fn result(kind: Kind, map: &DataType, lambda: &DataType) -> DataType {
    let TrinoType::Map(key, value) = TrinoType::of_arrow(map) else { return map.clone() };
    let lambda = Box::new(TrinoType::of_arrow(lambda));
    match kind {
        Kind::Keys => TrinoType::Map(lambda, value),
        Kind::Values => TrinoType::Map(key, lambda),
        Kind::Filter => TrinoType::Map(key, value),
    }
    .to_arrow()
}

pub(super) fn run(
    kind: Kind,
    array: &ArrayRef,
    lambda: &LambdaArgument,
    result: &DataType,
) -> Result<ArrayRef> {
    let map = array.as_map();
    let bounds = bounds_of(map.offsets(), map);
    let taken = places(&bounds);
    let keys = take(map.keys(), &taken, None)?;
    let values = take(map.values(), &taken, None)?;
    let mut lengths: Vec<usize> = bounds.iter().map(|(start, end)| end - start).collect();
    let DataType::Map(entries, _) = result else {
        return Err(Failure::type_mismatch("a map is expected").into());
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(Failure::type_mismatch("a map has entries").into());
    };
    let found = if keys.is_empty() {
        None
    } else {
        Some(evaluate(lambda, &[keys.clone(), values.clone()], &origins(&bounds), keys.len())?)
    };
    let empty = |at: usize| new_null_array(fields[at].data_type(), 0);
    let (keys, values) = match kind {
        Kind::Values => (keys, found.unwrap_or_else(|| empty(1))),
        Kind::Keys => {
            let keys = found.unwrap_or_else(|| empty(0));
            distinct(&keys, &lengths)?;
            (keys, values)
        }
        Kind::Filter => {
            let tests = found.and_then(|found| found.as_boolean_opt().cloned());
            let kept: BooleanArray = (0..keys.len())
                .map(|at| {
                    Some(tests.as_ref().is_some_and(|tests| tests.is_valid(at) && tests.value(at)))
                })
                .collect();
            let mut start = 0;
            for length in &mut lengths {
                let count = (start..start + *length).filter(|at| kept.value(*at)).count();
                start += *length;
                *length = count;
            }
            (filter(&keys, &kept)?, filter(&values, &kept)?)
        }
    };
    let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    Ok(Arc::new(MapArray::try_new(
        entries.clone(),
        OffsetBuffer::from_lengths(lengths),
        pairs,
        map.nulls().cloned(),
        false,
    )?))
}

/// The keys of the left map, then those of the right one alone; a value that is missing is NULL.
pub(super) fn zip_with(
    left: &ArrayRef,
    right: &ArrayRef,
    lambda: &LambdaArgument,
    result: &DataType,
) -> Result<ArrayRef> {
    let (left, right) = (left.as_map(), right.as_map());
    let DataType::Map(entries, _) = result else {
        return Err(Failure::type_mismatch("a map is expected").into());
    };
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(Failure::type_mismatch("a map has entries").into());
    };
    let nulls = NullBuffer::union(left.nulls(), right.nulls());
    let (ours, theirs) = (bounds_of(left.offsets(), left), bounds_of(right.offsets(), right));
    let (mut keys, mut values, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let (mut origin, mut lengths) = (Vec::new(), Vec::new());
    for (row, (one, other)) in ours.iter().zip(&theirs).enumerate() {
        let before = keys.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let mut taken = Vec::new();
            for at in one.0..one.1 {
                let mut found = None;
                for candidate in other.0..other.1 {
                    let equal = same(left.keys().as_ref(), at, right.keys().as_ref(), candidate)?;
                    if equal == Some(true) {
                        found = Some(candidate);
                    }
                }
                taken.extend(found);
                keys.push((0, at));
                values.push(Some(at as u64));
                others.push(found.map(|found| found as u64));
            }
            for at in (other.0..other.1).filter(|at| !taken.contains(at)) {
                keys.push((1, at));
                values.push(None);
                others.push(Some(at as u64));
            }
        }
        lengths.push(keys.len() - before);
        origin.extend(vec![u32::try_from(row).unwrap_or(u32::MAX); keys.len() - before]);
    }
    let count = keys.len();
    let keys = interleave(&[left.keys().as_ref(), right.keys().as_ref()], &keys)?;
    let found = if count == 0 {
        new_null_array(fields[1].data_type(), 0)
    } else {
        let values = take(left.values(), &UInt64Array::from(values), None)?;
        let others = take(right.values(), &UInt64Array::from(others), None)?;
        evaluate(lambda, &[keys.clone(), values, others], &UInt32Array::from(origin), count)?
    };
    let pairs = StructArray::try_new(fields.clone(), vec![keys, found], None)?;
    Ok(Arc::new(MapArray::try_new(
        entries.clone(),
        OffsetBuffer::from_lengths(lengths),
        pairs,
        nulls,
        false,
    )?))
}

/// Keys are there, and each once.
fn distinct(keys: &ArrayRef, lengths: &[usize]) -> Result<()> {
    let mut start = 0;
    for length in lengths {
        let mut seen = std::collections::HashSet::new();
        for at in start..start + length {
            let mut text = String::new();
            if !crate::sql::write_value(keys.as_ref(), at, &mut text) {
                return Err(Failure::invalid_argument("map key cannot be null").into());
            }
            if !seen.insert(text.clone()) {
                return Err(Failure::invalid_argument(format!(
                    "Duplicate keys ({text}) are not allowed"
                ))
                .into());
            }
        }
        start += length;
    }
    Ok(())
}
