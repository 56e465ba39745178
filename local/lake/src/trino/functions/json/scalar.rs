//! `json_extract`, `json_parse` and their kin.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StringArray};
use datafusion::common::Result;
use serde_json::Value;

use super::path::Path;
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::call::Call;
use crate::trino::functions::function::{Function, Plan, unexpected};

pub(in crate::trino::functions) const FUNCTIONS: &[Function] = &[
    Function::new("json_parse", |given| over(given, 1, TrinoType::Json), parse),
    Function::new("json_format", |given| over(given, 1, TrinoType::Varchar(None)), format),
    Function::new("json_extract", |given| with_path(given, TrinoType::Json), extract),
    Function::new(
        "json_extract_scalar",
        |given| with_path(given, TrinoType::Varchar(None)),
        extract_scalar,
    ),
    Function::new(
        "$json_value",
        |given| with_path(given, TrinoType::Varchar(None)),
        extract_scalar,
    ),
    Function::new("$json_exists", |given| with_path(given, TrinoType::Boolean), exists),
    Function::new("$json_query", |given| over(given, 3, TrinoType::Varchar(None)), query),
    Function::new("json_size", |given| with_path(given, TrinoType::Bigint), size),
    Function::new("json_array_length", |given| over(given, 1, TrinoType::Bigint), array_length),
    Function::new("json_array_get", array_get_types, array_get),
    Function::new("json_array_contains", array_contains_types, array_contains),
    Function::new("is_json_scalar", |given| over(given, 1, TrinoType::Boolean), is_scalar),
];

fn is_text(kind: &TrinoType) -> bool {
    matches!(
        kind,
        TrinoType::Varchar(_) | TrinoType::Char(_) | TrinoType::Json | TrinoType::Unknown
    )
}

fn over(given: &[TrinoType], count: usize, result: TrinoType) -> Result<Plan, Failure> {
    if given.len() == count && given.iter().all(is_text) {
        return Ok(Plan::new(vec![TrinoType::Varchar(None); count], result));
    }
    Err(unexpected("a JSON function", given, "varchar or json"))
}

fn with_path(given: &[TrinoType], result: TrinoType) -> Result<Plan, Failure> {
    over(given, 2, result)
}

fn array_get_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [text, at] if is_text(text) && (at.is_numeric() || *at == TrinoType::Unknown) => {
            Ok(Plan::new(vec![TrinoType::Varchar(None), TrinoType::Bigint], TrinoType::Json))
        }
        _ => Err(unexpected("json_array_get", given, "json_array_get(json, bigint)")),
    }
}

fn array_contains_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [text, value] if is_text(text) => {
            let value = match value {
                TrinoType::Boolean => TrinoType::Boolean,
                TrinoType::Real | TrinoType::Double | TrinoType::Decimal(..) => TrinoType::Double,
                value if value.is_numeric() => TrinoType::Bigint,
                _ => TrinoType::Varchar(None),
            };
            Ok(Plan::new(vec![TrinoType::Varchar(None), value], TrinoType::Boolean))
        }
        _ => Err(unexpected("json_array_contains", given, "json_array_contains(json, value)")),
    }
}

fn parse(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_text(|row| {
        let text = texts.value(row);
        match serde_json::from_str::<Value>(text) {
            Ok(mut value) => {
                // Trino keeps members in the order of their names, and so compares them.
                value.sort_all_objects();
                Ok(Some(value.to_string()))
            }
            Err(_) => {
                Err(Failure::invalid_argument(format!("Cannot convert value to JSON: '{text}'"))
                    .into())
            }
        }
    })
}

fn format(call: &Call) -> Result<ArrayRef> {
    call.array(0)
}

/// Runs a path over each document; texts that are no JSON give `None`.
fn found(call: &Call, mut each: impl FnMut(&Path, &Value) -> Option<String>) -> Result<ArrayRef> {
    let (texts, paths) = (call.texts(0)?, call.texts(1)?);
    let constant = call.constant_text(1).map(Path::parse).transpose()?;
    call.each_text(|row| {
        let Ok(value) = serde_json::from_str::<Value>(texts.value(row)) else { return Ok(None) };
        match &constant {
            Some(path) => Ok(each(path, &value)),
            None => Ok(each(&Path::parse(paths.value(row))?, &value)),
        }
    })
}

