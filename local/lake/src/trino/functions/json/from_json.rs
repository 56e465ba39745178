//! Casts from JSON.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, LargeStringArray, ListArray, MapArray, StringArray, StructArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use indexmap::IndexMap;

use super::document::{Fractions, Json, is_fraction};
use super::to_json::is_key;
use crate::sql::{Failure, TrinoType, write_double, write_value};
use crate::trino::functions::cast::{OnFailure, cast_array, write_scientific_double};

/// Whether Trino casts JSON to a type.
pub(in crate::trino::functions) fn can_cast_from_json(kind: &TrinoType) -> bool {
    match kind {
        TrinoType::Array(item) => can_cast_from_json(item),
        TrinoType::Map(key, value) => is_key(key) && can_cast_from_json(value),
        TrinoType::Row(fields) => fields.iter().all(|field| can_cast_from_json(&field.1)),
        TrinoType::Json => true,
        kind => is_key(kind),
    }
}

/// What becomes of values that are not of the wanted type.
#[derive(Clone, Copy, PartialEq)]
struct Reading {
    on_failure: OnFailure,
    texts: Texts,
}

/// What texts are made of values that are none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::trino) enum Texts {
    /// Of scalars, as Trino casts them.
    Cast,
    /// Of scalars, as they are written.
    Written,
    /// Of all, as they are written.
    Json,
}

/// JSON's texts as another type: its null is NULL, scalars go by their texts.
pub(in crate::trino) fn from_json(
    array: &ArrayRef,
    to: &TrinoType,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let read = |text: Option<&str>| text.and_then(|text| Json::read(text, Fractions::Kept));
    let values: Vec<Option<Json>> = match array.as_string_opt::<i64>() {
        Some(texts) => texts.iter().map(read).collect(),
        None => array.as_string::<i32>().iter().map(read).collect(),
    };
    let values: Vec<Option<&Json>> = values.iter().map(Option::as_ref).collect();
    built(&values, to, Reading { on_failure, texts: Texts::Cast })
}

/// Values of a file as a column of a type.
pub(in crate::trino) fn from_file(
    values: &[Option<Json>],
    to: &TrinoType,
    texts: Texts,
) -> Result<ArrayRef> {
    let values: Vec<Option<&Json>> = values.iter().map(Option::as_ref).collect();
    built(&values, to, Reading { on_failure: OnFailure::Fail, texts })
}

/// `CAST(json AS varchar(n))`, which cuts nothing off.
pub(in crate::trino::functions) fn to_short_text(
    array: &ArrayRef,
    length: u32,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let texts = from_json(array, &TrinoType::Varchar(None), on_failure)?;
    let texts = texts.as_string::<i32>();
    let mut found = Vec::with_capacity(texts.len());
    for (row, text) in texts.iter().enumerate() {
        let fits = text.is_none_or(|text| text.chars().count() <= length as usize);
        if !fits && on_failure == OnFailure::Fail {
            let json = array.as_string_opt::<i64>().map_or("", |json| json.value(row));
            return Err(refused(json, &TrinoType::Varchar(Some(length))).into());
        }
        found.push(text.filter(|_| fits));
    }
    Ok(Arc::new(StringArray::from(found)))
}

fn refused(json: &str, to: &TrinoType) -> Failure {
    Failure::new("INVALID_CAST_ARGUMENT", format!("Cannot cast '{json}' to {to}"))
}

/// The refusal of a value that is not of a shape, or NULL in its place.
fn misshapen(value: &Json, to: &TrinoType, shape: &str, reading: Reading) -> Result<()> {
    if reading.on_failure == OnFailure::Null || *value == Json::Null {
        return Ok(());
    }
    Err(Failure::new(
        "INVALID_CAST_ARGUMENT",
        format!("Cannot cast to {to}. Expected a json {shape}, but got {}", value.to_text()),
    )
    .into())
}

/// NULL, unless JSON is wanted.
fn present<'j>(value: &'j Json, kind: &TrinoType) -> Option<&'j Json> {
    (*value != Json::Null || *kind == TrinoType::Json).then_some(value)
}

