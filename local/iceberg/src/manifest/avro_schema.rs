//! The Avro schema of manifests, which depends on the partitions.

use serde_json::{Value as Json, json};

use crate::{PartitionSpec, Primitive};

/// Bytes a decimal's digits take.
pub(super) fn fixed_width(kind: Primitive) -> usize {
    let Primitive::Decimal(precision, _) = kind else { return 16 };
    let greatest = 10_i128.pow(u32::from(precision)) - 1;
    (1..16).find(|width| greatest < 1_i128 << (8 * width - 1)).unwrap_or(16)
}

/// The Avro type of a partition's values.
fn avro_type(kind: Primitive, field_id: i32) -> Json {
    match kind {
        Primitive::Boolean => "boolean".into(),
        Primitive::Int => "int".into(),
        Primitive::Long => "long".into(),
        Primitive::Float => "float".into(),
        Primitive::Double => "double".into(),
        Primitive::Date => json!({"type": "int", "logicalType": "date"}),
        Primitive::Time => json!({"type": "long", "logicalType": "time-micros"}),
        Primitive::Timestamp => {
            json!({"type": "long", "logicalType": "timestamp-micros", "adjust-to-utc": false})
        }
        Primitive::Timestamptz => {
            json!({"type": "long", "logicalType": "timestamp-micros", "adjust-to-utc": true})
        }
        Primitive::String => "string".into(),
        Primitive::Binary => "bytes".into(),
        Primitive::Uuid => {
            json!({"type": "fixed", "name": format!("uuid_{field_id}"), "size": 16, "logicalType": "uuid"})
        }
        Primitive::Fixed(size) => {
            json!({"type": "fixed", "name": format!("fixed_{field_id}"), "size": size})
        }
        Primitive::Decimal(precision, scale) => json!({
            "type": "fixed", "name": format!("decimal_{field_id}"), "size": fixed_width(kind),
            "logicalType": "decimal", "precision": precision, "scale": scale,
        }),
    }
}

/// A name as Avro takes it. Source: Iceberg's `AvroSchemaUtil.makeCompatibleName`.
pub(super) fn avro_name(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.chars().enumerate() {
        if c.is_ascii_alphabetic() || c == '_' || (at > 0 && c.is_ascii_digit()) {
            out.push(c);
        } else if c.is_ascii_digit() {
            out.push('_');
            out.push(c);
        } else {
            use std::fmt::Write as _;
            let _ = write!(out, "_x{:X}", u32::from(c));
        }
    }
    out
}

pub(super) fn schema(spec: &PartitionSpec, kinds: &[Primitive]) -> Json {
    let field =
        |name: &str, kind: Json, id: i32| json!({"name": name, "type": kind, "field-id": id});
    let optional = |name: &str, kind: Json, id: i32| json!({"name": name, "type": ["null", kind], "default": null, "field-id": id});
    let map = |name: &str, value: &str, id: i32, key_id: i32, value_id: i32| {
        let pair = json!({"type": "record", "name": format!("k{key_id}_v{value_id}"), "fields": [
            field("key", "int".into(), key_id),
            field("value", value.into(), value_id),
        ]});
        optional(name, json!({"type": "array", "logicalType": "map", "items": pair}), id)
    };
    let list = |item: &str, id: i32| json!({"type": "array", "items": item, "element-id": id});
    let partition: Vec<Json> = spec
        .fields
        .iter()
        .zip(kinds)
        .map(|(part, kind)| {
            optional(&avro_name(&part.name), avro_type(*kind, part.field_id), part.field_id)
        })
        .collect();
    let file = json!({"type": "record", "name": "r2", "fields": [
        field("content", "int".into(), 134),
        field("file_path", "string".into(), 100),
        field("file_format", "string".into(), 101),
        field("partition", json!({"type": "record", "name": "r102", "fields": partition}), 102),
        field("record_count", "long".into(), 103),
        field("file_size_in_bytes", "long".into(), 104),
        map("column_sizes", "long", 108, 117, 118),
        map("value_counts", "long", 109, 119, 120),
        map("null_value_counts", "long", 110, 121, 122),
        map("nan_value_counts", "long", 137, 138, 139),
        map("lower_bounds", "bytes", 125, 126, 127),
        map("upper_bounds", "bytes", 128, 129, 130),
        optional("split_offsets", list("long", 133), 132),
        optional("equality_ids", list("int", 136), 135),
        optional("sort_order_id", "int".into(), 140),
    ]});
    json!({"type": "record", "name": "manifest_entry", "fields": [
        field("status", "int".into(), 0),
        optional("snapshot_id", "long".into(), 1),
        optional("sequence_number", "long".into(), 3),
        optional("file_sequence_number", "long".into(), 4),
        field("data_file", file, 2),
    ]})
}
