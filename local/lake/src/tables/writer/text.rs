//! Rows as Hive's text and JSON.

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::record_batch::RecordBatch;

use crate::sql::write_value;
use crate::trino::json_value;

/// Between the items of an array, of a map, and between a key and its value.
const LEVELS: [char; 6] = ['\u{2}', '\u{3}', '\u{4}', '\u{5}', '\u{6}', '\u{7}'];

/// Appends rows of `LazySimpleSerDe`: `\N` is NULL.
pub(super) fn write_delimited(batch: &RecordBatch, delimiter: char, out: &mut String) {
    for row in 0..batch.num_rows() {
        for (at, column) in batch.columns().iter().enumerate() {
            if at > 0 {
                out.push(delimiter);
            }
            write_nested(column.as_ref(), row, 0, out);
        }
        out.push('\n');
    }
}

fn write_nested(array: &dyn Array, row: usize, level: usize, out: &mut String) {
    if array.is_null(row) {
        out.push_str("\\N");
        return;
    }
    let separator = LEVELS.get(level).copied().unwrap_or('\u{8}');
    let items = |items: &dyn Array, out: &mut String| {
        for at in 0..items.len() {
            if at > 0 {
                out.push(separator);
            }
            write_nested(items, at, level + 1, out);
        }
    };
    match array.data_type() {
        DataType::List(_) => items(array.as_list::<i32>().value(row).as_ref(), out),
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            let between = LEVELS.get(level + 1).copied().unwrap_or('\u{8}');
            for at in 0..entries.len() {
                if at > 0 {
                    out.push(separator);
                }
                write_nested(entries.column(0).as_ref(), at, level + 2, out);
                out.push(between);
                write_nested(entries.column(1).as_ref(), at, level + 2, out);
            }
        }
        DataType::Struct(_) => {
            for (at, column) in array.as_struct().columns().iter().enumerate() {
                if at > 0 {
                    out.push(separator);
                }
                write_nested(column.as_ref(), row, level + 1, out);
            }
        }
        _ => {
            if !write_value(array, row, out) {
                out.push_str("\\N");
            }
        }
    }
}

/// Appends a JSON object for each row.
pub(super) fn write_json(batch: &RecordBatch, out: &mut String) {
    for row in 0..batch.num_rows() {
        let object: serde_json::Map<String, serde_json::Value> = batch
            .schema_ref()
            .fields()
            .iter()
            .zip(batch.columns())
            .filter(|(_, column)| !column.is_null(row))
            .map(|(field, column)| (field.name().clone(), json_value(column.as_ref(), row)))
            .collect();
        out.push_str(&serde_json::Value::Object(object).to_string());
        out.push('\n');
    }
}
