//! Definitions and data that would take for ever, or all there is: each comes to an end with a name.

use asl::{Definition, DiagnosticCode};
use serde_json::{Value, json};

use crate::scenarios::{run, took};

/// One state of JSONata.
fn jsonata(state: &Value) -> Value {
    json!({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state}})
}

#[track_caller]
fn fails(machine: &Value, input: Value, mocks: &Value, error: &str, cause: &str) {
    let actual = run(machine, input, mocks);
    assert_eq!(actual.status, "FAILED", "{machine}");
    assert_eq!(actual.error.as_deref(), Some(error), "{:?}", actual.cause);
    let found = actual.cause.unwrap_or_default();
    assert!(found.contains(cause), "{found}");
}

/// 262,144 bytes are a state's data, one more are not; they are no matter for a Catch.
#[test]
fn data_ends_at_262_144_bytes() {
    let task = json!({"StartAt": "W", "States": {
        "W": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
              "Parameters": {"Token.$": "$$.Task.Token"}, "End": true}}});
    let answer = |bytes: usize| json!([{"state": "W", "return": "x".repeat(bytes - 2)}]);
    let most = run(&task, json!({}), &answer(262_144));
    assert_eq!(most.status, "SUCCEEDED", "{:?}", most.cause);
    fails(&task, json!({}), &answer(262_145), "States.DataLimitExceeded", "size");
    let grown = json!({"Type": "Pass", "Output": {"a": "{% $pad('x', 300000) %}"}, "End": true});
    fails(&jsonata(&grown), json!({}), &json!([]), "States.DataLimitExceeded", "size");
}

#[test]
fn an_expression_without_end_is_cut_off() {
    for endless in [
        "($f := function($n) { $f($n + 1) }; $f(0))",
        "($f := function($n) { 1 + $f($n + 1) }; $f(0))",
        "[1..9999999]",
        "$map([1..2000], function($a) { $map([1..2000], function($b) { $a * $b }) }) ~> $sum",
    ] {
        let state = json!({"Type": "Pass", "Output": format!("{{% {endless} %}}"), "End": true});
        let begun = std::time::Instant::now();
        let name = "States.QueryEvaluationError";
        fails(&jsonata(&state), json!({}), &json!([]), name, "threw an error");
        assert!(begun.elapsed().as_secs() < 20, "{endless}");
    }
}

#[test]
fn a_wait_is_at_most_as_long_as_an_execution() {
    let far = "2999-01-01T00:00:00Z";
    for (wait, input) in [
        (json!({"Seconds": 99_999_999}), json!({})),
        (json!({"SecondsPath": "$.n"}), json!({"n": i64::MAX})),
        (json!({"SecondsPath": "$.n"}), json!({"n": 40_000_000})),
        (json!({"Timestamp": far}), json!({})),
        (json!({"TimestampPath": "$.at"}), json!({"at": far})),
    ] {
        let mut state = json!({"Type": "Wait", "End": true});
        state.as_object_mut().unwrap().extend(wait.as_object().unwrap().clone());
        let machine = json!({"StartAt": "A", "States": {"A": state}});
        fails(&machine, input, &json!([]), "States.Runtime", "delay is too long");
    }
    let bounded = json!({"TimeoutSeconds": 60, "StartAt": "A", "States": {
        "A": {"Type": "Wait", "Seconds": 31_000_000, "End": true}}});
    let actual = run(&bounded, json!({}), &json!([]));
    assert_eq!(actual.status, "TIMED_OUT");
    took(&actual, 60.0);
}

/// A state that leads to itself is a cycle, too.
#[test]
fn a_cycle_ends_with_the_history() {
    let machine = json!({"StartAt": "A", "States": {
        "A": {"Type": "Choice", "Default": "B",
              "Choices": [{"Variable": "$.go", "IsPresent": true, "Next": "A"}]},
        "B": {"Type": "Succeed"}}});
    let cause = "maximum number of history events (25000)";
    fails(&machine, json!({"go": 1}), &json!([]), "States.Runtime", cause);
}

#[test]
fn a_huge_inline_map_ends_with_the_history() {
    let pass = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    let machine = json!({"StartAt": "M", "States": {
        "M": {"Type": "Map", "ItemProcessor": pass, "End": true}}});
    let items: Vec<u32> = (0..40_000).collect();
    let cause = "maximum number of history events (25000)";
    fails(&machine, json!(items), &json!([]), "States.Runtime", cause);
}

/// `$..` lists every value below; after another it lists them again for each.
#[test]
fn a_path_that_multiplies_is_cut_off() {
    let deep = (0..100).fold(json!([1, 2, 3]), |inner, _| json!([inner, 0]));
    let path = format!("${}", "..*".repeat(12));
    let machine = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "InputPath": path, "End": true}}});
    let begun = std::time::Instant::now();
    let actual = run(&machine, deep, &json!([]));
    assert_eq!(actual.status, "FAILED");
    assert!(begun.elapsed().as_secs() < 20);
}

#[test]
fn texts_that_nest_without_end_are_refused() {
    let refused = |text: &str, expected: &str| {
        let problems = Definition::parse(text).unwrap_err();
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told.contains(expected)), "{told:.200?}");
    };
    let not_json = |text: &str, expected: &str| {
        let problems = Definition::parse(text).unwrap_err();
        assert_eq!(problems[0].code, DiagnosticCode::InvalidJsonDescription);
        refused(text, expected);
    };
    not_json(&"[".repeat(100_000), "recursion limit");
    not_json(&r#"{"States":"#.repeat(100_000), "recursion limit");
    not_json(r#"{"Comment": "\ud83d"}"#, "hex escape");
    not_json(r#"{"Comment": "\ude95"}"#, "surrogate");
    let machine = |field: &str, value: &str| {
        let state = json!({"Type": "Pass", field: value, "End": true});
        json!({"StartAt": "A", "States": {"A": state}}).to_string()
    };
    let times = 50_000;
    refused(&machine("InputPath", &format!("$[?({}", "(".repeat(times))), "deeper than 50");
    refused(&machine("InputPath", &format!("$[?({}", "!".repeat(times))), "deeper than 50");
    refused(&machine("InputPath", &format!("$[?(@{}", "[?(@".repeat(times))), "deeper than 50");
    refused(&machine("InputPath", &format!("$[?(1 in {}", "[".repeat(times))), "deeper than 50");
    let calls = format!("{}1{}", "States.JsonToString(".repeat(times), ")".repeat(times));
    let state = json!({"Type": "Pass", "Parameters": {"a.$": calls}, "End": true});
    let text = json!({"StartAt": "A", "States": {"A": state}}).to_string();
    refused(&text, "must be a valid JSONPath or a valid intrinsic function call");
    for body in ["(".repeat(times), "[".repeat(times), "-".repeat(times), "$f(".repeat(times)] {
        let state = json!({"Type": "Pass", "Output": format!("{{% {body} %}}"), "End": true});
        assert!(Definition::parse(&jsonata(&state).to_string()).is_err(), "{body:.10}");
    }
}

/// Found by fuzzing: a picture that is cut between the bytes of a letter.
#[test]
fn an_expression_over_which_the_evaluator_panics_is_an_error_of_its_execution() {
    let text = "$fromMillis(0, '[Y]-[\u{2603}01]')";
    let state = json!({"Type": "Pass", "Output": format!("{{% {text} %}}"), "End": true});
    fails(&jsonata(&state), json!({}), &json!([]), "States.QueryEvaluationError", "threw an error");
}
