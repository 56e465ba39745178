//! What each intrinsic function does.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Function, MAX_RANGE, parser};
use crate::digest;
use crate::host::Host;
use crate::path::equal;
use crate::random;

/// The longest text of `States.Base64Encode`, `Base64Decode` and `Hash`.
const MAX_TEXT: usize = 10_000;

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.strip_prefix("States.")? {
            "Array" => Self::Array,
            "ArrayContains" => Self::ArrayContains,
            "ArrayGetItem" => Self::ArrayGetItem,
            "ArrayLength" => Self::ArrayLength,
            "ArrayPartition" => Self::ArrayPartition,
            "ArrayRange" => Self::ArrayRange,
            "ArrayUnique" => Self::ArrayUnique,
            "Base64Decode" => Self::Base64Decode,
            "Base64Encode" => Self::Base64Encode,
            "Format" => Self::Format,
            "Hash" => Self::Hash,
            "JsonMerge" => Self::JsonMerge,
            "JsonToString" => Self::JsonToString,
            "MathAdd" => Self::MathAdd,
            "MathRandom" => Self::MathRandom,
            "StringSplit" => Self::StringSplit,
            "StringToJson" => Self::StringToJson,
            "UUID" => Self::Uuid,
            _ => return None,
        })
    }

    pub(super) fn check_arguments(self, count: usize) -> Result<(), String> {
        let accepted = match self {
            Self::Array => 0..=usize::MAX,
            Self::Format => 1..=usize::MAX,
            Self::Uuid => 0..=0,
            Self::ArrayLength
            | Self::ArrayUnique
            | Self::Base64Decode
            | Self::Base64Encode
            | Self::JsonToString
            | Self::StringToJson => 1..=1,
            Self::ArrayContains
            | Self::ArrayGetItem
            | Self::ArrayPartition
            | Self::Hash
            | Self::MathAdd
            | Self::StringSplit => 2..=2,
            Self::ArrayRange | Self::JsonMerge => 3..=3,
            Self::MathRandom => 2..=3,
        };
        if accepted.contains(&count) {
            return Ok(());
        }
        Err(format!("States.{self:?} does not take {count} arguments"))
    }

    pub(super) fn apply(self, mut values: Vec<Value>, host: &dyn Host) -> Result<Value, String> {
        match self {
            Self::Array => Ok(Value::Array(values)),
            Self::ArrayContains => {
                let found = array(&values[0])?.iter().any(|item| equal(item, &values[1]));
                Ok(json!(found))
            }
            Self::ArrayGetItem => {
                let items = array(&values[0])?;
                let index = integer(&values[1])?;
                let item = usize::try_from(index).ok().and_then(|at| items.get(at));
                item.cloned().ok_or_else(|| format!("Index {index} is out of bounds for the array"))
            }
            Self::ArrayLength => Ok(json!(array(&values[0])?.len())),
            Self::ArrayPartition => {
                let size = usize::try_from(integer(&values[1])?).unwrap_or(0);
                if size == 0 {
                    return Err("The chunk size must be a positive integer".into());
                }
                Ok(json!(array(&values[0])?.chunks(size).collect::<Vec<_>>()))
            }
            Self::ArrayRange => range(&values),
            Self::ArrayUnique => {
                let mut unique: Vec<&Value> = Vec::new();
                for item in array(&values[0])? {
                    if !unique.iter().any(|known| equal(known, item)) {
                        unique.push(item);
                    }
                }
                Ok(json!(unique))
            }
            Self::Base64Encode => Ok(json!(STANDARD.encode(text(&values[0])?))),
            Self::Base64Decode => {
                let bytes = STANDARD
                    .decode(text(&values[0])?)
                    .map_err(|error| format!("The text is not Base64: {error}"))?;
                Ok(json!(String::from_utf8_lossy(&bytes)))
            }
            Self::Format => format(&values),
            Self::Hash => {
                let data = match &values[0] {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let algorithm = text(&values[1])?;
                digest::hex(algorithm, data.as_bytes())
                    .map(Value::String)
                    .ok_or_else(|| format!("Unknown hash algorithm: {algorithm}"))
            }
            Self::JsonMerge => merge(values),
            Self::JsonToString => Ok(json!(values[0].to_string())),
            Self::MathAdd => {
                let (left, right) = (integer(&values[0])?, integer(&values[1])?);
                Ok(json!(left.wrapping_add(right)))
            }
            Self::MathRandom => math_random(&values, host),
            Self::StringSplit => split(&values),
            Self::StringToJson => match values.swap_remove(0) {
                Value::String(text) if text.is_empty() => Ok(Value::Null),
                Value::String(text) => serde_json::from_str(&text)
                    .map_err(|error| format!("The text is not JSON: {error}")),
                other => Err(format!("{other} is not a string")),
            },
            Self::Uuid => Ok(json!(random::uuid(host.random(), host.random()))),
        }
    }
}

