//! `json_query` and `json_exists`: what a path finds as JSON, and whether it finds anything.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarFunctionArgs;

use super::Json;
use super::clauses::{Behavior, PathClauses, Quotes, Wrapper};
use super::encoding::output;
use super::rows::{Found, each};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::json::path::Item;

fn no_json(message: &str) -> Failure {
    Failure::new("JSON_OUTPUT_CONVERSION_ERROR", format!("conversion from JSON failed: {message}"))
}

/// Refuses clauses that contradict each other.
pub(super) fn check_clauses(clauses: &PathClauses) -> Result<(), Failure> {
    let wrapper = match clauses.wrapper {
        Wrapper::Without => return Ok(()),
        Wrapper::Conditional => "CONDITIONAL",
        Wrapper::Unconditional => "UNCONDITIONAL",
    };
    match clauses.quotes {
        None => Ok(()),
        Some(quotes) => Err(Failure::invalid_argument(format!(
            "{} QUOTES behavior specified with WITH {wrapper} ARRAY WRAPPER behavior",
            if quotes == Quotes::Keep { "KEEP" } else { "OMIT" }
        ))),
    }
}

pub(super) fn query(
    clauses: &PathClauses,
    arguments: &ScalarFunctionArgs,
    to: &TrinoType,
) -> Result<ArrayRef> {
    let mut texts = Vec::new();
    each(clauses, arguments, |found| {
        texts.push(match found {
            Found::Null => None,
            Found::Failed(failure) => instead(clauses.on_error, failure)?,
            Found::Items(items) if items.is_empty() => {
                instead(clauses.on_empty, no_json("JSON path found no items"))?
            }
            Found::Items(items) => match single(items, clauses.wrapper) {
                Ok(Json::Text(text)) if clauses.quotes == Some(Quotes::Omit) => Some(text),
                Ok(json) => Some(json.to_text()),
                Err(failure) => instead(clauses.on_error, failure)?,
            },
        });
        Ok(())
    })?;
    output(texts, to, clauses.output)
}

fn instead(behavior: Behavior, failure: Failure) -> Result<Option<String>, Failure> {
    match behavior {
        Behavior::Error => Err(failure),
        Behavior::EmptyArray => Ok(Some("[]".to_owned())),
        Behavior::EmptyObject => Ok(Some("{}".to_owned())),
        Behavior::Null | Behavior::Default | Behavior::True | Behavior::False => Ok(None),
    }
}

/// The items as one value of JSON.
fn single(items: Vec<Item<'_>>, wrapper: Wrapper) -> Result<Json, Failure> {
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        found.push(match item {
            Item::Json(json) => json.into_owned(),
            Item::Value(value) => value.into_json().ok_or_else(|| {
                no_json("JSON path returned a scalar SQL value that cannot be represented as JSON")
            })?,
        });
    }
    let alone = match wrapper {
        Wrapper::Without => true,
        Wrapper::Conditional => matches!(found.as_slice(), [only] if !only.is_scalar()),
        Wrapper::Unconditional => false,
    };
    match (alone, found.pop()) {
        (true, Some(only)) if found.is_empty() => Ok(only),
        (true, _) => Err(no_json("JSON path found multiple items")),
        (false, last) => {
            found.extend(last);
            Ok(Json::Array(found))
        }
    }
}

pub(super) fn exists(clauses: &PathClauses, arguments: &ScalarFunctionArgs) -> Result<ArrayRef> {
    let mut answers = Vec::new();
    each(clauses, arguments, |found| {
        answers.push(match found {
            Found::Null => None,
            Found::Items(items) => Some(!items.is_empty()),
            Found::Failed(failure) => match clauses.on_error {
                Behavior::Error => return Err(failure.into()),
                Behavior::True => Some(true),
                Behavior::Null => None,
                _ => Some(false),
            },
        });
        Ok(())
    })?;
    Ok(Arc::new(BooleanArray::from(answers)))
}
