//! Maps, and the fields of rows.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, UInt64Array, new_null_array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{interleave, take};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::arrow::row::{RowConverter, Rows, SortField};
use datafusion::common::Result;

use super::call::Call;
use super::equality::same;
use super::function::{Function, Plan, unexpected};
use crate::moment::told_apart;
use crate::sql::{Failure, TrinoType, write_value};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("map", map_types, map),
    // Under another name where DataFusion would make a map of the arguments themselves.
    Function::new("$map", map_types, map),
    Function::new("map_keys", |given| parts_types("map_keys", given), |call| parts(call, true)),
    Function::new(
        "map_values",
        |given| parts_types("map_values", given),
        |call| parts(call, false),
    ),
    Function::new("map_entries", entries_types, entries),
    Function::new("map_from_entries", from_entries_types, from_entries),
    Function::new("map_concat", concat_types, concat),
];

/// The entries of a map type: the field, and the fields of key and value.
pub(super) fn entry_fields(
    kind: &DataType,
) -> Result<(FieldRef, datafusion::arrow::datatypes::Fields)> {
    match kind {
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) => Ok((entries.clone(), fields.clone())),
            _ => Err(Failure::type_mismatch("a map has entries").into()),
        },
        _ => Err(Failure::type_mismatch("a map is expected").into()),
    }
}

pub(super) fn built(
    kind: &DataType,
    keys: ArrayRef,
    values: ArrayRef,
    lengths: Vec<usize>,
    present: Vec<bool>,
) -> Result<ArrayRef> {
    let (entries, fields) = entry_fields(kind)?;
    let pairs = StructArray::try_new(fields, vec![keys, values], None)?;
    Ok(Arc::new(MapArray::try_new(
        entries,
        OffsetBuffer::from_lengths(lengths),
        pairs,
        Some(NullBuffer::from(present)),
        false,
    )?))
}

pub(super) fn key_rows(keys: &ArrayRef) -> Result<Rows> {
    let converter = RowConverter::new(vec![SortField::new(keys.data_type().clone())])?;
    Ok(converter.convert_columns(&[told_apart(keys)])?)
}

fn shown(keys: &ArrayRef, place: usize) -> String {
    let mut text = String::new();
    write_value(keys.as_ref(), place, &mut text);
    text
}

/// Refuses a key that is NULL, or holds one.
pub(super) fn check_key(keys: &ArrayRef, place: usize) -> Result<()> {
    if keys.is_null(place) || keys.data_type() == &DataType::Null {
        return Err(Failure::invalid_argument("map key cannot be null").into());
    }
    let nested = matches!(keys.data_type(), DataType::List(_) | DataType::Struct(_));
    if nested && holds_null(keys, place)? {
        return Err(Failure::invalid_argument(format!(
            "map key cannot be indeterminate: {}",
            shown(keys, place)
        ))
        .into());
    }
    Ok(())
}

fn holds_null(keys: &ArrayRef, place: usize) -> Result<bool> {
    Ok(same(keys.as_ref(), place, keys.as_ref(), place)?.is_none())
}

fn map_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let item = |kind: &TrinoType| match kind {
        TrinoType::Array(item) => Some(item.clone()),
        TrinoType::Unknown => Some(Box::new(TrinoType::Unknown)),
        _ => None,
    };
    match given {
        [] => Ok(Plan::new(
            Vec::new(),
            TrinoType::Map(Box::new(TrinoType::Unknown), Box::new(TrinoType::Unknown)),
        )),
        [keys, values] => match item(keys).zip(item(values)) {
            Some((key, value)) => Ok(Plan::given(given, TrinoType::Map(key, value))),
            None => Err(unexpected("map", given, "map(array(K), array(V))")),
        },
        _ => Err(unexpected("map", given, "map(array(K), array(V))")),
    }
}

fn range(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = list.value_offsets();
    usize::try_from(offsets[row]).unwrap_or(0)..usize::try_from(offsets[row + 1]).unwrap_or(0)
}