fn array(value: &Value) -> Result<&[Value], String> {
    value.as_array().map(Vec::as_slice).ok_or_else(|| format!("{value} is not an array"))
}

/// A string short enough for the functions that are limited.
fn text(value: &Value) -> Result<&str, String> {
    let text = value.as_str().ok_or_else(|| format!("{value} is not a string"))?;
    if text.chars().count() > MAX_TEXT {
        return Err(format!("The text is longer than {MAX_TEXT} characters"));
    }
    Ok(text)
}

/// Whole numbers; others are rounded to the nearest, as AWS documents.
fn integer(value: &Value) -> Result<i64, String> {
    if let Some(whole) = value.as_i64() {
        return Ok(whole);
    }
    let number = value.as_f64().ok_or_else(|| format!("{value} is not a number"))?;
    #[expect(clippy::cast_possible_truncation, reason = "saturates, as Java's round")]
    let whole = (number + 0.5).floor() as i64;
    Ok(whole)
}

fn range(values: &[Value]) -> Result<Value, String> {
    let (first, last) = (integer(&values[0])?, integer(&values[1])?);
    let step = integer(&values[2])?;
    if step == 0 {
        return Err("The range step must not be zero".into());
    }
    let mut numbers = Vec::new();
    let mut next = first;
    while (step > 0 && next <= last) || (step < 0 && next >= last) {
        if numbers.len() == MAX_RANGE {
            return Err(format!("The range has more than {MAX_RANGE} items"));
        }
        numbers.push(json!(next));
        next = next.saturating_add(step);
    }
    Ok(Value::Array(numbers))
}

fn merge(mut values: Vec<Value>) -> Result<Value, String> {
    if values[2] != json!(false) {
        return Err("Only the shallow merge (false) is supported".into());
    }
    let right = values.swap_remove(1);
    match (values.swap_remove(0), right) {
        (Value::Object(mut left), Value::Object(right)) => {
            left.extend(right);
            Ok(Value::Object(left))
        }
        (left, right) => Err(format!("{left} and {right} are not both objects")),
    }
}

fn math_random(values: &[Value], host: &dyn Host) -> Result<Value, String> {
    let (from, to) = (integer(&values[0])?, integer(&values[1])?);
    let width = i32::try_from(to - from)
        .ok()
        .filter(|width| *width > 0)
        .ok_or_else(|| format!("{from} to {to} is not a range of integers"))?;
    let seed = match values.get(2) {
        Some(seed) => integer(seed)?,
        None => host.random().cast_signed(),
    };
    let number = random::JavaRandom::new(seed).next_int(width);
    Ok(json!(from + i64::from(number)))
}

/// Splits at any of the separator's characters; empty parts are dropped.
fn split(values: &[Value]) -> Result<Value, String> {
    let whole = values[0].as_str().ok_or_else(|| format!("{} is not a string", values[0]))?;
    let separators = values[1].as_str().ok_or_else(|| format!("{} is not a string", values[1]))?;
    let parts = whole.split(|c| separators.contains(c));
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    Ok(json!(parts))
}

fn format(values: &[Value]) -> Result<Value, String> {
    let template = values[0].as_str().ok_or_else(|| format!("{} is not a string", values[0]))?;
    let mut arguments = values[1..].iter();
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some(at) = rest.find(['{', '\\']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("{}") {
            let argument = arguments.next().ok_or("There are more placeholders than arguments")?;
            java_text(argument, &mut text);
            rest = after;
        } else {
            let escaped = rest.starts_with('\\') && rest.len() > 1;
            let unit: String = rest.chars().take(if escaped { 2 } else { 1 }).collect();
            text.push_str(&if escaped { parser::unescape(&unit) } else { unit.clone() });
            rest = &rest[unit.len()..];
        }
    }
    text.push_str(rest);
    if arguments.next().is_some() {
        return Err("There are more arguments than placeholders".into());
    }
    Ok(Value::String(text))
}

/// A value as Java's `toString` shows it, which is what AWS puts into the text.
fn java_text(value: &Value, text: &mut String) {
    match value {
        Value::String(value) => text.push_str(value),
        Value::Array(items) => {
            text.push('[');
            for (at, item) in items.iter().enumerate() {
                text.push_str(if at > 0 { ", " } else { "" });
                java_text(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => java_map(members, text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            write!(text, "{value}").expect("a String takes all that is written to it");
        }
    }
}

fn java_map(members: &Map<String, Value>, text: &mut String) {
    text.push('{');
    for (at, (key, value)) in members.iter().enumerate() {
        text.push_str(if at > 0 { ", " } else { "" });
        text.push_str(key);
        text.push('=');
        java_text(value, text);
    }
    text.push('}');
}
