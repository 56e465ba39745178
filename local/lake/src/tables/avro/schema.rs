//! Avro's schemas: how the bytes of a file's rows are laid down. What values mean is said by the table: Hive, and so
//! Athena, passes over a file's logical types.
//! Source: <https://avro.apache.org/docs/1.11.1/specification/#schema-declaration>, Trino's `HiveAvroTypeBlockHandler`.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Value, json};

/// Types within types.
const DEEPEST: usize = 64;
/// Types in a schema, each counted as often as it is named.
const MOST_TYPES: usize = 10_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Avro {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    Text,
    Fixed(u64),
    Symbol(Vec<String>),
    Array(Box<Avro>),
    Map(Box<Avro>),
    Record(Vec<(String, Avro)>),
    Union(Vec<Avro>),
}

impl Avro {
    /// Reads a schema.
    ///
    /// Errors: text that is none; types within themselves, which no table has.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let schema: Value =
            serde_json::from_slice(text).map_err(|error| format!("no Avro schema: {error}"))?;
        Parser { named: HashMap::new(), types: 0 }.parse(&schema, None, 0)
    }

    /// The schema without names of types, logical types and defaults, for the library.
    pub fn to_json(&self, types: &mut usize) -> Value {
        let mut name = || {
            *types += 1;
            format!("t{types}")
        };
        match self {
            Self::Null => json!("null"),
            Self::Boolean => json!("boolean"),
            Self::Int => json!("int"),
            Self::Long => json!("long"),
            Self::Float => json!("float"),
            Self::Double => json!("double"),
            Self::Bytes => json!("bytes"),
            Self::Text => json!("string"),
            Self::Fixed(size) => json!({"type": "fixed", "name": name(), "size": size}),
            Self::Symbol(symbols) => json!({"type": "enum", "name": name(), "symbols": symbols}),
            Self::Array(item) => json!({"type": "array", "items": item.to_json(types)}),
            Self::Map(value) => json!({"type": "map", "values": value.to_json(types)}),
            Self::Record(fields) => {
                let name = name();
                let field = |(at, (_, kind)): (usize, &(String, Self))| {
                    // Names in a file may differ in nothing but case, or not at all.
                    json!({"name": format!("f{at}"), "type": kind.to_json(types)})
                };
                let fields: Vec<Value> = fields.iter().enumerate().map(field).collect();
                json!({"type": "record", "name": name, "fields": fields})
            }
            Self::Union(parts) => {
                Value::Array(parts.iter().map(|part| part.to_json(types)).collect())
            }
        }
    }

    /// Whether a value of the type may have no bytes.
    pub fn may_be_empty(&self) -> bool {
        match self {
            Self::Null | Self::Fixed(0) => true,
            Self::Record(fields) => fields.iter().all(|(_, kind)| kind.may_be_empty()),
            _ => false,
        }
    }
}

impl fmt::Display for Avro {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::Text => "string",
            Self::Fixed(_) => "fixed",
            Self::Symbol(_) => "enum",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Record(_) => "record",
            Self::Union(_) => "union",
        })
    }
}

struct Parser {
    /// Types by their full names; `None` while it is read.
    named: HashMap<String, Option<Avro>>,
    types: usize,
}

impl Parser {
    fn parse(&mut self, schema: &Value, space: Option<&str>, depth: usize) -> Result<Avro, String> {
        self.types += 1;
        if depth > DEEPEST || self.types > MOST_TYPES {
            return Err("the schema has too many types".to_owned());
        }
        match schema {
            Value::String(name) => self.named(name, space),
            Value::Array(parts) => {
                let parts = parts.iter().map(|part| self.parse(part, space, depth + 1));
                Ok(Avro::Union(parts.collect::<Result<_, _>>()?))
            }
            Value::Object(object) => match object.get("type") {
                Some(Value::String(kind)) => self.object(schema, kind, space, depth),
                Some(inner) => self.parse(inner, space, depth + 1),
                None => Err("a type of the schema has no type".to_owned()),
            },
            other => Err(format!("{other} is no Avro schema")),
        }
    }

    fn object(
        &mut self,
        schema: &Value,
        kind: &str,
        space: Option<&str>,
        depth: usize,
    ) -> Result<Avro, String> {
        match kind {
            "array" => Ok(Avro::Array(Box::new(self.parse(&schema["items"], space, depth + 1)?))),
            "map" => Ok(Avro::Map(Box::new(self.parse(&schema["values"], space, depth + 1)?))),
            "record" | "error" | "enum" | "fixed" => {
                let name = schema["name"].as_str().unwrap_or_default();
                let space = schema["namespace"].as_str().or(space);
                let name = full_name(name, space);
                self.named.insert(name.clone(), None);
                let space = name.rsplit_once('.').map(|(space, _)| space);
                let found = match kind {
                    "enum" => Avro::Symbol(texts(&schema["symbols"])),
                    "fixed" => Avro::Fixed(schema["size"].as_u64().ok_or("a fixed has no size")?),
                    _ => self.record(schema, space, depth)?,
                };
                self.named.insert(name, Some(found.clone()));
                Ok(found)
            }
            name => self.named(name, space),
        }
    }

