//! The part of CBOR (RFC 8949) that smithy's rpc-v2-cbor uses, to and from JSON values.
//!
//! Timestamps are tag 1 over seconds; they become plain numbers, and on the way out the members named in
//! [`TIMESTAMPS`] get the tag back. <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>

use http::{HeaderValue, Response};
use serde_json::{Map, Number, Value};

use super::{Body, ServiceError, json};

/// Output members of CloudWatch that are timestamps, alone or in lists.
const TIMESTAMPS: [&str; 9] = [
    "AlarmConfigurationUpdatedTimestamp",
    "EndTime",
    "LastModified",
    "StartTime",
    "StateTransitionedTimestamp",
    "StateUpdatedTimestamp",
    "Timestamp",
    "Timestamps",
    "UpdateTimestamp",
];

/// Nesting a request may have.
const DEEPEST: usize = 64;

/// An answer, or an error as `{"__type", "message"}`.
pub fn response(answered: Result<Value, ServiceError>) -> Response<Body> {
    let (value, status) = match answered {
        Ok(Value::Null) => (Value::Object(Map::new()), 200),
        Ok(value) => (value, 200),
        Err(error) => {
            let status = error.status;
            (json::document(&error, "message"), status)
        }
    };
    let mut response = json::build("application/cbor", status, encode(&value));
    response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    response
}

pub fn decode(bytes: &[u8]) -> Result<Value, ServiceError> {
    if bytes.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let mut reader = Reader { bytes, depth: 0 };
    reader
        .value()
        .ok_or_else(|| ServiceError::new("SerializationException", "the body is not valid CBOR"))
}

struct Reader<'a> {
    bytes: &'a [u8],
    depth: usize,
}

/// A data item's head: major type and argument; no argument means indefinite length.
struct Head {
    major: u8,
    info: u8,
    argument: Option<u64>,
}

impl Reader<'_> {
    fn take(&mut self, count: usize) -> Option<&[u8]> {
        let (taken, rest) = self.bytes.split_at_checked(count)?;
        self.bytes = rest;
        Some(taken)
    }

    fn head(&mut self) -> Option<Head> {
        let first = self.take(1)?[0];
        let (major, info) = (first >> 5, first & 31);
        let argument = match info {
            0..=23 => Some(u64::from(info)),
            24..=27 => {
                let bytes = self.take(1 << (info - 24))?;
                Some(bytes.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
            }
            31 => None,
            _ => return None,
        };
        Some(Head { major, info, argument })
    }

    fn value(&mut self) -> Option<Value> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let head = self.head()?;
        let value = match head.major {
            0 => Value::from(head.argument?),
            1 => Value::from(-1 - i64::try_from(head.argument?).ok()?),
            2 => {
                use base64::Engine as _;
                let bytes = self.text(head.argument)?;
                Value::from(base64::engine::general_purpose::STANDARD.encode(bytes))
            }
            3 => Value::from(String::from_utf8(self.text(head.argument)?).ok()?),
            4 => self.array(head.argument)?,
            5 => self.map(head.argument)?,
            6 => self.value()?,
            _ => simple(&head)?,
        };
        self.depth -= 1;
        Some(value)
    }

    fn text(&mut self, length: Option<u64>) -> Option<Vec<u8>> {
        if let Some(length) = length {
            return Some(self.take(usize::try_from(length).ok()?)?.to_vec());
        }
        let mut whole = Vec::new();
        while !self.ended() {
            let length = self.head()?.argument?;
            whole.extend_from_slice(self.take(usize::try_from(length).ok()?)?);
        }
        Some(whole)
    }

    fn array(&mut self, length: Option<u64>) -> Option<Value> {
        let mut items = Vec::new();
        while !self.complete(length, items.len()) {
            items.push(self.value()?);
        }
        Some(Value::Array(items))
    }

    fn map(&mut self, length: Option<u64>) -> Option<Value> {
        let mut members = Map::new();
        let mut read = 0;
        while !self.complete(length, read) {
            let Value::String(key) = self.value()? else {
                return None;
            };
            let value = self.value()?;
            members.insert(key, value);
            read += 1;
        }
        Some(Value::Object(members))
    }

    fn complete(&mut self, length: Option<u64>, read: usize) -> bool {
        match length {
            Some(length) => read as u64 >= length,
            None => self.ended(),
        }
    }

    /// Steps over the "break" that ends an indefinite length.
    fn ended(&mut self) -> bool {
        let ended = self.bytes.first() == Some(&0xff);
        if ended {
            self.bytes = &self.bytes[1..];
        }
        ended
    }
}

