//! How states and executions fail: AWS's error names and the texts that go with them.

use serde_json::{Value, json};

/// Reserved error names of the States Language.
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.
pub mod error_name {
    pub const ALL: &str = "States.ALL";
    pub const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
    pub const EXCEED_TOLERATED_FAILURE_THRESHOLD: &str = "States.ExceedToleratedFailureThreshold";
    pub const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
    pub const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";
    pub const ITEM_READER_FAILED: &str = "States.ItemReaderFailed";
    pub const NO_CHOICE_MATCHED: &str = "States.NoChoiceMatched";
    pub const PARAMETER_PATH_FAILURE: &str = "States.ParameterPathFailure";
    pub const PERMISSIONS: &str = "States.Permissions";
    pub const QUERY_EVALUATION_ERROR: &str = "States.QueryEvaluationError";
    pub const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";
    pub const RESULT_WRITER_FAILED: &str = "States.ResultWriterFailed";
    pub const RUNTIME: &str = "States.Runtime";
    pub const TASK_FAILED: &str = "States.TaskFailed";
    pub const TIMEOUT: &str = "States.Timeout";
}

/// An error name and a cause, both of which AWS leaves out at times
/// (a timeout has no cause, a bare `Fail` state has neither).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Failure {
    pub error: Option<String>,
    pub cause: Option<String>,
}

impl Failure {
    pub fn new(error: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { error: Some(error.into()), cause: Some(cause.into()) }
    }

    /// A failure with a name and no cause, such as a timeout.
    pub fn named(error: impl Into<String>) -> Self {
        Self { error: Some(error.into()), cause: None }
    }

    /// A result or output above [`MAX_PAYLOAD_BYTES`](crate::MAX_PAYLOAD_BYTES).
    /// `origin` is the state's name, the service or the function's ARN.
    pub(crate) fn too_large(origin: &str) -> Self {
        Self::new(
            error_name::DATA_LIMIT_EXCEEDED,
            format!(
                "The state/task '{origin}' returned a result with a size exceeding the maximum \
                 number of bytes service limit."
            ),
        )
    }

    /// More children of a Map Run have failed than its Map tolerates.
    pub(crate) fn too_many_failed() -> Self {
        Self::new(
            error_name::EXCEED_TOLERATED_FAILURE_THRESHOLD,
            "The specified tolerated failure threshold was exceeded",
        )
    }

    /// The error output a Catch hands on: `{"Error": …, "Cause": …}`. A
    /// timeout's missing cause is an empty text here: recorded case
    /// `error/task_service_lambda.test_invoke_timeout`.
    pub(crate) fn to_output(&self) -> Value {
        let timed_out = self.error.as_deref() == Some(error_name::TIMEOUT);
        let cause = self.cause.as_deref().or(timed_out.then_some(""));
        json!({"Error": self.error, "Cause": cause})
    }
}

/// What an expression or a field could not do. The state that met it adds its
/// name and the id of its entry event.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub error: &'static str,
    pub detail: String,
    /// The field, as AWS writes it in `EvaluationFailed`: `Output/FunctionResult`.
    pub location: Option<String>,
    /// Found when the value was put to use, a step later than its evaluation.
    pub in_use: bool,
    /// The cause is the detail alone.
    pub bare: bool,
}

impl Fault {
    pub fn runtime(detail: impl Into<String>) -> Self {
        Self::of(error_name::RUNTIME, detail)
    }

    pub fn query(detail: impl Into<String>, location: Option<&str>) -> Self {
        Self {
            location: location.map(str::to_owned),
            ..Self::of(error_name::QUERY_EVALUATION_ERROR, detail)
        }
    }

    pub fn of(error: &'static str, detail: impl Into<String>) -> Self {
        Self { error, detail: detail.into(), location: None, in_use: false, bare: false }
    }

    pub fn in_use(self) -> Self {
        Self { in_use: true, ..self }
    }

    pub fn bare(self) -> Self {
        Self { bare: true, ..self }
    }

    pub fn into_failure(self, state: &str, entered: u64) -> Failure {
        if self.bare {
            return Failure::new(self.error, self.detail);
        }
        Failure::new(
            self.error,
            format!(
                "An error occurred while executing the state '{state}' (entered at the event id \
                 #{entered}). {}",
                self.detail
            ),
        )
    }
}

/// Why a state did not end: its own field, or what it started.
#[derive(Debug, Clone)]
pub(crate) enum Trouble {
    Fault(Fault),
    Failure(Failure),
    /// A heartbeat did not come: reported as `States.Timeout`, caught as
    /// `States.HeartbeatTimeout` as well.
    Heartbeat,
    /// The history is full, or the execution otherwise cannot go on.
    Fatal(Failure),
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}