/// An array of a type from values of JSON.
fn built(values: &[Option<&Json>], to: &TrinoType, reading: Reading) -> Result<ArrayRef> {
    match to {
        TrinoType::Json => {
            let texts: LargeStringArray =
                values.iter().map(|value| value.map(Json::to_text)).collect();
            Ok(Arc::new(texts))
        }
        TrinoType::Array(item) => lists(values, to, item, reading),
        TrinoType::Map(key, value) => maps(values, to, key, value, reading),
        TrinoType::Row(fields) => rows(values, to, fields, reading),
        _ => {
            let mut texts: Vec<Option<String>> = Vec::with_capacity(values.len());
            for value in values {
                texts.push(match value {
                    None | Some(Json::Null) => None,
                    Some(Json::Text(text)) => Some(text.clone()),
                    Some(Json::Boolean(value)) if to.is_numeric() => {
                        Some(u8::from(*value).to_string())
                    }
                    Some(Json::Boolean(value)) => Some(value.to_string()),
                    Some(Json::Number(number)) if reading.texts == Texts::Cast => {
                        Some(number_text(number, to))
                    }
                    Some(Json::Number(number)) => Some(number.clone()),
                    Some(structured) if reading.texts == Texts::Json && is_text(to) => {
                        Some(structured.to_text())
                    }
                    Some(other) if reading.on_failure == OnFailure::Fail => {
                        return Err(refused(&other.to_text(), to).into());
                    }
                    Some(_) => None,
                });
            }
            let texts: ArrayRef = Arc::new(StringArray::from(texts));
            cast_array(&texts, &TrinoType::Varchar(None), to, reading.on_failure)
        }
    }
}

fn is_text(kind: &TrinoType) -> bool {
    matches!(kind, TrinoType::Varchar(_) | TrinoType::Char(_))
}

/// A number as the text a cast to a type reads. Those with a fraction are doubles to all
/// types but decimals.
fn number_text(number: &str, to: &TrinoType) -> String {
    let double = || number.parse().unwrap_or(f64::NAN);
    match to {
        TrinoType::Boolean => u8::from(double() != 0.0).to_string(),
        TrinoType::Tinyint | TrinoType::Smallint | TrinoType::Integer | TrinoType::Bigint
            if is_fraction(number) =>
        {
            format!("{:.0}", double().round())
        }
        TrinoType::Varchar(_) if is_fraction(number) => {
            let mut text = String::new();
            write_scientific_double(double(), &mut text);
            text
        }
        TrinoType::Double if is_fraction(number) => {
            let mut text = String::new();
            write_double(double(), &mut text);
            text
        }
        _ => number.to_owned(),
    }
}

/// The lengths of lists or maps, and which of them are there.
#[derive(Default)]
struct Lengths {
    lengths: Vec<usize>,
    present: Vec<bool>,
}

impl Lengths {
    fn push(&mut self, length: Option<usize>) {
        self.lengths.push(length.unwrap_or(0));
        self.present.push(length.is_some());
    }

    fn into_parts(self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        (OffsetBuffer::from_lengths(self.lengths), Some(NullBuffer::from(self.present)))
    }
}

fn lists(
    values: &[Option<&Json>],
    to: &TrinoType,
    item: &TrinoType,
    reading: Reading,
) -> Result<ArrayRef> {
    let (mut items, mut lengths) = (Vec::new(), Lengths::default());
    for value in values {
        match value {
            Some(Json::Array(found)) => {
                items.extend(found.iter().map(|value| present(value, item)));
                lengths.push(Some(found.len()));
            }
            other => {
                other.map_or(Ok(()), |other| misshapen(other, to, "array", reading))?;
                lengths.push(None);
            }
        }
    }
    let DataType::List(field) = to.to_arrow() else {
        return Err(Failure::type_mismatch("an array is a list").into());
    };
    let items = built(&items, item, reading)?;
    let (offsets, nulls) = lengths.into_parts();
    Ok(Arc::new(ListArray::try_new(field, offsets, items, nulls)?))
}

