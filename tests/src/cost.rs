//! What runs take, by the real binary: transitions, queries, requests, and what `local cost` makes of them.

use std::path::Path;

use aws::lake::Lake;
use aws::{Services, Settings};
use runner::cost::Transitions;
use serde_json::{Value, json};

use crate::whole_run::{local, run, source_with_two_months, succeed};

/// Of a child execution: Fetch, NewContent, Validate, CreateRaw, Convert, Audit, CheckAudit, Load.
const UNIT: u64 = 8;
/// Of a run that finds nothing new: Plan, AnythingToDo, NothingToDo.
const NOTHING_NEW: u64 = 3;
/// Around the months of a run: Plan, AnythingToDo, LoadMonths, Summarise, Gold, CollectGarbage, Notify.
const AROUND: u64 = 7;

#[test]
fn runs_take_no_more_transitions_than_they_need() {
    let data = tempfile::tempdir().expect("a folder");
    let source = source_with_two_months();
    let from = source.path().display().to_string();
    let first = run(data.path(), &["--from", &from, "--months", "2019-03"], 0);
    let second = run(data.path(), &["--from", &from, "--months", "2019-04"], 0);
    let third = run(data.path(), &["--from", &from], 0);
    let whole = |report: &Value| own(report).iter().sum::<u64>();
    assert_eq!(whole(&third), NOTHING_NEW, "{third:#}");
    // The lookup was loaded with the first month, and its gold view made.
    assert_eq!(whole(&second), AROUND, "{second:#}");
    assert_eq!(children(&second), [UNIT]);
    assert_eq!(children(&first), [UNIT, UNIT]);
    for report in [&first, &second, &third] {
        assert!(report["cost_usd"].as_f64().is_some_and(|usd| usd > 0.0), "{report:#}");
    }

    let costs = costs(data.path(), &["--nights", "30", "--units", "2"]);
    let runs = costs["runs"].as_array().expect("runs");
    let what: Vec<&str> = runs.iter().filter_map(|run| run["what"].as_str()).collect();
    assert_eq!(what, ["1 month and 1 lookup", "1 month", "nothing new"]);
    for (report, cost) in [&first, &second, &third].into_iter().zip(runs) {
        let (told, found) = (report["cost_usd"].as_f64(), cost["usd"].as_f64());
        let difference = told.expect("dollars") - found.expect("dollars");
        assert!(difference.abs() < 1e-6, "{told:?} {found:?}");
    }
    // CTAS and audit of each month.
    assert_eq!(runs[1]["total"]["queries"], 2, "{:#}", runs[1]["total"]);
    assert_eq!(runs[1]["total"]["billed_bytes"], 20_000_000);
    assert_eq!(runs[2]["total"]["queries"], 0);
    for caller in ["functions", "athena", "step functions"] {
        let requests = &runs[1]["total"]["s3_requests"][caller];
        assert!(requests["writes"].as_u64().is_some_and(|count| count > 0), "{caller} {requests}");
    }
    let transitions = &costs["month"]["quantities"]["transition"];
    let expected = 28 * NOTHING_NEW + 2 * (AROUND + UNIT);
    #[expect(clippy::cast_precision_loss, reason = "a count of transitions")]
    let expected = expected as f64;
    assert_eq!(transitions.as_f64(), Some(expected));
    let functions = costs["functions"].as_array().expect("functions");
    assert_eq!(functions.len(), 4, "all but handle-error worked: {functions:#?}");
    for function in functions {
        assert!(function["peak_mb"].as_f64().is_some_and(|peak| peak > 1.0), "{function:#}");
    }
}

/// Transitions of the executions that have no parent.
fn own(report: &Value) -> Vec<u64> {
    transitions(report, |execution| execution.get("parent").is_none())
}

fn children(report: &Value) -> Vec<u64> {
    transitions(report, |execution| execution.get("parent").is_some())
}

fn transitions(report: &Value, which: impl Fn(&Value) -> bool) -> Vec<u64> {
    let executions = report["executions"].as_array().expect("executions");
    let chosen = executions.iter().filter(|execution| which(execution));
    chosen.map(|execution| execution["transitions"].as_u64().expect("a count")).collect()
}

fn costs(data: &Path, arguments: &[&str]) -> Value {
    let data = data.display().to_string();
    let output = local(&[&["cost", "--json", "--data-dir", &data], arguments].concat());
    succeed(&output, 0);
    serde_json::from_slice(&output.stdout).expect("one object on stdout")
}

/// A function whose process dies as often as it is tried, as a person's `kill` would have it.
#[tokio::test(flavor = "multi_thread")]
async fn every_retry_of_a_dying_function_is_a_transition() {
    let folder = tempfile::tempdir().expect("a folder");
    let binary = folder.path().join("bootstrap");
    std::fs::write(&binary, "#!/bin/sh\nkill -9 $$\n").expect("written");
    std::process::Command::new("chmod").arg("+x").arg(&binary).status().expect("chmod runs");
    let services = Services::open(Lake::temporary().expect("a lake"), Settings::default())
        .expect("services start");
    let call = async |service: &str, action: &str, input: Value| {
        services.dispatch(service, action, input).await.unwrap_or_else(|error| panic!("{error}"))
    };
    let role = "arn:aws:iam::123456789012:role/test";
    let function = json!({
        "FunctionName": "dying", "Code": {"LocalPath": binary}, "Role": role, "Timeout": 5,
    });
    call("lambda", "CreateFunction", function).await;
    let definition = json!({
        "QueryLanguage": "JSONata",
        "StartAt": "Work",
        "States": {
            "Work": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": "dying", "Payload": {}},
                "Retry": [{
                    "ErrorEquals": ["Runtime.ExitError"],
                    "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1, "JitterStrategy": "FULL",
                }],
                "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Over"}],
                "End": true,
            },
            "Over": {"Type": "Succeed"},
        },
    });
    let machine = json!({"name": "dying", "definition": definition.to_string(), "roleArn": role});
    let machine = call("states", "CreateStateMachine", machine).await;
    let start = json!({"stateMachineArn": machine["stateMachineArn"]});
    let execution = call("states", "StartExecution", start).await;
    let arn = execution["executionArn"].as_str().expect("an ARN");
    services.stepfunctions().wait(arn).await.expect("it ends");
    let history = json!({"executionArn": arn, "maxResults": 1000});
    let history = call("states", "GetExecutionHistory", history).await;
    let events = history["events"].as_array().expect("events");
    let counted = Transitions::of(events);
    assert_eq!((counted.entered, counted.retries), (2, 2), "{events:#?}");
    assert_eq!(counted.total(), 4);
}
