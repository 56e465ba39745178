//! `json_value`: the one scalar a path finds, as a type of SQL.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int8Array, StructArray, new_null_array};
use datafusion::arrow::compute::interleave;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::ScalarFunctionArgs;

use super::clauses::{Behavior, PathClauses};
use super::rows::{Found, each};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::cast::{OnFailure, cast_array, is_castable};
use crate::trino::functions::json::path::{Item, Value, is_moment};

/// What became of a row, as the second field of `$json_outcome` tells it.
pub(in crate::trino::functions) const FOUND: i8 = 0;
pub(in crate::trino::functions) const EMPTY: i8 = 1;
pub(in crate::trino::functions) const FAILED: i8 = 2;

/// Refuses types that are no scalars.
pub(super) fn check_returned(kind: &TrinoType) -> Result<(), Failure> {
    let text = matches!(kind, TrinoType::Varchar(_) | TrinoType::Char(_) | TrinoType::Boolean);
    if text || kind.is_numeric() || is_moment(kind) {
        return Ok(());
    }
    Err(Failure::type_mismatch(format!("Invalid return type of function JSON_VALUE: {kind}")))
}

fn no_scalar(message: impl std::fmt::Display) -> Failure {
    Failure::new(
        "JSON_VALUE_RESULT_ERROR",
        format!("cannot extract SQL scalar from JSON: {message}"),
    )
}

/// The values of all rows, and what became of each.
struct Answers<'c> {
    clauses: &'c PathClauses,
    values: Vec<Option<Value>>,
    outcomes: Vec<i8>,
}

impl Answers<'_> {
    fn empty(&mut self) -> Result<()> {
        if self.clauses.on_empty == Behavior::Error {
            return Err(no_scalar("JSON path found no items").into());
        }
        self.values.push(None);
        self.outcomes.push(EMPTY);
        Ok(())
    }

    fn failed(&mut self, failure: Failure) -> Result<()> {
        if self.clauses.on_error == Behavior::Error {
            return Err(failure.into());
        }
        self.values.push(None);
        self.outcomes.push(FAILED);
        Ok(())
    }

    fn row(&mut self, found: Found<'_>) -> Result<()> {
        let items = match found {
            Found::Null => {
                self.values.push(None);
                self.outcomes.push(FOUND);
                return Ok(());
            }
            Found::Failed(failure) => return self.failed(failure),
            Found::Items(items) => items,
        };
        let item = match items.as_slice() {
            [] => return self.empty(),
            [item] => item,
            _ => return self.failed(no_scalar("JSON path found multiple items")),
        };
        let value = match item {
            Item::Value(value) => Some(value.clone()),
            Item::Json(json) if **json == super::Json::Null => None,
            Item::Json(json) => match Value::of_json(json) {
                Ok(Some(value)) => Some(value),
                Ok(None) | Err(_) => {
                    return self.failed(no_scalar(
                        "JSON path found an item that cannot be converted to an SQL value",
                    ));
                }
            },
        };
        self.values.push(value);
        self.outcomes.push(FOUND);
        Ok(())
    }

    /// The values as one type; those that are none of it have failed.
    fn cast(&mut self, to: &TrinoType) -> Result<ArrayRef> {
        let mut groups: Vec<(TrinoType, Vec<usize>, Vec<ScalarValue>)> = Vec::new();
        for (row, value) in self.values.iter_mut().enumerate() {
            let Some(value) = value.take() else { continue };
            let kind = value.kind();
            let at = groups.iter().position(|group| group.0 == kind).unwrap_or_else(|| {
                groups.push((kind, Vec::new(), Vec::new()));
                groups.len() - 1
            });
            groups[at].1.push(row);
            groups[at].2.push(value.into_scalar());
        }
        let mut arrays = vec![new_null_array(&to.to_arrow(), 1)];
        let mut places = vec![(0, 0); self.outcomes.len()];
        for (kind, rows, values) in groups {
            let refused = || {
                no_scalar(format!(
                    "Cannot cast value of type {kind} to declared return type of function JSON_VALUE: {to}"
                ))
            };
            let cast = if is_castable(&kind, to) {
                cast_array(&ScalarValue::iter_to_array(values)?, &kind, to, OnFailure::Null)?
            } else {
                new_null_array(&to.to_arrow(), rows.len())
            };
            for (at, row) in rows.into_iter().enumerate() {
                if !cast.is_null(at) {
                    places[row] = (arrays.len(), at);
                } else if self.clauses.on_error == Behavior::Error {
                    return Err(refused().into());
                } else {
                    self.outcomes[row] = FAILED;
                }
            }
            arrays.push(cast);
        }
        let parts: Vec<&dyn datafusion::arrow::array::Array> =
            arrays.iter().map(AsRef::as_ref).collect();
        Ok(interleave(&parts, &places)?)
    }
}

fn answers(
    clauses: &PathClauses,
    arguments: &ScalarFunctionArgs,
    to: &TrinoType,
) -> Result<(ArrayRef, Vec<i8>)> {
    let mut answers = Answers { clauses, values: Vec::new(), outcomes: Vec::new() };
    each(clauses, arguments, |found| answers.row(found))?;
    let values = answers.cast(to)?;
    Ok((values, answers.outcomes))
}

/// The values alone: what is empty or failed is NULL.
pub(super) fn values(
    clauses: &PathClauses,
    arguments: &ScalarFunctionArgs,
    to: &TrinoType,
) -> Result<ArrayRef> {
    answers(clauses, arguments, to).map(|(values, _)| values)
}

/// Rows of a value and what became of it, for the defaults to be put in.
pub(super) fn outcomes(
    clauses: &PathClauses,
    arguments: &ScalarFunctionArgs,
    to: &TrinoType,
) -> Result<ArrayRef> {
    let DataType::Struct(fields) = arguments.return_field.data_type() else {
        return Err(Failure::type_mismatch("an outcome is a row").into());
    };
    let (values, outcomes) = answers(clauses, arguments, to)?;
    let columns = vec![values, Arc::new(Int8Array::from(outcomes)) as ArrayRef];
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None)?))
}
