//! The life of queries: refused, queued, running, ended; their tokens, quotas, owners and reuse.

use super::*;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

#[tokio::test]
async fn what_athena_refuses_at_once() {
    let account = Account::open();
    let valid = || question("SELECT 1");
    let parameters = |text: &str| with(valid(), "ExecutionParameters", json!([text]));
    let location = |at: &str| with(valid(), "ResultConfiguration", json!({"OutputLocation": at}));
    let cases = [
        (json!({}), "missing field `QueryString`"),
        (
            question(""),
            "Value '' at 'queryString' failed to satisfy constraint: Member must have length greater",
        ),
        (question(&format!("SELECT '{}'", "x".repeat(262_144))), "less than or equal to 262144"),
        (question("SELEC 1"), "line 1:1: mismatched input"),
        (question("GRANT ALL ON t TO me"), "Queries of this type are not supported"),
        (json!({"QueryString": "SELECT 1"}), "No output location provided."),
        (location("results/q/"), "outputLocation is not a valid S3 path."),
        (location("s3://nowhere/q/"), "Unable to verify/create output bucket nowhere"),
        (with(valid(), "WorkGroup", json!("nobody")), "WorkGroup is not found."),
        (with(valid(), "ClientRequestToken", json!("short")), "greater than or equal to 32"),
        (parameters(""), "Member must have length between 1 and 1024"),
        (
            question("EXECUTE nothing"),
            "PreparedStatement nothing was not found in workGroup primary",
        ),
    ];
    for (input, message) in cases {
        let error = account.call("StartQueryExecution", input).await.unwrap_err();
        assert_eq!((error.code.as_ref(), error.status), ("InvalidRequestException", 400));
        assert!(error.message.contains(message), "{message}: {}", error.message);
        assert!(error.members["AthenaErrorCode"].is_string());
    }
    let listed = account.ok("ListQueryExecutions", json!({})).await;
    assert_eq!(listed["QueryExecutionIds"], json!([]));
}

#[tokio::test]
async fn a_query_succeeds_or_says_why_not() {
    let account = Account::open();
    let input = with(question("SELECT ? AS a"), "ExecutionParameters", json!(["'a string'"]));
    let input = with(input, "QueryExecutionContext", json!({"Database": "default"}));
    let started = account.ok("StartQueryExecution", input).await;
    let query = account.finished(&id(&started)).await;
    let shown = account.shown(&query.id).await;
    assert_eq!(uuid::Uuid::parse_str(&query.id).unwrap().get_version_num(), 4);
    assert_eq!(shown["Status"]["State"], "SUCCEEDED", "{shown}");
    assert!(shown["Status"].get("StateChangeReason").is_none());
    assert!(shown["Status"]["CompletionDateTime"].is_f64());
    assert_eq!(
        shown["QueryExecutionContext"],
        json!({"Database": "default", "Catalog": "awsdatacatalog"})
    );
    assert_eq!(
        shown["ResultConfiguration"]["OutputLocation"],
        format!("s3://results/q/{}.csv", query.id)
    );
    assert_eq!((&shown["StatementType"], &shown["WorkGroup"]), (&json!("DML"), &json!("primary")));
    assert_eq!(shown["ExecutionParameters"], json!(["'a string'"]));
    assert_eq!(shown["EngineVersion"]["EffectiveEngineVersion"], "Athena engine version 3");
    assert_eq!(rows(&account.results(&query.id).await)[1], [Some("a string".to_owned())]);

    let failed = account.run("SELECT * FROM nowhere").await;
    let shown = account.shown(&failed.id).await;
    assert_eq!(shown["Status"]["State"], "FAILED");
    let reason = shown["Status"]["StateChangeReason"].as_str().unwrap();
    assert!(
        reason.starts_with("TABLE_NOT_FOUND: ") && reason.contains("nowhere' does not exist"),
        "{reason}"
    );
    let error = &shown["Status"]["AthenaError"];
    assert_eq!((&error["ErrorCategory"], &error["ErrorMessage"]), (&json!(2), &json!(reason)));

    let input = json!({"QueryExecutionIds": [failed.id, "no-such-query"]});
    let both = account.ok("BatchGetQueryExecution", input).await;
    assert_eq!(both["QueryExecutions"][0], shown);
    assert_eq!(both["UnprocessedQueryExecutionIds"][0]["QueryExecutionId"], "no-such-query");
    let input = json!({"QueryExecutionId": "no-such-query"});
    let refusal = account.refused("GetQueryExecution", input).await;
    assert_eq!(refusal, "InvalidRequestException: QueryExecution no-such-query was not found");
    let input = json!({"QueryExecutionId": query.id});
    let statistics = account.ok("GetQueryRuntimeStatistics", input).await;
    assert_eq!(statistics["QueryRuntimeStatistics"]["Rows"]["OutputRows"], 1);
}

