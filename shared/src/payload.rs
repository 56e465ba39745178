//! An event as it came, read strictly: whatever cannot be one is an error that has a name, and not
//! the runtime's own.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// An event, or why it is none: no JSON, a lone surrogate, a number beyond all bounds, values that
/// nest deeper than 127 levels, or a name that stands twice in one object, where readers differ in
/// which of the two they take.
#[derive(Clone, Debug, PartialEq)]
pub struct Payload(pub Result<Value, String>);

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = Strict::deserialize(deserializer);
        Ok(Self(read.map(|strict| strict.0).map_err(|error| error.to_string())))
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("number out of range"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(A::Error::custom(format!("the name {name:?} stands twice")));
            }
            let Strict(value) = members.next_value()?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_read_as_it_came() {
        let text = r#"{"a": [1, -2, 2.5, 1e300, null, true], "b": {"c": "ü\n\ud83d\ude95"}}"#;
        let Payload(read) = serde_json::from_str(text).unwrap();
        assert_eq!(read.unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn what_is_no_event_is_told_and_not_the_runtime_s_to_refuse() {
        let check = |text: &[u8], expected: &str| {
            let mut reader = serde_json::Deserializer::from_slice(text);
            let Payload(read) = Payload::deserialize(&mut reader).unwrap();
            let error = read.unwrap_err();
            assert!(error.contains(expected), "{error}");
        };
        check(br#"{"a": 1, "b": {"c": 1, "c": 2}}"#, "the name \"c\" stands twice");
        check(br#"{"a": 1, "\u0061": 2}"#, "the name \"a\" stands twice");
        check(br#"{"a": "\ud83d"}"#, "hex escape");
        check(br#"{"a": "\ud83d\u0041"}"#, "surrogate");
        check(br#"{"\ude95": 1}"#, "surrogate");
        check("[".repeat(100_000).as_bytes(), "recursion limit");
        check(r#"{"a":"#.repeat(100_000).as_bytes(), "recursion limit");
        check(br#"{"a": 1e999}"#, "number out of range");
        check(b"{\"a\": \"\xff\"}", "unicode");
        check(b"", "EOF");
    }
}
