//! Types of columns, with the ids of their parts.

use std::fmt;

use serde_json::{Value as Json, json};

use crate::FormatError;
use crate::json::Object;

/// How deep types nest, at most.
const DEEPEST: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Primitive {
    Boolean,
    Int,
    Long,
    Float,
    Double,
    /// Precision (1 to 38) and scale.
    Decimal(u8, u8),
    Date,
    /// Microseconds of the day.
    Time,
    /// Microseconds, of no zone.
    Timestamp,
    /// Microseconds of UTC.
    Timestamptz,
    String,
    Uuid,
    /// Bytes of this number.
    Fixed(u32),
    Binary,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    Primitive(Primitive),
    Struct(Vec<Field>),
    List(Box<ListType>),
    Map(Box<MapType>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Unique in the table for all time; what columns of files are found by.
    pub id: i32,
    pub name: String,
    pub required: bool,
    pub kind: Type,
    pub doc: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListType {
    pub element_id: i32,
    pub element_required: bool,
    pub element: Type,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapType {
    pub key_id: i32,
    pub key: Type,
    pub value_id: i32,
    pub value_required: bool,
    pub value: Type,
}

impl Primitive {
    /// Reads a type as metadata spells it.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        Ok(match text {
            "boolean" => Self::Boolean,
            "int" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "date" => Self::Date,
            "time" => Self::Time,
            "timestamp" => Self::Timestamp,
            "timestamptz" => Self::Timestamptz,
            "string" => Self::String,
            "uuid" => Self::Uuid,
            "binary" => Self::Binary,
            _ => return Self::sized(text),
        })
    }

    fn sized(text: &str) -> Result<Self, FormatError> {
        let unknown = || FormatError::unsupported(format!("the Iceberg type {text}"));
        let within = |name: &str, open: char, close: char| {
            text.strip_prefix(name)?.trim().strip_prefix(open)?.strip_suffix(close)
        };
        if let Some(length) = within("fixed", '[', ']') {
            return length.trim().parse().map(Self::Fixed).map_err(|_| unknown());
        }
        let (precision, scale) = within("decimal", '(', ')')
            .and_then(|sizes| sizes.split_once(','))
            .ok_or_else(unknown)?;
        match (precision.trim().parse(), scale.trim().parse()) {
            (Ok(precision @ 1..=38), Ok(scale)) if scale <= precision => {
                Ok(Self::Decimal(precision, scale))
            }
            _ => Err(unknown()),
        }
    }
}

impl fmt::Display for Primitive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Timestamptz => "timestamptz",
            Self::String => "string",
            Self::Uuid => "uuid",
            Self::Binary => "binary",
            Self::Decimal(precision, scale) => {
                return write!(formatter, "decimal({precision}, {scale})");
            }
            Self::Fixed(length) => return write!(formatter, "fixed[{length}]"),
        })
    }
}

impl Type {
    pub(crate) fn read(json: &Json, depth: usize) -> Result<Self, FormatError> {
        if depth > DEEPEST {
            return Err(FormatError::unsupported(format!("a type deeper than {DEEPEST} levels")));
        }
        if let Some(text) = json.as_str() {
            return Primitive::parse(text).map(Self::Primitive);
        }
        let object = Object::of(json, "type")?;
        Ok(match object.text("type")?.as_str() {
            "struct" => Self::Struct(
                object
                    .items("fields")?
                    .iter()
                    .map(|field| Field::read(field, depth + 1))
                    .collect::<Result<_, _>>()?,
            ),
            "list" => Self::List(Box::new(ListType {
                element_id: object.int("element-id")?,
                element_required: object.flag("element-required")?,
                element: Self::read(object.required("element")?, depth + 1)?,
            })),
            "map" => Self::Map(Box::new(MapType {
                key_id: object.int("key-id")?,
                key: Self::read(object.required("key")?, depth + 1)?,
                value_id: object.int("value-id")?,
                value_required: object.flag("value-required")?,
                value: Self::read(object.required("value")?, depth + 1)?,
            })),
            other => return Err(FormatError::unsupported(format!("the Iceberg type {other}"))),
        })
    }

    pub(crate) fn write(&self) -> Json {
        match self {
            Self::Primitive(primitive) => primitive.to_string().into(),
            Self::Struct(fields) => {
                json!({"type": "struct", "fields": fields.iter().map(Field::write).collect::<Vec<_>>()})
            }
            Self::List(list) => json!({
                "type": "list",
                "element-id": list.element_id,
                "element": list.element.write(),
                "element-required": list.element_required,
            }),
            Self::Map(map) => json!({
                "type": "map",
                "key-id": map.key_id,
                "key": map.key.write(),
                "value-id": map.value_id,
                "value": map.value.write(),
                "value-required": map.value_required,
            }),
        }
    }

