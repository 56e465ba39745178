//! What an execution used: read from its history, from the queries it started, and from the account's counters.
use std::collections::BTreeMap;

use aws::Services;
use aws::metering::{self, Sender};
use serde::Serialize;
use serde_json::{Value, json};

use super::price::{EXPRESS_MEMORY_MB, EXPRESS_STEP_SECONDS, HOURS_A_MONTH, Item, billed_bytes};
use super::quantities::Quantities;
use super::transitions::Transitions;
use crate::cloud::{CallError, call};
use crate::run::executions::{Execution, StepFunctions};

/// The largest batch of `BatchGetQueryExecution`.
const QUERIES_A_CALL: usize = 50;

/// SQS bills a message by pieces of this size.
const MESSAGE_PIECE: usize = 64 * 1024;

/// Counts of one or more executions.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Usage {
    pub executions: u64,
    /// States entered, retries and redrives.
    pub transitions: u64,
    pub retries: u64,
    /// Queries that are billed.
    pub queries: u64,
    /// DDL, what only asks the catalog, and queries that failed.
    pub free_queries: u64,
    pub scanned_bytes: u64,
    /// Each billed query rounded up.
    pub billed_bytes: u64,
    pub invocations: u64,
    pub gb_seconds: f64,
    /// By who sent them.
    pub s3_requests: BTreeMap<&'static str, S3Requests>,
    pub notifications: u64,
    pub queue_requests: u64,
    pub catalog_requests: u64,
    /// Measurements of custom metrics, and the requests that brought them.
    pub metrics: u64,
    pub metric_requests: u64,
    pub log_bytes: u64,
    /// What Express would bill, if it could run this.
    pub express_gb_seconds: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct S3Requests {
    /// PUT, COPY, POST.
    pub writes: u64,
    pub lists: u64,
    /// GET, HEAD and all others.
    pub reads: u64,
}

impl S3Requests {
    fn add(&mut self, kind: &str, count: u64) {
        match kind {
            metering::WRITE => self.writes += count,
            metering::LIST => self.lists += count,
            _ => self.reads += count,
        }
    }
}

impl Usage {
    /// What one execution used, its children apart.
    pub async fn of_execution(
        services: &Services,
        execution: &Execution,
    ) -> Result<Self, CallError> {
        let arn = &execution.execution_arn;
        let history = StepFunctions(services).history(arn).await?;
        let mut usage = Self { executions: 1, ..Self::default() };
        usage.add_history(&history);
        usage.add_express(execution.seconds());
        let queries = queries(&history);
        for batch in queries.chunks(QUERIES_A_CALL) {
            let input = json!({"QueryExecutionIds": batch});
            let answer = call(services, "athena", "BatchGetQueryExecution", input).await?;
            for query in answer["QueryExecutions"].as_array().into_iter().flatten() {
                usage.add_query(query);
            }
        }
        let trace = services.stepfunctions().trace_of(arn).map_err(refused("DescribeExecution"))?;
        for cause in queries.iter().chain([&trace]) {
            usage.add_counters(services, cause)?;
        }
        Ok(usage)
    }

    fn add_history(&mut self, history: &[Value]) {
        let transitions = Transitions::of(history);
        self.transitions += transitions.total();
        self.retries += transitions.retries;
        for event in history.iter().filter(|event| event["type"] == "TaskScheduled") {
            let details = &event["taskScheduledEventDetails"];
            match details["resourceType"].as_str() {
                Some("sns") => self.notifications += 1,
                Some("sqs") => {
                    let size = details["parameters"].as_str().map_or(0, str::len);
                    self.queue_requests += size.div_ceil(MESSAGE_PIECE).max(1) as u64;
                }
                _ => {}
            }
        }
    }

    /// Adds a query as `GetQueryExecution` shows it. Athena bills what SELECT, INSERT, CTAS and UNLOAD scan; DDL
    /// and failed queries are free, what a cancelled query had scanned is not.
    /// <https://aws.amazon.com/athena/pricing/>
    fn add_query(&mut self, query: &Value) {
        let scans = query["StatementType"] == "DML"
            || query["SubstatementType"] == "CREATE_TABLE_AS_SELECT";
        let reused = query["Statistics"]["ResultReuseInformation"]["ReusedPreviousResult"] == true;
        let scanned = query["Statistics"]["DataScannedInBytes"].as_u64().unwrap_or_default();
        self.scanned_bytes += scanned;
        let billed = match query["Status"]["State"].as_str() {
            Some("SUCCEEDED") => scans && !reused,
            Some("CANCELLED") => scans && scanned > 0,
            _ => false,
        };
        if billed {
            self.queries += 1;
            self.billed_bytes += billed_bytes(scanned);
        } else {
            self.free_queries += 1;
        }
    }

