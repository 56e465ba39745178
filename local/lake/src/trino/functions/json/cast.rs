//! Casts to JSON and from it.
#![expect(clippy::cast_possible_truncation, reason = "rounded before")]

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, StringArray, StructArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use serde_json::{Map, Number, Value};

use crate::sql::{Failure, TrinoType, write_value};
use crate::trino::functions::cast::{OnFailure, cast_array};

/// A value as JSON; timestamps and dates are their texts.
pub(in crate::trino) fn value_to_json(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => Value::Bool(array.as_boolean().value(row)),
        DataType::Float32 | DataType::Float64 => {
            let value = if array.data_type() == &DataType::Float64 {
                array.as_primitive::<datafusion::arrow::datatypes::Float64Type>().value(row)
            } else {
                let value =
                    array.as_primitive::<datafusion::arrow::datatypes::Float32Type>().value(row);
                value.to_string().parse().unwrap_or(f64::from(value))
            };
            Number::from_f64(value)
                .map_or_else(|| Value::String(text_of(array, row)), Value::Number)
        }
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
            text_of(array, row).parse::<i64>().map_or(Value::Null, Value::from)
        }
        DataType::Decimal128(..) => {
            let text = text_of(array, row);
            text.parse::<f64>()
                .ok()
                .and_then(Number::from_f64)
                .map_or(Value::String(text), Value::Number)
        }
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            Value::Array((0..items.len()).map(|at| value_to_json(items.as_ref(), at)).collect())
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let mut object = Map::new();
            for at in 0..entries.len() {
                let key = text_of(entries.column(0).as_ref(), at);
                object.insert(key, value_to_json(entries.column(1).as_ref(), at));
            }
            Value::Object(object)
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            Value::Object(
                fields
                    .iter()
                    .zip(columns)
                    .map(|(field, column)| {
                        (field.name().clone(), value_to_json(column.as_ref(), row))
                    })
                    .collect(),
            )
        }
        _ => Value::String(text_of(array, row)),
    }
}

fn text_of(array: &dyn Array, row: usize) -> String {
    let mut text = String::new();
    write_value(array, row, &mut text);
    text
}

/// `CAST(x AS JSON)`. NULL stays NULL.
pub(in crate::trino::functions) fn to_json(array: &ArrayRef, from: &TrinoType) -> ArrayRef {
    if *from == TrinoType::Unknown {
        return Arc::new(StringArray::new_null(array.len()));
    }
    let found: StringArray = (0..array.len())
        .map(|row| {
            (!array.is_null(row)).then(|| {
                let mut text = String::new();
                write_json(array.as_ref(), row, from, &mut text);
                text
            })
        })
        .collect();
    Arc::new(found)
}

/// A value as JSON's text: decimals to their last digit, JSON as it is, the keys of maps in order.
fn write_json(array: &dyn Array, row: usize, kind: &TrinoType, out: &mut String) {
    if array.is_null(row) {
        out.push_str("null");
        return;
    }
    match (kind, array.data_type()) {
        (TrinoType::Decimal(..) | TrinoType::Json, _) => out.push_str(&text_of(array, row)),
        (TrinoType::Array(item), DataType::List(_)) => {
            let items = array.as_list::<i32>().value(row);
            out.push('[');
            for at in 0..items.len() {
                if at > 0 {
                    out.push(',');
                }
                write_json(items.as_ref(), at, item, out);
            }
            out.push(']');
        }
        (TrinoType::Map(_, value), DataType::Map(..)) => {
            let entries = array.as_map().value(row);
            let (keys, values) = (entries.column(0).as_ref(), entries.column(1).as_ref());
            let mut named: Vec<(String, usize)> =
                (0..entries.len()).map(|at| (text_of(keys, at), at)).collect();
            named.sort();
            let members =
                named.iter().map(|(name, at)| (name.as_str(), values, *at, value.as_ref()));
            write_members(members, out);
        }
        (TrinoType::Row(fields), DataType::Struct(names)) => {
            let columns = array.as_struct().columns();
            let members = names.iter().zip(columns).zip(fields).map(|((name, column), field)| {
                (name.name().as_str(), column.as_ref(), row, &field.1)
            });
            write_members(members, out);
        }
        _ => out.push_str(&value_to_json(array, row).to_string()),
    }
}

