//! What no recorded case shows: time, limits, concurrency, all problems at once.

use asl::{Definition, ExecutionType};
use serde_json::{Value, json};

use crate::case::{Case, Kind};
use crate::script::{self, Actual};

/// Runs a definition with the given answers of its Tasks.
pub fn run(definition: &Value, input: Value, mocks: &Value) -> Actual {
    script::run(&Case {
        id: "scenario".into(),
        group: "scenario".into(),
        kind: Kind::Execution,
        comparable: true,
        provenance: String::new(),
        execution_type: ExecutionType::Standard,
        definition: definition.to_string(),
        input,
        wildcards: Vec::new(),
        expected: Value::Null,
        file: json!({"mocks": mocks, "lambdas": {"f": {"behaviour": "echo: return event"}}}),
    })
}

fn types(actual: &Actual) -> Vec<&str> {
    actual.events.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

/// Seconds of virtual time from the first event to the last.
#[track_caller]
pub fn took(actual: &Actual, seconds: f64) {
    let time = |event: Option<&Value>| event.unwrap()["timestamp"].as_f64().unwrap();
    let elapsed = time(actual.events.last()) - time(actual.events.first());
    assert!((elapsed - seconds).abs() < 0.01, "took {elapsed} seconds instead of {seconds}");
}

fn task(more: &Value) -> Value {
    let mut task = json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"Token.$": "$$.Task.Token"},
        "End": true,
    });
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({"StartAt": "Work", "States": {"Work": task, "Caught": {"Type": "Succeed"}}})
}

fn failing(times: usize) -> Value {
    let fail = json!({"state": "Work", "throw": {"error": "E", "cause": "c"}});
    Value::Array(vec![fail; times])
}

#[test]
fn retries_wait_longer_each_time_up_to_their_limit() {
    let retry = json!([{"ErrorEquals": ["E"], "IntervalSeconds": 2, "BackoffRate": 3,
                        "MaxDelaySeconds": 10, "MaxAttempts": 3}]);
    let catch = json!([{"ErrorEquals": ["States.TaskFailed"], "Next": "Caught"}]);
    let machine = task(&json!({"Retry": retry, "Catch": catch}));
    let actual = run(&machine, json!({}), &failing(4));
    assert_eq!(actual.output, json!({"Error": "E", "Cause": "c"}));
    took(&actual, 2.0 + 6.0 + 10.0);
}

#[test]
fn a_missing_heartbeat_is_caught_by_its_own_name() {
    let silent = json!([{"state": "Work", "throw": {"error": "States.Timeout"},
                         "end_event": "TaskTimedOut"}]);
    let catch = json!([{"ErrorEquals": ["States.HeartbeatTimeout"], "Next": "Caught"}]);
    let limits = json!({"TimeoutSeconds": 600, "HeartbeatSeconds": 7, "Catch": catch});
    let actual = run(&task(&limits), json!({}), &silent);
    assert_eq!(actual.output, json!({"Error": "States.Timeout", "Cause": ""}));
    took(&actual, 7.0);
}

#[test]
fn an_execution_has_a_time_limit() {
    let machine = json!({"TimeoutSeconds": 5, "StartAt": "W", "States": {
        "W": {"Type": "Wait", "Seconds": 60, "End": true}}});
    let actual = run(&machine, json!({}), &json!([]));
    assert_eq!(actual.status, "TIMED_OUT");
    assert_eq!(types(&actual), ["ExecutionStarted", "WaitStateEntered", "ExecutionTimedOut"]);
    took(&actual, 5.0);
}

#[test]
fn the_history_ends_at_25_000_events() {
    let machine = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "Next": "B"}, "B": {"Type": "Pass", "Next": "C"},
        "C": {"Type": "Choice", "Default": "D",
            "Choices": [{"Variable": "$.go", "IsPresent": true, "Next": "A"}]},
        "D": {"Type": "Succeed"}}});
    let actual = run(&machine, json!({"go": 1}), &json!([]));
    assert_eq!(actual.status, "FAILED");
    assert_eq!(actual.events.len(), 25_000);
    assert_eq!(actual.events[24_999]["type"], "ExecutionFailed");
    let cause = "The execution reached the maximum number of history events (25000).";
    assert_eq!(actual.cause.as_deref(), Some(cause));
}

