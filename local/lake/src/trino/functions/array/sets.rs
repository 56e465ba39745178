//! Arrays as sets, and what is made of several of their items.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::compute::interleave;
use datafusion::common::Result;

use super::{Chosen, comparable, lists, range};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::call::Call;
use crate::trino::functions::conditional::wider;
use crate::trino::functions::function::{Function, Plan, coerces, unexpected};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "array_union",
        |given| both("array_union", given, std::clone::Clone::clone),
        |call| combined(call, Set::Union),
    ),
    Function::new(
        "array_intersect",
        |given| both("array_intersect", given, std::clone::Clone::clone),
        |call| combined(call, Set::Intersect),
    ),
    Function::new(
        "array_except",
        |given| both("array_except", given, std::clone::Clone::clone),
        |call| combined(call, Set::Except),
    ),
    Function::new(
        "arrays_overlap",
        |given| both("arrays_overlap", given, |_| TrinoType::Boolean),
        overlap,
    ),
    Function::new(
        "contains_sequence",
        |given| both("contains_sequence", given, |_| TrinoType::Boolean),
        contains_sequence,
    ),
    Function::new("ngrams", ngrams_types, ngrams),
    Function::new("combinations", |given| grouped("combinations", given), combinations),
];

fn both(
    name: &str,
    given: &[TrinoType],
    result: fn(&TrinoType) -> TrinoType,
) -> Result<Plan, Failure> {
    match given {
        [left, right] => match wider(left, right) {
            Some(TrinoType::Unknown) => {
                let array = TrinoType::Array(Box::new(TrinoType::Unknown));
                let result = result(&array);
                Ok(Plan::new(vec![array.clone(), array], result))
            }
            Some(array @ TrinoType::Array(_)) => {
                let result = result(&array);
                Ok(Plan::new(vec![array.clone(), array], result))
            }
            _ => Err(unexpected(name, given, &format!("{name}(array(E), array(E))"))),
        },
        _ => Err(unexpected(name, given, &format!("{name}(array(E), array(E))"))),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Set {
    Union,
    Intersect,
    Except,
}

fn combined(call: &Call, set: Set) -> Result<ArrayRef> {
    let (left, right) = (call.lists(0)?, call.lists(1)?);
    let (left_rows, right_rows) = (comparable(left.values())?, comparable(right.values())?);
    let (mut order, mut lengths, mut present) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        if left.is_null(row) || right.is_null(row) {
            lengths.push(0);
            present.push(false);
            continue;
        }
        let before = order.len();
        // What both have comes in the order of the longer one.
        let swapped = set == Set::Intersect && range(&left, row).len() < range(&right, row).len();
        let (ones, one_rows, others, other_rows) = if swapped {
            (range(&right, row), &right_rows, range(&left, row), &left_rows)
        } else {
            (range(&left, row), &left_rows, range(&right, row), &right_rows)
        };
        let others: HashSet<_> = others.map(|place| other_rows.row(place)).collect();
        let mut seen = HashSet::new();
        for place in ones {
            let item = one_rows.row(place);
            let wanted = match set {
                Set::Union => true,
                Set::Intersect => others.contains(&item),
                Set::Except => !others.contains(&item),
            };
            if wanted && seen.insert(item) {
                order.push((usize::from(swapped), place));
            }
        }
        if set == Set::Union {
            order.extend(
                range(&right, row)
                    .filter(|place| seen.insert(right_rows.row(*place)))
                    .map(|place| (1, place)),
            );
        }
        lengths.push(order.len() - before);
        present.push(true);
    }
    let items = interleave(&[left.values().as_ref(), right.values().as_ref()], &order)?;
    lists(items, lengths, present, &call.result)
}

fn overlap(call: &Call) -> Result<ArrayRef> {
    let (left, right) = (call.lists(0)?, call.lists(1)?);
    let (left_rows, right_rows) = (comparable(left.values())?, comparable(right.values())?);
    let found: BooleanArray = (0..call.rows)
        .map(|row| {
            if left.is_null(row) || right.is_null(row) {
                return None;
            }
            let known: HashSet<_> = range(&right, row)
                .filter(|place| right.values().is_valid(*place))
                .map(|place| right_rows.row(place))
                .collect();
            let both = range(&left, row).any(|place| {
                left.values().is_valid(place) && known.contains(&left_rows.row(place))
            });
            let unknown = range(&left, row).any(|place| left.values().is_null(place))
                || range(&right, row).any(|place| right.values().is_null(place));
            match (both, unknown && !range(&left, row).is_empty() && !range(&right, row).is_empty())
            {
                (true, _) => Some(true),
                (false, true) => None,
                (false, false) => Some(false),
            }
        })
        .collect();
    Ok(Arc::new(found))
}

fn contains_sequence(call: &Call) -> Result<ArrayRef> {
    let (left, right) = (call.lists(0)?, call.lists(1)?);
    let (left_rows, right_rows) = (comparable(left.values())?, comparable(right.values())?);
    call.each_boolean(|row| {
        let (whole, part) = (range(&left, row), range(&right, row));
        if part.is_empty() {
            return Ok(Some(true));
        }
        let starts = whole.start..(whole.end + 1).saturating_sub(part.len()).max(whole.start);
        Ok(Some(starts.into_iter().any(|start| {
            part.clone()
                .enumerate()
                .all(|(at, place)| left_rows.row(start + at) == right_rows.row(place))
        })))
    })
}

fn grouped(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Array(_), count] if coerces(count, &TrinoType::Bigint) => Ok(Plan::new(
            vec![given[0].clone(), TrinoType::Bigint],
            TrinoType::Array(Box::new(given[0].clone())),
        )),
        _ => Err(unexpected(name, given, &format!("{name}(array(E), bigint)"))),
    }
}