fn write_members<'m>(
    members: impl Iterator<Item = (&'m str, &'m dyn Array, usize, &'m TrinoType)>,
    out: &mut String,
) {
    out.push('{');
    for (at, (name, column, row, kind)) in members.enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&Value::from(name).to_string());
        out.push(':');
        write_json(column, row, kind, out);
    }
    out.push('}');
}

/// `CAST(json AS type)`: JSON's null is NULL, scalars go by their texts.
pub(in crate::trino) fn from_json(
    array: &ArrayRef,
    to: &TrinoType,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let texts = array.as_string::<i32>();
    let mut values: Vec<Option<Value>> = Vec::with_capacity(texts.len());
    for text in texts {
        values.push(match text {
            None => None,
            Some(text) => serde_json::from_str(text).ok(),
        });
    }
    let values: Vec<Option<&Value>> = values.iter().map(Option::as_ref).collect();
    built(&values, to, on_failure)
}

fn refused(value: &Value, to: &TrinoType) -> Failure {
    Failure::new(
        "INVALID_CAST_ARGUMENT",
        format!("Cannot cast to {to}. Unexpected JSON value:\n{value}"),
    )
}

/// An array of a type from JSON values.
fn built(values: &[Option<&Value>], to: &TrinoType, on_failure: OnFailure) -> Result<ArrayRef> {
    match to {
        TrinoType::Json => {
            let texts: StringArray =
                values.iter().map(|value| value.map(ToString::to_string)).collect();
            Ok(Arc::new(texts))
        }
        TrinoType::Array(item) => lists(values, to, item, on_failure),
        TrinoType::Map(key, value) => maps(values, to, key, value, on_failure),
        TrinoType::Row(fields) => rows(values, to, fields, on_failure),
        _ => {
            let mut texts: Vec<Option<String>> = Vec::with_capacity(values.len());
            for value in values {
                texts.push(match value {
                    None | Some(Value::Null) => None,
                    Some(Value::String(text)) => Some(text.clone()),
                    Some(Value::Bool(value)) if to.is_numeric() => {
                        Some(u8::from(*value).to_string())
                    }
                    Some(Value::Bool(value)) => Some(value.to_string()),
                    Some(Value::Number(number)) => Some(number_text(number, to)),
                    Some(other) if on_failure == OnFailure::Fail => {
                        return Err(refused(other, to).into());
                    }
                    Some(_) => None,
                });
            }
            let texts: ArrayRef = Arc::new(StringArray::from(texts));
            cast_array(&texts, &TrinoType::Varchar(None), to, on_failure)
        }
    }
}

/// A number as the text a cast to a type reads.
fn number_text(number: &Number, to: &TrinoType) -> String {
    let whole = matches!(
        to,
        TrinoType::Tinyint | TrinoType::Smallint | TrinoType::Integer | TrinoType::Bigint
    );
    match number.as_f64() {
        Some(value) if whole && number.is_f64() => format!("{}", value.round() as i64),
        Some(value) if *to == TrinoType::Boolean => u8::from(value != 0.0).to_string(),
        Some(value) if matches!(to, TrinoType::Varchar(_)) && number.is_f64() => {
            let mut text = String::new();
            crate::sql::write_scientific(&format!("{value:e}"), &mut text);
            text
        }
        _ => number.to_string(),
    }
}