fn map(call: &Call) -> Result<ArrayRef> {
    if call.count() == 0 {
        let nothing = || new_null_array(&DataType::Null, 0);
        return built(
            &call.result,
            nothing(),
            nothing(),
            vec![0; call.rows],
            vec![true; call.rows],
        );
    }
    if (0..2).any(|at| *call.kind(at) == TrinoType::Unknown) {
        return Ok(new_null_array(&call.result, call.rows));
    }
    let (keys, values) = (call.lists(0)?, call.lists(1)?);
    let rows = key_rows(keys.values())?;
    let (mut key_places, mut value_places) = (Vec::new(), Vec::new());
    let (mut lengths, mut present) = (Vec::new(), Vec::new());
    for row in 0..call.rows {
        if keys.is_null(row) || values.is_null(row) {
            lengths.push(0);
            present.push(false);
            continue;
        }
        let (key_range, value_range) = (range(&keys, row), range(&values, row));
        if key_range.len() != value_range.len() {
            return Err(
                Failure::invalid_argument("Key and value arrays must be the same length").into()
            );
        }
        let mut seen = std::collections::HashSet::new();
        for place in key_range.clone() {
            check_key(keys.values(), place)?;
            if !seen.insert(rows.row(place)) {
                return Err(Failure::invalid_argument(format!(
                    "Duplicate map keys ({}) are not allowed",
                    shown(keys.values(), place)
                ))
                .into());
            }
        }
        lengths.push(key_range.len());
        present.push(true);
        key_places.extend(key_range.map(|place| place as u64));
        value_places.extend(value_range.map(|place| place as u64));
    }
    let keys = take(keys.values(), &UInt64Array::from(key_places), None)?;
    let values = take(values.values(), &UInt64Array::from(value_places), None)?;
    built(&call.result, keys, values, lengths, present)
}

fn parts_types(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Map(key, value)] => {
            let item = if name == "map_keys" { key } else { value };
            Ok(Plan::given(given, TrinoType::Array(item.clone())))
        }
        _ => Err(unexpected(name, given, &format!("{name}(map(K, V))"))),
    }
}

fn parts(call: &Call, keys: bool) -> Result<ArrayRef> {
    let map = call.maps(0)?;
    let DataType::List(field) = &call.result else {
        return Err(Failure::type_mismatch("an array").into());
    };
    let items = if keys { map.keys() } else { map.values() };
    Ok(Arc::new(ListArray::try_new(
        field.clone(),
        map.offsets().clone(),
        items.clone(),
        map.nulls().cloned(),
    )?))
}

fn entries_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Map(key, value)] => Ok(Plan::given(
            given,
            TrinoType::Array(Box::new(TrinoType::Row(vec![
                (None, key.as_ref().clone()),
                (None, value.as_ref().clone()),
            ]))),
        )),
        _ => Err(unexpected("map_entries", given, "map_entries(map(K, V))")),
    }
}

fn entries(call: &Call) -> Result<ArrayRef> {
    let map = call.maps(0)?;
    let DataType::List(field) = &call.result else {
        return Err(Failure::type_mismatch("an array").into());
    };
    let DataType::Struct(fields) = field.data_type() else {
        return Err(Failure::type_mismatch("rows").into());
    };
    let rows =
        StructArray::try_new(fields.clone(), vec![map.keys().clone(), map.values().clone()], None)?;
    Ok(Arc::new(ListArray::try_new(
        field.clone(),
        map.offsets().clone(),
        Arc::new(rows),
        map.nulls().cloned(),
    )?))
}

fn from_entries_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let unknown = || Box::new(TrinoType::Unknown);
    if *given == [TrinoType::Unknown] || *given == [TrinoType::Array(unknown())] {
        return Ok(Plan::given(given, TrinoType::Map(unknown(), unknown())));
    }
    if let [TrinoType::Array(row)] = given
        && let TrinoType::Row(fields) = row.as_ref()
        && let [(_, key), (_, value)] = fields.as_slice()
    {
        return Ok(Plan::given(
            given,
            TrinoType::Map(Box::new(key.clone()), Box::new(value.clone())),
        ));
    }
    Err(unexpected("map_from_entries", given, "map_from_entries(array(row(K, V)))"))
}

