//! Text cut at a delimiter.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, ListBuilder, MapBuilder, MapFieldNames, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::call::Call;
use super::function::{Function, Plan, exactly};
use crate::sql::{Failure, TrinoType};

const TEXT: TrinoType = TrinoType::Varchar(None);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("split", split_types, split),
    Function::new(
        "split_part",
        |given| exactly("split_part", given, &[TEXT, TEXT, TrinoType::Bigint], TEXT),
        split_part,
    ),
    Function::new("split_to_map", split_to_map_types, split_to_map),
    Function::new("split_to_multimap", split_to_multimap_types, split_to_multimap),
];

fn split_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let result = TrinoType::Array(Box::new(TEXT));
    match given.len() {
        2 => exactly("split", given, &[TEXT, TEXT], result),
        _ => exactly("split", given, &[TEXT, TEXT, TrinoType::Bigint], result),
    }
}

fn split(call: &Call) -> Result<ArrayRef> {
    let (texts, delimiters) = (call.texts(0)?, call.texts(1)?);
    let limits = if call.count() > 2 { Some(call.longs(2)?) } else { None };
    let arrays = call.arrays()?;
    let field = super::call::item_field(&call.result);
    let mut found = ListBuilder::new(StringBuilder::new()).with_field(field);
    for row in 0..call.rows {
        if !Call::present(&arrays, row) {
            found.append(false);
            continue;
        }
        let (text, delimiter) = (texts.value(row), delimiters.value(row));
        let limit = limits.as_ref().map_or(i64::MAX, |limits| limits.value(row));
        if limit <= 0 {
            return Err(Failure::invalid_argument("Limit must be positive").into());
        }
        if limit > i64::from(i32::MAX) && limits.is_some() {
            return Err(Failure::invalid_argument("Limit is too large").into());
        }
        if delimiter.is_empty() {
            return Err(
                Failure::invalid_argument("The delimiter may not be the empty string").into()
            );
        }
        for part in text.splitn(usize::try_from(limit).unwrap_or(usize::MAX), delimiter) {
            found.values().append_value(part);
        }
        found.append(true);
    }
    Ok(Arc::new(found.finish()))
}

/// Past the last part there is NULL.
fn split_part(call: &Call) -> Result<ArrayRef> {
    let (texts, delimiters, places) = (call.texts(0)?, call.texts(1)?, call.longs(2)?);
    call.each_text(|row| {
        let (text, delimiter, place) = (texts.value(row), delimiters.value(row), places.value(row));
        if place <= 0 {
            return Err(Failure::invalid_argument("Index must be greater than zero").into());
        }
        let at = usize::try_from(place - 1).unwrap_or(usize::MAX);
        if delimiter.is_empty() {
            // Every character is a part.
            return Ok(text.chars().nth(at).map(String::from));
        }
        Ok(text.split(delimiter).nth(at).map(str::to_owned))
    })
}

fn split_to_map_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let result = TrinoType::Map(Box::new(TEXT), Box::new(TEXT));
    exactly("split_to_map", given, &[TEXT, TEXT, TEXT], result)
}

fn split_to_multimap_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let result = TrinoType::Map(Box::new(TEXT), Box::new(TrinoType::Array(Box::new(TEXT))));
    exactly("split_to_multimap", given, &[TEXT, TEXT, TEXT], result)
}

/// The key and value of each entry of a text, in order.
fn pairs<'a>(
    text: &'a str,
    entry: &str,
    pair: &str,
    quote: &str,
) -> Result<Vec<(&'a str, &'a str)>, Failure> {
    if entry.is_empty() {
        return Err(Failure::invalid_argument("entryDelimiter is empty"));
    }
    if pair.is_empty() {
        return Err(Failure::invalid_argument("keyValueDelimiter is empty"));
    }
    if entry == pair {
        return Err(Failure::invalid_argument(
            "entryDelimiter and keyValueDelimiter must not be the same",
        ));
    }
    let parts = text.split(entry).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            part.split_once(pair).filter(|(_, value)| !value.contains(pair)).ok_or_else(|| {
                Failure::invalid_argument(format!(
                    "Key-value delimiter must appear exactly once in each entry. Bad input: {quote}{part}{quote}"
                ))
            })
        })
        .collect()
}

fn names() -> MapFieldNames {
    MapFieldNames { entry: "entries".to_owned(), key: "key".to_owned(), value: "value".to_owned() }
}

fn split_to_map(call: &Call) -> Result<ArrayRef> {
    let (texts, entries, delimiters) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let arrays = call.arrays()?;
    let mut found = MapBuilder::new(Some(names()), StringBuilder::new(), StringBuilder::new());
    for row in 0..call.rows {
        if !Call::present(&arrays, row) {
            found.append(false)?;
            continue;
        }
        let mut seen: Vec<&str> = Vec::new();
        for (key, value) in pairs(texts.value(row), entries.value(row), delimiters.value(row), "'")?
        {
            if seen.contains(&key) {
                return Err(Failure::invalid_argument(format!("Duplicate keys ({key}) are not allowed. Specifying a lambda to resolve conflicts can avoid this error")).into());
            }
            seen.push(key);
            found.keys().append_value(key);
            found.values().append_value(value);
        }
        found.append(true)?;
    }
    Ok(Arc::new(found.finish()))
}

/// Of each key all values, in order.
fn split_to_multimap(call: &Call) -> Result<ArrayRef> {
    let (texts, entries, delimiters) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let arrays = call.arrays()?;
    let DataType::Map(fields, _) = &call.result else {
        return Err(Failure::type_mismatch("a map").into());
    };
    let item = match fields.data_type() {
        DataType::Struct(parts) => super::call::item_field(parts[1].data_type()),
        other => super::call::item_field(other),
    };
    let values = ListBuilder::new(StringBuilder::new()).with_field(item);
    let mut found = MapBuilder::new(Some(names()), StringBuilder::new(), values);
    for row in 0..call.rows {
        if !Call::present(&arrays, row) {
            found.append(false)?;
            continue;
        }
        let mut keys: Vec<(&str, Vec<&str>)> = Vec::new();
        for (key, value) in pairs(texts.value(row), entries.value(row), delimiters.value(row), "")?
        {
            match keys.iter_mut().find(|(known, _)| *known == key) {
                Some((_, values)) => values.push(value),
                None => keys.push((key, vec![value])),
            }
        }
        for (key, values) in keys {
            found.keys().append_value(key);
            found.values().append_value(values.into_iter().map(Some));
        }
        found.append(true)?;
    }
    Ok(Arc::new(found.finish()))
}