fn lists(
    values: &[Option<&Value>],
    to: &TrinoType,
    item: &TrinoType,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let (mut items, mut lengths, mut present) = (Vec::new(), Vec::new(), Vec::new());
    for value in values {
        match value {
            Some(Value::Array(found)) => {
                items.extend(found.iter().map(|value| {
                    (*value != Value::Null || *item == TrinoType::Json).then_some(value)
                }));
                lengths.push(found.len());
                present.push(true);
            }
            Some(other) if **other != Value::Null && on_failure == OnFailure::Fail => {
                return Err(refused(other, to).into());
            }
            _ => {
                lengths.push(0);
                present.push(false);
            }
        }
    }
    let DataType::List(field) = to.to_arrow() else {
        return Err(Failure::type_mismatch("an array is a list").into());
    };
    let items = built(&items, item, on_failure)?;
    Ok(Arc::new(ListArray::try_new(
        field,
        OffsetBuffer::from_lengths(lengths),
        items,
        Some(NullBuffer::from(present)),
    )?))
}

fn maps(
    values: &[Option<&Value>],
    to: &TrinoType,
    key: &TrinoType,
    value_type: &TrinoType,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let (mut keys, mut items) = (Vec::new(), Vec::new());
    let (mut lengths, mut present) = (Vec::new(), Vec::new());
    for value in values {
        match value {
            Some(Value::Object(object)) => {
                for (name, value) in object {
                    keys.push(Some(name.clone()));
                    items.push(
                        (*value != Value::Null || *value_type == TrinoType::Json).then_some(value),
                    );
                }
                lengths.push(object.len());
                present.push(true);
            }
            Some(other) if **other != Value::Null && on_failure == OnFailure::Fail => {
                return Err(refused(other, to).into());
            }
            _ => {
                lengths.push(0);
                present.push(false);
            }
        }
    }
    let DataType::Map(entries, _) = to.to_arrow() else {
        return Err(Failure::type_mismatch("a map is a map").into());
    };
    let DataType::Struct(fields) = entries.data_type().clone() else {
        return Err(Failure::type_mismatch("a map has entries").into());
    };
    let keys: ArrayRef = Arc::new(StringArray::from(keys));
    let keys = cast_array(&keys, &TrinoType::Varchar(None), key, on_failure)?;
    let pairs =
        StructArray::try_new(fields, vec![keys, built(&items, value_type, on_failure)?], None)?;
    Ok(Arc::new(MapArray::try_new(
        entries,
        OffsetBuffer::from_lengths(lengths),
        pairs,
        Some(NullBuffer::from(present)),
        false,
    )?))
}

fn rows(
    values: &[Option<&Value>],
    to: &TrinoType,
    fields: &[(Option<String>, TrinoType)],
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let mut columns: Vec<Vec<Option<&Value>>> =
        vec![Vec::with_capacity(values.len()); fields.len()];
    let mut present = Vec::with_capacity(values.len());
    for value in values {
        let part = |at: usize, name: Option<&String>| -> Option<&Value> {
            match value {
                Some(Value::Array(items)) => items.get(at),
                Some(Value::Object(object)) => {
                    let name = name?;
                    object
                        .iter()
                        .find(|(key, _)| key.eq_ignore_ascii_case(name))
                        .map(|(_, value)| value)
                }
                _ => None,
            }
        };
        match value {
            Some(Value::Array(_) | Value::Object(_)) => present.push(true),
            Some(other) if **other != Value::Null && on_failure == OnFailure::Fail => {
                return Err(refused(other, to).into());
            }
            _ => present.push(false),
        }
        for (at, (column, (name, kind))) in columns.iter_mut().zip(fields).enumerate() {
            column.push(
                part(at, name.as_ref())
                    .filter(|value| **value != Value::Null || *kind == TrinoType::Json),
            );
        }
    }
    let DataType::Struct(arrow) = to.to_arrow() else {
        return Err(Failure::type_mismatch("a row is a struct").into());
    };
    let columns = columns
        .iter()
        .zip(fields)
        .map(|(column, (_, kind))| built(column, kind, on_failure))
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new_with_length(
        arrow,
        columns,
        Some(NullBuffer::from(present)),
        values.len(),
    )?))
}
