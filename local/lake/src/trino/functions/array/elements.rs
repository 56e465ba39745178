//! What arrays hold: `cardinality`, `contains`, `array_position`, extremes, order,
//! and texts of their items.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, StringBuilder, UInt64Array,
};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::{Chosen, comparable, range};
use crate::sql::{Failure, TrinoType, write_value};
use crate::trino::functions::address;
use crate::trino::functions::call::Call;
use crate::trino::functions::cast::{OnFailure, cast_array};
use crate::trino::functions::conditional::wider;
use crate::trino::functions::equality::same;
use crate::trino::functions::function::{Function, Plan, unexpected};
use crate::trino::functions::order::{Nan, is_special, order};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("cardinality", cardinality_types, cardinality),
    Function::new("contains", contains_types, contains),
    Function::new(
        "array_position",
        |given| beside("array_position", given, |_| TrinoType::Bigint),
        position,
    ),
    Function::new(
        "array_remove",
        |given| beside("array_remove", given, std::clone::Clone::clone),
        remove,
    ),
    Function::new(
        "array_max",
        |given| extreme_types("array_max", given),
        |call| extreme(call, true),
    ),
    Function::new(
        "array_min",
        |given| extreme_types("array_min", given),
        |call| extreme(call, false),
    ),
    Function::new("array_sort", |given| kept("array_sort", given), sort),
    Function::new("array_distinct", |given| kept("array_distinct", given), distinct),
    Function::new("array_join", join_types, join),
];

fn cardinality_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Array(_) | TrinoType::Map(..)] => Ok(Plan::given(given, TrinoType::Bigint)),
        [TrinoType::Unknown] => {
            Ok(Plan::new(vec![TrinoType::Array(Box::new(TrinoType::Unknown))], TrinoType::Bigint))
        }
        _ => Err(unexpected("cardinality", given, "cardinality(array(E)), cardinality(map(K, V))")),
    }
}

fn cardinality(call: &Call) -> Result<ArrayRef> {
    if matches!(call.kind(0), TrinoType::Map(..)) {
        let maps = call.maps(0)?;
        return call.each_long(|row| Ok(Some(i64::from(maps.value_length(row)))));
    }
    let lists = call.lists(0)?;
    call.each_long(|row| Ok(Some(i64::from(lists.value_length(row)))))
}

/// An array and an item of it.
fn beside(
    name: &str,
    given: &[TrinoType],
    result: fn(&TrinoType) -> TrinoType,
) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Array(item), value] => {
            let kind = wider(item, value)
                .ok_or_else(|| unexpected(name, given, &format!("{name}(array(E), E)")))?;
            let array = TrinoType::Array(Box::new(kind.clone()));
            let result = result(&array);
            Ok(Plan::new(vec![array, kind], result))
        }
        [TrinoType::Unknown, value] => {
            let array = TrinoType::Array(Box::new(value.clone()));
            let result = result(&array);
            Ok(Plan::new(vec![array, value.clone()], result))
        }
        _ => Err(unexpected(name, given, &format!("{name}(array(E), E)"))),
    }
}

/// Of each row, what is known of each of its items.
type Tests = Vec<Vec<Option<bool>>>;

/// For each row: whether an item is the value, `None` where that is unknown.
fn tests(call: &Call, name: &str) -> Result<(ListArray, ArrayRef, Tests)> {
    let (list, values) = (call.lists(0)?, call.array(1)?);
    let present =
        |array: &dyn Array, at| array.is_valid(at) && array.data_type() != &DataType::Null;
    let simple =
        !is_special(values.data_type()) && !matches!(values.data_type(), DataType::Map(..));
    let rows = if simple { Some((comparable(list.values())?, comparable(&values)?)) } else { None };
    let test = |place: usize, row: usize| -> Result<Option<bool>> {
        if !present(list.values(), place) || !present(&values, row) {
            return Ok(None);
        }
        if let Some((items, wanted)) = &rows {
            return Ok(Some(items.row(place) == wanted.row(row)));
        }
        let found = same(list.values(), place, &values, row)?;
        if found.is_none() {
            return Err(Failure::not_supported(format!(
                "{name} does not support arrays with elements that are null or contain null"
            ))
            .into());
        }
        Ok(found)
    };
    let tests = (0..call.rows)
        .map(|row| range(&list, row).map(|place| test(place, row)).collect())
        .collect::<Result<Tests>>()?;
    Ok((list, values, tests))
}

fn contains_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match address::contains_types(given) {
        Some(plan) => Ok(plan),
        None => beside("contains", given, |_| TrinoType::Boolean),
    }
}

fn contains(call: &Call) -> Result<ArrayRef> {
    if *call.kind(1) == TrinoType::IpAddress && *call.kind(0) == TrinoType::Varchar(None) {
        return address::contains(call);
    }
    let (list, values, tests) = tests(call, "contains")?;
    let found: BooleanArray = tests
        .iter()
        .enumerate()
        .map(|(row, tests)| {
            if list.is_null(row) || values.is_null(row) {
                return None;
            }
            match (tests.contains(&Some(true)), tests.contains(&None)) {
                (true, _) => Some(true),
                (false, true) => None,
                (false, false) => Some(false),
            }
        })
        .collect();
    Ok(Arc::new(found))
}

fn position(call: &Call) -> Result<ArrayRef> {
    let (_, _, tests) = tests(call, "array_position")?;
    call.each_long(|row| {
        let place = tests[row].iter().position(|test| *test == Some(true));
        Ok(Some(place.map_or(0, |place| i64::try_from(place + 1).unwrap_or(0))))
    })
}

