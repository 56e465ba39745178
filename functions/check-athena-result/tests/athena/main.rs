//! The whole function against an Athena on loopback: every state, pages, headers, throttling.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use aws_sdk_athena::config::retry::RetryConfig;
use aws_sdk_athena::config::{BehaviorVersion, Credentials, Region};
use check_athena_result::{Config, State, handle};
use serde_json::{Value, json};
use shared::error::{Class, NamedError};

mod server;

use server::{Log, serve};

/// As many tries as the function's own SDK configuration has.
const TRIES: u32 = 4;

async fn state(
    answer: impl Fn(&str, &Value) -> (u16, Value) + Send + Sync + 'static,
) -> (State, Log) {
    let (base, log) = serve(answer).await;
    let retries = RetryConfig::standard()
        .with_max_attempts(TRIES)
        .with_initial_backoff(Duration::from_millis(1));
    let athena = aws_sdk_athena::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "test"))
        .retry_config(retries)
        .endpoint_url(base)
        .build();
    let config = Config { database: "taxi".to_owned(), lake_bucket: "lake".to_owned() };
    // What these tests ask for is decided before earlier months are looked at.
    let s3 = aws_sdk_s3::Config::builder().behavior_version(BehaviorVersion::latest()).build();
    let state = State {
        athena: aws_sdk_athena::Client::from_conf(athena),
        s3: aws_sdk_s3::Client::from_conf(s3),
        clock: jiff::Timestamp::now,
        config,
    };
    (state, log)
}

/// The verdict on the audit of a file of `rows_in` rows, or on tables; an error by its name.
async fn verdict(state: &State, statement: &Value) -> Result<Value, (&'static str, Class)> {
    let mut input = json!({"query_execution_id": "q"});
    input.as_object_mut().unwrap().extend(statement.as_object().unwrap().clone());
    let output = handle(state, serde_json::from_value(input).unwrap()).await;
    let output = output.map_err(|error| (error.name().as_str(), error.name().class()))?;
    Ok(serde_json::to_value(output).unwrap())
}

fn audit(rows_in: u64) -> Value {
    json!({"statement": "audit", "dataset": "green", "month": "2024-01", "file": "f",
           "rows_in": rows_in})
}

fn tables() -> Value {
    json!({"statement": "tables", "datasets": ["green"]})
}

fn execution(state: &str, statement: &str) -> Value {
    json!({"QueryExecution": {"QueryExecutionId": "q", "StatementType": statement,
        "Status": {"State": state, "StateChangeReason": "because"},
        "Statistics": {"DataScannedInBytes": 7}}})
}

/// One page of a result; `null` is NULL.
fn page(columns: &[&str], rows: &[Value], next: Option<&str>) -> Value {
    let info = columns.iter().map(|name| json!({"Name": name, "Type": "varchar"}));
    let rows = rows.iter().map(|row| {
        let cells = row.as_array().unwrap().iter();
        let cells = cells.map(|cell| match cell {
            Value::Null => json!({}),
            cell => json!({"VarCharValue": cell}),
        });
        json!({"Data": cells.collect::<Vec<_>>()})
    });
    json!({"NextToken": next, "ResultSet": {"Rows": rows.collect::<Vec<_>>(),
        "ResultSetMetadata": {"ColumnInfo": info.collect::<Vec<_>>()}}})
}

const AUDIT: [&str; 3] = ["outcome", "rule", "row_count"];

#[tokio::test]
async fn no_state_but_succeeded_is_a_result() {
    for (found, name, class) in [
        ("FAILED", "Athena.QueryFailed", Class::Permanent),
        ("CANCELLED", "Athena.QueryFailed", Class::Permanent),
        ("QUEUED", "Athena.NotFinished", Class::Transient),
        ("RUNNING", "Athena.NotFinished", Class::Transient),
        ("SLEEPING", "Athena.QueryFailed", Class::Permanent),
    ] {
        let (state, log) = state(move |_, _| (200, execution(found, "DML"))).await;
        assert_eq!(verdict(&state, &audit(1)).await, Err((name, class)), "{found}");
        // It never waits itself: a query that is queued for ever is asked for by a bounded Retry.
        assert_eq!(log.lock().unwrap().len(), 1, "{found}");
    }
    let (state, _) = state(|_, _| (200, json!({}))).await;
    let none = Err(("Athena.NotFinished", Class::Transient));
    assert_eq!(verdict(&state, &audit(1)).await, none, "an answer without a query");
}

