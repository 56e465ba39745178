//! Arrays and rows made: `ARRAY[…]`, `row(…)`, `repeat`, `concat`, `flatten`,
//! `zip`.
#![expect(clippy::unnecessary_wraps, reason = "bodies share one signature")]

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, StructArray, UInt64Array, new_empty_array,
};
use datafusion::arrow::compute::{interleave, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::{Chosen, lists, range};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::call::Call;
use crate::trino::functions::conditional::common;
use crate::trino::functions::function::{Function, Plan, coerces, exactly, unexpected};

/// Most items `repeat` makes. Source: Trino's limit.
const LONGEST: i64 = 10_000;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("$array", array_types, array),
    Function::new("row", row_types, row),
    Function::new("repeat", repeat_types, repeat),
    Function::new("concat", concat_types, concat),
    Function::new("flatten", flatten_types, flatten),
    Function::new("zip", zip_types, zip),
    Function::new("$ordinals", ordinals_types, ordinals),
];

fn array_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let kind = common(given).ok_or_else(|| {
        let shown: Vec<String> = given.iter().map(ToString::to_string).collect();
        Failure::type_mismatch(format!(
            "All ARRAY elements must be the same type: {}",
            shown.join(", ")
        ))
    })?;
    Ok(Plan::new(vec![kind.clone(); given.len()], TrinoType::Array(Box::new(kind))))
}

fn array(call: &Call) -> Result<ArrayRef> {
    let count = call.count();
    if count == 0 {
        let items = new_empty_array(&DataType::Null);
        return lists(items, vec![0; call.rows], vec![true; call.rows], &call.result);
    }
    let arrays = call.arrays()?;
    let parts: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    let order: Vec<(usize, usize)> =
        (0..call.rows).flat_map(|row| (0..count).map(move |column| (column, row))).collect();
    lists(interleave(&parts, &order)?, vec![count; call.rows], vec![true; call.rows], &call.result)
}

fn row_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    Ok(Plan::given(given, TrinoType::Row(given.iter().map(|kind| (None, kind.clone())).collect())))
}

fn row(call: &Call) -> Result<ArrayRef> {
    let DataType::Struct(fields) = &call.result else {
        return Err(Failure::type_mismatch("a row is a struct").into());
    };
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), call.arrays()?, None, call.rows)?))
}

fn repeat_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [kind, count] if coerces(count, &TrinoType::Bigint) => Ok(Plan::new(
            vec![kind.clone(), TrinoType::Bigint],
            TrinoType::Array(Box::new(kind.clone())),
        )),
        _ => Err(unexpected("repeat", given, "repeat(E, bigint)")),
    }
}

fn repeat(call: &Call) -> Result<ArrayRef> {
    let (values, counts) = (call.array(0)?, call.longs(1)?);
    let mut chosen = Chosen::new();
    for row in 0..call.rows {
        if counts.is_null(row) {
            chosen.null();
            continue;
        }
        let count = counts.value(row);
        if count > LONGEST {
            return Err(Failure::invalid_argument(
                "count argument of repeat function must be less than or equal to 10000",
            )
            .into());
        }
        if count < 0 {
            return Err(Failure::invalid_argument(
                "count argument of repeat function must be greater than or equal to 0",
            )
            .into());
        }
        chosen.row(std::iter::repeat_n(row, usize::try_from(count).unwrap_or(0)));
    }
    chosen.build(&values, &call.result)
}

/// An array of arrays beside an array that becomes an item of it.
fn beside(given: &[TrinoType]) -> Option<Plan> {
    let inner_of = |outer: &TrinoType, item: &TrinoType| match outer {
        TrinoType::Array(inner)
            if matches!((inner.as_ref(), item), (TrinoType::Array(_), TrinoType::Array(_)))
                && coerces(item, inner) =>
        {
            Some(inner.as_ref().clone())
        }
        _ => None,
    };
    let [left, right] = given else { return None };
    if let Some(inner) = inner_of(left, right) {
        return Some(Plan::new(vec![left.clone(), inner], left.clone()));
    }
    let inner = inner_of(right, left)?;
    Some(Plan::new(vec![inner, right.clone()], right.clone()))
}