/// A Map of six items that wait their number of seconds each.
fn waiting_map(mode: &str, fields: &Value) -> Value {
    let mut map = json!({
        "Type": "Map",
        "MaxConcurrency": 2,
        "ItemProcessor": {
            "ProcessorConfig": if mode == "DISTRIBUTED" {
                json!({"Mode": mode, "ExecutionType": "STANDARD"})
            } else {
                json!({"Mode": mode})
            },
            "StartAt": "Sort",
            "States": {
                "Sort": {"Type": "Choice", "Default": "Rest", "Choices": [
                    {"Variable": "$", "NumericGreaterThan": 8, "Next": "Bad"}]},
                "Rest": {"Type": "Wait", "SecondsPath": "$", "End": true},
                "Bad": {"Type": "Fail", "Error": "Bad"},
            },
        },
        "End": true,
    });
    map.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({"StartAt": "M", "States": {"M": map}})
}

#[test]
fn maps_run_as_many_items_at_once_as_they_may() {
    for mode in ["INLINE", "DISTRIBUTED"] {
        // Two at a time: 3 beside 1, 2, 3 and 4, which end at 3, 1, 3, 6 and 7.
        let actual = run(&waiting_map(mode, &json!({})), json!([3, 1, 2, 3, 4]), &json!([]));
        assert_eq!(actual.output, json!([3, 1, 2, 3, 4]), "{mode}: {:?}", actual.cause);
        took(&actual, 7.0);
    }
}

#[test]
fn a_distributed_map_tolerates_what_it_is_told_to() {
    let tolerant = waiting_map("DISTRIBUTED", &json!({"ToleratedFailurePercentage": 50}));
    let actual = run(&tolerant, json!([1, 9, 2, 9]), &json!([]));
    assert_eq!((actual.status.as_str(), actual.output), ("SUCCEEDED", json!([1, 2])));
    let actual = run(&tolerant, json!([1, 9, 9, 9]), &json!([]));
    assert_eq!(actual.error.as_deref(), Some("States.ExceedToleratedFailureThreshold"));
}

#[test]
fn a_failed_branch_aborts_the_others() {
    let waiting =
        json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 9, "End": true}}});
    let broken = json!({"StartAt": "S", "States": {
        "S": {"Type": "Wait", "Seconds": 1, "Next": "F"}, "F": {"Type": "Fail", "Error": "E"}}});
    let machine = json!({"StartAt": "P", "States": {
        "P": {"Type": "Parallel", "Branches": [waiting, broken], "End": true}}});
    let actual = run(&machine, json!({}), &json!([]));
    took(&actual, 1.0);
    assert_eq!(
        types(&actual)[3..],
        [
            "WaitStateEntered",
            "WaitStateEntered",
            "WaitStateExited",
            "FailStateEntered",
            "WaitStateAborted",
            "ParallelStateFailed",
            "ExecutionFailed",
        ]
    );
}

#[test]
fn jsonata_sees_time_chance_and_variables() {
    let machine = json!({"QueryLanguage": "JSONata", "StartAt": "A", "States": {
    "A": {"Type": "Pass", "Assign": {"n": "{% $states.input.n + 1 %}"}, "Next": "B"},
    "B": {"Type": "Pass", "End": true, "Output": {
        "n": "{% $n %}",
        "now": "{% $now() %}",
        "day": "{% $now('[Y0001]-[M01]-[D01]') %}",
        "chunks": "{% $partition([1, 2, 3], 2) %}",
        "sum": "{% $hash('input data', 'SHA-1') %}",
        "parsed": "{% $parse('{\"a\": [1]}').a[0] %}",
        "uuid": "{% $length($uuid()) %}",
        "same": "{% $random(42) = $random(42) and $random() < 1 %}",
        "when": "{% $states.context.State.EnteredTime %}",
    }}}});
    let actual = run(&machine, json!({"n": 41}), &json!([]));
    assert_eq!(
        actual.output,
        json!({
            "n": 42,
            "now": "2026-11-22T01:30:00.000Z",
            "day": "2026-11-22",
            "chunks": [[1, 2], [3]],
            "sum": "aaff4a450a104cd177d28d18d74485e8cae074b7",
            "parsed": 1,
            "uuid": 36,
            "same": true,
            "when": "2026-11-22T01:30:00.000Z",
        }),
        "{:?}",
        actual.cause
    );
}

