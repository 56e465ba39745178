//! What is counted of a run: attempts, invocations, requests, each with what caused it.

use std::time::Duration;

use lake::store::PutOptions;
use serde_json::{Value, json};

use super::{Account, function};
use crate::metering::{Counted, LIST, READ, Sender, WRITE};

/// Asks a function to die the first time, and to answer when it is tried again.
fn machine(function: &str) -> Value {
    json!({
        "QueryLanguage": "JSONata",
        "StartAt": "Work",
        "States": {"Work": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {
                "FunctionName": function,
                "Payload": {"do": "{% $states.context.State.RetryCount = 0 ? 'kill' : 'answer' %}"},
            },
            "Retry": [{"ErrorEquals": ["Runtime.ExitError"], "IntervalSeconds": 1, "MaxAttempts": 1}],
            "End": true,
        }},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_killed_at_work_is_an_attempt_and_an_invocation_more() {
    let account = Account::open().await;
    let folder = tempfile::tempdir().unwrap();
    let input = json!({
        "FunctionName": "f",
        "Code": {"LocalPath": function::script(folder.path())},
        "Role": "arn:aws:iam::123456789012:role/test",
        "Timeout": 10,
        "MemorySize": 256,
    });
    account.call("lambda", "CreateFunction", input).await;
    let machine = account.machine("killed", machine("f")).await;
    let execution = account.execute(&machine, json!({})).await;
    assert_eq!(execution["status"], "SUCCEEDED", "{execution:#}");
    let arn = execution["executionArn"].as_str().unwrap();
    let types = account.types(arn).await;
    let attempts = types.iter().filter(|name| *name == "TaskScheduled").count();
    assert_eq!(attempts, 2, "{types:?}");
    let trace = account.services.stepfunctions().trace_of(arn).unwrap();
    let used = account.services.meters().functions(Some(&trace)).unwrap();
    let [used] = &used[..] else { panic!("{used:#?}") };
    assert_eq!((used.invocations, used.errors, used.cold_starts), (2, 1, 2));
    assert!(used.billed > Duration::ZERO && used.log_bytes > 0, "{used:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_counts_what_it_reads_and_writes() {
    let account = Account::open().await;
    let store = &account.services.lake().store;
    store.create_bucket("data", "us-east-1").unwrap();
    store.put("data", "t/a.csv", b"1\n2\n", PutOptions::default()).unwrap();
    let run = async |sql: &str| {
        let input = json!({"QueryString": sql, "ResultConfiguration": {"OutputLocation": "s3://data/out/"}});
        let started = account.call("athena", "StartQueryExecution", input).await;
        let id = started["QueryExecutionId"].as_str().unwrap().to_owned();
        let query = account.services.athena().finished(&id).await.unwrap();
        (id, query)
    };
    let create = "CREATE EXTERNAL TABLE t (n string) ROW FORMAT SERDE \
                  'org.apache.hadoop.hive.serde2.OpenCSVSerde' LOCATION 's3://data/t/'";
    run(create).await;
    let (id, query) = run("SELECT count(*) FROM t").await;
    assert_eq!(query.reason, None);
    assert_eq!(query.statistics.scanned_bytes, 4);
    let counted = account.services.meters().requests(Some(&id)).unwrap();
    for kind in [WRITE, LIST, READ] {
        let key = Counted {
            service: "s3".to_owned(),
            kind: kind.to_owned(),
            sender: Sender::Athena,
            cause: id.clone(),
        };
        assert!(counted.get(&key).is_some_and(|count| *count > 0), "{kind}: {counted:#?}");
    }
    // What it had scanned is told of a query that fails, too.
    let (_, failed) = run("SELECT cast(n || 'x' AS integer) FROM t").await;
    assert_eq!(failed.state, crate::athena::State::Failed);
    assert_eq!(failed.statistics.scanned_bytes, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_distributed_map_counts_what_it_writes() {
    let account = Account::open().await;
    account.services.lake().store.create_bucket("results", "us-east-1").unwrap();
    let definition = json!({
        "QueryLanguage": "JSONata",
        "StartAt": "Each",
        "States": {"Each": {
            "Type": "Map",
            "Items": [1, 2],
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                "StartAt": "Pass",
                "States": {"Pass": {"Type": "Pass", "End": true}},
            },
            "ResultWriter": {
                "Resource": "arn:aws:states:::s3:putObject",
                "Arguments": {"Bucket": "results", "Prefix": "runs"},
            },
            "End": true,
        }},
    });
    let machine = account.machine("map", definition).await;
    let execution = account.execute(&machine, json!({})).await;
    assert_eq!(execution["status"], "SUCCEEDED", "{execution:#}");
    let arn = execution["executionArn"].as_str().unwrap();
    let trace = account.services.stepfunctions().trace_of(arn).unwrap();
    let counted = account.services.meters().requests(Some(&trace)).unwrap();
    let written: Vec<_> =
        counted.iter().map(|(what, count)| (what.sender, what.kind.as_str(), *count)).collect();
    assert_eq!(written, [(Sender::StepFunctions, WRITE, 2)]);
}