/// `||`: texts, bytes, arrays, or an array and an item.
fn concat_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let refused = || {
        unexpected(
            "concat",
            given,
            "concat(char(x), char(y)), concat(array(E), E), concat(E, array(E)), concat(array(E)), concat(varchar), concat(varbinary)",
        )
    };
    let is_array = |kind: &TrinoType| matches!(kind, TrinoType::Array(_));
    if let Some(plan) = beside(given) {
        return Ok(plan);
    }
    if given.iter().any(is_array) {
        let items: Vec<TrinoType> = given
            .iter()
            .map(|kind| match kind {
                TrinoType::Array(item) => item.as_ref().clone(),
                other => other.clone(),
            })
            .collect();
        let item = common(&items).ok_or_else(refused)?;
        let array = TrinoType::Array(Box::new(item.clone()));
        let wanted = given
            .iter()
            .map(|kind| {
                let whole = is_array(kind) || given.len() > 2 && *kind == TrinoType::Unknown;
                if whole { array.clone() } else { item.clone() }
            })
            .collect();
        return Ok(Plan::new(wanted, array));
    }
    if given.contains(&TrinoType::Varbinary) {
        return exactly(
            "concat",
            given,
            &vec![TrinoType::Varbinary; given.len()],
            TrinoType::Varbinary,
        );
    }
    let text = |kind: &TrinoType| {
        matches!(kind, TrinoType::Varchar(_) | TrinoType::Char(_) | TrinoType::Unknown)
    };
    if given.len() == 1 && text(&given[0]) {
        return Err(Failure::invalid_argument("There must be two or more concatenation arguments"));
    }
    if given.is_empty() || !given.iter().all(text) {
        return Err(refused());
    }
    Ok(Plan::new(vec![TrinoType::Varchar(None); given.len()], TrinoType::Varchar(None)))
}

fn concat(call: &Call) -> Result<ArrayRef> {
    match &call.result {
        DataType::List(_) => concat_lists(call),
        DataType::Binary => {
            let parts = (0..call.count()).map(|at| call.bytes(at)).collect::<Result<Vec<_>>>()?;
            call.each_bytes(|row| {
                Ok(Some(parts.iter().flat_map(|part| part.value(row).iter().copied()).collect()))
            })
        }
        _ => {
            let parts = (0..call.count()).map(|at| call.texts(at)).collect::<Result<Vec<_>>>()?;
            call.each_text(|row| Ok(Some(parts.iter().map(|part| part.value(row)).collect())))
        }
    }
}

/// How many arrays stand one in another.
fn depth(kind: &DataType) -> usize {
    match kind {
        DataType::List(item) => 1 + depth(item.data_type()),
        _ => 0,
    }
}

fn concat_lists(call: &Call) -> Result<ArrayRef> {
    let arrays = call.arrays()?;
    let DataType::List(field) = &call.result else {
        return Err(Failure::type_mismatch("arrays").into());
    };
    let depth = depth(&call.result);
    let is_list = |at: usize| self::depth(arrays[at].data_type()) == depth;
    let items: Vec<ArrayRef> = arrays
        .iter()
        .enumerate()
        .map(
            |(at, array)| {
                if is_list(at) { array.as_list::<i32>().values().clone() } else { array.clone() }
            },
        )
        .map(|items| {
            if items.data_type() == field.data_type() {
                Ok(items)
            } else {
                Ok(datafusion::arrow::compute::cast(&items, field.data_type())?)
            }
        })
        .collect::<Result<_>>()?;
    let parts: Vec<&dyn Array> = items.iter().map(AsRef::as_ref).collect();
    let (mut order, mut lengths, mut present) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        // A NULL array makes NULL, a NULL item is an item.
        if (0..arrays.len()).any(|at| is_list(at) && arrays[at].is_null(row)) {
            lengths.push(0);
            present.push(false);
            continue;
        }
        let before = order.len();
        for (at, array) in arrays.iter().enumerate() {
            if is_list(at) {
                order.extend(range(array.as_list::<i32>(), row).map(|place| (at, place)));
            } else {
                order.push((at, row));
            }
        }
        lengths.push(order.len() - before);
        present.push(true);
    }
    lists(interleave(&parts, &order)?, lengths, present, &call.result)
}