#[tokio::test]
async fn a_token_starts_one_query() {
    let account = Account::open();
    let input = with(question("SELECT 1"), "ClientRequestToken", json!(TOKEN));
    let first = account.ok("StartQueryExecution", input.clone()).await;
    assert_eq!(account.ok("StartQueryExecution", input.clone()).await, first);
    account.finished(&id(&first)).await;
    assert_eq!(account.ok("StartQueryExecution", input.clone()).await, first);
    let changed = with(input, "QueryString", json!("SELECT 2"));
    let refusal = account.refused("StartQueryExecution", changed).await;
    assert_eq!(refusal, "InvalidRequestException: Idempotent parameters do not match");
    let listed = account.ok("ListQueryExecutions", json!({})).await;
    assert_eq!(listed["QueryExecutionIds"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_query_is_stopped() {
    let account = Account::open();
    let running = account.start(&endless()).await;
    account.reaches(&running, State::Running).await;
    account.ok("StopQueryExecution", json!({"QueryExecutionId": running})).await;
    let query = account.finished(&running).await;
    assert_eq!(query.state, State::Cancelled);
    assert_eq!(query.error.unwrap().error_type, 1011);
    // Stopping again changes nothing.
    account.ok("StopQueryExecution", json!({"QueryExecutionId": running})).await;
    // Its slot is free.
    account.succeed("SELECT 1").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ddl_does_not_wait_behind_queries() {
    let account = Account::open_with(Limits { dml_running: 1, ..Limits::default() });
    let running = account.start(&endless()).await;
    account.reaches(&running, State::Running).await;
    let waiting = account.start("SELECT 1").await;
    account.succeed("SHOW DATABASES").await;
    assert_eq!(account.athena.query(&waiting).unwrap().state, State::Queued);
    account.ok("StopQueryExecution", json!({"QueryExecutionId": running})).await;
    assert_eq!(account.finished(&waiting).await.state, State::Succeeded);
}

#[tokio::test]
async fn quotas_are_kept_where_they_are_on() {
    let account =
        Account::open_with(Limits { dml_running: 0, dml_active: Some(1), ..Limits::default() });
    account.start("SELECT 1").await;
    let error = account.call("StartQueryExecution", question("SELECT 2")).await.unwrap_err();
    assert_eq!(error.code, "TooManyRequestsException");
    assert_eq!(error.members["Reason"], "CONCURRENT_QUERY_LIMIT_EXCEEDED");
    account.succeed("SHOW DATABASES").await;

    let timeout = Some(Duration::from_millis(1));
    let account = Account::open_with(Limits { dml_timeout: timeout, ..Limits::default() });
    let query = account.run(&endless()).await;
    assert_eq!(
        (query.state, query.reason.unwrap().contains("Query timeout")),
        (State::Failed, true)
    );
}

#[tokio::test]
async fn another_process_may_look_and_stop() {
    let account = Account::stalled();
    let other = open(&account.lake, Limits::default());
    let id = account.start("SELECT 1").await;
    assert_eq!(other.query(&id).unwrap().state, State::Queued);
    let waiting = account.athena.finished(&id);
    other.operation("StopQueryExecution", json!({"QueryExecutionId": id})).await.unwrap();
    let here = account.athena.query(&id).unwrap();
    assert_eq!(here.state, State::Cancelled);
    assert_eq!(
        tokio::time::timeout(LIMIT, waiting).await.unwrap().unwrap().state,
        State::Cancelled
    );
}

#[tokio::test]
async fn a_query_whose_process_has_died_has_failed() {
    let account = Account::stalled();
    let id = account.start("SELECT 1").await;
    let queries = &account.athena.executions.queries;
    queries.advance(&id, |query| query.owner = "a process that is gone".to_owned()).unwrap();
    let query = account.athena.query(&id).unwrap();
    assert_eq!(query.state, State::Failed);
    assert_eq!(query.error.unwrap().category, 1);

    // One that closes its service leaves nothing running either.
    let other = open(&account.lake, Limits { dml_running: 0, ..Limits::default() });
    let started = other.operation("StartQueryExecution", question("SELECT 2")).await.unwrap();
    drop(other);
    let query = account.finished(&super::id(&started)).await;
    assert_eq!(query.state, State::Failed);
}

#[tokio::test]
async fn the_newest_query_is_listed_first() {
    let account = Account::stalled();
    let mut started = Vec::new();
    for _ in 0..5 {
        started.insert(0, account.start("SELECT 1").await);
    }
    let mut listed = Vec::new();
    let mut input = json!({"MaxResults": 2});
    loop {
        let page = account.ok("ListQueryExecutions", input.clone()).await;
        let ids = page["QueryExecutionIds"].as_array().unwrap();
        listed.extend(ids.iter().map(|id| id.as_str().unwrap().to_owned()));
        if page["NextToken"].is_null() {
            break;
        }
        input["NextToken"] = page["NextToken"].clone();
    }
    assert_eq!(listed, started);
}

#[tokio::test]
async fn an_answer_is_given_again() {
    let account = Account::open();
    let reuse = |sql: &str| {
        let by_age = json!({"Enabled": true, "MaxAgeInMinutes": 60});
        with(
            question(sql),
            "ResultReuseConfiguration",
            json!({"ResultReuseByAgeConfiguration": by_age}),
        )
    };
    let first = account.succeed("SELECT 1 AS a").await;
    for (sql, reused) in
        [("SELECT 1 AS a", true), ("SELECT 2 AS a", false), ("SHOW DATABASES", false)]
    {
        let id = id(&account.ok("StartQueryExecution", reuse(sql)).await);
        let query = account.finished(&id).await;
        assert_eq!((query.state, query.reused), (State::Succeeded, reused), "{sql}");
        let shown = account.shown(&id).await;
        let information = &shown["Statistics"]["ResultReuseInformation"];
        assert_eq!(information["ReusedPreviousResult"], reused);
        if reused {
            assert_ne!(id, first.id);
            assert_eq!(query.output_location, first.output_location);
            assert_eq!(rows(&account.results(&id).await), rows(&account.results(&first.id).await));
        }
    }
}
