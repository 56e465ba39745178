//! `json_object` and `json_array`.

use std::collections::HashSet;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};
use indexmap::IndexMap;

use super::Json;
use super::clauses::{ConstructorClauses, Format};
use super::encoding::{Texts, check_input, output};
use super::rows::document;
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::cast::{OnFailure, cast_array, is_castable};
use crate::trino::functions::json::path::Value;

/// Refuses types that are no keys or values.
pub(super) fn planned(
    clauses: &ConstructorClauses,
    object: bool,
    kinds: &[TrinoType],
) -> Result<(), Failure> {
    let step = if object { 2 } else { 1 };
    for (pair, format) in kinds.chunks(step).zip(&clauses.formats) {
        let [key @ .., value] = pair else { continue };
        if let [key] = key
            && !matches!(key, TrinoType::Varchar(_) | TrinoType::Char(_) | TrinoType::Unknown)
        {
            return Err(Failure::invalid_argument(format!(
                "Invalid type of JSON object key: {key}"
            )));
        }
        if *format == Format::Plain {
            written_as(value)?;
        } else {
            check_input(value, *format)?;
        }
    }
    let formatted = clauses.formats.iter().any(|format| *format != Format::Plain);
    if clauses.unique_keys && formatted {
        return Err(Failure::not_supported(
            "WITH UNIQUE KEYS behavior is not supported for JSON_OBJECT function when input expression has FORMAT",
        ));
    }
    Ok(())
}

/// The type a value is turned to before it is written.
fn written_as(kind: &TrinoType) -> Result<TrinoType, Failure> {
    let text = TrinoType::Varchar(None);
    match kind {
        TrinoType::Unknown | TrinoType::Boolean | TrinoType::Varchar(_) | TrinoType::Char(_) => {
            Ok(kind.clone())
        }
        kind if kind.is_numeric() => Ok(kind.clone()),
        kind if *kind != TrinoType::Json && is_castable(kind, &text) => Ok(text),
        kind => Err(Failure::not_supported(format!("Unsupported type of JSON value: {kind}"))),
    }
}

enum Column {
    Json(Texts),
    Plain(ArrayRef, TrinoType),
}

impl Column {
    /// `None` is NULL.
    fn json(&self, row: usize) -> Result<Option<Json>> {
        Ok(match self {
            Self::Json(texts) if texts.is_null(row) => None,
            Self::Json(texts) => Some(document(texts, row)?),
            Self::Plain(array, kind) => {
                let value = ScalarValue::try_from_array(array, row)?;
                Value::of_scalar(kind, &value).and_then(Value::into_json)
            }
        })
    }
}

struct Columns {
    rows: usize,
    keys: Vec<ArrayRef>,
    values: Vec<Column>,
}

fn columns(
    clauses: &ConstructorClauses,
    object: bool,
    arguments: &ScalarFunctionArgs,
) -> Result<Columns> {
    let scalar = arguments.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
    let rows = if scalar { 1 } else { arguments.number_rows };
    let (mut keys, mut values) = (Vec::new(), Vec::new());
    let given: Vec<(ArrayRef, TrinoType)> = arguments.args[1..]
        .iter()
        .zip(&arguments.arg_fields[1..])
        .map(|(value, field)| Ok((value.to_array(rows)?, TrinoType::of_field(field))))
        .collect::<Result<_>>()?;
    let step = if object { 2 } else { 1 };
    for (pair, format) in given.chunks(step).zip(&clauses.formats) {
        let [key @ .., (array, kind)] = pair else { continue };
        keys.extend(key.iter().map(|(key, _)| key.clone()));
        values.push(if *format == Format::Plain {
            let to = written_as(kind)?;
            let array = if to == *kind {
                array.clone()
            } else {
                cast_array(array, kind, &to, OnFailure::Fail)?
            };
            Column::Plain(array, to)
        } else {
            Column::Json(Texts::new(array.clone(), *format))
        });
    }
    Ok(Columns { rows, keys, values })
}

pub(super) fn array(
    clauses: &ConstructorClauses,
    arguments: &ScalarFunctionArgs,
    to: &TrinoType,
) -> Result<ArrayRef> {
    let Columns { rows, values, .. } = columns(clauses, false, arguments)?;
    let mut texts = Vec::with_capacity(rows);
    for row in 0..rows {
        let mut items = Vec::with_capacity(values.len());
        for value in &values {
            match value.json(row)? {
                Some(json) => items.push(json),
                None if clauses.null_on_null => items.push(Json::Null),
                None => {}
            }
        }
        texts.push(Some(Json::Array(items).to_text()));
    }
    output(texts, to, clauses.output)
}

pub(super) fn object(
    clauses: &ConstructorClauses,
    arguments: &ScalarFunctionArgs,
    to: &TrinoType,
) -> Result<ArrayRef> {
    let Columns { rows, keys, values } = columns(clauses, true, arguments)?;
    let mut texts = Vec::with_capacity(rows);
    for row in 0..rows {
        let mut names = HashSet::with_capacity(keys.len());
        let mut members = Vec::with_capacity(keys.len());
        for (key, value) in keys.iter().zip(&values) {
            let name = key
                .as_string_opt::<i32>()
                .filter(|key| !key.is_null(row))
                .map(|key| key.value(row).to_owned())
                .ok_or_else(|| {
                    Failure::invalid_argument(
                        "null value passed for JSON object key to JSON_OBJECT function",
                    )
                })?;
            let json = match value.json(row)? {
                Some(json) => json,
                None if clauses.null_on_null => Json::Null,
                None => continue,
            };
            if !names.insert(name.clone()) {
                return Err(duplicate(clauses).into());
            }
            members.push((name, json));
        }
        let members: IndexMap<String, Json> = in_hash_order(members).into_iter().collect();
        texts.push(Some(Json::Object(members).to_text()));
    }
    output(texts, to, clauses.output)
}

fn duplicate(clauses: &ConstructorClauses) -> Failure {
    if clauses.unique_keys {
        return Failure::new(
            "JSON_OUTPUT_CONVERSION_ERROR",
            "conversion from JSON failed: duplicate key passed to JSON_OBJECT function",
        );
    }
    Failure::not_supported("cannot construct a JSON object with duplicate key")
}

/// Members as a Java `HashMap` walks them, since Trino builds the object in one: by the low
/// bits of the names' hashes in a table of at least 16 places, at most three quarters full.
fn in_hash_order(mut members: Vec<(String, Json)>) -> Vec<(String, Json)> {
    let mut places: u32 = 16;
    while members.len() > places as usize / 4 * 3 {
        places *= 2;
    }
    members.sort_by_key(|(name, _)| {
        let hash = name
            .encode_utf16()
            .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
        (hash ^ (hash >> 16)) & (places - 1)
    });
    members
}
