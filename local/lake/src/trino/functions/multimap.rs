//! `multimap_from_entries` and `array_histogram`: what an array says of its keys.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, UInt64Array, new_null_array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::array::{Chosen, range};
use super::call::Call;
use super::function::{Function, Plan, unexpected};
use super::map::{built, check_key, entry_fields, key_rows};
use crate::sql::{Failure, TrinoType};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("multimap_from_entries", multimap_types, multimap),
    Function::new("array_histogram", histogram_types, histogram),
];

fn multimap_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let unknown = || Box::new(TrinoType::Unknown);
    match given {
        [TrinoType::Unknown] => Ok(Plan::given(given, TrinoType::Map(unknown(), unknown()))),
        [TrinoType::Array(row)] => match row.as_ref() {
            TrinoType::Row(fields) if fields.len() == 2 => Ok(Plan::given(
                given,
                TrinoType::Map(
                    Box::new(fields[0].1.clone()),
                    Box::new(TrinoType::Array(Box::new(fields[1].1.clone()))),
                ),
            )),
            TrinoType::Unknown => Ok(Plan::given(
                given,
                TrinoType::Map(unknown(), Box::new(TrinoType::Array(unknown()))),
            )),
            _ => Err(unexpected("multimap_from_entries", given, ENTRIES)),
        },
        _ => Err(unexpected("multimap_from_entries", given, ENTRIES)),
    }
}

const ENTRIES: &str = "multimap_from_entries(array(row(K, V)))";

/// The places of each key's values, the keys as they come first.
#[derive(Default)]
struct Groups {
    keys: Vec<u64>,
    values: Vec<Vec<usize>>,
}

fn multimap(call: &Call) -> Result<ArrayRef> {
    if *call.kind(0) == TrinoType::Unknown {
        return Ok(new_null_array(&call.result, call.rows));
    }
    let list = call.lists(0)?;
    let null_entry = || Failure::invalid_argument("map entry cannot be null");
    let Some(pairs) = list.values().as_struct_opt() else {
        return if list.values().is_empty() {
            Ok(new_null_array(&call.result, call.rows))
        } else {
            Err(null_entry().into())
        };
    };
    let rows = key_rows(pairs.column(0))?;
    let mut groups = Groups::default();
    let (mut lengths, mut present) = (Vec::new(), Vec::new());
    for row in 0..call.rows {
        let before = groups.keys.len();
        let mut known = HashMap::new();
        for place in range(&list, row) {
            if pairs.is_null(place) {
                return Err(null_entry().into());
            }
            check_key(pairs.column(0), place)?;
            let group = *known.entry(rows.row(place)).or_insert_with(|| {
                groups.keys.push(place as u64);
                groups.values.push(Vec::new());
                groups.keys.len() - 1
            });
            groups.values[group].push(place);
        }
        lengths.push(groups.keys.len() - before);
        present.push(list.is_valid(row));
    }
    let keys = take(pairs.column(0), &UInt64Array::from(groups.keys), None)?;
    let (_, fields) = entry_fields(&call.result)?;
    let mut values = Chosen::new();
    for group in groups.values {
        values.row(group);
    }
    let values = values.build(pairs.column(1), fields[1].data_type())?;
    built(&call.result, keys, values, lengths, present)
}

fn histogram_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Array(item)] => {
            Ok(Plan::given(given, TrinoType::Map(item.clone(), Box::new(TrinoType::Bigint))))
        }
        _ => Err(unexpected("array_histogram", given, "array_histogram(array(E))")),
    }
}

/// How often each item comes; NULL items do not count.
fn histogram(call: &Call) -> Result<ArrayRef> {
    let list = call.lists(0)?;
    let items = list.values();
    let rows = key_rows(items)?;
    let (mut places, mut counts): (Vec<u64>, Vec<i64>) = (Vec::new(), Vec::new());
    let (mut lengths, mut present) = (Vec::new(), Vec::new());
    for row in 0..call.rows {
        let before = places.len();
        let mut known = HashMap::new();
        for place in range(&list, row) {
            if items.is_null(place) || items.data_type() == &DataType::Null {
                continue;
            }
            let group = *known.entry(rows.row(place)).or_insert_with(|| {
                places.push(place as u64);
                counts.push(0);
                places.len() - 1
            });
            counts[group] += 1;
        }
        lengths.push(places.len() - before);
        present.push(list.is_valid(row));
    }
    let keys = take(items, &UInt64Array::from(places), None)?;
    built(&call.result, keys, std::sync::Arc::new(Int64Array::from(counts)), lengths, present)
}
