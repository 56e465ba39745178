//! Arrays and maps of numbers as vectors: distances, products, angles.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::Result;

use super::call::Call;
use super::function::{Function, Plan, coerces, unexpected};
use crate::sql::{Failure, TrinoType};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "euclidean_distance",
        |given| arrays("euclidean_distance", given),
        |call| of_arrays(call, distance),
    ),
    Function::new(
        "dot_product",
        |given| arrays("dot_product", given),
        |call| of_arrays(call, |one, other| Ok(Some(product(one, other)))),
    ),
    Function::new(
        "cosine_similarity",
        |given| either("cosine_similarity", given),
        |call| cosine(call, |similarity| similarity),
    ),
    Function::new(
        "cosine_distance",
        |given| either("cosine_distance", given),
        |call| cosine(call, |similarity| 1.0 - similarity),
    ),
];

fn arrays(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    let wanted = TrinoType::Array(Box::new(TrinoType::Double));
    if given.len() == 2 && given.iter().all(|kind| coerces(kind, &wanted)) {
        return Ok(Plan::new(vec![wanted.clone(), wanted], TrinoType::Double));
    }
    Err(unexpected(name, given, &format!("{name}(array(double), array(double))")))
}

fn either(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    let map = TrinoType::Map(Box::new(TrinoType::Varchar(None)), Box::new(TrinoType::Double));
    let is_map = given.iter().any(|kind| matches!(kind, TrinoType::Map(..)));
    if is_map && given.len() == 2 && given.iter().all(|kind| coerces(kind, &map)) {
        return Ok(Plan::new(vec![map.clone(), map], TrinoType::Double));
    }
    arrays(name, given)
}

type Vector = Vec<Option<f64>>;

/// The numbers of an array.
fn numbers(items: &dyn Array) -> Vector {
    items.as_primitive::<Float64Type>().iter().collect()
}

/// NULL where an item is.
fn of_arrays(
    call: &Call,
    body: impl Fn(&[f64], &[f64]) -> Result<Option<f64>, Failure>,
) -> Result<ArrayRef> {
    let (left, right) = (call.lists(0)?, call.lists(1)?);
    let found = (0..call.rows)
        .map(|row| {
            if left.is_null(row) || right.is_null(row) {
                return Ok(None);
            }
            let (one, other) =
                (numbers(left.value(row).as_ref()), numbers(right.value(row).as_ref()));
            if one.len() != other.len() {
                return Err(Failure::invalid_argument("The arguments must have the same length"));
            }
            let one: Option<Vec<f64>> = one.into_iter().collect();
            let other: Option<Vec<f64>> = other.into_iter().collect();
            match one.zip(other) {
                Some((one, other)) => body(&one, &other),
                None => Ok(None),
            }
        })
        .collect::<Result<Float64Array, Failure>>()?;
    Ok(Arc::new(found))
}

#[expect(clippy::unnecessary_wraps, reason = "one signature with what may fail")]
fn distance(one: &[f64], other: &[f64]) -> Result<Option<f64>, Failure> {
    let squares = one.iter().zip(other).map(|(one, other)| (one - other) * (one - other));
    Ok(Some(squares.sum::<f64>().sqrt()))
}

fn product(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn similarity(one: &[f64], other: &[f64]) -> Result<Option<f64>, Failure> {
    let (length, other_length) = (product(one, one), product(other, other));
    if length == 0.0 || other_length == 0.0 {
        return Err(Failure::invalid_argument("Vector magnitude cannot be zero"));
    }
    Ok(Some(product(one, other) / (length * other_length).sqrt()))
}

fn cosine(call: &Call, last: fn(f64) -> f64) -> Result<ArrayRef> {
    if matches!(call.kind(0), TrinoType::Map(..)) {
        return of_maps(call, last);
    }
    of_arrays(call, |one, other| Ok(similarity(one, other)?.map(last)))
}

/// A map is a sparse vector: a key that is missing is 0. NULL where a value is, or a vector
/// has no length.
fn of_maps(call: &Call, last: fn(f64) -> f64) -> Result<ArrayRef> {
    let (left, right) = (call.maps(0)?, call.maps(1)?);
    let found: Float64Array = (0..call.rows)
        .map(|row| {
            if left.is_null(row) || right.is_null(row) {
                return None;
            }
            let (one, other) = (left.value(row), right.value(row));
            let (keys, other_keys) =
                (one.column(0).as_string::<i32>(), other.column(0).as_string::<i32>());
            let values: Vec<f64> =
                numbers(one.column(1).as_ref()).into_iter().collect::<Option<_>>()?;
            let others: Vec<f64> =
                numbers(other.column(1).as_ref()).into_iter().collect::<Option<_>>()?;
            let shared: f64 = values
                .iter()
                .enumerate()
                .filter_map(|(at, value)| {
                    let place = (0..other_keys.len())
                        .find(|place| other_keys.value(*place) == keys.value(at))?;
                    Some(value * others[place])
                })
                .sum();
            let (length, other_length) =
                (product(&values, &values).sqrt(), product(&others, &others).sqrt());
            (length != 0.0 && other_length != 0.0).then(|| last(shared / (length * other_length)))
        })
        .collect();
    Ok(Arc::new(found))
}