    fn record(
        &mut self,
        schema: &Value,
        space: Option<&str>,
        depth: usize,
    ) -> Result<Avro, String> {
        let fields = schema["fields"].as_array().ok_or("a record has no fields")?;
        let field = |field: &Value| {
            let name = field["name"].as_str().ok_or("a field has no name")?;
            Ok((name.to_owned(), self.parse(&field["type"], space, depth + 1)?))
        };
        Ok(Avro::Record(fields.iter().map(field).collect::<Result<_, String>>()?))
    }

    fn named(&mut self, name: &str, space: Option<&str>) -> Result<Avro, String> {
        Ok(match name {
            "null" => Avro::Null,
            "boolean" => Avro::Boolean,
            "int" => Avro::Int,
            "long" => Avro::Long,
            "float" => Avro::Float,
            "double" => Avro::Double,
            "bytes" => Avro::Bytes,
            "string" => Avro::Text,
            _ => {
                let known = self.named.get(&full_name(name, space));
                match known.or_else(|| self.named.get(name)) {
                    Some(Some(found)) => {
                        let found = found.clone();
                        self.types += size(&found);
                        found
                    }
                    Some(None) => return Err(format!("the type {name} has a part of itself")),
                    None => return Err(format!("no type {name} is known")),
                }
            }
        })
    }
}

/// Types in a type.
fn size(of: &Avro) -> usize {
    1 + match of {
        Avro::Array(part) | Avro::Map(part) => size(part),
        Avro::Record(fields) => fields.iter().map(|(_, kind)| size(kind)).sum(),
        Avro::Union(parts) => parts.iter().map(size).sum(),
        _ => 0,
    }
}

fn full_name(name: &str, space: Option<&str>) -> String {
    match space.filter(|space| !space.is_empty() && !name.contains('.')) {
        Some(space) => format!("{space}.{name}"),
        None => name.to_owned(),
    }
}

fn texts(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_they_stand_for() {
        let text = br#"{"type": "record", "name": "a.r", "fields": [
            {"name": "x", "type": {"type": "fixed", "name": "hash", "size": 2}},
            {"name": "y", "type": ["null", "a.hash"]},
            {"name": "z", "type": {"type": "array", "items": "hash"}},
            {"name": "t", "type": {"type": "long", "logicalType": "timestamp-micros"}}]}"#;
        let found = Avro::parse(text).unwrap();
        let hash = || Avro::Fixed(2);
        let expected = Avro::Record(vec![
            ("x".to_owned(), hash()),
            ("y".to_owned(), Avro::Union(vec![Avro::Null, hash()])),
            ("z".to_owned(), Avro::Array(Box::new(hash()))),
            ("t".to_owned(), Avro::Long),
        ]);
        assert_eq!(found, expected);
        let again = Avro::parse(found.to_json(&mut 0).to_string().as_bytes()).unwrap();
        let Avro::Record(fields) = again else { panic!("a record stays one") };
        assert_eq!(fields[1], ("f1".to_owned(), Avro::Union(vec![Avro::Null, hash()])));
    }

    #[test]
    fn schemas_without_an_end_are_refused() {
        let within =
            br#"{"type": "record", "name": "r", "fields": [{"name": "x", "type": ["null", "r"]}]}"#;
        assert_eq!(Avro::parse(within).unwrap_err(), "the type r has a part of itself");
        let mut fields = vec![json!({"name": "f0", "type": {"type": "record", "name": "r0",
            "fields": [{"name": "x", "type": "int"}]}})];
        for at in 1..40 {
            let part = format!("r{}", at - 1);
            fields.push(json!({"name": format!("f{at}"), "type": {"type": "record",
                "name": format!("r{at}"), "fields": [{"name": "a", "type": part},
                {"name": "b", "type": part}]}}));
        }
        let many = json!({"type": "record", "name": "all", "fields": fields}).to_string();
        assert_eq!(Avro::parse(many.as_bytes()).unwrap_err(), "the schema has too many types");
        assert!(Avro::parse(b"{").is_err());
        assert!(Avro::parse(br#""other""#).is_err());
    }
}