fn extract(call: &Call) -> Result<ArrayRef> {
    found(call, |path, value| {
        let values = path.find(value);
        if path.has_wildcard() {
            return Some(Value::Array(values.into_iter().cloned().collect()).to_string());
        }
        values.first().map(ToString::to_string)
    })
}

fn extract_scalar(call: &Call) -> Result<ArrayRef> {
    found(call, |path, value| match path.find(value).as_slice() {
        [Value::String(text)] => Some(text.clone()),
        [value @ (Value::Bool(_) | Value::Number(_))] => Some(value.to_string()),
        _ => None,
    })
}

/// What a path finds, as JSON: `wrapper` says whether an array is put around it.
fn query(call: &Call) -> Result<ArrayRef> {
    let wrapper = call.constant_text(2).unwrap_or("without").to_owned();
    found(call, |path, value| {
        let values = path.find(value);
        let wrapped = || Value::Array(values.iter().copied().cloned().collect()).to_string();
        match (wrapper.as_str(), values.as_slice()) {
            (_, []) => None,
            ("with", _) => Some(wrapped()),
            (_, [only @ (Value::Array(_) | Value::Object(_))]) => Some(only.to_string()),
            ("conditional", _) => Some(wrapped()),
            (_, [only]) => Some(only.to_string()),
            // More than one value without a wrapper is an error, and that is NULL.
            (_, _) => None,
        }
    })
}

fn exists(call: &Call) -> Result<ArrayRef> {
    let texts = found(call, |path, value| {
        Some(if path.find(value).is_empty() { "0" } else { "1" }.to_owned())
    })?;
    let texts: StringArray = texts.as_string::<i32>().clone();
    let found: datafusion::arrow::array::BooleanArray =
        texts.iter().map(|text| text.map(|text| text == "1")).collect();
    Ok(Arc::new(found))
}

fn size(call: &Call) -> Result<ArrayRef> {
    let texts = found(call, |path, value| {
        path.find(value).first().map(|value| match value {
            Value::Array(items) => items.len().to_string(),
            Value::Object(object) => object.len().to_string(),
            _ => "0".to_owned(),
        })
    })?;
    let found: datafusion::arrow::array::Int64Array = texts
        .as_string::<i32>()
        .iter()
        .map(|text| text.and_then(|text| text.parse().ok()))
        .collect();
    Ok(Arc::new(found))
}

fn document(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn array_length(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_long(|row| match document(texts.value(row)) {
        Some(Value::Array(items)) => Ok(i64::try_from(items.len()).ok()),
        _ => Ok(None),
    })
}

fn array_get(call: &Call) -> Result<ArrayRef> {
    let (texts, places) = (call.texts(0)?, call.longs(1)?);
    call.each_text(|row| {
        let Some(Value::Array(items)) = document(texts.value(row)) else { return Ok(None) };
        let at = places.value(row);
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let at = if at < 0 { at.checked_add(length) } else { Some(at) };
        let item = at.and_then(|at| usize::try_from(at).ok()).and_then(|at| items.get(at));
        Ok(item.filter(|item| **item != Value::Null).map(|item| match item {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }))
    })
}

fn array_contains(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let values = call.array(1)?;
    call.each_boolean(|row| {
        let Some(Value::Array(items)) = document(texts.value(row)) else { return Ok(None) };
        let wanted = super::value_to_json(values.as_ref(), row);
        Ok(Some(items.iter().any(|item| match (item, &wanted) {
            (Value::Number(item), Value::Number(wanted)) => {
                item.is_f64() == wanted.is_f64() && item.as_f64() == wanted.as_f64()
            }
            (item, wanted) => item == wanted,
        })))
    })
}

fn is_scalar(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_boolean(|row| match document(texts.value(row)) {
        Some(value) => Ok(Some(!value.is_array() && !value.is_object())),
        None => {
            Err(Failure::invalid_argument(format!("Invalid JSON value: {}", texts.value(row)))
                .into())
        }
    })
}
