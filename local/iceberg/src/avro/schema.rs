//! Avro schemas, with the ids Iceberg gives fields.

use std::collections::HashMap;

use serde_json::Value as Json;

use crate::FormatError;

/// How deep schemas nest, at most.
const DEEPEST: usize = 100;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Schema {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed(usize),
    Record(Vec<Field>),
    Array(Box<Schema>),
    Map(Box<Schema>),
    Union(Vec<Schema>),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub name: String,
    pub id: Option<i32>,
    pub kind: Schema,
}

fn malformed(found: &Json) -> FormatError {
    FormatError::malformed("Avro schema", "a type", found.to_string())
}

impl Schema {
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        let json: Json = serde_json::from_str(text)
            .map_err(|error| FormatError::malformed("Avro schema", "JSON", error.to_string()))?;
        Self::of(&json, &mut HashMap::new(), 0)
    }

    pub fn of_json(json: &Json) -> Result<Self, FormatError> {
        Self::of(json, &mut HashMap::new(), 0)
    }

    fn of(
        json: &Json,
        named: &mut HashMap<String, Self>,
        depth: usize,
    ) -> Result<Self, FormatError> {
        if depth > DEEPEST {
            return Err(FormatError::unsupported("a deeper Avro schema"));
        }
        if let Some(name) = json.as_str() {
            return Self::simple(name)
                .or_else(|| named.get(name).cloned())
                .ok_or_else(|| malformed(json));
        }
        if let Some(members) = json.as_array() {
            let members = members.iter().map(|member| Self::of(member, named, depth + 1));
            return Ok(Self::Union(members.collect::<Result<_, _>>()?));
        }
        let part = |name: &str| json.get(name).ok_or_else(|| malformed(json));
        let found = match part("type")? {
            Json::String(kind) => match kind.as_str() {
                "record" => {
                    let fields = part("fields")?.as_array().ok_or_else(|| malformed(json))?;
                    let fields = fields.iter().map(|field| {
                        let kind = field.get("type").ok_or_else(|| malformed(json))?;
                        let id = field.get("field-id").and_then(Json::as_i64);
                        Ok(Field {
                            name: field["name"].as_str().unwrap_or_default().to_owned(),
                            id: id.and_then(|id| i32::try_from(id).ok()),
                            kind: Self::of(kind, named, depth + 1)?,
                        })
                    });
                    Self::Record(fields.collect::<Result<_, FormatError>>()?)
                }
                "array" => Self::Array(Box::new(Self::of(part("items")?, named, depth + 1)?)),
                "map" => Self::Map(Box::new(Self::of(part("values")?, named, depth + 1)?)),
                "fixed" => {
                    let size = part("size")?.as_u64().and_then(|size| usize::try_from(size).ok());
                    Self::Fixed(size.ok_or_else(|| malformed(json))?)
                }
                simple => Self::simple(simple).ok_or_else(|| malformed(json))?,
            },
            inner => Self::of(inner, named, depth + 1)?,
        };
        if let Some(name) = json.get("name").and_then(Json::as_str) {
            named.insert(name.to_owned(), found.clone());
        }
        Ok(found)
    }

    fn simple(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "int" => Self::Int,
            "long" => Self::Long,
            "float" => Self::Float,
            "double" => Self::Double,
            "bytes" => Self::Bytes,
            "string" => Self::String,
            _ => return None,
        })
    }
}
