//! What an error calls for, by its name and by what Athena says about a failed query.

use serde_json::Value;
use shared::error::{Class, ErrorName, class_of};
use shared::event::Decision;

use crate::redaction::redact;

/// An error's name has at most 256 characters (Step Functions API reference).
const LONGEST_ERROR: usize = 256;
/// Before the second attempt a month waits at most this long, before each later one twice as long.
const FIRST_WAIT_SECONDS: f64 = 10.0;
/// No wait is longer.
const LONGEST_WAIT_SECONDS: f64 = 300.0;

/// A classified error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub class: Class,
    /// The name to report: as it was caught, or ours for a failed query.
    pub error: String,
    /// Athena's own words where there are some.
    pub reason: Option<String>,
}

/// Judges `error` and `cause` as Step Functions gives them. What nobody knows is permanent: it
/// goes to a person, not around in circles.
pub fn judge(error: &str, cause: &str) -> Verdict {
    let query = FailedQuery::read(cause);
    if let Some(query) = query {
        let class = query.class();
        let name = match class {
            Class::Transient => ErrorName::AthenaQueryTransient,
            Class::Data | Class::Permanent => ErrorName::AthenaQueryFailed,
        };
        return Verdict { class, error: name.as_str().to_owned(), reason: Some(query.reason) };
    }
    let class = class_of(error).or_else(|| class_of_text(cause)).unwrap_or(Class::Permanent);
    let error = if error.is_empty() { "States.TaskFailed" } else { error };
    Verdict { class, error: redact(error, LONGEST_ERROR), reason: None }
}

/// What is done about a class; `more` is whether another attempt is left.
pub const fn decide(class: Class, more: bool) -> Decision {
    match (class, more) {
        (Class::Transient, true) => Decision::Retry,
        (Class::Data, _) => Decision::Quarantine,
        (Class::Transient, false) | (Class::Permanent, _) => Decision::Fail,
    }
}

/// Exponential, and the upper half at random so that months that failed together do not return
/// together.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 300")]
pub fn wait_seconds(attempt: u32, jitter: f64) -> u64 {
    let doublings = i32::try_from(attempt.saturating_sub(1).min(16)).expect("at most 16");
    let longest = (FIRST_WAIT_SECONDS * 2_f64.powi(doublings)).min(LONGEST_WAIT_SECONDS);
    (longest * f64::midpoint(1.0, jitter.clamp(0.0, 1.0))).round() as u64
}

/// The Cause of a `.sync` task whose query failed: the answer of `GetQueryExecution` as JSON.
struct FailedQuery {
    reason: String,
    retryable: bool,
    /// Athena's `ErrorCategory` 1: the fault is Athena's.
    system: bool,
}

impl FailedQuery {
    fn read(cause: &str) -> Option<Self> {
        let cause: Value = serde_json::from_str(cause).ok()?;
        let query = cause.get("QueryExecution").unwrap_or(&cause);
        let status = query.get("Status").filter(|_| query.get("QueryExecutionId").is_some())?;
        let error = &status["AthenaError"];
        let reason = [&status["StateChangeReason"], &error["ErrorMessage"], &status["State"]]
            .into_iter()
            .find_map(Value::as_str);
        Some(Self {
            reason: reason.unwrap_or("the query failed without a reason").to_owned(),
            retryable: error["Retryable"].as_bool().unwrap_or(false),
            system: error["ErrorCategory"].as_u64() == Some(1),
        })
    }

    fn class(&self) -> Class {
        match class_of_text(&self.reason) {
            Some(class) => class,
            None if self.retryable || self.system => Class::Transient,
            None => Class::Permanent,
        }
    }
}

/// Error codes and phrases of Athena's messages. The first that occurs decides: throttling
/// comes wrapped in other codes, and a code decides before the words of its message.
///
/// Sources: Athena user guide, "Troubleshooting in Athena" and "Error reference"; the codes are
/// Trino's. `HIVE_PATH_ALREADY_EXISTS` passes because the next attempt is a new run with a
/// prefix of its own.
const TEXTS: &[(&str, Class)] = &[
    ("Rate exceeded", Class::Transient),
    ("ThrottlingException", Class::Transient),
    ("TooManyRequestsException", Class::Transient),
    ("SlowDown", Class::Transient),
    ("Slow Down", Class::Transient),
    ("Please reduce your request rate", Class::Transient),
    ("Access Denied", Class::Permanent),
    ("AccessDenied", Class::Permanent),
    ("PERMISSION_DENIED", Class::Permanent),
    ("Bytes scanned limit was exceeded", Class::Permanent),
    ("HIVE_PATH_ALREADY_EXISTS", Class::Transient),
    ("HIVE_CURSOR_ERROR", Class::Transient),
    ("HIVE_FILESYSTEM_ERROR", Class::Transient),
    ("HIVE_METASTORE_ERROR", Class::Transient),
    ("HIVE_WRITER_OPEN_ERROR", Class::Transient),
    ("HIVE_WRITER_CLOSE_ERROR", Class::Transient),
    ("HIVE_WRITER_DATA_ERROR", Class::Transient),
    ("GENERIC_INTERNAL_ERROR", Class::Transient),
    ("INTERNAL_ERROR", Class::Transient),
    ("CLUSTER_OUT_OF_MEMORY", Class::Transient),
    ("NO_NODES_AVAILABLE", Class::Transient),
    ("PAGE_TRANSPORT_", Class::Transient),
    ("Query exhausted resources", Class::Transient),
    ("EXCEEDED_TIME_LIMIT", Class::Transient),
    ("Query timeout", Class::Transient),
    ("HIVE_BAD_DATA", Class::Data),
    ("HIVE_CANNOT_OPEN_SPLIT", Class::Data),
    ("HIVE_PARTITION_SCHEMA_MISMATCH", Class::Data),
    ("HIVE_INVALID_PARTITION_VALUE", Class::Data),
    ("HIVE_UNSUPPORTED_FORMAT", Class::Data),
    ("HIVE_UNKNOWN_ERROR", Class::Data),
    ("SERIALIZATION_ERROR", Class::Data),
    ("INVALID_CAST_ARGUMENT", Class::Data),
    ("NUMERIC_VALUE_OUT_OF_RANGE", Class::Data),
    ("DIVISION_BY_ZERO", Class::Data),
];