fn maps(
    values: &[Option<&Json>],
    to: &TrinoType,
    key: &TrinoType,
    value_type: &TrinoType,
    reading: Reading,
) -> Result<ArrayRef> {
    let (mut keys, mut items, mut lengths) = (Vec::new(), Vec::new(), Lengths::default());
    for value in values {
        match value {
            Some(Json::Object(object)) => {
                for (name, value) in object {
                    keys.push(Some(name.as_str()));
                    items.push(present(value, value_type));
                }
                lengths.push(Some(object.len()));
            }
            other => {
                other.map_or(Ok(()), |other| misshapen(other, to, "object", reading))?;
                lengths.push(None);
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
    let keys = cast_array(&keys, &TrinoType::Varchar(None), key, reading.on_failure)?;
    refuse_same_keys(&keys, &lengths.lengths, to)?;
    let pairs =
        StructArray::try_new(fields, vec![keys, built(&items, value_type, reading)?], None)?;
    let (offsets, nulls) = lengths.into_parts();
    Ok(Arc::new(MapArray::try_new(entries, offsets, pairs, nulls, false)?))
}

/// Different names may be one key: `"1"` and `"01"`.
fn refuse_same_keys(keys: &ArrayRef, lengths: &[usize], to: &TrinoType) -> Result<()> {
    let mut from = 0;
    for length in lengths {
        let mut seen = HashSet::with_capacity(*length);
        for at in from..from + length {
            let mut text = String::new();
            write_value(keys.as_ref(), at, &mut text);
            if !seen.insert(text) {
                return Err(Failure::new(
                    "INVALID_CAST_ARGUMENT",
                    format!("Cannot cast to {to}. Duplicate keys are not allowed"),
                )
                .into());
            }
        }
        from += length;
    }
    Ok(())
}

/// The member of an object that a field of a row means; names have no case there.
fn member<'j>(
    object: &'j IndexMap<String, Json>,
    name: &str,
    to: &TrinoType,
) -> Result<Option<&'j Json>> {
    let mut found = object.iter().filter(|(key, _)| key.to_lowercase() == name.to_lowercase());
    let first = found.next().map(|(_, value)| value);
    if found.next().is_some() {
        return Err(Failure::new(
            "INVALID_CAST_ARGUMENT",
            format!("Cannot cast to {to}. Duplicate field: {name}"),
        )
        .into());
    }
    Ok(first)
}

fn rows(
    values: &[Option<&Json>],
    to: &TrinoType,
    fields: &[(Option<String>, TrinoType)],
    reading: Reading,
) -> Result<ArrayRef> {
    let mut columns: Vec<Vec<Option<&Json>>> = vec![Vec::with_capacity(values.len()); fields.len()];
    let mut whole = Vec::with_capacity(values.len());
    for value in values {
        match value {
            Some(Json::Array(items)) if items.len() == fields.len() => whole.push(true),
            Some(Json::Object(_)) => whole.push(true),
            other => {
                other.map_or(Ok(()), |other| misshapen(other, to, "array or object", reading))?;
                whole.push(false);
            }
        }
        for (at, (column, (name, kind))) in columns.iter_mut().zip(fields).enumerate() {
            let part = match value {
                Some(Json::Array(items)) if items.len() == fields.len() => items.get(at),
                Some(Json::Object(object)) => match name {
                    Some(name) => member(object, name, to)?,
                    None => {
                        return Err(Failure::new(
                            "INVALID_CAST_ARGUMENT",
                            format!("Cannot cast to {to}. Cannot cast a JSON object to anonymous row type. Input must be a JSON array."),
                        )
                        .into());
                    }
                },
                _ => None,
            };
            column.push(part.and_then(|part| present(part, kind)));
        }
    }
    let DataType::Struct(arrow) = to.to_arrow() else {
        return Err(Failure::type_mismatch("a row is a struct").into());
    };
    let columns = columns
        .iter()
        .zip(fields)
        .map(|(column, (_, kind))| built(column, kind, reading))
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new_with_length(
        arrow,
        columns,
        Some(NullBuffer::from(whole)),
        values.len(),
    )?))
}