fn from_entries(call: &Call) -> Result<ArrayRef> {
    if *call.kind(0) == TrinoType::Unknown {
        return Ok(new_null_array(&call.result, call.rows));
    }
    let list = call.lists(0)?;
    let Some(pairs) = list.values().as_struct_opt() else {
        return if list.values().is_empty() {
            Ok(new_null_array(&call.result, call.rows))
        } else {
            Err(Failure::invalid_argument("map entry cannot be null").into())
        };
    };
    let rows = key_rows(pairs.column(0))?;
    let (mut places, mut lengths, mut present) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        if list.is_null(row) {
            lengths.push(0);
            present.push(false);
            continue;
        }
        let mut seen = std::collections::HashSet::new();
        for place in range(&list, row) {
            if pairs.is_null(place) {
                return Err(Failure::invalid_argument("map entry cannot be null").into());
            }
            check_key(pairs.column(0), place)?;
            if !seen.insert(rows.row(place)) {
                return Err(Failure::invalid_argument(format!(
                    "Duplicate map keys ({}) are not allowed",
                    shown(pairs.column(0), place)
                ))
                .into());
            }
            places.push(place as u64);
        }
        lengths.push(range(&list, row).len());
        present.push(true);
    }
    let places = UInt64Array::from(places);
    let keys = take(pairs.column(0), &places, None)?;
    let values = take(pairs.column(1), &places, None)?;
    built(&call.result, keys, values, lengths, present)
}

fn concat_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match super::conditional::common(given) {
        Some(kind @ TrinoType::Map(..)) if given.len() >= 2 => {
            Ok(Plan::new(vec![kind.clone(); given.len()], kind))
        }
        _ => Err(unexpected("map_concat", given, "map_concat(map(K, V), map(K, V), ...)")),
    }
}

/// Of two entries of one key the last map's stays.
fn concat(call: &Call) -> Result<ArrayRef> {
    let maps = (0..call.count()).map(|at| call.maps(at)).collect::<Result<Vec<_>>>()?;
    let rows = maps.iter().map(|map| key_rows(map.keys())).collect::<Result<Vec<_>>>()?;
    let (mut order, mut lengths, mut present) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        if maps.iter().any(|map| map.is_null(row)) {
            lengths.push(0);
            present.push(false);
            continue;
        }
        let mut chosen: Vec<(usize, usize)> = Vec::new();
        for (at, map) in maps.iter().enumerate() {
            let offsets = map.value_offsets();
            let places = usize::try_from(offsets[row]).unwrap_or(0)
                ..usize::try_from(offsets[row + 1]).unwrap_or(0);
            for place in places {
                let key = rows[at].row(place);
                match chosen
                    .iter_mut()
                    .find(|(other, known)| rows[*other].row(*known).data() == key.data())
                {
                    Some(known) => *known = (at, place),
                    None => chosen.push((at, place)),
                }
            }
        }
        lengths.push(chosen.len());
        present.push(true);
        order.extend(chosen);
    }
    let keys: Vec<&dyn Array> = maps.iter().map(|map| map.keys().as_ref()).collect();
    let values: Vec<&dyn Array> = maps.iter().map(|map| map.values().as_ref()).collect();
    built(&call.result, interleave(&keys, &order)?, interleave(&values, &order)?, lengths, present)
}

/// `m[key]` and `element_at(m, key)`; `strict`: a key that is not there is an error.
pub(super) fn value_of(call: &Call, strict: bool) -> Result<ArrayRef> {
    let (map, wanted) = (call.maps(0)?, call.array(1)?);
    let converter = RowConverter::new(vec![SortField::new(map.keys().data_type().clone())])?;
    let keys = converter.convert_columns(&[told_apart(map.keys())])?;
    let asked = converter.convert_columns(&[told_apart(&wanted)])?;
    let offsets = map.value_offsets();
    let places = (0..call.rows)
        .map(|row| {
            if map.is_null(row) || wanted.is_null(row) {
                return Ok(None);
            }
            let mut range = usize::try_from(offsets[row]).unwrap_or(0)
                ..usize::try_from(offsets[row + 1]).unwrap_or(0);
            match range.find(|place| keys.row(*place) == asked.row(row)) {
                Some(place) => Ok(Some(place as u64)),
                None if strict => Err(Failure::invalid_argument(format!(
                    "Key not present in map: {}",
                    shown(&wanted, row)
                ))),
                None => Ok(None),
            }
        })
        .collect::<Result<UInt64Array, Failure>>()?;
    Ok(take(map.values(), &places, None)?)
}
