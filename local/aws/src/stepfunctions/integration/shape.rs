//! From the API's JSON shapes to those that Step Functions shows, and back.
//!
//! Tasks write member names in `PascalCase` whatever the API does, may give JSON where the API wants text, and get
//! timestamps as milliseconds (optimised integrations) or ISO 8601 text (`aws-sdk`).

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Members that are text in the APIs and may be JSON in a task.
const TEXTS: [&str; 7] =
    ["Definition", "Detail", "Input", "Message", "MessageBody", "Output", "StringValue"];

/// Members that are timestamps in the APIs used here.
const TIMESTAMPS: [&str; 19] = [
    "CompletedOn",
    "CompletionDateTime",
    "CreateTime",
    "CreationDate",
    "CreationTime",
    "EndTime",
    "LastAccessTime",
    "LastAnalyzedTime",
    "LastModificationDate",
    "LastModified",
    "LastModifiedDate",
    "LastModifiedOn",
    "LastModifiedTime",
    "StartDate",
    "StartTime",
    "StartedOn",
    "StopDate",
    "SubmissionDateTime",
    "UpdateTime",
];

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Times {
    Milliseconds,
    Iso,
}

/// JSON given for a text member becomes its text.
pub fn with_texts(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let is_text = TEXTS.contains(&name.as_str());
                let value = match value {
                    Value::String(_) | Value::Null => value.clone(),
                    other if is_text => Value::from(other.to_string()),
                    other => with_texts(other),
                };
                (name.clone(), value)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(with_texts).collect(),
        other => other.clone(),
    }
}

/// Renames all members: `stateMachineArn` for an API that spells them so.
pub fn to_camel(value: Value) -> Value {
    rename(value, &|first| first.to_ascii_lowercase())
}

/// Renames all members: `StateMachineArn`.
pub fn to_pascal(value: Value) -> Value {
    rename(value, &|first| first.to_ascii_uppercase())
}

fn rename(value: Value, change: &dyn Fn(char) -> char) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let mut characters = name.chars();
                let first = characters.next().map(change);
                let name = first.into_iter().chain(characters).collect();
                (name, rename(value, change))
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(|item| rename(item, change)).collect(),
        other => other,
    }
}

/// Epoch seconds become what a task sees.
pub fn with_times(value: Value, times: Times) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| {
                let value = match value.as_f64() {
                    Some(seconds) if TIMESTAMPS.contains(&name.as_str()) => time(seconds, times),
                    _ => with_times(value, times),
                };
                (name, value)
            })
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) => items.into_iter().map(|item| with_times(item, times)).collect(),
        other => other,
    }
}

fn time(seconds: f64, times: Times) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "milliseconds of this age fit into 53 bits"
    )]
    let milliseconds = (seconds * 1000.0).round() as i64;
    match times {
        Times::Milliseconds => Value::from(milliseconds),
        Times::Iso => {
            let time = Timestamp::from_millisecond(milliseconds).unwrap_or_default();
            Value::from(time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
        }
    }
}

/// The response's HTTP metadata, which optimised integrations of some services add. Members are in order.
pub fn with_metadata(response: Value, content_type: &str) -> Value {
    let length = response.to_string().len().to_string();
    let request_id = Uuid::new_v4().to_string();
    let headers = [
        ("x-amzn-RequestId", request_id.clone()),
        ("connection", "keep-alive".to_owned()),
        ("Content-Length", length),
        ("Date", http_date()),
        ("Content-Type", content_type.to_owned()),
    ];
    with_headers(response, &request_id, &headers)
}

/// As [`with_metadata`], of Lambda's answer to an invocation, whose body is the payload.
pub fn with_metadata_of_lambda(response: Value, payload: usize, trace: String) -> Value {
    let request_id = Uuid::new_v4().to_string();
    let headers = [
        ("X-Amz-Executed-Version", "$LATEST".to_owned()),
        ("x-amzn-Remapped-Content-Length", "0".to_owned()),
        ("Connection", "keep-alive".to_owned()),
        ("x-amzn-RequestId", request_id.clone()),
        ("Content-Length", payload.to_string()),
        ("Date", http_date()),
        ("X-Amzn-Trace-Id", trace),
        ("Content-Type", "application/json".to_owned()),
    ];
    with_headers(response, &request_id, &headers)
}

fn http_date() -> String {
    lake::clock::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn with_headers(response: Value, request_id: &str, headers: &[(&str, String)]) -> Value {
    let all: Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    let mut headers = headers.to_vec();
    headers.sort_by_key(|(name, _)| name.to_lowercase());
    let headers: Map<String, Value> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let mut members = match response {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    members.insert(
        "SdkHttpMetadata".into(),
        json!({"AllHttpHeaders": all, "HttpHeaders": headers, "HttpStatusCode": 200}),
    );
    members.insert("SdkResponseMetadata".into(), json!({"RequestId": request_id}));
    members.sort_keys();
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_turn_both_ways() {
        let task = json!({"StateMachineArn": "a", "Input": {"k": 1}});
        assert_eq!(
            to_camel(with_texts(&task)),
            json!({"stateMachineArn": "a", "input": "{\"k\":1}"})
        );
        let answer = json!({"Status": {"SubmissionDateTime": 1.5, "State": "RUNNING"}});
        assert_eq!(
            with_times(answer.clone(), Times::Milliseconds),
            json!({"Status": {"SubmissionDateTime": 1500, "State": "RUNNING"}})
        );
        assert_eq!(
            with_times(answer, Times::Iso)["Status"]["SubmissionDateTime"],
            "1970-01-01T00:00:01.500Z"
        );
    }
}
