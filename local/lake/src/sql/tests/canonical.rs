//! Values as texts that are equal when Trino's test would call the values equal.

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{DataType, Float64Type};
use serde_json::Value;

use crate::sql::{ADDRESS_WIDTH, UUID_WIDTH, write_value};

pub(super) fn of_array(array: &dyn Array, row: usize) -> String {
    if array.is_null(row) || array.data_type() == &DataType::Null {
        return "null".to_owned();
    }
    let items = |items: &dyn Array| -> Vec<String> {
        (0..items.len()).map(|at| of_array(items, at)).collect()
    };
    match array.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => quoted(&text(array, row)),
        DataType::FixedSizeBinary(ADDRESS_WIDTH | UUID_WIDTH) => quoted(&text(array, row)),
        DataType::Binary => {
            let hex: Vec<String> = array
                .as_binary::<i32>()
                .value(row)
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            format!("x'{}'", hex.concat())
        }
        DataType::List(_) => {
            format!("[{}]", items(array.as_list::<i32>().value(row).as_ref()).join(", "))
        }
        DataType::Struct(_) => {
            let fields: Vec<String> = array
                .as_struct()
                .columns()
                .iter()
                .map(|column| of_array(column.as_ref(), row))
                .collect();
            format!("[{}]", fields.join(", "))
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let mut pairs: Vec<String> = (0..entries.len())
                .map(|at| {
                    format!(
                        "{}={}",
                        of_array(entries.column(0).as_ref(), at),
                        of_array(entries.column(1).as_ref(), at)
                    )
                })
                .collect();
            pairs.sort();
            format!("{{{}}}", pairs.join(", "))
        }
        DataType::Float64 => double(array.as_primitive::<Float64Type>().value(row)),
        DataType::Float32 | DataType::Decimal128(..) => number(&text(array, row)),
        _ => text(array, row),
    }
}

fn text(array: &dyn Array, row: usize) -> String {
    let mut text = String::new();
    write_value(array, row, &mut text);
    text
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// Numbers by their value: `1.50`, `1.5` and `1.5E0` are one.
fn number(text: &str) -> String {
    if let Some((whole, fraction)) = text.split_once('.')
        && !text.contains(['e', 'E'])
    {
        return plain(whole, fraction);
    }
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return plain(text, "");
    }
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => {
            let written = format!("{value}");
            let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
            plain(whole, fraction)
        }
        _ => text.to_owned(),
    }
}

fn plain(whole: &str, fraction: &str) -> String {
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let digits = digits.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    let fraction = fraction.trim_end_matches('0');
    let sign = if digits == "0" && fraction.is_empty() { "" } else { sign };
    if fraction.is_empty() {
        format!("{sign}{digits}")
    } else {
        format!("{sign}{digits}.{fraction}")
    }
}

/// Doubles to thirteen digits: Java's libraries and Rust's differ in what follows.
fn double(value: f64) -> String {
    number(&if value.is_finite() { format!("{value:.12e}") } else { format!("{value}") })
}

/// A number of a test, as a value of the type the query gave it.
fn number_of(text: &str, kind: &DataType) -> String {
    match (kind, text.parse::<f32>(), text.parse::<f64>()) {
        (DataType::Float32, Ok(value), _) if value.is_finite() => number(&format!("{value}")),
        (DataType::Float64, _, Ok(value)) => double(value),
        _ => number(text),
    }
}

/// The types of the parts of a type.
fn part(kind: &DataType, at: usize) -> &DataType {
    match kind {
        DataType::List(item) => item.data_type(),
        DataType::Map(entries, _) => part(entries.data_type(), at),
        DataType::Struct(fields) => fields.get(at).map_or(kind, |field| field.data_type()),
        other => other,
    }
}

/// A value of a test beside one of the type `kind`.
pub(super) fn of_json(value: &Value, kind: &DataType) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => number_of(&value.to_string(), kind),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> =
                items.iter().enumerate().map(|(at, item)| of_json(item, part(kind, at))).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(object) => match (object.get("t").and_then(Value::as_str), object.get("v")) {
            (Some("varbinary"), Some(Value::String(hex))) => format!("x'{hex}'"),
            (Some("map"), Some(Value::Array(pairs))) => {
                let mut pairs: Vec<String> = pairs
                    .iter()
                    .map(|pair| {
                        let of = |at: usize| of_json(&pair[at], part(kind, at));
                        format!("{}={}", of(0), of(1))
                    })
                    .collect();
                pairs.sort();
                format!("{{{}}}", pairs.join(", "))
            }
            (_, Some(Value::String(text))) => number_of(text, kind),
            _ => value.to_string(),
        },
    }
}
