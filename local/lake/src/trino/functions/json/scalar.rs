//! `json_extract`, `json_parse` and their kin.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, LargeStringArray};
use datafusion::common::Result;
use json_event_parser::JsonEvent;

use super::document::{Fractions, Json, Reader, is_fraction};
use super::extract::{Path, items};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::call::Call;
use crate::trino::functions::function::{Function, Plan, unexpected};

pub(in crate::trino::functions) const FUNCTIONS: &[Function] = &[
    Function::new(
        "json_parse",
        |given| over(given, 1, TrinoType::Json),
        |call| parse(call, malformed),
    ),
    Function::new(
        "$json_literal",
        |given| over(given, 1, TrinoType::Json),
        |call| parse(call, no_literal),
    ),
    Function::new("json_format", format_types, format),
    Function::new("json_extract", |given| over(given, 2, TrinoType::Json), extract),
    Function::new(
        "json_extract_scalar",
        |given| over(given, 2, TrinoType::Varchar(None)),
        extract_scalar,
    ),
    Function::new("json_size", |given| over(given, 2, TrinoType::Bigint), size),
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

fn format_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Json | TrinoType::Unknown] => {
            Ok(Plan::new(vec![TrinoType::Json], TrinoType::Varchar(None)))
        }
        _ => Err(unexpected("json_format", given, "json_format(json)")),
    }
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

/// JSON from each row where no argument is NULL.
fn each_json(
    call: &Call,
    mut json: impl FnMut(usize) -> Result<Option<String>>,
) -> Result<ArrayRef> {
    let arrays = call.arrays()?;
    let found: LargeStringArray = (0..call.rows)
        .map(|row| if Call::present(&arrays, row) { json(row) } else { Ok(None) })
        .collect::<Result<_>>()?;
    Ok(Arc::new(found))
}

fn malformed(text: &str) -> Failure {
    Failure::invalid_argument(format!("Cannot convert value to JSON: '{text}'"))
}

fn no_literal(text: &str) -> Failure {
    Failure::new("INVALID_LITERAL", format!("'{text}' is not a valid JSON literal"))
}

fn parse(call: &Call, refused: impl Fn(&str) -> Failure) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    each_json(call, |row| {
        let text = texts.value(row);
        let mut value = Json::read(text, Fractions::Exact).ok_or_else(|| refused(text))?;
        // Members stand in the order of their names, and so are compared.
        value.sort();
        Ok(Some(value.to_text()))
    })
}

fn format(call: &Call) -> Result<ArrayRef> {
    let json = call.array(0)?;
    Ok(datafusion::arrow::compute::cast(&json, &call.result)?)
}

/// The path of each row, read once where it is the same for all.
fn paths(call: &Call) -> Result<impl Fn(usize) -> Result<Arc<Path>, Failure> + use<>> {
    let texts = call.texts(1)?;
    let constant = call.constant_text(1).map(|text| Path::parse(text).map(Arc::new));
    Ok(move |row: usize| match &constant {
        Some(path) => path.clone(),
        None => Path::parse(texts.value(row)).map(Arc::new),
    })
}

fn extract(call: &Call) -> Result<ArrayRef> {
    let (texts, path) = (call.texts(0)?, paths(call)?);
    each_json(call, |row| Ok(path(row)?.value(texts.value(row)).map(|found| found.to_text())))
}

fn extract_scalar(call: &Call) -> Result<ArrayRef> {
    let (texts, path) = (call.texts(0)?, paths(call)?);
    call.each_text(|row| Ok(path(row)?.scalar(texts.value(row))))
}

fn size(call: &Call) -> Result<ArrayRef> {
    let (texts, path) = (call.texts(0)?, paths(call)?);
    call.each_long(|row| Ok(path(row)?.size(texts.value(row))))
}

fn array_length(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_long(|row| {
        let mut reader = Reader::new(texts.value(row), Fractions::Kept);
        Ok(match reader.next() {
            Some(JsonEvent::StartArray) => items(&mut reader),
            _ => None,
        })
    })
}

fn array_get(call: &Call) -> Result<ArrayRef> {
    let (texts, places) = (call.texts(0)?, call.longs(1)?);
    each_json(call, |row| Ok(item(texts.value(row), places.value(row))))
}

/// An item of an array, counted from its end below zero. Texts are bare, as Trino has them.
fn item(text: &str, place: i64) -> Option<String> {
    let mut reader = Reader::new(text, Fractions::Doubles);
    if reader.next()? != JsonEvent::StartArray {
        return None;
    }
    let place = if place < 0 {
        let mut counted = Reader::new(text, Fractions::Kept);
        counted.next()?;
        let length = items(&mut counted)?;
        usize::try_from(place.checked_add(length)?).ok()?
    } else {
        usize::try_from(place).ok()?
    };
    for _ in 0..place {
        let first = reader.next()?;
        reader.skip(&first)?;
    }
    let first = reader.next()?;
    match reader.value(first)? {
        Json::Null => None,
        Json::Text(text) => Some(text),
        other => Some(other.to_text()),
    }
}

fn array_contains(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    match call.kind(1) {
        TrinoType::Boolean => {
            let values = datafusion::arrow::array::AsArray::as_boolean(&call.array(1)?).clone();
            contains(call, |row, item| *item == Json::Boolean(values.value(row)), &texts)
        }
        TrinoType::Bigint => {
            let values = call.longs(1)?;
            contains(
                call,
                |row, item| matches!(item, Json::Number(number) if number.parse() == Ok(values.value(row))),
                &texts,
            )
        }
        TrinoType::Double => {
            let values = call.doubles(1)?;
            let holds = |row: usize, item: &Json| match item {
                Json::Number(number) if is_fraction(number) => {
                    values.value(row).is_finite() && number.parse() == Ok(values.value(row))
                }
                _ => false,
            };
            contains(call, holds, &texts)
        }
        _ => {
            let values = call.texts(1)?;
            contains(
                call,
                |row, item| matches!(item, Json::Text(text) if text == values.value(row)),
                &texts,
            )
        }
    }
}

/// Whether an item of the array of each row is wanted; NULL where there is no array.
fn contains(
    call: &Call,
    wanted: impl Fn(usize, &Json) -> bool,
    texts: &datafusion::arrow::array::StringArray,
) -> Result<ArrayRef> {
    call.each_boolean(|row| {
        let mut reader = Reader::new(texts.value(row), Fractions::Kept);
        let mut search = || -> Option<bool> {
            if reader.next()? != JsonEvent::StartArray {
                return None;
            }
            loop {
                let first = reader.next()?;
                if first == JsonEvent::EndArray {
                    return Some(false);
                }
                if wanted(row, &reader.value(first)?) {
                    return Some(true);
                }
            }
        };
        Ok(search())
    })
}

fn is_scalar(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_boolean(|row| match Json::read(texts.value(row), Fractions::Kept) {
        Some(value) => Ok(Some(value.is_scalar())),
        None => {
            Err(Failure::invalid_argument(format!("Invalid JSON value: {}", texts.value(row)))
                .into())
        }
    })
}