fn remove(call: &Call) -> Result<ArrayRef> {
    let (list, values, tests) = tests(call, "array_remove")?;
    let mut chosen = Chosen::new();
    for (row, tests) in tests.iter().enumerate() {
        if list.is_null(row) || values.is_null(row) {
            chosen.null();
        } else {
            let start = range(&list, row).start;
            chosen.row(
                tests
                    .iter()
                    .enumerate()
                    .filter(|(_, test)| **test != Some(true))
                    .map(|(at, _)| start + at),
            );
        }
    }
    chosen.build(list.values(), &call.result)
}

fn extreme_types(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Array(item)] => Ok(Plan::given(given, item.as_ref().clone())),
        _ => Err(unexpected(name, given, &format!("{name}(array(E))"))),
    }
}

/// NULL as soon as an item is; NaN only where there is no number.
fn extreme(call: &Call, greatest: bool) -> Result<ArrayRef> {
    let list = call.lists(0)?;
    let (nan, wanted) =
        if greatest { (Nan::First, Ordering::Greater) } else { (Nan::Last, Ordering::Less) };
    let items = list.values();
    let place = |row: usize| -> Result<Option<u64>> {
        let range = range(&list, row);
        if range.clone().any(|place| items.is_null(place)) {
            return Ok(None);
        }
        let mut best: Option<usize> = None;
        for place in range {
            let better = match best {
                None => true,
                Some(best) => order(items, place, items, best, nan)? == wanted,
            };
            if better {
                best = Some(place);
            }
        }
        Ok(best.map(|place| place as u64))
    };
    let places = (0..call.rows).map(place).collect::<Result<UInt64Array>>()?;
    Ok(take(list.values(), &places, None)?)
}

fn kept(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Array(_)] => Ok(Plan::given(given, given[0].clone())),
        _ => Err(unexpected(name, given, &format!("{name}(array(E))"))),
    }
}

fn sort(call: &Call) -> Result<ArrayRef> {
    let list = call.lists(0)?;
    let items = comparable(list.values())?;
    let mut chosen = Chosen::new();
    for row in 0..call.rows {
        if list.is_null(row) {
            chosen.null();
            continue;
        }
        let mut places: Vec<usize> = range(&list, row).collect();
        places.sort_by(|a, b| items.row(*a).cmp(&items.row(*b)));
        chosen.row(places);
    }
    chosen.build(list.values(), &call.result)
}

fn distinct(call: &Call) -> Result<ArrayRef> {
    let list = call.lists(0)?;
    let items = comparable(list.values())?;
    let mut chosen = Chosen::new();
    for row in 0..call.rows {
        if list.is_null(row) {
            chosen.null();
            continue;
        }
        let mut seen = std::collections::HashSet::new();
        chosen.row(
            range(&list, row).filter(|place| seen.insert(items.row(*place))).collect::<Vec<_>>(),
        );
    }
    chosen.build(list.values(), &call.result)
}

fn join_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    const TEXT: TrinoType = TrinoType::Varchar(None);
    let text = |kind: &TrinoType| matches!(kind, TrinoType::Varchar(_) | TrinoType::Unknown);
    if let [TrinoType::Array(item), ..] = given
        && matches!(item.as_ref(), TrinoType::Array(_) | TrinoType::Map(..) | TrinoType::Row(_))
    {
        let message = format!("Input type {} not supported", given[0]);
        return Err(Failure::new("OPERATOR_NOT_FOUND", message));
    }
    match given {
        [TrinoType::Array(_), rest @ ..]
            if (1..=2).contains(&rest.len()) && rest.iter().all(text) =>
        {
            let mut wanted = vec![given[0].clone()];
            wanted.extend(rest.iter().map(|_| TEXT));
            Ok(Plan::new(wanted, TEXT))
        }
        _ => Err(unexpected("array_join", given, "array_join(array(E), varchar[, varchar])")),
    }
}

/// Items as Trino's casts write them; NULL items are left out or replaced.
fn join(call: &Call) -> Result<ArrayRef> {
    let (list, delimiters) = (call.lists(0)?, call.texts(1)?);
    let replacements = if call.count() > 2 { Some(call.texts(2)?) } else { None };
    let item = match call.kind(0) {
        TrinoType::Array(item) => item.as_ref().clone(),
        other => other.clone(),
    };
    let texts = match item {
        TrinoType::Double | TrinoType::Real | TrinoType::Json => {
            cast_array(list.values(), &item, &TrinoType::Varchar(None), OnFailure::Fail)?
        }
        _ => shown(list.values()),
    };
    let texts = texts.as_string::<i32>();
    call.each_text(|row| {
        let parts: Vec<&str> = range(&list, row)
            .filter_map(|place| {
                if texts.is_valid(place) {
                    Some(texts.value(place))
                } else {
                    replacements.as_ref().map(|replacements| replacements.value(row))
                }
            })
            .collect();
        Ok(Some(parts.join(delimiters.value(row))))
    })
}

fn shown(items: &ArrayRef) -> ArrayRef {
    let mut texts = StringBuilder::new();
    let mut text = String::new();
    for place in 0..items.len() {
        text.clear();
        if write_value(items.as_ref(), place, &mut text) {
            texts.append_value(&text);
        } else {
            texts.append_null();
        }
    }
    Arc::new(texts.finish())
}
