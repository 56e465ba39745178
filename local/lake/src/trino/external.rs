//! What the readers and writers of tables ask of Trino's types: values from text and
//! JSON, and back.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ListArray, MapArray, StringArray, StringBuilder, StructArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::functions::json::{Json, Texts, from_file};
use super::functions::{OnFailure, cast_array, value_to_json};
use crate::sql::{Failure, TrinoType};

/// Texts as another type; the first that is none of it is an error.
pub(crate) fn text_to(texts: &ArrayRef, kind: &TrinoType) -> Result<ArrayRef> {
    cast_array(texts, &TrinoType::Varchar(None), kind, OnFailure::Fail)
}

/// Texts as another type; what is none of it is NULL.
pub(crate) fn text_to_or_null(texts: &ArrayRef, kind: &TrinoType) -> Result<ArrayRef> {
    match kind {
        TrinoType::Varbinary => {
            // Hive keeps binary columns of text files in base64.
            let bytes: datafusion::arrow::array::BinaryArray =
                datafusion::arrow::array::AsArray::as_string::<i32>(texts)
                    .iter()
                    .map(|text| text.map(decoded))
                    .collect();
            Ok(Arc::new(bytes))
        }
        TrinoType::Timestamp(_) => {
            // Hive's form alone: with a blank, not ISO's T.
            let plain: StringArray = datafusion::arrow::array::AsArray::as_string::<i32>(texts)
                .iter()
                .map(|text| text.filter(|text| !text.contains('T')))
                .collect();
            let plain: ArrayRef = Arc::new(plain);
            cast_array(&plain, &TrinoType::Varchar(None), kind, OnFailure::Null)
        }
        _ => cast_array(texts, &TrinoType::Varchar(None), kind, OnFailure::Null),
    }
}

fn decoded(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap_or_else(|_| text.as_bytes().to_vec())
}

/// Texts split into lists.
pub(crate) fn text_to_list(
    texts: &StringArray,
    item: &TrinoType,
    separator: char,
) -> Result<ArrayRef> {
    let mut items = StringBuilder::new();
    let mut lengths = Vec::with_capacity(texts.len());
    for text in texts {
        let parts = text.filter(|text| !text.is_empty()).map_or(0, |text| {
            text.split(separator).fold(0, |count, part| {
                append(&mut items, part);
                count + 1
            })
        });
        lengths.push(parts);
    }
    let items: ArrayRef = Arc::new(items.finish());
    let items = text_to_or_null(&items, item)?;
    let DataType::List(field) = TrinoType::Array(Box::new(item.clone())).to_arrow() else {
        return Err(Failure::type_mismatch("an array is a list").into());
    };
    Ok(Arc::new(ListArray::try_new(
        field,
        OffsetBuffer::from_lengths(lengths),
        items,
        texts.nulls().cloned(),
    )?))
}

/// Texts split into maps.
pub(crate) fn text_to_map(
    texts: &StringArray,
    key: &TrinoType,
    value: &TrinoType,
    separator: char,
    between: char,
) -> Result<ArrayRef> {
    let (mut keys, mut values) = (StringBuilder::new(), StringBuilder::new());
    let mut lengths = Vec::with_capacity(texts.len());
    for text in texts {
        let pairs = text.filter(|text| !text.is_empty()).map_or(0, |text| {
            text.split(separator).fold(0, |count, pair| {
                let (k, v) = pair.split_once(between).unwrap_or((pair, "\\N"));
                keys.append_value(k);
                append(&mut values, v);
                count + 1
            })
        });
        lengths.push(pairs);
    }
    let keys: ArrayRef = Arc::new(keys.finish());
    let values: ArrayRef = Arc::new(values.finish());
    let DataType::Map(entries, _) =
        TrinoType::Map(Box::new(key.clone()), Box::new(value.clone())).to_arrow()
    else {
        return Err(Failure::type_mismatch("a map is a map").into());
    };
    let DataType::Struct(fields) = entries.data_type().clone() else {
        return Err(Failure::type_mismatch("a map has entries").into());
    };
    let pairs = StructArray::try_new(
        fields,
        vec![text_to_or_null(&keys, key)?, text_to_or_null(&values, value)?],
        None,
    )?;
    let nulls: Option<NullBuffer> = texts.nulls().cloned();
    Ok(Arc::new(MapArray::try_new(
        entries,
        OffsetBuffer::from_lengths(lengths),
        pairs,
        nulls,
        false,
    )?))
}

fn append(builder: &mut StringBuilder, text: &str) {
    if text == "\\N" {
        builder.append_null();
    } else {
        builder.append_value(text);
    }
}

/// Values of a JSON file as another type; what is none of it is an error. Arrays and objects
/// become texts where `structured_texts` says so.
pub(crate) fn json_to(
    values: &[Option<Json>],
    kind: &TrinoType,
    structured_texts: bool,
) -> Result<ArrayRef> {
    from_file(values, kind, if structured_texts { Texts::Json } else { Texts::Written })
}

/// A value as JSON.
pub(crate) fn json_value(array: &dyn Array, row: usize) -> serde_json::Value {
    value_to_json(array, row)
}