/// 1,000 rows a page; only the first page of a SELECT begins with the header.
#[tokio::test]
async fn all_pages_are_read_and_the_header_is_no_row() {
    let (state, log) = state(|operation, body| {
        if operation == "GetQueryExecution" {
            return (200, execution("SUCCEEDED", "DML"));
        }
        let row = |rule: u32| json!(["rejected", format!("rule_{rule}"), "1"]);
        let rules = |from: u32, to: u32| (from..to).map(row);
        let first = [json!(AUDIT), json!(["loaded", null, "5000"])];
        match body["NextToken"].as_str() {
            None => {
                let rows: Vec<_> = first.into_iter().chain(rules(0, 998)).collect();
                (200, page(&AUDIT, &rows, Some("1")))
            }
            Some("1") => (200, page(&AUDIT, &rules(998, 1998).collect::<Vec<_>>(), Some("2"))),
            Some("2") => (200, page(&AUDIT, &[], Some("3"))),
            _ => (200, page(&AUDIT, &[json!(AUDIT)], None)),
        }
    })
    .await;
    // A header's words on a later page are a row, and no count.
    assert_eq!(verdict(&state, &audit(6_998)).await, Err(("Input.Invalid", Class::Permanent)));
    assert_eq!(log.lock().unwrap().len(), 5);
}

#[tokio::test]
async fn an_empty_result_accounts_for_no_row() {
    for rows in [vec![], vec![json!(AUDIT)]] {
        let (state, _) = state(move |operation, _| match operation {
            "GetQueryExecution" => (200, execution("SUCCEEDED", "DML")),
            _ => (200, page(&AUDIT, &rows, None)),
        })
        .await;
        let lost = Err(("Audit.RowsNotConserved", Class::Data));
        assert_eq!(verdict(&state, &audit(3)).await, lost);
    }
}

/// SHOW TABLES has no header, and may have no row at all.
#[tokio::test]
async fn no_row_of_show_tables_is_taken_for_a_header() {
    for (rows, missing) in [(vec![], 2), (vec![json!(["green_runs "])], 1)] {
        let (state, _) = state(move |operation, _| match operation {
            "GetQueryExecution" => (200, execution("SUCCEEDED", "UTILITY")),
            _ => (200, page(&["tab_name"], &rows, None)),
        })
        .await;
        let verdict = verdict(&state, &tables()).await.unwrap();
        assert_eq!(verdict["missing"].as_array().unwrap().len(), missing);
    }
}

#[tokio::test]
async fn throttling_alone_is_tried_again() {
    let refusal = |code: &str| json!({"__type": code, "message": "m"});
    for (status, code, tries, expected) in [
        (400, "ThrottlingException", TRIES, ("Athena.QueryTransient", Class::Transient)),
        (400, "TooManyRequestsException", TRIES, ("Athena.QueryTransient", Class::Transient)),
        (500, "InternalServerException", TRIES, ("Athena.QueryTransient", Class::Transient)),
        (400, "InvalidRequestException", 1, ("Athena.QueryFailed", Class::Permanent)),
        (400, "AccessDeniedException", 1, ("Athena.QueryFailed", Class::Permanent)),
    ] {
        let (state, log) = state(move |_, _| (status, refusal(code))).await;
        assert_eq!(verdict(&state, &audit(1)).await, Err(expected), "{code}");
        let asked = log.lock().unwrap().len();
        assert_eq!(asked, usize::try_from(tries).unwrap(), "{code}");
    }
}