    fn add_express(&mut self, seconds: f64) {
        let steps = (seconds / EXPRESS_STEP_SECONDS).ceil().max(1.0);
        self.express_gb_seconds += steps * EXPRESS_STEP_SECONDS * EXPRESS_MEMORY_MB / 1024.0;
    }

    fn add_counters(&mut self, services: &Services, cause: &str) -> Result<(), CallError> {
        let meters = services.meters();
        let counted = meters.requests(Some(cause)).map_err(refused("requests"))?;
        for (request, count) in counted {
            match (request.service.as_str(), request.kind.as_str()) {
                ("s3", kind) => {
                    self.s3_requests.entry(request.sender.name()).or_default().add(kind, count);
                }
                ("glue", _) => self.catalog_requests += count,
                ("monitoring", metering::METRIC) => self.metrics += count,
                ("monitoring", _) => self.metric_requests += count,
                ("sns", _) => self.notifications += count,
                ("sqs", _) => self.queue_requests += count,
                _ => {}
            }
        }
        for used in meters.functions(Some(cause)).map_err(refused("functions"))? {
            self.invocations += used.invocations;
            self.log_bytes += used.log_bytes;
            // Sizes stay far below 2^53.
            #[expect(clippy::cast_precision_loss, reason = "megabytes of memory")]
            let gigabytes = used.memory as f64 / 1024.0;
            self.gb_seconds += gigabytes * used.billed.as_secs_f64();
        }
        Ok(())
    }

    pub fn add(&mut self, other: &Self) {
        self.executions += other.executions;
        self.transitions += other.transitions;
        self.retries += other.retries;
        self.queries += other.queries;
        self.free_queries += other.free_queries;
        self.scanned_bytes += other.scanned_bytes;
        self.billed_bytes += other.billed_bytes;
        self.invocations += other.invocations;
        self.gb_seconds += other.gb_seconds;
        for (caller, requests) in &other.s3_requests {
            let sum = self.s3_requests.entry(caller).or_default();
            sum.writes += requests.writes;
            sum.lists += requests.lists;
            sum.reads += requests.reads;
        }
        self.notifications += other.notifications;
        self.queue_requests += other.queue_requests;
        self.catalog_requests += other.catalog_requests;
        self.metrics += other.metrics;
        self.metric_requests += other.metric_requests;
        self.log_bytes += other.log_bytes;
        self.express_gb_seconds += other.express_gb_seconds;
    }

    /// S3 requests of all callers.
    pub fn s3_total(&self) -> S3Requests {
        let mut total = S3Requests::default();
        for requests in self.s3_requests.values() {
            total.writes += requests.writes;
            total.lists += requests.lists;
            total.reads += requests.reads;
        }
        total
    }

    /// As it is billed. Metrics are billed by the hour; each measurement is taken for an hour of its own.
    #[expect(clippy::cast_precision_loss, reason = "counts of executions stay far below 2^53")]
    pub fn quantities(&self) -> Quantities {
        let s3 = self.s3_total();
        Quantities::of(&[
            (Item::Transition, self.transitions as f64),
            (Item::ScannedByte, self.billed_bytes as f64),
            (Item::Invocation, self.invocations as f64),
            (Item::GbSecond, self.gb_seconds),
            (Item::S3Write, (s3.writes + s3.lists) as f64),
            (Item::S3Read, s3.reads as f64),
            (Item::Notification, self.notifications as f64),
            (Item::QueueRequest, self.queue_requests as f64),
            (Item::CatalogRequest, self.catalog_requests as f64),
            (Item::MetricMonth, self.metrics as f64 / HOURS_A_MONTH),
            (Item::MetricRequest, self.metric_requests as f64),
            (Item::LogGb, self.log_bytes as f64 / 1e9),
            (Item::Trace, self.executions as f64),
        ])
    }

    pub fn usd(&self) -> f64 {
        self.quantities().usd()
    }