fn ngrams_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    grouped("ngrams", given)
}

/// Lists of lists of items, by the places of the items of each group.
fn groups(
    call: &Call,
    mut each: impl FnMut(std::ops::Range<usize>, i64) -> Result<Vec<Vec<usize>>, Failure>,
) -> Result<ArrayRef> {
    let (list, counts) = (call.lists(0)?, call.longs(1)?);
    let datafusion::arrow::datatypes::DataType::List(outer) = &call.result else {
        return Err(Failure::type_mismatch("arrays of arrays").into());
    };
    let mut inner = Chosen::new();
    let (mut lengths, mut present) = (Vec::new(), Vec::new());
    for row in 0..call.rows {
        if list.is_null(row) || counts.is_null(row) {
            lengths.push(0);
            present.push(false);
            continue;
        }
        let groups = each(range(&list, row), counts.value(row))?;
        lengths.push(groups.len());
        present.push(true);
        for group in groups {
            inner.row(group);
        }
    }
    let inner = inner.build(list.values(), outer.data_type())?;
    lists(inner, lengths, present, &call.result)
}

fn ngrams(call: &Call) -> Result<ArrayRef> {
    groups(call, |range, size| {
        let size = usize::try_from(size)
            .ok()
            .filter(|size| *size > 0)
            .ok_or_else(|| Failure::invalid_argument("N must be positive"))?;
        let all: Vec<usize> = range.collect();
        if all.len() <= size {
            return Ok(vec![all]);
        }
        Ok(all.windows(size).map(<[usize]>::to_vec).collect())
    })
}

/// Most combinations of a row, and most items of one. Source: Trino's limits.
const COMBINATIONS: usize = 100_000;

fn combinations(call: &Call) -> Result<ArrayRef> {
    groups(call, |range, size| {
        let size = usize::try_from(size).ok().filter(|size| *size <= 5).ok_or_else(|| {
            Failure::invalid_argument(format!(
                "combination size must not be negative or greater than 5: {size}"
            ))
        })?;
        let all: Vec<usize> = range.collect();
        let mut found: Vec<Vec<usize>> = Vec::new();
        let mut picked: Vec<usize> = (0..size).collect();
        if size > all.len() {
            return Ok(found);
        }
        loop {
            if found.len() >= COMBINATIONS {
                return Err(Failure::invalid_argument("combinations exceed max size"));
            }
            found.push(picked.iter().map(|at| all[*at]).collect());
            let Some(moved) = (0..size)
                .find(|at| picked[*at] + 1 < picked.get(at + 1).copied().unwrap_or(all.len()))
            else {
                return Ok(found);
            };
            picked[moved] += 1;
            for (at, place) in picked.iter_mut().take(moved).enumerate() {
                *place = at;
            }
        }
    })
}
