//! Casts to JSON, and values as JSON for the files of tables.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, LargeStringArray};
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
use serde_json::{Map, Number, Value};

use super::document::write_text;
use crate::sql::{TrinoType, shown_field, write_value};

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
                array.as_primitive::<Float64Type>().value(row)
            } else {
                let value = array.as_primitive::<Float32Type>().value(row);
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
                        (shown_field(field.name()).to_owned(), value_to_json(column.as_ref(), row))
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

/// Whether Trino casts a type to JSON.
pub(in crate::trino::functions) fn can_cast_to_json(kind: &TrinoType) -> bool {
    match kind {
        TrinoType::Array(item) => can_cast_to_json(item),
        TrinoType::Map(key, value) => {
            (is_key(key) || **key == TrinoType::Unknown) && can_cast_to_json(value)
        }
        TrinoType::Row(fields) => fields.iter().all(|field| can_cast_to_json(&field.1)),
        TrinoType::Unknown | TrinoType::Json | TrinoType::Timestamp(_) | TrinoType::Date => true,
        kind => is_key(kind),
    }
}

/// Whether values of a type name the members of an object.
pub(super) fn is_key(kind: &TrinoType) -> bool {
    kind.is_numeric() || matches!(kind, TrinoType::Boolean | TrinoType::Varchar(_))
}

/// `CAST(x AS JSON)`. NULL stays NULL.
pub(in crate::trino::functions) fn to_json(array: &ArrayRef, from: &TrinoType) -> ArrayRef {
    let found: LargeStringArray = (0..array.len())
        .map(|row| {
            (*from != TrinoType::Unknown && !array.is_null(row)).then(|| {
                let mut text = String::new();
                write_json(array.as_ref(), row, from, &mut text);
                text
            })
        })
        .collect();
    Arc::new(found)
}

/// A value as JSON's text: decimals to their last digit, floating numbers as Java writes them,
/// JSON as it is, the keys of maps in order.
fn write_json(array: &dyn Array, row: usize, kind: &TrinoType, out: &mut String) {
    if array.is_null(row) || array.data_type().is_null() {
        out.push_str("null");
        return;
    }
    match (kind, array.data_type()) {
        (TrinoType::Double | TrinoType::Real, _) => {
            let text = text_of(array, row);
            // NaN and the infinities are no numbers of JSON.
            if text.contains(['N', 'I']) {
                write_text(&text, out);
            } else {
                out.push_str(&text);
            }
        }
        (TrinoType::Json | TrinoType::Boolean, _) => out.push_str(&text_of(array, row)),
        (kind, _) if kind.is_numeric() => out.push_str(&text_of(array, row)),
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
            named.sort_by(|a, b| a.0.encode_utf16().cmp(b.0.encode_utf16()));
            let members =
                named.iter().map(|(name, at)| (name.as_str(), values, *at, value.as_ref()));
            write_members(members, out);
        }
        (TrinoType::Row(fields), DataType::Struct(_)) => {
            let columns = array.as_struct().columns();
            let members = fields.iter().zip(columns).map(|((name, kind), column)| {
                (name.as_deref().unwrap_or_default(), column.as_ref(), row, kind)
            });
            write_members(members, out);
        }
        _ => write_text(&text_of(array, row), out),
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
        write_text(name, out);
        out.push(':');
        write_json(column, row, kind, out);
    }
    out.push('}');
}
