//! Executions that go on where they stopped.

use serde_json::{Value, json};

use super::Account;

/// A Task that fails until the object is there.
fn asks_for(key: &str, more: &Value) -> Value {
    let mut task = json!({
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:getObject",
        "Arguments": {"Bucket": "things", "Key": key},
        "Output": "{% $states.result.Body %}",
    });
    task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    task
}

async fn account() -> Account {
    let account = Account::open().await;
    account.services.lake().store.create_bucket("things", "us-east-1").unwrap();
    account
}

fn put(account: &Account, key: &str) {
    let store = &account.services.lake().store;
    store.put("things", key, b"here", lake::store::PutOptions::default()).unwrap();
}

/// Redrives an execution and answers `DescribeExecution`'s answer at its end.
async fn redriven(account: &Account, arn: &str) -> Value {
    let answer = account.call("states", "RedriveExecution", json!({"executionArn": arn})).await;
    assert!(answer["redriveDate"].as_f64().unwrap() > 1.7e9);
    account.ended(arn).await
}

fn count(types: &[String], kind: &str) -> usize {
    types.iter().filter(|found| *found == kind).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_succeeded_is_not_run_again() {
    let account = account().await;
    let definition = json!({"QueryLanguage": "JSONata", "StartAt": "First", "States": {
        "First": {"Type": "Pass", "Assign": {"seen": "{% $states.input.n %}"}, "Next": "Ask"},
        "Ask": asks_for("a", &json!({"Next": "Last"})),
        "Last": {"Type": "Pass", "Output": {
            "seen": "{% $seen %}",
            "found": "{% $states.input %}",
            "redrives": "{% $states.context.Execution.RedriveCount %}",
        }, "End": true},
    }});
    let machine = account.machine("line", definition).await;
    let failed = account.execute(&machine, json!({"n": 7})).await;
    assert_eq!(
        (&failed["status"], &failed["redriveStatus"]),
        (&json!("FAILED"), &json!("REDRIVABLE"))
    );
    let arn = failed["executionArn"].as_str().unwrap();

    let again = redriven(&account, arn).await;
    assert_eq!((&again["status"], &again["redriveCount"]), (&json!("FAILED"), &json!(1)));
    put(&account, "a");
    let token = json!({"executionArn": arn, "clientToken": "once"});
    let first = account.call("states", "RedriveExecution", token.clone()).await;
    let ended = account.ended(arn).await;
    assert_eq!(account.call("states", "RedriveExecution", token).await, first);
    assert_eq!((&ended["status"], &ended["redriveCount"]), (&json!("SUCCEEDED"), &json!(2)));
    assert_eq!(ended["output"], r#"{"seen":7,"found":"here","redrives":2}"#);

    let types = account.types(arn).await;
    assert_eq!((count(&types, "PassStateEntered"), count(&types, "TaskStateEntered")), (2, 1));
    let end = types.iter().position(|kind| kind == "ExecutionFailed").unwrap();
    assert_eq!(types[end + 1..end + 3], ["ExecutionRedriven", "TaskScheduled"]);
    let history = account.history(arn).await;
    let ids: Vec<u64> = history.iter().map(|event| event["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=history.len() as u64).collect::<Vec<_>>());
    let redrive = json!({"executionArn": arn});
    assert_eq!(
        account.refused("states", "RedriveExecution", redrive).await,
        "ExecutionNotRedrivable"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn branches_and_iterations_that_ended_keep_their_results() {
    let account = account().await;
    let definition = json!({"QueryLanguage": "JSONata", "StartAt": "Both", "States": {"Both": {
        "Type": "Parallel",
        "Branches": [
            {"StartAt": "Quick", "States": {"Quick": {"Type": "Pass", "Output": "quick", "End": true}}},
            {"StartAt": "Each", "States": {"Each": {
                "Type": "Map",
                "Items": ["a", "b", "c"],
                "MaxConcurrency": 1,
                "ItemProcessor": {"StartAt": "Begin", "States": {
                    "Begin": {"Type": "Pass", "Assign": {"key": "{% $states.input %}"}, "Next": "Get"},
                    "Get": asks_for("{% $key %}", &json!({"Output": "{% $key %}", "End": true})),
                }},
                "End": true,
            }}},
        ],
        "End": true,
    }}});
    let machine = account.machine("tree", definition).await;
    put(&account, "a");
    let failed = account.execute(&machine, json!({})).await;
    assert_eq!(failed["error"], "S3.NoSuchKeyException", "{failed}");
    put(&account, "b");
    put(&account, "c");
    let arn = failed["executionArn"].as_str().unwrap();
    let ended = redriven(&account, arn).await;
    assert_eq!(ended["output"], r#"["quick",["a","b","c"]]"#, "{ended}");
    let types = account.types(arn).await;
    // Quick, and Begin of each item; Get of each item; b was not begun anew.
    assert_eq!((count(&types, "PassStateEntered"), count(&types, "TaskStateEntered")), (4, 3));
    assert_eq!(
        (count(&types, "MapIterationStarted"), count(&types, "ParallelStateStarted")),
        (3, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_run_redrives_the_children_that_failed() {
    let account = account().await;
    let definition = json!({"QueryLanguage": "JSONata", "StartAt": "Each", "States": {"Each": {
        "Type": "Map",
        "Label": "Each",
        "Items": ["a", "b", "c"],
        "MaxConcurrency": 1,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "Begin",
            "States": {
                "Begin": {"Type": "Pass", "Assign": {"key": "{% $states.input %}"}, "Next": "Get"},
                "Get": asks_for("{% $key %}", &json!({"Output": "{% $key %}", "End": true})),
            },
        },
        "End": true,
    }}});
    let machine = account.machine("months", definition).await;
    put(&account, "a");
    let failed = account.execute(&machine, json!({})).await;
    assert_eq!(failed["error"], "States.ExceedToleratedFailureThreshold", "{failed}");
    let arn = failed["executionArn"].as_str().unwrap();
    let runs = account.call("states", "ListMapRuns", json!({"executionArn": arn})).await;
    let run = json!({"mapRunArn": runs["mapRuns"][0]["mapRunArn"]});
    let children =
        async || account.call("states", "ListExecutions", run.clone()).await["executions"].clone();
    let before = children().await;
    let child = json!({"executionArn": before[0]["executionArn"]});
    assert_eq!(
        account.refused("states", "RedriveExecution", child).await,
        "ExecutionNotRedrivable"
    );

    put(&account, "b");
    put(&account, "c");
    let ended = redriven(&account, arn).await;
    assert_eq!(ended["output"], r#"["a","b","c"]"#, "{ended}");
    let after = children().await;
    let redrives: Vec<_> =
        after.as_array().unwrap().iter().map(|child| child["redriveCount"].clone()).collect();
    // The newest first: c is new, b was redriven, a is as it was.
    assert_eq!(redrives, [0, 1, 0]);
    let described = account.call("states", "DescribeMapRun", run.clone()).await;
    assert_eq!(
        (&described["status"], &described["redriveCount"]),
        (&json!("SUCCEEDED"), &json!(1))
    );
    let types = account.types(arn).await;
    assert_eq!((count(&types, "MapRunStarted"), count(&types, "MapRunRedriven")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_of_a_lost_process_goes_on() {
    let lake = lake::Lake::temporary().unwrap();
    let account = Account::on(lake.clone()).await;
    let definition = json!({"QueryLanguage": "JSONata", "StartAt": "Choose", "States": {
        "Choose": {"Type": "Choice", "Choices": [{"Condition": "{% true %}", "Next": "Rest"}]},
        "Rest": {"Type": "Wait", "Seconds": "{% $states.context.Execution.RedriveCount = 0 ? 600 : 0 %}", "Next": "Done"},
        "Done": {"Type": "Pass", "End": true},
    }});
    let machine = account.machine("wait", definition).await;
    let start = json!({"stateMachineArn": machine, "input": "[1]"});
    let started = account.call("states", "StartExecution", start).await;
    let arn = started["executionArn"].as_str().unwrap().to_owned();
    while count(&account.types(&arn).await, "WaitStateEntered") == 0 {
        tokio::task::yield_now().await;
    }
    drop(account);
    let later = Account::on(lake).await;
    while later.call("states", "DescribeExecution", json!({"executionArn": arn})).await["status"]
        == "RUNNING"
    {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let ended = redriven(&later, &arn).await;
    assert_eq!((&ended["status"], &ended["output"]), (&json!("SUCCEEDED"), &json!("[1]")));
    assert_eq!(count(&later.types(&arn).await, "ChoiceStateEntered"), 1);
}