fn class_of_text(text: &str) -> Option<Class> {
    TEXTS.iter().find(|(words, _)| text.contains(words)).map(|(_, class)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `athena:startQueryExecution.sync` reports a failed query.
    fn query(reason: &str, error: &str) -> String {
        format!(
            r#"{{"QueryExecution":{{"QueryExecutionId":"q","Status":{{"State":"FAILED","StateChangeReason":{},"AthenaError":{error}}}}}}}"#,
            serde_json::to_string(reason).unwrap()
        )
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one table of cases")]
    fn judges_by_name_then_by_athenas_words() {
        let cases = [
            ("Schema.MissingColumn", String::new(), Class::Data, "Schema.MissingColumn"),
            (
                "Lambda.TooManyRequestsException",
                String::new(),
                Class::Transient,
                "Lambda.TooManyRequestsException",
            ),
            ("Sandbox.Timedout", String::new(), Class::Transient, "Sandbox.Timedout"),
            ("States.Timeout", String::new(), Class::Transient, "States.Timeout"),
            (
                "States.DataLimitExceeded",
                String::new(),
                Class::Permanent,
                "States.DataLimitExceeded",
            ),
            ("Ledger.Conflict", "{}".to_owned(), Class::Transient, "Ledger.Conflict"),
            ("Something.New", "never heard of".to_owned(), Class::Permanent, "Something.New"),
            ("", String::new(), Class::Permanent, "States.TaskFailed"),
            (
                "Athena.AthenaException",
                "Rate exceeded (Service: Athena, Status Code: 400)".to_owned(),
                Class::Transient,
                "Athena.AthenaException",
            ),
            (
                "Athena.InvalidRequestException",
                "line 1:10: mismatched input".to_owned(),
                Class::Permanent,
                "Athena.InvalidRequestException",
            ),
            (
                "States.TaskFailed",
                query(
                    "HIVE_PATH_ALREADY_EXISTS: Target directory for table 'db.t' already exists: s3://lake/x",
                    "null",
                ),
                Class::Transient,
                "Athena.QueryTransient",
            ),
            (
                "States.TaskFailed",
                query("HIVE_CURSOR_ERROR: Read timed out", "null"),
                Class::Transient,
                "Athena.QueryTransient",
            ),
            (
                "States.TaskFailed",
                query(
                    "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split: Slow Down (Service: Amazon S3; Status Code: 503)",
                    "null",
                ),
                Class::Transient,
                "Athena.QueryTransient",
            ),
            (
                "States.TaskFailed",
                query(
                    "HIVE_BAD_DATA: Field c's type INT64 in parquet is incompatible with type double",
                    "null",
                ),
                Class::Data,
                "Athena.QueryFailed",
            ),
            (
                "States.TaskFailed",
                query("SYNTAX_ERROR: line 1:8: Column 'x' cannot be resolved", "null"),
                Class::Permanent,
                "Athena.QueryFailed",
            ),
            (
                "States.TaskFailed",
                query("HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers", "null"),
                Class::Permanent,
                "Athena.QueryFailed",
            ),
            (
                "States.TaskFailed",
                query("Access Denied when writing to location", "null"),
                Class::Permanent,
                "Athena.QueryFailed",
            ),
            (
                "States.TaskFailed",
                query("something of Athena's", r#"{"ErrorCategory":1,"ErrorType":233}"#),
                Class::Transient,
                "Athena.QueryTransient",
            ),
            (
                "States.TaskFailed",
                query("something else", r#"{"ErrorCategory":2,"Retryable":true}"#),
                Class::Transient,
                "Athena.QueryTransient",
            ),
        ];
        for (error, cause, class, name) in cases {
            let verdict = judge(error, &cause);
            assert_eq!((verdict.class, verdict.error.as_str()), (class, name), "{error} {cause}");
        }
    }

    #[test]
    fn waits_grow_up_to_a_bound() {
        let check = |attempt, jitter, expected| {
            assert_eq!(wait_seconds(attempt, jitter), expected, "{attempt} {jitter}");
        };
        check(1, 0.0, 5);
        check(1, 1.0, 10);
        check(2, 1.0, 20);
        check(3, 0.0, 20);
        check(9, 1.0, 300);
        check(u32::MAX, 1.0, 300);
        check(0, 2.0, 10);
    }
}
