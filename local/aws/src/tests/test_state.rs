//! `TestState` against what AWS answered: the recorded cases beside the checkout, where they are.

use std::path::Path;

use serde_json::{Value, json};

use super::{Account, function};

const ROLE: &str = "arn:aws:iam::123456789012:role/test";
/// The account of the recorded cases, and this one.
const ACCOUNTS: (&str, &str) = ("111111111111", "123456789012");

/// Known differences, and why.
const KNOWN: &[(&str, &str)] = &[(
    "test_state/state_mock_scenarios.test_sfn_start_execution_success",
    "the ARN in the mock is not the one in the recorded answer",
)];

fn cases() -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/asl");
    let mut files: Vec<_> = ["test_state", "test_state_rejected"]
        .iter()
        .filter_map(|group| std::fs::read_dir(root.join(group)).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).unwrap().replace(ACCOUNTS.0, ACCOUNTS.1);
            serde_json::from_str(&text).unwrap()
        })
        .collect()
}

/// JSON members as the texts that the API takes.
fn request(case: &Value) -> Value {
    let mut request = case["request"].clone();
    for member in ["definition", "input", "variables", "context"] {
        if !request[member].is_null() && !request[member].is_string() {
            request[member] = request[member].to_string().into();
        }
    }
    request.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    // The recording has no role, but for the one case whose context shows that there was none.
    let id = case["id"].as_str().unwrap();
    if !id.contains("test_state_with_variables-base_expressions") {
        request["roleArn"] = ROLE.into();
    }
    request
}

/// A recorded value against one of ours: placeholders stand for anything, and texts of JSON are its values.
fn matches(expected: &Value, actual: &Value, wild: &[&str]) -> bool {
    let parsed = |value: &Value| match value {
        Value::String(text) if text.starts_with(['{', '[', '"']) => serde_json::from_str(text).ok(),
        _ => None,
    };
    match (expected, actual) {
        (Value::String(text), _) if wild.contains(&text.as_str()) => true,
        (Value::String(text), Value::String(found)) if text == found => true,
        (Value::String(text), Value::String(found))
            if wild.iter().any(|wild| text.contains(wild)) =>
        {
            let mut text = text.clone();
            for wild in wild.iter().filter(|wild| wild.starts_with('<')) {
                text = text.replace(wild, "\0");
            }
            let mut rest = found.as_str();
            text.split('\0').all(|piece| match rest.find(piece) {
                Some(at) => {
                    rest = &rest[at + piece.len()..];
                    true
                }
                None => false,
            })
        }
        (Value::Object(expected), Value::Object(actual)) => {
            expected.len() == actual.len()
                && expected.iter().all(|(name, value)| {
                    actual.get(name).is_some_and(|found| matches(value, found, wild))
                })
        }
        (Value::Array(expected), Value::Array(actual)) => {
            expected.len() == actual.len()
                && expected.iter().zip(actual).all(|(one, other)| matches(one, other, wild))
        }
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        _ if expected == actual => true,
        _ => match (parsed(expected), parsed(actual)) {
            (Some(expected), Some(actual)) => matches(&expected, &actual, wild),
            (None, Some(actual)) => matches(expected, &actual, wild),
            _ => false,
        },
    }
}

/// An account with the one function that cases call, which always answers the same.
async fn account(folder: &Path, answer: &Value) -> Account {
    let account = Account::open().await;
    let input = json!({
        "FunctionName": "lambda_function_name",
        "Code": {"LocalPath": function::script(folder)},
        "Role": ROLE,
        "Environment": {"Variables": {"ANSWER": answer.to_string()}},
    });
    account.call("lambda", "CreateFunction", input).await;
    account
}

#[tokio::test(flavor = "multi_thread")]
async fn states_are_tested_as_on_aws() {
    let folder = tempfile::tempdir().unwrap();
    let empty = account(folder.path(), &json!({})).await;
    let greeting = account(folder.path(), &json!("HelloWorld!")).await;
    let (mut ran, mut right, mut unexpected) = (0, 0, Vec::new());
    for case in cases() {
        let id = case["id"].as_str().unwrap();
        let account = if id.contains("test_base_lambda_task_state") { &greeting } else { &empty };
        let answer = match account.services.dispatch("states", "TestState", request(&case)).await {
            Ok(answer) => answer,
            Err(error) => json!({
                "Error": {"Code": error.code, "Message": error.message},
                "message": error.message,
            }),
        };
        let wild = case["wildcards"].as_array().unwrap();
        let wild: Vec<&str> = wild.iter().filter_map(Value::as_str).collect();
        let same = matches(&case["expected"], &answer, &wild);
        (ran, right) = (ran + 1, right + usize::from(same));
        if same == KNOWN.iter().any(|(known, _)| *known == id) {
            unexpected.push(id.to_owned());
            println!("{id}\n  expected {}\n  answered {answer}", case["expected"]);
        }
    }
    println!("TestState: {right} of {ran} as on AWS");
    assert!(unexpected.is_empty(), "not as expected: {unexpected:#?}");
}
