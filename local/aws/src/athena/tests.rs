//! The service as a client sees it, on the real engine.

mod catalog;
mod queries;
mod results;
mod workgroups;

use std::sync::Arc;
use std::time::Duration;

use lake::Lake;
use serde_json::{Value, json};

use super::{Athena, Limits, QueryExecution, State};
use crate::Settings;
use crate::metering::Meters;
use crate::wire::ServiceError;

const LIMIT: Duration = Duration::from_mins(1);

/// An account with a bucket for results.
struct Account {
    lake: Lake,
    athena: Athena,
}

impl Account {
    fn open() -> Self {
        Account::open_with(Limits::default())
    }

    /// Nothing ever leaves the queue.
    fn stalled() -> Self {
        Account::open_with(Limits { dml_running: 0, ddl_running: 0, ..Limits::default() })
    }

    fn open_with(limits: Limits) -> Self {
        let lake = Lake::temporary().unwrap();
        lake.store.create_bucket("results", "us-east-1").unwrap();
        let athena = open(&lake, limits);
        Account { lake, athena }
    }

    async fn call(&self, action: &str, input: Value) -> Result<Value, ServiceError> {
        self.athena.operation(action, input).await
    }

    async fn ok(&self, action: &str, input: Value) -> Value {
        self.call(action, input).await.unwrap()
    }

    async fn refused(&self, action: &str, input: Value) -> String {
        self.call(action, input).await.unwrap_err().to_string()
    }

    async fn start(&self, sql: &str) -> String {
        id(&self.ok("StartQueryExecution", question(sql)).await)
    }

    async fn finished(&self, id: &str) -> QueryExecution {
        tokio::time::timeout(LIMIT, self.athena.finished(id)).await.unwrap().unwrap()
    }

    /// Starts a query and waits for its end.
    async fn run(&self, sql: &str) -> QueryExecution {
        self.finished(&self.start(sql).await).await
    }

    /// Runs a query that has to succeed.
    async fn succeed(&self, sql: &str) -> QueryExecution {
        let query = self.run(sql).await;
        assert_eq!((query.state, &query.reason), (State::Succeeded, &None), "{sql}");
        query
    }

    async fn shown(&self, id: &str) -> Value {
        let input = json!({"QueryExecutionId": id});
        self.ok("GetQueryExecution", input).await["QueryExecution"].clone()
    }

    async fn results(&self, id: &str) -> Value {
        self.ok("GetQueryResults", json!({"QueryExecutionId": id})).await
    }

    /// Waits until a query has this state.
    async fn reaches(&self, id: &str, state: State) {
        let reached = async {
            while self.athena.query(id).unwrap().state != state {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LIMIT, reached).await.unwrap();
    }
}

fn open(lake: &Lake, limits: Limits) -> Athena {
    let meters = Arc::new(Meters::open(lake.database()).unwrap());
    Athena::open_with(lake, Arc::new(Settings::default()), meters, limits).unwrap()
}

fn question(sql: &str) -> Value {
    json!({"QueryString": sql, "ResultConfiguration": {"OutputLocation": "s3://results/q/"}})
}

fn with(mut input: Value, member: &str, value: Value) -> Value {
    input[member] = value;
    input
}

fn id(started: &Value) -> String {
    started["QueryExecutionId"].as_str().unwrap().to_owned()
}

/// A page's rows; NULL is `None`.
fn rows(page: &Value) -> Vec<Vec<Option<String>>> {
    let value = |datum: &Value| datum["VarCharValue"].as_str().map(str::to_owned);
    let rows = page["ResultSet"]["Rows"].as_array().unwrap();
    rows.iter().map(|row| row["Data"].as_array().unwrap().iter().map(value).collect()).collect()
}

/// A query that would take hours.
fn endless() -> String {
    let ten = "SELECT * FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10)) AS d(x)";
    let tables: Vec<String> = (0..14).map(|at| format!("t t{at}")).collect();
    format!("WITH t AS ({ten}) SELECT sum(t0.x * t13.x) FROM {}", tables.join(", "))
}
