//! Message attributes: their digest, and which of them a receiver asked for.

use base64::Engine as _;
use md5::{Digest, Md5};
use serde_json::{Map, Value};

/// Lower-case hex of a text's MD5.
pub fn md5_of(text: &str) -> String {
    hex(Md5::digest(text.as_bytes()).as_slice())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// `MD5OfMessageAttributes`: names in order, each with its type and value, all with their lengths.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html>
pub fn md5_of_attributes(attributes: &Map<String, Value>) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let mut names: Vec<&String> = attributes.keys().collect();
    names.sort();
    let mut bytes = Vec::new();
    for name in names {
        let attribute = &attributes[name];
        let kind = attribute["DataType"].as_str().unwrap_or_default();
        let (mark, value) = match attribute["BinaryValue"].as_str() {
            Some(binary) => {
                let engine = base64::engine::general_purpose::STANDARD;
                (2, engine.decode(binary).unwrap_or_default())
            }
            None => (1, attribute["StringValue"].as_str().unwrap_or_default().into()),
        };
        prefixed(&mut bytes, name.as_bytes());
        prefixed(&mut bytes, kind.as_bytes());
        bytes.push(mark);
        prefixed(&mut bytes, &value);
    }
    Some(hex(Md5::digest(&bytes).as_slice()))
}

fn prefixed(bytes: &mut Vec<u8>, part: &[u8]) {
    bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(part);
}

/// Those of `all` that `asked` names: `All`, `.*`, `prefix.*` or a name.
pub fn selected(all: Map<String, Value>, asked: &[String]) -> Map<String, Value> {
    all.into_iter()
        .filter(|(name, _)| {
            asked.iter().any(|wanted| match wanted.strip_suffix(".*") {
                Some(prefix) => name.starts_with(prefix),
                None => wanted == "All" || wanted == name,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn digests_are_those_of_aws() {
        assert_eq!(md5_of("hello"), "5d41402abc4b2a76b9719d911017c592");
        let attributes = json!({"city": {"DataType": "String", "StringValue": "Any City"}});
        let digest = md5_of_attributes(attributes.as_object().unwrap());
        assert_eq!(digest.as_deref(), Some("a6ffb68ea212e1f864e24e589a1bda87"));
    }
}
