//! Text cut at a delimiter.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, ListBuilder, MapBuilder, MapFieldNames, StringBuilder};
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
            return Ok(match text.chars().nth(at) {
                Some(c) => Some(c.to_string()),
                None if text.is_empty() && at == 0 => Some(String::new()),
                None => None,
            });
        }
        Ok(text.split(delimiter).nth(at).map(str::to_owned))
    })
}

fn split_to_map_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    exactly(
        "split_to_map",
        given,
        &[TEXT, TEXT, TEXT],
        TrinoType::Map(Box::new(TEXT), Box::new(TEXT)),
    )
}

fn split_to_map(call: &Call) -> Result<ArrayRef> {
    let (texts, entries, pairs) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    let arrays = call.arrays()?;
    let names = MapFieldNames {
        entry: "entries".to_owned(),
        key: "key".to_owned(),
        value: "value".to_owned(),
    };
    let mut found = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in 0..call.rows {
        if !Call::present(&arrays, row) {
            found.append(false)?;
            continue;
        }
        let (entry, pair) = (entries.value(row), pairs.value(row));
        if entry.is_empty() || pair.is_empty() || entry == pair {
            return Err(Failure::invalid_argument(
                "entryDelimiter and keyValueDelimiter must be different and not empty",
            )
            .into());
        }
        let text = texts.value(row);
        let mut seen: Vec<&str> = Vec::new();
        for part in text.split(entry).filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once(pair).ok_or_else(|| {
                Failure::invalid_argument(format!("Key-value delimiter must appear exactly once in each entry. Bad input: '{part}'"))
            })?;
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