    pub fn primitive(&self) -> Option<Primitive> {
        match self {
            Self::Primitive(primitive) => Some(*primitive),
            _ => None,
        }
    }

    /// The same type whose parts have new ids, each the next of `next`.
    #[must_use]
    pub fn with_ids(&self, next: &mut impl FnMut() -> i32) -> Self {
        match self {
            Self::Primitive(primitive) => Self::Primitive(*primitive),
            Self::Struct(fields) => {
                let mut fields = fields.clone();
                for field in &mut fields {
                    field.id = next();
                }
                for field in &mut fields {
                    field.kind = field.kind.with_ids(next);
                }
                Self::Struct(fields)
            }
            Self::List(list) => {
                let element_id = next();
                let element = list.element.with_ids(next);
                Self::List(Box::new(ListType { element_id, element, ..list.as_ref().clone() }))
            }
            Self::Map(map) => {
                let (key_id, value_id) = (next(), next());
                let key = map.key.with_ids(next);
                let value = map.value.with_ids(next);
                let required = map.value_required;
                Self::Map(Box::new(MapType {
                    key_id,
                    key,
                    value_id,
                    value_required: required,
                    value,
                }))
            }
        }
    }

    /// Visits the parts with ids inside: ids with their types.
    pub(crate) fn parts<'a>(&'a self, visit: &mut impl FnMut(i32, &'a Type)) {
        match self {
            Self::Primitive(_) => {}
            Self::Struct(fields) => {
                for field in fields {
                    visit(field.id, &field.kind);
                    field.kind.parts(visit);
                }
            }
            Self::List(list) => {
                visit(list.element_id, &list.element);
                list.element.parts(visit);
            }
            Self::Map(map) => {
                visit(map.key_id, &map.key);
                map.key.parts(visit);
                visit(map.value_id, &map.value);
                map.value.parts(visit);
            }
        }
    }
}

/// As Iceberg's own `toString`: `struct<a: int, b: list<string>>`, but arrays in
/// Hive's word, as Athena's `DESCRIBE` shows them.
impl fmt::Display for Type {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primitive(Primitive::Long) => formatter.write_str("bigint"),
            Self::Primitive(primitive) => primitive.fmt(formatter),
            Self::List(list) => write!(formatter, "array<{}>", list.element),
            Self::Map(map) => write!(formatter, "map<{}, {}>", map.key, map.value),
            Self::Struct(fields) => {
                formatter.write_str("struct<")?;
                for (at, field) in fields.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    write!(formatter, "{comma}{}: {}", field.name, field.kind)?;
                }
                formatter.write_str(">")
            }
        }
    }
}

impl Field {
    pub(crate) fn read(json: &Json, depth: usize) -> Result<Self, FormatError> {
        let object = Object::of(json, "field")?;
        Ok(Self {
            id: object.int("id")?,
            name: object.text("name")?,
            required: object.flag("required")?,
            kind: Type::read(object.required("type")?, depth)?,
            doc: object.optional_text("doc")?,
        })
    }

    pub(crate) fn write(&self) -> Json {
        let mut json = json!({
            "id": self.id,
            "name": self.name,
            "required": self.required,
            "type": self.kind.write(),
        });
        if let Some(doc) = &self.doc {
            json["doc"] = doc.as_str().into();
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_and_written_again() {
        let json = json!({"type": "struct", "fields": [
            {"id": 1, "name": "a", "required": true, "type": "decimal(9, 2)"},
            {"id": 2, "name": "b", "required": false, "doc": "many", "type":
                {"type": "list", "element-id": 3, "element": "fixed[16]", "element-required": false}},
            {"id": 4, "name": "c", "required": false, "type":
                {"type": "map", "key-id": 5, "key": "string", "value-id": 6, "value": "long", "value-required": true}},
        ]});
        let kind = Type::read(&json, 0).unwrap();
        assert_eq!(kind.write(), json);
        assert_eq!(
            kind.to_string(),
            "struct<a: decimal(9, 2), b: array<fixed[16]>, c: map<string, bigint>>"
        );
        for text in ["decimal(39, 0)", "decimal(3, 4)", "variant", "timestamp_ns", "fixed[x]"] {
            let refused = Primitive::parse(text).unwrap_err();
            assert_eq!(
                refused.to_string(),
                format!("the Iceberg type {text} is not supported here")
            );
        }
    }
}
