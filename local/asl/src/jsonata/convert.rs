//! JSON to the evaluator's values and back.

use jsonata_core::value::JValue;
use serde_json::{Map, Number, Value};

/// Whole numbers up to here are exact in the evaluator's doubles.
const EXACT: f64 = 9_007_199_254_740_992.0;

pub(super) fn of(value: &Value) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(value) => JValue::Bool(*value),
        Value::Number(number) => JValue::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => JValue::string(text.as_str()),
        Value::Array(items) => JValue::array(items.iter().map(of).collect()),
        Value::Object(members) => {
            JValue::object(members.iter().map(|(key, value)| (key.clone(), of(value))).collect())
        }
    }
}

/// `None` for functions and for containers that hold one.
pub(super) fn to_json(value: &JValue) -> Option<Value> {
    Some(match value {
        JValue::Null => Value::Null,
        JValue::Bool(value) => Value::Bool(*value),
        JValue::Number(number) => of_number(*number),
        JValue::String(text) => Value::String(text.to_string()),
        JValue::Array(items) => {
            let items = items.iter().filter(|item| !item.is_undefined());
            Value::Array(items.map(to_json).collect::<Option<_>>()?)
        }
        JValue::Object(members) => {
            let mut object = Map::new();
            for (key, value) in members.iter() {
                if !value.is_undefined() {
                    object.insert(key.clone(), to_json(value)?);
                }
            }
            Value::Object(object)
        }
        JValue::Undefined | JValue::Lambda(_) | JValue::Builtin { .. } | JValue::Regex { .. } => {
            return None;
        }
    })
}

fn of_number(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        let whole = number as i64;
        return Value::Number(whole.into());
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

/// A value's type as AWS names it in causes.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