fn flatten_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Array(inner)] if matches!(inner.as_ref(), TrinoType::Array(_)) => {
            Ok(Plan::given(given, inner.as_ref().clone()))
        }
        _ => Err(unexpected("flatten", given, "flatten(array(array(E)))")),
    }
}

fn flatten(call: &Call) -> Result<ArrayRef> {
    let outer = call.lists(0)?;
    let inner = outer.values().as_list::<i32>().clone();
    let mut chosen = Chosen::new();
    for row in 0..call.rows {
        if outer.is_null(row) {
            chosen.null();
        } else {
            chosen.row(range(&outer, row).flat_map(|place| range(&inner, place)));
        }
    }
    chosen.build(inner.values(), &call.result)
}

fn zip_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let items: Option<Vec<(Option<String>, TrinoType)>> = given
        .iter()
        .map(|kind| match kind {
            TrinoType::Array(item) => Some((None, item.as_ref().clone())),
            _ => None,
        })
        .collect();
    match items.filter(|items| items.len() >= 2) {
        Some(items) => Ok(Plan::given(given, TrinoType::Array(Box::new(TrinoType::Row(items))))),
        None => Err(unexpected("zip", given, "zip(array(T1), array(T2), ...)")),
    }
}

fn zip(call: &Call) -> Result<ArrayRef> {
    let arrays = (0..call.count()).map(|at| call.lists(at)).collect::<Result<Vec<_>>>()?;
    let DataType::List(field) = &call.result else {
        return Err(Failure::type_mismatch("arrays").into());
    };
    let DataType::Struct(fields) = field.data_type() else {
        return Err(Failure::type_mismatch("rows").into());
    };
    let mut places: Vec<Vec<Option<u64>>> = vec![Vec::new(); arrays.len()];
    let (mut lengths, mut present) = (Vec::new(), Vec::new());
    for row in 0..call.rows {
        let here = arrays.iter().all(|array| array.is_valid(row));
        let length = if here {
            arrays.iter().map(|array| range(array, row).len()).max().unwrap_or(0)
        } else {
            0
        };
        for (array, places) in arrays.iter().zip(&mut places) {
            let range = range(array, row);
            places.extend((0..length).map(|at| range.clone().nth(at).map(|place| place as u64)));
        }
        lengths.push(length);
        present.push(here);
    }
    let columns = arrays
        .iter()
        .zip(places)
        .map(|(array, places)| Ok(take(array.values(), &UInt64Array::from(places), None)?))
        .collect::<Result<Vec<_>>>()?;
    let items: ArrayRef = Arc::new(StructArray::try_new(fields.clone(), columns, None)?);
    lists(items, lengths, present, &call.result)
}

fn ordinals_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    Ok(Plan::given(given, TrinoType::Array(Box::new(TrinoType::Bigint))))
}

/// 1, 2, … to the length of the longest list of a row.
fn ordinals(call: &Call) -> Result<ArrayRef> {
    let arrays = (0..call.count()).map(|at| call.lists(at)).collect::<Result<Vec<_>>>()?;
    let lengths: Vec<usize> = (0..call.rows)
        .map(|row| arrays.iter().map(|array| range(array, row).len()).max().unwrap_or(0))
        .collect();
    let items: Int64Array =
        lengths.iter().flat_map(|length| (1..=*length).map(|at| i64::try_from(at).ok())).collect();
    lists(Arc::new(items), lengths, vec![true; call.rows], &call.result)
}
