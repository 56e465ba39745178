//! How a table is partitioned.

use serde_json::{Value as Json, json};

use crate::json::Object;
use crate::{FormatError, Primitive, Schema, Transform, Value};

/// The first id of a partition's fields.
pub(crate) const FIRST_FIELD_ID: i32 = 1_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionSpec {
    pub id: i32,
    pub fields: Vec<PartitionField>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionField {
    /// The id of the column it is made of.
    pub source_id: i32,
    /// Its own id, from 1000 on.
    pub field_id: i32,
    pub name: String,
    pub transform: Transform,
}

impl PartitionSpec {
    pub fn unpartitioned() -> Self {
        Self { id: 0, fields: Vec::new() }
    }

    /// A new specification: each transform of a column, with a name of its own.
    ///
    /// Errors: `Unsupported` for a column of a type that has no such partitions.
    pub fn new(schema: &Schema, parts: &[(String, Transform)]) -> Result<Self, FormatError> {
        let mut fields: Vec<PartitionField> = Vec::new();
        for ((column, transform), field_id) in parts.iter().zip(FIRST_FIELD_ID..) {
            let source = schema.column(column).ok_or_else(|| {
                FormatError::malformed("partition", "a column of the table", column.as_str())
            })?;
            if !source.kind.primitive().is_some_and(|kind| transform.takes(kind)) {
                return Err(FormatError::unsupported(format!(
                    "partitions by {transform} of the column {column}, a {},",
                    source.kind
                )));
            }
            let name = format!("{}{}", source.name, transform.suffix());
            if fields.iter().any(|field| field.name == name) {
                return Err(FormatError::malformed("partition", "different fields", name));
            }
            let transform = transform.clone();
            fields.push(PartitionField { source_id: source.id, field_id, name, transform });
        }
        Ok(Self { id: 0, fields })
    }

    pub(crate) fn read(json: &Json) -> Result<Self, FormatError> {
        let object = Object::of(json, "partition-spec")?;
        let fields = Self::read_fields(object.items("fields")?)?;
        Ok(Self { id: object.int("spec-id")?, fields })
    }

    /// Version 1 may leave the ids of fields out: they count from 1000.
    pub(crate) fn read_fields(fields: &[Json]) -> Result<Vec<PartitionField>, FormatError> {
        fields
            .iter()
            .zip(FIRST_FIELD_ID..)
            .map(|(field, at)| {
                let field = Object::of(field, "partition-spec/fields")?;
                if field.get("source-ids").is_some() {
                    return Err(FormatError::unsupported("a partition of several columns"));
                }
                Ok(PartitionField {
                    source_id: field.int("source-id")?,
                    field_id: field.optional_int("field-id")?.unwrap_or(at),
                    name: field.text("name")?,
                    transform: Transform::parse(&field.text("transform")?),
                })
            })
            .collect()
    }

    pub(crate) fn write(&self) -> Json {
        json!({"spec-id": self.id, "fields": self.write_fields()})
    }

    pub(crate) fn write_fields(&self) -> Json {
        self.fields
            .iter()
            .map(|field| {
                json!({
                    "name": field.name,
                    "transform": field.transform.to_string(),
                    "source-id": field.source_id,
                    "field-id": field.field_id,
                })
            })
            .collect::<Vec<_>>()
            .into()
    }

    pub fn is_unpartitioned(&self) -> bool {
        self.fields.iter().all(|field| field.transform == Transform::Void)
    }

    /// The types of the columns that partitions are made of, by a schema that has them.
    pub fn sources(&self, schema: &Schema) -> Result<Vec<Primitive>, FormatError> {
        self.fields
            .iter()
            .map(|field| {
                let kind = schema.type_of(field.source_id).and_then(crate::Type::primitive);
                match (kind, &field.transform) {
                    (Some(kind), _) => Ok(kind),
                    // The column may be gone.
                    (None, Transform::Void) => Ok(Primitive::Int),
                    (None, _) => Err(FormatError::malformed(
                        "partition-spec",
                        format!("a column with the id {}", field.source_id),
                        "none",
                    )),
                }
            })
            .collect()
    }

    /// The folder of a partition: `a=1/b_bucket=3`; empty where there are no partitions.
    pub fn path(&self, values: &[Option<Value>], sources: &[Primitive]) -> String {
        let parts = self.fields.iter().zip(values).zip(sources);
        let folders: Vec<String> = parts
            .map(|((field, value), source)| {
                let text = field.transform.text(value.as_ref(), *source);
                format!("{}={}", escaped(&field.name), escaped(&text))
            })
            .collect();
        folders.join("/")
    }
}

/// As Java's `URLEncoder` does, which Iceberg asks.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            other => {
                use std::fmt::Write as _;
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}
