//! awsQuery: form-encoded requests to the API's JSON shapes, and those shapes to XML answers.
//!
//! No model is at hand, so the form's own marks decide: `X.member.N` and `X.N` are lists, `X.entry.N.key|value`
//! (SNS: `Name`/`Value`) are maps. On the way out a list is `<member>`s, and the members named in [`MAPS`] are maps.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use http::Response;
use serde_json::{Map, Value};

use super::path::decode;
use super::{Body, ServiceError, json};

/// Output members that are maps of text, not structures.
const MAPS: [&str; 1] = ["Attributes"];

/// Nesting a request may have.
const DEEPEST: usize = 32;

/// A decoded form: the action and its input. Every leaf is text.
pub fn parse(bytes: &[u8]) -> Result<(String, Value), ServiceError> {
    let mut tree = Node::default();
    for pair in String::from_utf8_lossy(bytes).split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        tree.insert(&decode(name, true), decode(value, true))?;
    }
    let action = tree
        .children
        .remove("Action")
        .and_then(|node| node.text)
        .ok_or_else(|| ServiceError::new("MissingAction", "the request has no Action"))?;
    tree.children.remove("Version");
    Ok((action, tree.value()))
}

#[derive(Default)]
struct Node {
    text: Option<String>,
    children: BTreeMap<String, Node>,
}

impl Node {
    fn insert(&mut self, path: &str, text: String) -> Result<(), ServiceError> {
        if path.split('.').count() > DEEPEST {
            return Err(ServiceError::new(
                "MalformedQueryString",
                format!("a parameter's name has at most {DEEPEST} parts"),
            ));
        }
        let mut node = self;
        for part in path.split('.') {
            node = node.children.entry(part.to_owned()).or_default();
        }
        node.text = Some(text);
        Ok(())
    }

    fn value(mut self) -> Value {
        if self.children.is_empty() {
            return Value::from(self.text.unwrap_or_default());
        }
        if self.children.len() == 1 {
            if let Some(list) = self.children.remove("member") {
                return Value::Array(list.numbered().into_iter().map(Node::value).collect());
            }
            if let Some(map) = self.children.remove("entry") {
                return Value::Object(map.numbered().into_iter().filter_map(Node::entry).collect());
            }
        }
        let is_number = |key: &String| key.bytes().all(|byte| byte.is_ascii_digit());
        if self.children.keys().all(is_number) {
            return Value::Array(self.numbered().into_iter().map(Node::value).collect());
        }
        let members = self.children.into_iter();
        Value::Object(members.map(|(key, node)| (key, node.value())).collect())
    }

    /// Children `1`, `2`, … in the order of their numbers.
    fn numbered(self) -> Vec<Node> {
        let mut items: Vec<(usize, Node)> = self
            .children
            .into_iter()
            .filter_map(|(key, node)| Some((key.parse().ok()?, node)))
            .collect();
        items.sort_by_key(|(number, _)| *number);
        items.into_iter().map(|(_, node)| node).collect()
    }

    fn entry(mut self) -> Option<(String, Value)> {
        let mut take =
            |names: [&str; 2]| names.into_iter().find_map(|name| self.children.remove(name));
        let key = take(["key", "Name"])?.text?;
        Some((key, take(["value", "Value"])?.value()))
    }
}

/// `<ActionResponse><ActionResult>…</ActionResult><ResponseMetadata>…`.
pub fn answer(action: &str, result: &Value, request_id: &str) -> Response<Body> {
    let mut xml = format!("<{action}Response xmlns=\"https://amazonaws.com/\"><{action}Result>");
    if let Value::Object(members) = result {
        write_members(&mut xml, members);
    }
    let _ = write!(
        xml,
        "</{action}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    );
    json::build("text/xml", 200, xml.into_bytes())
}

pub fn refuse(error: &ServiceError, request_id: &str) -> Response<Body> {
    let side = if error.status < 500 { "Sender" } else { "Receiver" };
    let mut message = String::new();
    escape(&mut message, &error.message);
    let xml = format!(
        "<ErrorResponse xmlns=\"https://amazonaws.com/\"><Error><Type>{side}</Type><Code>{}</Code><Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        error.code
    );
    json::build("text/xml", error.status, xml.into_bytes())
}

fn write_members(xml: &mut String, members: &Map<String, Value>) {
    for (name, value) in members {
        match value {
            Value::Null => {}
            Value::Object(entries) if MAPS.contains(&name.as_str()) => {
                let _ = write!(xml, "<{name}>");
                for (key, value) in entries {
                    xml.push_str("<entry><key>");
                    escape(xml, key);
                    xml.push_str("</key><value>");
                    write_value(xml, value);
                    xml.push_str("</value></entry>");
                }
                let _ = write!(xml, "</{name}>");
            }
            value => {
                let _ = write!(xml, "<{name}>");
                write_value(xml, value);
                let _ = write!(xml, "</{name}>");
            }
        }
    }
}

fn write_value(xml: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::String(text) => escape(xml, text),
        Value::Bool(_) | Value::Number(_) => {
            let _ = write!(xml, "{value}");
        }
        Value::Array(items) => {
            for item in items {
                xml.push_str("<member>");
                write_value(xml, item);
                xml.push_str("</member>");
            }
        }
        Value::Object(members) => write_members(xml, members),
    }
}

fn escape(xml: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '\r' => xml.push_str("&#xD;"),
            other => xml.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_of_endless_parts_are_refused() {
        let form = format!("Action=X&{}=1", "a.".repeat(1_000_000));
        assert_eq!(parse(form.as_bytes()).unwrap_err().code, "MalformedQueryString");
        let form = format!("Action=X&{}=1", ["a"; DEEPEST].join("."));
        assert!(parse(form.as_bytes()).is_ok());
    }

    #[test]
    fn forms_become_the_shapes_of_the_api() {
        let cases = [
            (
                "Action=Publish&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns&Message=a+b%26c",
                "Publish",
                json!({"TopicArn": "arn:aws:sns", "Message": "a b&c"}),
            ),
            (
                "Action=Subscribe&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=true",
                "Subscribe",
                json!({"Attributes": {"RawMessageDelivery": "true"}}),
            ),
            (
                "Action=X&MessageAttributes.entry.1.Name=a&MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=1",
                "X",
                json!({"MessageAttributes": {"a": {"DataType": "String", "StringValue": "1"}}}),
            ),
            (
                "Action=TagResource&Tags.member.2.Key=b&Tags.member.1.Key=a",
                "TagResource",
                json!({"Tags": [{"Key": "a"}, {"Key": "b"}]}),
            ),
        ];
        for (form, action, input) in cases {
            assert_eq!(parse(form.as_bytes()).unwrap(), (action.to_owned(), input), "{form}");
        }
    }
}
