//! A query execution: what was asked, how it stands, and what it cost.

use lake::sql::{ColumnInfo, QueryError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Source: <https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecutionStatus.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Queued => "QUEUED",
            State::Running => "RUNNING",
            State::Succeeded => "SUCCEEDED",
            State::Failed => "FAILED",
            State::Cancelled => "CANCELLED",
        }
    }

    /// Whether nothing follows this state.
    pub fn is_final(self) -> bool {
        match self {
            State::Queued | State::Running => false,
            State::Succeeded | State::Failed | State::Cancelled => true,
        }
    }
}

/// Why a query did not succeed. Source: the user guide's error-reference.md.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AthenaError {
    /// 1 system, 2 user, 3 other.
    pub category: u8,
    pub error_type: u32,
    pub retryable: bool,
    pub message: String,
}

impl AthenaError {
    pub fn of(error: &QueryError) -> Self {
        let category = error.category() as u8;
        AthenaError {
            category,
            error_type: error.error_type(),
            retryable: category == 1,
            message: error.to_string(),
        }
    }
}

/// Milliseconds of each part of a query's life, and bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    pub preprocessing: i64,
    pub queue: i64,
    pub planning: i64,
    pub engine: i64,
    pub processing: i64,
    pub scanned_bytes: u64,
    pub written_bytes: u64,
}

impl Statistics {
    pub fn total(&self) -> i64 {
        self.preprocessing + self.queue + self.engine + self.processing
    }
}

/// What a finished query left for GetQueryResults.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub columns: Vec<ColumnInfo>,
    /// Rows of the result object, a header not counted.
    pub rows: u64,
    /// Rows written, of statements that write.
    pub update_count: Option<u64>,
    /// The result object with rows; `None` where there is none.
    pub object: Option<String>,
}

/// One execution. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueryExecution {
    /// A UUID.
    pub id: String,
    pub query: String,
    /// `DDL`, `DML` or `UTILITY`.
    pub statement_type: String,
    pub substatement: String,
    pub workgroup: String,
    pub selected_engine: String,
    pub database: Option<String>,
    pub catalog: String,
    pub parameters: Vec<String>,
    /// The full name of the result object; `None` with managed results.
    pub output_location: Option<String>,
    /// Encryption, expected owner and ACL of the results, as they were given.
    pub result_configuration: Map<String, Value>,
    pub managed_results: Option<Value>,
    pub result_reuse: Option<Value>,
    pub state: State,
    pub reason: Option<String>,
    pub error: Option<AthenaError>,
    pub submitted: i64,
    pub started: Option<i64>,
    pub completed: Option<i64>,
    pub statistics: Statistics,
    pub manifest: Option<String>,
    /// Whether an earlier result was given again.
    pub reused: bool,
    pub answer: Answer,
    /// The process that runs it ([`crate::owner`]).
    pub owner: String,
}

impl QueryExecution {
    /// GetQueryExecution's `QueryExecution`; `now` is for those that are not finished.
    pub fn shape(&self, now: i64) -> Value {
        let mut shape = json!({
            "QueryExecutionId": self.id,
            "Query": self.query,
            "StatementType": self.statement_type,
            "SubstatementType": self.substatement,
        });
        match (&self.managed_results, &self.output_location) {
            (Some(managed), _) => shape["ManagedQueryResultsConfiguration"] = managed.clone(),
            (None, location) => {
                let mut configuration = Map::new();
                configuration.extend(
                    location.iter().map(|at| ("OutputLocation".to_owned(), at.as_str().into())),
                );
                configuration.extend(self.result_configuration.clone());
                shape["ResultConfiguration"] = Value::Object(configuration);
            }
        }
        let no_reuse = || json!({"ResultReuseByAgeConfiguration": {"Enabled": false}});
        shape["ResultReuseConfiguration"] = self.result_reuse.clone().unwrap_or_else(no_reuse);
        let mut context = Map::new();
        context
            .extend(self.database.iter().map(|name| ("Database".to_owned(), name.as_str().into())));
        context.insert("Catalog".to_owned(), self.catalog.as_str().into());
        shape["QueryExecutionContext"] = Value::Object(context);
        shape["Status"] = self.status();
        shape["Statistics"] = self.statistics(now);
        shape["WorkGroup"] = self.workgroup.as_str().into();
        shape["EngineVersion"] = super::engine_version::shape(&self.selected_engine);
        if !self.parameters.is_empty() {
            shape["ExecutionParameters"] = json!(self.parameters);
        }
        shape
    }

    fn status(&self) -> Value {
        let mut status = json!({
            "State": self.state.as_str(),
            "SubmissionDateTime": seconds(self.submitted),
        });
        if let Some(completed) = self.completed {
            status["CompletionDateTime"] = json!(seconds(completed));
        }
        if let Some(reason) = &self.reason {
            status["StateChangeReason"] = reason.as_str().into();
        }
        if let Some(error) = &self.error {
            status["AthenaError"] = json!({
                "ErrorCategory": error.category,
                "ErrorType": error.error_type,
                "Retryable": error.retryable,
                "ErrorMessage": error.message,
            });
        }
        status
    }

    fn statistics(&self, now: i64) -> Value {
        let statistics = self.timeline(now);
        let mut shape = json!({
            "EngineExecutionTimeInMillis": statistics.engine,
            "DataScannedInBytes": statistics.scanned_bytes,
            "TotalExecutionTimeInMillis": statistics.total(),
            "QueryQueueTimeInMillis": statistics.queue,
            "ServicePreProcessingTimeInMillis": statistics.preprocessing,
            "ServiceProcessingTimeInMillis": statistics.processing,
            "ResultReuseInformation": {"ReusedPreviousResult": self.reused},
        });
        if statistics.planning > 0 {
            shape["QueryPlanningTimeInMillis"] = statistics.planning.into();
        }
        if let Some(manifest) = &self.manifest {
            shape["DataManifestLocation"] = manifest.as_str().into();
        }
        shape
    }

    /// What is known by `now`.
    pub fn timeline(&self, now: i64) -> Statistics {
        let mut statistics = self.statistics.clone();
        match (self.state, self.started) {
            (State::Queued, _) => statistics.queue = (now - self.submitted).max(0),
            (State::Running, Some(started)) => statistics.engine = (now - started).max(0),
            (State::Running | State::Succeeded | State::Failed | State::Cancelled, _) => {}
        }
        statistics
    }

    /// Takes it out of the queue.
    pub fn start(&mut self, now: i64) {
        self.state = State::Running;
        self.started = Some(now);
        self.statistics.queue = (now - self.submitted).max(1);
    }

    /// Ends it, and closes its timeline: every part it went through has at least one millisecond, as on AWS.
    pub fn end(&mut self, state: State, now: i64) {
        self.state = state;
        self.completed = Some(now);
        match self.started {
            Some(started) => self.statistics.engine = (now - started).max(1),
            None => self.statistics.queue = (now - self.submitted).max(1),
        }
        self.statistics.processing = self.statistics.processing.max(1);
    }

    /// Ends it without success.
    pub fn fail(&mut self, state: State, error: AthenaError, now: i64) {
        self.end(state, now);
        self.reason = Some(error.message.clone());
        self.error = Some(error);
    }
}

/// Epoch seconds, as awsJson has timestamps.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this age fit into 53 bits")]
pub(super) fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}