fn simple(head: &Head) -> Option<Value> {
    let argument = head.argument?;
    Some(match head.info {
        20 => Value::Bool(false),
        21 => Value::Bool(true),
        22 | 23 => Value::Null,
        25 => number(half(u16::try_from(argument).ok()?)),
        26 => number(f64::from(f32::from_bits(u32::try_from(argument).ok()?))),
        27 => number(f64::from_bits(argument)),
        _ => return None,
    })
}

fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let fraction = f64::from(bits & 0x3ff);
    sign * match (bits >> 10) & 0x1f {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        exponent => (1.0 + fraction / 1024.0) * 2f64.powi(i32::from(exponent) - 15),
    }
}

/// JSON has no infinities; CloudWatch refuses them too.
fn number(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

pub fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes, value, false);
    bytes
}

fn write(bytes: &mut Vec<u8>, value: &Value, timestamp: bool) {
    match value {
        Value::Null => bytes.push(0xf6),
        Value::Bool(false) => bytes.push(0xf4),
        Value::Bool(true) => bytes.push(0xf5),
        Value::Number(number) => {
            if timestamp {
                bytes.push(0xc1);
            }
            match (number.as_u64(), number.as_i64()) {
                (Some(unsigned), _) => write_head(bytes, 0, unsigned),
                (None, Some(negative)) => write_head(bytes, 1, negative.unsigned_abs() - 1),
                (None, None) => {
                    bytes.push(0xfb);
                    let float = number.as_f64().unwrap_or_default();
                    bytes.extend_from_slice(&float.to_be_bytes());
                }
            }
        }
        Value::String(text) => {
            write_head(bytes, 3, text.len() as u64);
            bytes.extend_from_slice(text.as_bytes());
        }
        Value::Array(items) => {
            write_head(bytes, 4, items.len() as u64);
            for item in items {
                write(bytes, item, timestamp);
            }
        }
        Value::Object(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            write_head(bytes, 5, members.clone().count() as u64);
            for (key, value) in members {
                write_head(bytes, 3, key.len() as u64);
                bytes.extend_from_slice(key.as_bytes());
                write(bytes, value, TIMESTAMPS.contains(&key.as_str()));
            }
        }
    }
}

fn write_head(bytes: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    let wide = argument.to_be_bytes();
    match argument {
        0..=23 => bytes.push(major | wide[7]),
        0x18..=0xff => bytes.extend_from_slice(&[major | 0x18, wide[7]]),
        0x100..=0xffff => {
            bytes.push(major | 0x19);
            bytes.extend_from_slice(&wide[6..]);
        }
        0x1_0000..=0xffff_ffff => {
            bytes.push(major | 0x1a);
            bytes.extend_from_slice(&wide[4..]);
        }
        _ => {
            bytes.push(major | 0x1b);
            bytes.extend_from_slice(&wide);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_back() {
        for value in [
            json!({}),
            json!({"Namespace": "ETL/StepFunctions", "MetricData": [{"Value": 1.5, "Timestamp": 1_700_000_000.25}]}),
            json!({"a": [0, 23, 24, 255, 256, 65_536, 4_294_967_296_u64, -1, -500], "b": true, "c": "é"}),
        ] {
            assert_eq!(decode(&encode(&value)).unwrap(), value);
        }
    }

    #[test]
    fn foreign_forms_are_read() {
        // {_ "a": [_ 1, 2], "b": 1(1363896240)} and a half float
        let bytes = b"\xbf\x61a\x9f\x01\x02\xff\x61b\xc1\x1a\x51\x4b\x67\xb0\xff";
        assert_eq!(decode(bytes).unwrap(), json!({"a": [1, 2], "b": 1_363_896_240}));
        assert_eq!(decode(b"\xf9\x3e\x00").unwrap(), json!(1.5));
        for broken in [&b"\x61"[..], b"\xa1\x01\x02", b"\x9f\x01"] {
            assert!(decode(broken).is_err());
        }
    }
}
