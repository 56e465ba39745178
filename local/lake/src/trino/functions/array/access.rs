//! Single items: `a[1]`, `element_at`, `slice`, `reverse`, and the fields of rows.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt64Array};
use datafusion::arrow::compute::take;
use datafusion::common::Result;

use super::{Chosen, range};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::call::Call;
use crate::trino::functions::function::{Function, Plan, coerces, unexpected};

/// `[]` of arrays and maps.
pub(in crate::trino::functions) static SUBSCRIPT: Function =
    Function::new("$subscript", |given| item_types("[]", given), |call| item(call, true));

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("element_at", |given| item_types("element_at", given), |call| item(call, false)),
    Function::new("slice", slice_types, slice),
    Function::volatile("shuffle", shuffle_types, shuffle),
    Function::new("trim_array", trim_types, trim),
];

fn item_types(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Array(kind), at] if coerces(at, &TrinoType::Bigint) => {
            Ok(Plan::new(vec![given[0].clone(), TrinoType::Bigint], kind.as_ref().clone()))
        }
        [TrinoType::Map(key, value), at] if coerces(at, key) => {
            Ok(Plan::new(vec![given[0].clone(), key.as_ref().clone()], value.as_ref().clone()))
        }
        [TrinoType::Unknown, at] => {
            Ok(Plan::given(&[TrinoType::Unknown, at.clone()], TrinoType::Unknown))
        }
        [TrinoType::Row(_), _] => {
            Err(Failure::type_mismatch("rows are taken apart by the names of their fields"))
        }
        _ => Err(unexpected(name, given, "array(E), bigint or map(K, V), K")),
    }
}

/// `strict`: a place or key that is not there is an error.
fn item(call: &Call, strict: bool) -> Result<ArrayRef> {
    if *call.kind(0) == TrinoType::Unknown {
        return Ok(datafusion::arrow::array::new_null_array(&call.result, call.rows));
    }
    if matches!(call.kind(0), TrinoType::Map(..)) {
        return crate::trino::functions::map::value_of(call, strict);
    }
    let (list, places) = (call.lists(0)?, call.longs(1)?);
    let found = (0..call.rows)
        .map(|row| {
            if list.is_null(row) || places.is_null(row) {
                return Ok(None);
            }
            let range = range(&list, row);
            let length = i64::try_from(range.len()).unwrap_or(i64::MAX);
            let place = places.value(row);
            let at = match place {
                0 => {
                    return Err(Failure::invalid_argument("SQL array indices start at 1"));
                }
                place if place < 0 && strict => {
                    return Err(Failure::invalid_argument(format!("Array subscript is negative: {place}")));
                }
                place if place > length && strict => {
                    return Err(Failure::invalid_argument(format!(
                        "Array subscript must be less than or equal to array length: {place} > {length}"
                    )));
                }
                place if place > 0 => place - 1,
                place => length + place,
            };
            let inside = (0..length).contains(&at);
            Ok(inside.then(|| range.start as u64 + at.unsigned_abs()))
        })
        .collect::<Result<UInt64Array, Failure>>()?;
    Ok(take(list.values(), &found, None)?)
}

fn slice_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Array(_), start, length]
            if coerces(start, &TrinoType::Bigint) && coerces(length, &TrinoType::Bigint) =>
        {
            Ok(Plan::new(
                vec![given[0].clone(), TrinoType::Bigint, TrinoType::Bigint],
                given[0].clone(),
            ))
        }
        _ => Err(unexpected("slice", given, "slice(array(E), bigint, bigint)")),
    }
}

fn slice(call: &Call) -> Result<ArrayRef> {
    let (list, starts, lengths) = (call.lists(0)?, call.longs(1)?, call.longs(2)?);
    let mut chosen = Chosen::new();
    for row in 0..call.rows {
        if list.is_null(row) || starts.is_null(row) || lengths.is_null(row) {
            chosen.null();
            continue;
        }
        let (start, length) = (starts.value(row), lengths.value(row));
        if start == 0 {
            return Err(Failure::invalid_argument("SQL array indices start at 1").into());
        }
        if length < 0 {
            return Err(
                Failure::invalid_argument("length must be greater than or equal to 0").into()
            );
        }
        let range = range(&list, row);
        let count = i64::try_from(range.len()).unwrap_or(i64::MAX);
        let first = if start > 0 { start - 1 } else { count + start };
        if first < 0 || first >= count {
            chosen.row(0..0);
            continue;
        }
        let end = first.saturating_add(length).min(count);
        let at = |place: i64| range.start + usize::try_from(place).unwrap_or(0);
        chosen.row(at(first)..at(end));
    }
    chosen.build(list.values(), &call.result)
}

fn trim_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Array(_), count] if coerces(count, &TrinoType::Bigint) => {
            Ok(Plan::new(vec![given[0].clone(), TrinoType::Bigint], given[0].clone()))
        }
        _ => Err(unexpected("trim_array", given, "trim_array(array(E), bigint)")),
    }
}

fn trim(call: &Call) -> Result<ArrayRef> {
    let (list, counts) = (call.lists(0)?, call.longs(1)?);
    let mut chosen = Chosen::new();
    for row in 0..call.rows {
        if list.is_null(row) || counts.is_null(row) {
            chosen.null();
            continue;
        }
        let range = range(&list, row);
        let count = counts.value(row);
        if count < 0 {
            return Err(
                Failure::invalid_argument(format!("size must not be negative: {count}")).into()
            );
        }
        let left = usize::try_from(count)
            .ok()
            .and_then(|count| range.len().checked_sub(count))
            .ok_or_else(|| {
                Failure::invalid_argument(format!(
                    "size must not exceed array cardinality {}: {count}",
                    range.len()
                ))
            })?;
        chosen.row(range.start..range.start + left);
    }
    chosen.build(list.values(), &call.result)
}

fn shuffle_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Array(_)] => Ok(Plan::given(given, given[0].clone())),
        _ => Err(unexpected("shuffle", given, "shuffle(array(E))")),
    }
}

/// The items of arrays in any order.
fn shuffle(call: &Call) -> Result<ArrayRef> {
    let list = call.lists(0)?;
    let mut chosen = Chosen::new();
    for row in 0..call.rows {
        if list.is_null(row) {
            chosen.null();
            continue;
        }
        let mut places: Vec<usize> = range(&list, row).collect();
        places.sort_by_cached_key(|_| uuid::Uuid::new_v4());
        chosen.row(places);
    }
    chosen.build(list.values(), &call.result)
}

/// The items of arrays from the last to the first.
pub(in crate::trino::functions) fn reversed(call: &Call) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let list = array.as_list::<i32>();
    let mut chosen = Chosen::new();
    for row in 0..call.rows {
        if list.is_null(row) {
            chosen.null();
        } else {
            chosen.row(range(list, row).rev());
        }
    }
    let found = chosen.build(list.values(), &call.result)?;
    Ok(Arc::clone(&found))
}
