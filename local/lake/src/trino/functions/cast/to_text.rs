//! To text, in the words of Trino's casts (not those of Athena's result files).

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder};
use datafusion::arrow::datatypes::{Float32Type, Float64Type};
use datafusion::common::Result;

use super::OnFailure;
use crate::sql::{Failure, TrinoType, shortest, write_scientific, write_value};

/// Cuts texts to `length` characters.
pub(super) fn shorten(array: &ArrayRef, length: Option<u32>) -> ArrayRef {
    let Some(length) = length else { return array.clone() };
    let length = length as usize;
    let found: StringArray = array
        .as_string::<i32>()
        .iter()
        .map(|text| {
            text.map(|text| match text.char_indices().nth(length) {
                Some((end, _)) => &text[..end],
                None => text,
            })
        })
        .collect();
    Arc::new(found)
}

/// `char(n)`: cut, then without its trailing blanks, which do not count.
pub(super) fn to_char(array: &ArrayRef, length: u32) -> ArrayRef {
    let cut = shorten(array, Some(length));
    let found: StringArray = cut
        .as_string::<i32>()
        .iter()
        .map(|text| text.map(|text| text.trim_end_matches(' ')))
        .collect();
    Arc::new(found)
}

/// A `char(n)` as text: with the blanks that fill it up.
pub(in crate::trino) fn pad(array: &ArrayRef, length: u32) -> ArrayRef {
    let length = length as usize;
    let found: StringArray = array
        .as_string::<i32>()
        .iter()
        .map(|text| {
            text.map(|text| {
                let mut padded: String = text.chars().take(length).collect();
                let missing = length.saturating_sub(padded.chars().count());
                padded.extend(std::iter::repeat_n(' ', missing));
                padded
            })
        })
        .collect();
    Arc::new(found)
}

pub(super) fn to_text(
    array: &ArrayRef,
    from: &TrinoType,
    length: Option<u32>,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let mut found = StringBuilder::with_capacity(array.len(), array.len() * 8);
    let mut text = String::new();
    for row in 0..array.len() {
        text.clear();
        let present = match from {
            _ if array.is_null(row) => false,
            TrinoType::Double => {
                write_scientific_double(array.as_primitive::<Float64Type>().value(row), &mut text);
                true
            }
            TrinoType::Real => {
                let value = array.as_primitive::<Float32Type>().value(row);
                scientific(f64::from(value), &mut text, seven_digits);
                true
            }
            _ => write_value(array.as_ref(), row, &mut text),
        };
        if !present {
            found.append_null();
            continue;
        }
        let fits = length.is_none_or(|length| text.chars().count() <= length as usize);
        match (fits, on_failure) {
            (true, _) => found.append_value(&text),
            (false, OnFailure::Null) => found.append_null(),
            (false, OnFailure::Fail) => {
                let to = TrinoType::Varchar(length);
                let message = if from.is_time() || from.is_interval() {
                    format!("Cannot cast '{text}' to {to}")
                } else {
                    format!("Value {text} cannot be represented as {to}")
                };
                return Err(Failure::new("INVALID_CAST_ARGUMENT", message).into());
            }
        }
    }
    Ok(Arc::new(found.finish()))
}

/// A double as Trino casts it to text.
pub(in crate::trino) fn write_scientific_double(value: f64, out: &mut String) {
    scientific(value, out, shortest);
}

/// Of a real no more than seven digits are shown.
fn seven_digits(value: f64) -> String {
    let written = format!("{value:.6e}");
    let (mantissa, exponent) = written.split_once('e').unwrap_or((&written, "0"));
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
    format!("{mantissa}e{exponent}")
}

/// `3.77E1`.
fn scientific(value: f64, out: &mut String, written: impl Fn(f64) -> String) {
    if value.is_nan() {
        out.push_str("NaN");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "Infinity" } else { "-Infinity" });
    } else if value == 0.0 {
        out.push_str(if value.is_sign_negative() { "-0E0" } else { "0E0" });
    } else {
        write_scientific(&written(value), out);
    }
}
