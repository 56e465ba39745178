//! Executions from `StartExecution` to their history.

use serde_json::{Value, json};

use super::{Account, function};

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_runs_and_is_remembered() {
    let account = Account::open().await;
    let definition = json!({
        "QueryLanguage": "JSONata",
        "StartAt": "Count",
        "States": {
            "Count": {"Type": "Pass", "Output": "{% {'n': $states.input.n + 1} %}", "Next": "Enough"},
            "Enough": {
                "Type": "Choice",
                "Choices": [{"Condition": "{% $states.input.n >= 3 %}", "Next": "Done"}],
                "Default": "Count",
            },
            "Done": {"Type": "Succeed"},
        },
    });
    let machine = account.machine("count", definition).await;
    let ended = account.execute(&machine, json!({"n": 0})).await;
    assert_eq!(ended["status"], "SUCCEEDED");
    assert_eq!(ended["output"], "{\"n\":3}");
    let arn = ended["executionArn"].as_str().unwrap();
    let history = account.history(arn).await;
    let ids: Vec<u64> = history.iter().map(|event| event["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=history.len() as u64).collect::<Vec<_>>());
    assert_eq!(history[0]["type"], "ExecutionStarted");
    assert_eq!(history[history.len() - 1]["type"], "ExecutionSucceeded");

    let page = |input: Value| account.call("states", "GetExecutionHistory", input);
    let first = page(json!({"executionArn": arn, "maxResults": 2, "reverseOrder": true})).await;
    assert_eq!(first["events"][0]["type"], "ExecutionSucceeded");
    let token = first["nextToken"].clone();
    let second = page(
        json!({"executionArn": arn, "maxResults": 2, "reverseOrder": true, "nextToken": token}),
    )
    .await;
    assert_eq!(second["events"][0]["id"], history.len() - 2);
    let bare = page(json!({"executionArn": arn, "includeExecutionData": false})).await;
    assert_eq!(bare["events"][0]["executionStartedEventDetails"].get("input"), None);

    let listed =
        account.call("states", "ListExecutions", json!({"stateMachineArn": machine})).await;
    assert_eq!(listed["executions"][0]["status"], "SUCCEEDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_idempotent_while_running() {
    let account = Account::open().await;
    let wait =
        json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": true}}});
    let machine = account.machine("wait", wait).await;
    let start = |input: &str| json!({"stateMachineArn": machine, "name": "n", "input": input});
    let first = account.call("states", "StartExecution", start("{}")).await;
    let again = account.call("states", "StartExecution", start("{}")).await;
    assert_eq!(first, again);
    let refused = account.refused("states", "StartExecution", start("{\"a\":1}")).await;
    assert_eq!(refused, "ExecutionAlreadyExists");
    let arn = first["executionArn"].as_str().unwrap();
    let stop = json!({"executionArn": arn, "error": "E", "cause": "C"});
    account.call("states", "StopExecution", stop).await;
    let ended = account.ended(arn).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("ABORTED"), &json!("E")));
    let refused = account.refused("states", "StartExecution", start("{}")).await;
    assert_eq!(refused, "ExecutionAlreadyExists");
    assert_eq!(
        account
            .refused("states", "StartExecution", json!({"stateMachineArn": machine, "input": "{"}))
            .await,
        "InvalidExecutionInput"
    );
    let none = json!({"stateMachineArn": format!("{machine}x")});
    assert_eq!(account.refused("states", "StartExecution", none).await, "StateMachineDoesNotExist");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_execution_of_a_lost_process_is_aborted() {
    let lake = lake::Lake::temporary().unwrap();
    let account = Account::on(lake.clone()).await;
    let wait =
        json!({"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": true}}});
    let machine = account.machine("wait", wait).await;
    let started =
        account.call("states", "StartExecution", json!({"stateMachineArn": machine})).await;
    let arn = started["executionArn"].as_str().unwrap().to_owned();
    let running = Account::on(lake.clone()).await;
    let seen = running.call("states", "DescribeExecution", json!({"executionArn": arn})).await;
    assert_eq!(seen["status"], "RUNNING");
    let other = account.call("states", "StartExecution", json!({"stateMachineArn": machine})).await;
    let other = other["executionArn"].as_str().unwrap();
    running.call("states", "StopExecution", json!({"executionArn": other, "error": "E"})).await;
    assert_eq!(running.ended(other).await["error"], "E");
    drop(account);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    loop {
        let seen = running.call("states", "DescribeExecution", json!({"executionArn": arn})).await;
        if seen["status"] == "ABORTED" {
            assert_eq!(seen["error"], "Local.ProcessEnded");
            break;
        }
        assert!(std::time::Instant::now() < deadline);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(running.types(&arn).await.last().unwrap(), "ExecutionAborted");
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_queries_and_messages_are_tasks() {
    let account = Account::open().await;
    let folder = tempfile::tempdir().unwrap();
    let create = json!({
        "FunctionName": "f",
        "Code": {"LocalPath": function::script(folder.path())},
        "Role": "arn:aws:iam::123456789012:role/test",
    });
    account.call("lambda", "CreateFunction", create).await;
    account.call("sqs", "CreateQueue", json!({"QueueName": "letters"})).await;
    let url = account.services.sqs().url("letters");
    let definition = json!({
        "QueryLanguage": "JSONata",
        "StartAt": "Good",
        "States": {
            "Good": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": "f", "Payload": {"n": 1}},
                "Output": "{% $states.result.Payload.event %}",
                "Next": "Bad",
            },
            "Bad": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": {"FunctionName": "f", "Payload": {"do": "fail", "type": "Source.Throttled"}},
                "Catch": [{"ErrorEquals": ["Source.Throttled"], "Output": "{% $states.errorOutput %}", "Next": "Tell"}],
                "End": true,
            },
            "Tell": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage",
                "Arguments": {"QueueUrl": url, "MessageBody": "{% $states.input %}"},
                "Output": "{% $states.input %}",
                "End": true,
            },
        },
    });
    let machine = account.machine("tasks", definition).await;
    let ended = account.execute(&machine, json!({})).await;
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    let output: Value = serde_json::from_str(ended["output"].as_str().unwrap()).unwrap();
    assert_eq!(output["Error"], "Source.Throttled");
    let cause: Value = serde_json::from_str(output["Cause"].as_str().unwrap()).unwrap();
    assert_eq!(cause, json!({"errorType": "Source.Throttled", "errorMessage": "as asked"}));
    let received = account.call("sqs", "ReceiveMessage", json!({"QueueUrl": url})).await;
    let body: Value =
        serde_json::from_str(received["Messages"][0]["Body"].as_str().unwrap()).unwrap();
    assert_eq!(body, output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_distributed_map_has_children_of_its_own() {
    let account = Account::open().await;
    let store = &account.services.lake().store;
    store.create_bucket("items", "us-east-1").unwrap();
    store
        .put(
            "items",
            "in.jsonl",
            b"{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n",
            lake::store::PutOptions::default(),
        )
        .unwrap();
    let definition = json!({
        "QueryLanguage": "JSONata",
        "StartAt": "Each",
        "States": {"Each": {
            "Type": "Map",
            "Label": "Each",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSONL"},
                "Arguments": {"Bucket": "items", "Key": "in.jsonl"},
            },
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Check",
                "States": {
                    "Check": {"Type": "Choice", "Choices": [{"Condition": "{% $states.input.n = 2 %}", "Next": "No"}], "Default": "Yes"},
                    "Yes": {"Type": "Pass", "End": true},
                    "No": {"Type": "Fail", "Error": "Two"},
                },
            },
            "ToleratedFailurePercentage": 100,
            "ResultWriter": {
                "Resource": "arn:aws:states:::s3:putObject",
                "Arguments": {"Bucket": "items", "Prefix": "out"},
            },
            "End": true,
        }},
    });
    let machine = account.machine("months", definition).await;
    let ended = account.execute(&machine, json!({})).await;
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    let arn = ended["executionArn"].as_str().unwrap();
    let runs = account.call("states", "ListMapRuns", json!({"executionArn": arn})).await;
    let run = runs["mapRuns"][0]["mapRunArn"].as_str().unwrap();
    assert!(run.contains(":mapRun:months/Each:"), "{run}");
    let described = account.call("states", "DescribeMapRun", json!({"mapRunArn": run})).await;
    assert_eq!(described["status"], "SUCCEEDED");
    assert_eq!(described["itemCounts"]["succeeded"], 2);
    assert_eq!(described["itemCounts"]["failed"], 1);
    let children = account.call("states", "ListExecutions", json!({"mapRunArn": run})).await;
    assert_eq!(children["executions"].as_array().unwrap().len(), 3);
    for child in children["executions"].as_array().unwrap() {
        let child = child["executionArn"].as_str().unwrap();
        assert!(child.contains(":execution:months/Each:"), "{child}");
        assert_eq!(account.types(child).await[0], "ExecutionStarted");
    }
    let output: Value = serde_json::from_str(ended["output"].as_str().unwrap()).unwrap();
    let key = output["ResultWriterDetails"]["Key"].as_str().unwrap();
    let manifest: Value = serde_json::from_slice(&store.read("items", key).unwrap()).unwrap();
    assert_eq!(manifest["ResultFiles"]["FAILED"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_activities_end_tasks() {
    let account = Account::open().await;
    account.call("sqs", "CreateQueue", json!({"QueueName": "work"})).await;
    let url = account.services.sqs().url("work");
    let created = account.call("states", "CreateActivity", json!({"name": "walk"})).await;
    let activity = created["activityArn"].clone();
    let definition = json!({
        "QueryLanguage": "JSONata",
        "StartAt": "Ask",
        "States": {
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                "Arguments": {"QueueUrl": url, "MessageBody": {"token": "{% $states.context.Task.Token %}"}},
                "Next": "Walk",
            },
            "Walk": {"Type": "Task", "Resource": activity, "End": true},
        },
    });
    let machine = account.machine("callback", definition).await;
    let started =
        account.call("states", "StartExecution", json!({"stateMachineArn": machine})).await;
    let receive = json!({"QueueUrl": url, "WaitTimeSeconds": 5});
    let received = account.call("sqs", "ReceiveMessage", receive).await;
    let body: Value =
        serde_json::from_str(received["Messages"][0]["Body"].as_str().unwrap()).unwrap();
    let answer = json!({"taskToken": body["token"], "output": "{\"far\":true}"});
    account.call("states", "SendTaskSuccess", answer.clone()).await;
    assert_eq!(account.refused("states", "SendTaskSuccess", answer).await, "TaskTimedOut");
    let made_up = json!({"taskToken": "x", "output": "{}"});
    assert_eq!(account.refused("states", "SendTaskSuccess", made_up).await, "InvalidToken");
    let poll = json!({"activityArn": activity, "workerName": "w"});
    let task = account.call("states", "GetActivityTask", poll).await;
    assert_eq!(task["input"], "{\"far\":true}");
    let answer = json!({"taskToken": task["taskToken"], "output": "1"});
    account.call("states", "SendTaskSuccess", answer).await;
    let ended = account.ended(started["executionArn"].as_str().unwrap()).await;
    assert_eq!((&ended["status"], &ended["output"]), (&json!("SUCCEEDED"), &json!("1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_executions_are_waited_for() {
    let account = Account::open().await;
    let inner =
        json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": {"a": 1}, "End": true}}});
    let inner = account.machine("inner", inner).await;
    let outer = json!({"StartAt": "T", "States": {"T": {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": {"StateMachineArn": inner, "Input": {"x": 1}},
        "OutputPath": "$.Output",
        "End": true,
    }}});
    let outer = account.machine("outer", outer).await;
    let ended = account.execute(&outer, json!({})).await;
    assert_eq!(ended["output"], "{\"a\":1}", "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_waited_for() {
    let account = Account::open().await;
    account.services.lake().store.create_bucket("results", "us-east-1").unwrap();
    let machine = |sql: &str| {
        json!({"QueryLanguage": "JSONata", "StartAt": "Q", "States": {"Q": {
            "Type": "Task",
            "Resource": "arn:aws:states:::athena:startQueryExecution.sync",
            "Arguments": {
                "QueryString": sql,
                "WorkGroup": "primary",
                "ResultConfiguration": {"OutputLocation": "s3://results/q/"},
            },
            "End": true,
        }}})
    };
    let good = account.machine("good", machine("SELECT 1 AS one")).await;
    let ended = account.execute(&good, json!({})).await;
    assert_eq!(ended["status"], "SUCCEEDED", "{ended}");
    let output: Value = serde_json::from_str(ended["output"].as_str().unwrap()).unwrap();
    let query = &output["QueryExecution"];
    assert_eq!(query["Status"]["State"], "SUCCEEDED");
    assert!(query["Status"]["SubmissionDateTime"].as_i64().unwrap() > 1_700_000_000_000);
    let types = account.types(ended["executionArn"].as_str().unwrap()).await;
    let task = ["TaskScheduled", "TaskStarted", "TaskSubmitted", "TaskSucceeded"];
    assert_eq!(types[2..6], task);

    let failing = account.machine("failing", machine("SELECT x FROM no_such_table")).await;
    let ended = account.execute(&failing, json!({})).await;
    assert_eq!(
        (&ended["status"], &ended["error"]),
        (&json!("FAILED"), &json!("States.TaskFailed"))
    );
    let cause: Value = serde_json::from_str(ended["cause"].as_str().unwrap()).unwrap();
    assert_eq!(cause["QueryExecution"]["Status"]["State"], "FAILED");

    let refused = account.machine("refused", machine("SELECT FROM WHERE")).await;
    let ended = account.execute(&refused, json!({})).await;
    assert_eq!(ended["error"], "Athena.InvalidRequestException");
    let cause = ended["cause"].as_str().unwrap();
    assert!(cause.contains("(Service: AmazonAthena; Status Code: 400; "), "{cause}");
    let types = account.types(ended["executionArn"].as_str().unwrap()).await;
    assert!(types.contains(&"TaskSubmitFailed".to_owned()), "{types:?}");
}

/// A machine whose services are mocked, and a Lambda function that does not exist.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_tested_without_its_services() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mocks.json");
    let config = json!({
        "StateMachines": {"orders": {"TestCases": {
            "Patience": {"Check": "BusyThenFine", "Tell": "Told"},
            "Refused": {"Check": "Down"},
            "Nowhere": {"Chek": "Down"},
        }}},
        "MockedResponses": {
            "BusyThenFine": {
                "0-1": {"Throw": {"Error": "Busy", "Cause": "later"}},
                "2": {"Return": {"StatusCode": 200, "Payload": {"price": 7}}},
            },
            "Told": {"0-1": {"Return": "token"}},
            "Down": {"0": {"Throw": {"Error": "Down", "Cause": "for good"}}},
        },
    });
    std::fs::write(&file, config.to_string()).unwrap();
    let account = Account::mocked(&file).await;
    let definition = json!({
        "StartAt": "Check",
        "States": {
            "Check": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": {"FunctionName": "none", "Payload.$": "$"},
                "ResultSelector": {"items.$": "States.ArrayRange(1, 2, 1)", "price.$": "$.Payload.price"},
                "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxDelaySeconds": 1, "MaxAttempts": 3}],
                "Next": "Each",
            },
            "Each": {
                "Type": "Map",
                "ItemsPath": "$.items",
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"},
                    "StartAt": "Tell",
                    "States": {"Tell": {
                        "Type": "Task", "Resource": "arn:aws:states:::aws-sdk:sqs:sendMessage",
                        "Parameters": {"QueueUrl": "none", "MessageBody": "b"}, "End": true,
                    }},
                },
                "End": true,
            },
        },
    });
    let machine = account.machine("orders", definition).await;
    let ended = account.execute(&format!("{machine}#Patience"), json!({})).await;
    assert_eq!(ended["output"], "[\"token\",\"token\"]", "{ended}");
    let types = account.types(ended["executionArn"].as_str().unwrap()).await;
    assert_eq!(types.iter().filter(|kind| *kind == "TaskFailed").count(), 2);
    let ended = account.execute(&format!("{machine}#Refused"), json!({})).await;
    assert_eq!((&ended["error"], &ended["cause"]), (&json!("Down"), &json!("for good")));
    let message = |case: &str| {
        let start = json!({"stateMachineArn": format!("{machine}#{case}")});
        let services = account.services.clone();
        async move { services.dispatch("states", "StartExecution", start).await.unwrap_err().message }
    };
    assert!(message("Nowhere").await.contains("has no state 'Chek'"));
    assert!(message("None").await.contains("StateMachines/orders/TestCases has no None"));
    std::fs::write(&file, "{\"StateMachines\": {}, \"MockedResponses\": {}, \"More\": 1}").unwrap();
    assert!(message("Refused").await.contains("unknown field `More`"));
}
