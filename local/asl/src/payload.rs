//! The size of payloads.

use serde_json::Value;

/// The largest input, output or result: 256 KiB of JSON in UTF-8.
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>.
pub const MAX_PAYLOAD_BYTES: usize = 262_144;

/// Whether the value's JSON text is longer than [`MAX_PAYLOAD_BYTES`].
pub(crate) fn is_too_large(value: &Value) -> bool {
    let mut room = MAX_PAYLOAD_BYTES;
    !fits(value, &mut room)
}

/// Takes the value's length off `room`; `false` when there is not enough.
pub(crate) fn fits(value: &Value, room: &mut usize) -> bool {
    let mut take = |bytes: usize| {
        let left = room.checked_sub(bytes);
        *room = left.unwrap_or(0);
        left.is_some()
    };
    match value {
        Value::Null => take(4),
        Value::Bool(value) => take(if *value { 4 } else { 5 }),
        Value::Number(number) => take(number_length(number)),
        Value::String(text) => take(text_length(text)),
        Value::Array(items) => {
            take(2 + items.len().saturating_sub(1)) && items.iter().all(|item| fits(item, room))
        }
        Value::Object(members) => {
            take(2 + members.len().saturating_sub(1) + members.len())
                && members.iter().all(|(key, value)| {
                    let left = room.checked_sub(text_length(key));
                    *room = left.unwrap_or(0);
                    left.is_some() && fits(value, room)
                })
        }
    }
}

fn number_length(number: &serde_json::Number) -> usize {
    match number.as_u64() {
        Some(whole) => whole.checked_ilog10().map_or(1, |log| log as usize + 1),
        None => number.to_string().len(),
    }
}

fn text_length(text: &str) -> usize {
    let escapes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..0x20 => 5,
        _ => 0,
    });
    2 + text.len() + escapes.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lengths_are_those_of_the_text() {
        for value in [
            json!(null),
            json!([1, 2.5, -3, true, "a\"b\n\u{1}ü"]),
            json!({"a": {}, "b": [], "c": {"d": 1000}}),
        ] {
            let mut room = MAX_PAYLOAD_BYTES;
            assert!(fits(&value, &mut room));
            assert_eq!(MAX_PAYLOAD_BYTES - room, value.to_string().len(), "{value}");
        }
        assert!(is_too_large(&json!("x".repeat(MAX_PAYLOAD_BYTES - 1))));
        assert!(!is_too_large(&json!("x".repeat(MAX_PAYLOAD_BYTES - 2))));
    }
}