    /// The orchestration alone, were it Express.
    #[expect(clippy::cast_precision_loss, reason = "counts of executions stay far below 2^53")]
    pub fn express_usd(&self) -> f64 {
        Quantities::of(&[
            (Item::ExpressRequest, self.executions as f64),
            (Item::ExpressGbSecond, self.express_gb_seconds),
        ])
        .usd()
    }
}

/// Names of who sends requests, in the order of the report.
pub fn senders() -> impl Iterator<Item = &'static str> {
    Sender::ALL.into_iter().map(Sender::name)
}

/// The queries that an execution has started, retried ones too.
fn queries(history: &[Value]) -> Vec<String> {
    let submitted = history.iter().filter_map(|event| {
        let details = event.get("taskSubmittedEventDetails")?;
        let output: Value = serde_json::from_str(details["output"].as_str()?).ok()?;
        let id = output["QueryExecutionId"].as_str()?.to_owned();
        (details["resourceType"] == "athena").then_some(id)
    });
    submitted.collect()
}

fn refused(action: &str) -> impl Fn(aws::wire::ServiceError) -> CallError {
    move |error| CallError { service: "the counters".to_owned(), action: action.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(statement: &str, kind: &str, state: &str, scanned: u64) -> Value {
        json!({
            "StatementType": statement, "SubstatementType": kind, "Status": {"State": state},
            "Statistics": {"DataScannedInBytes": scanned},
        })
    }

    #[test]
    fn what_scans_is_billed() {
        const CTAS: &str = "CREATE_TABLE_AS_SELECT";
        for (statement, kind, state, scanned, billed) in [
            ("DML", "SELECT", "SUCCEEDED", 5, 10_000_000),
            ("DDL", CTAS, "SUCCEEDED", 30_000_000, 30_000_000),
            ("DDL", "CREATE_VIEW", "SUCCEEDED", 0, 0),
            ("UTILITY", "SHOW_TABLES", "SUCCEEDED", 0, 0),
            ("DDL", CTAS, "FAILED", 30_000_000, 0),
            ("DML", "SELECT", "CANCELLED", 30_000_000, 30_000_000),
            ("DML", "SELECT", "CANCELLED", 0, 0),
        ] {
            let mut usage = Usage::default();
            usage.add_query(&query(statement, kind, state, scanned));
            assert_eq!(usage.billed_bytes, billed, "{statement} {kind} {state}");
            assert_eq!(usage.queries + usage.free_queries, 1);
            assert_eq!(usage.scanned_bytes, scanned);
        }
    }

    #[test]
    fn a_history_shows_its_queries_messages_and_notifications() {
        let submitted = |id: &str| {
            json!({"type": "TaskSubmitted", "taskSubmittedEventDetails": {
                "resourceType": "athena", "output": json!({"QueryExecutionId": id}).to_string(),
            }})
        };
        let scheduled = |kind: &str, parameters: &str| {
            json!({"type": "TaskScheduled", "taskScheduledEventDetails": {
                "resourceType": kind, "parameters": parameters,
            }})
        };
        let long = "x".repeat(MESSAGE_PIECE + 1);
        let history =
            [submitted("a"), scheduled("sqs", &long), scheduled("sns", "{}"), submitted("b")];
        assert_eq!(queries(&history), ["a", "b"]);
        let mut usage = Usage::default();
        usage.add_history(&history);
        assert_eq!((usage.queue_requests, usage.notifications), (2, 1));
    }

    #[test]
    fn usages_add_up_and_have_a_price() {
        let mut one = Usage { executions: 1, transitions: 3, ..Usage::default() };
        one.s3_requests.insert("functions", S3Requests { writes: 1, lists: 2, reads: 3 });
        one.add_express(0.01);
        let mut two = one.clone();
        two.add(&one);
        assert_eq!(two.s3_total(), S3Requests { writes: 2, lists: 4, reads: 6 });
        let expected = 6.0 * 0.000_025 + 6.0 * 0.000_005 + 6.0 * 0.000_000_4 + 2.0 * 0.000_005;
        assert!((two.usd() - expected).abs() < 1e-12, "{}", two.usd());
        let express = 2.0 * (1e-6 + 0.1 / 16.0 * 0.000_016_67);
        assert!((two.express_usd() - express).abs() < 1e-12);
    }
}