#[test]
fn all_problems_of_a_definition_are_reported_at_once() {
    let machine = json!({
        "States": {
            "A": {"Type": "Pass", "Next": "Nowhere", "InputPath": "$[", "Extra": 1},
            "B": {"Type": "Task", "Retry": [{"ErrorEquals": ["States.ALL", "X"]},
                                            {"ErrorEquals": ["Y"]}]},
            "C": {"Type": "Choice", "Choices": []},
        },
    });
    let problems = Definition::parse(&machine.to_string()).unwrap_err();
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "SCHEMA_VALIDATION_FAILED: These fields are required: [StartAt] at /",
            "SCHEMA_VALIDATION_FAILED: Value is not a valid JSONPath: unexpected text at \
             character 2 of '$[' at /States/A/InputPath",
            "MISSING_TRANSITION_TARGET: Missing 'Next' target: Nowhere at /States/A/Next",
            "SCHEMA_VALIDATION_FAILED: Field 'Extra' is not supported at /States/A",
            "SCHEMA_VALIDATION_FAILED: These fields are required: [Resource] at /States/B",
            "SCHEMA_VALIDATION_FAILED: One of these fields is required: [Next, End] at /States/B",
            "SCHEMA_VALIDATION_FAILED: States.ALL must appear alone at \
             /States/B/Retry/0/ErrorEquals",
            "SCHEMA_VALIDATION_FAILED: States.ALL must be in the last entry of its list at \
             /States/B/Retry/0/ErrorEquals",
            "SCHEMA_VALIDATION_FAILED: Choices must not be empty at /States/C/Choices",
            "MISSING_END_STATE: Workflow has no terminal state at null",
        ]
    );
}

/// What `ValidateStateMachineDefinition` answers, as its users have written it down.
#[test]
fn refusals_have_the_words_of_aws() {
    for (language, state, expected) in [
        (
            "JSONata",
            json!({"Output": "{% 1 + %}"}),
            "INVALID_JSONATA_EXPRESSION: Unexpected end of expression at /States/A/Output",
        ),
        (
            "JSONata",
            json!({"Output": {"v": "{% phone.number %}"}}),
            "UNSUPPORTED_JSONATA_EXPRESSION: Reference to 'phone' at the top level is not \
             supported. at /States/A/Output/v",
        ),
        (
            "JSONPath",
            json!({"Output": 1}),
            "SCHEMA_VALIDATION_FAILED: The QueryLanguage is set to 'JSONPath', but field 'Output' \
             is only supported for the 'JSONata' QueryLanguage at /States/A",
        ),
        (
            "JSONata",
            json!({"ResultPath": "$.a"}),
            "SCHEMA_VALIDATION_FAILED: The QueryLanguage is set to 'JSONata', but field \
             'ResultPath' is only supported for the 'JSONPath' QueryLanguage at /States/A",
        ),
    ] {
        let mut machine = json!({"QueryLanguage": language, "StartAt": "A",
            "States": {"A": {"Type": "Pass", "End": true}}});
        machine["States"]["A"].as_object_mut().unwrap().extend(state.as_object().unwrap().clone());
        let problems = Definition::parse(&machine.to_string()).unwrap_err();
        let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told, [expected]);
    }
}

#[test]
fn jsonata_newer_than_that_of_step_functions_is_refused() {
    let machine = |text: &str| {
        let state = json!({"Type": "Pass", "Output": format!("{{% {text} %}}"), "End": true});
        json!({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state}}).to_string()
    };
    assert!(Definition::parse(&machine("$states.input.a ?? 1")).is_err());
    assert!(Definition::parse(&machine("$states.input.a ?: 1")).is_err());
    assert!(Definition::parse(&machine("$states.input.a ? '??' : '?:'")).is_ok());
}

#[test]
fn unreachable_states_are_reported() {
    let machine = json!({"StartAt": "A", "States": {
        "A": {"Type": "Succeed"}, "B": {"Type": "Pass", "Next": "C"}, "C": {"Type": "Pass", "Next": "B"}}});
    let problems = Definition::parse(&machine.to_string()).unwrap_err();
    let places: Vec<_> = problems.iter().map(|problem| problem.location.as_str()).collect();
    assert_eq!(places, ["/States/B", "/States/C"]);
}
