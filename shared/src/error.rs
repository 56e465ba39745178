//! The names by which Step Functions knows our errors, and what each calls for.
//!
//! A function's error enum says its [`ErrorName`]; [`diagnostic`] carries it to `ErrorEquals`
//! through the Lambda runtime. No name is written anywhere else.

use lambda_runtime::Diagnostic;
use serde::{Deserialize, Serialize};

/// What an error calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Passes by itself: wait and try again, within a bound.
    Transient,
    /// The file is at fault: set it aside for a person, and go on with the other months.
    Data,
    /// Set-up, input or code is at fault: trying again cannot help.
    Permanent,
}

/// Every error name that a function of this stack raises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorName {
    SourceThrottled,
    SourceUnavailable,
    SourceChanged,
    StorageUnavailable,
    LedgerConflict,
    AthenaQueryTransient,
    AthenaNotFinished,
    SchemaMissingColumn,
    SchemaUnreadable,
    DataEmpty,
    DataTruncated,
    AuditRowsNotConserved,
    DataQualityRuleFailed,
    InputInvalid,
    ConfigInvalid,
    SourceNotPublished,
    SourceRefused,
    AthenaQueryFailed,
}

impl ErrorName {
    pub const ALL: [Self; 18] = [
        Self::SourceThrottled,
        Self::SourceUnavailable,
        Self::SourceChanged,
        Self::StorageUnavailable,
        Self::LedgerConflict,
        Self::AthenaQueryTransient,
        Self::AthenaNotFinished,
        Self::SchemaMissingColumn,
        Self::SchemaUnreadable,
        Self::DataEmpty,
        Self::DataTruncated,
        Self::AuditRowsNotConserved,
        Self::DataQualityRuleFailed,
        Self::InputInvalid,
        Self::ConfigInvalid,
        Self::SourceNotPublished,
        Self::SourceRefused,
        Self::AthenaQueryFailed,
    ];

    /// The table: its name in `ErrorEquals`, and its class.
    const fn row(self) -> (&'static str, Class) {
        match self {
            Self::SourceThrottled => ("Source.Throttled", Class::Transient),
            Self::SourceUnavailable => ("Source.Unavailable", Class::Transient),
            Self::SourceChanged => ("Source.Changed", Class::Transient),
            Self::StorageUnavailable => ("Storage.Unavailable", Class::Transient),
            Self::LedgerConflict => ("Ledger.Conflict", Class::Transient),
            Self::AthenaQueryTransient => ("Athena.QueryTransient", Class::Transient),
            Self::AthenaNotFinished => ("Athena.NotFinished", Class::Transient),
            Self::SchemaMissingColumn => ("Schema.MissingColumn", Class::Data),
            Self::SchemaUnreadable => ("Schema.Unreadable", Class::Data),
            Self::DataEmpty => ("Data.Empty", Class::Data),
            Self::DataTruncated => ("Data.Truncated", Class::Data),
            Self::AuditRowsNotConserved => ("Audit.RowsNotConserved", Class::Data),
            Self::DataQualityRuleFailed => ("DataQuality.RuleFailed", Class::Data),
            Self::InputInvalid => ("Input.Invalid", Class::Permanent),
            Self::ConfigInvalid => ("Config.Invalid", Class::Permanent),
            Self::SourceNotPublished => ("Source.NotPublished", Class::Permanent),
            Self::SourceRefused => ("Source.Refused", Class::Permanent),
            Self::AthenaQueryFailed => ("Athena.QueryFailed", Class::Permanent),
        }
    }

    pub const fn as_str(self) -> &'static str {
        self.row().0
    }

    pub const fn class(self) -> Class {
        self.row().1
    }
}

/// The class of an error name as Step Functions reports it: one of ours, or one of its own or of
/// an integrated service. None for a name that says nothing by itself, as `States.TaskFailed`.
///
/// Sources: Step Functions developer guide, "Handling errors" (`States.*`) and "Lambda service
/// exceptions"; Athena API reference, "Common Errors".
pub fn class_of(name: &str) -> Option<Class> {
    if let Some(ours) = ErrorName::ALL.into_iter().find(|ours| ours.as_str() == name) {
        return Some(ours.class());
    }
    match name {
        "States.Timeout"
        | "States.HeartbeatTimeout"
        | "Lambda.ServiceException"
        | "Lambda.AWSLambdaException"
        | "Lambda.SdkClientException"
        | "Lambda.ClientExecutionTimeoutException"
        | "Lambda.TooManyRequestsException"
        | "Lambda.Unknown"
        | "Runtime.ExitError"
        | "Sandbox.Timedout"
        | "Athena.TooManyRequestsException"
        | "Athena.InternalServerException"
        | "Athena.ThrottlingException" => Some(Class::Transient),
        "States.Permissions"
        | "States.Runtime"
        | "States.DataLimitExceeded"
        | "States.QueryEvaluationError"
        | "States.ParameterPathFailure"
        | "States.ItemReaderFailed"
        | "Athena.InvalidRequestException"
        | "Runtime.UnmarshalError" => Some(Class::Permanent),
        _ => None,
    }
}

/// An error that a state machine can catch by name.
pub trait NamedError: std::error::Error {
    fn name(&self) -> ErrorName;

    /// What the error is about, for whoever reads the dead letter.
    fn subject(&self) -> Subject {
        Subject::default()
    }
}

/// What an error is about; `column` holds several names joined by `, ` when several are at fault.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dataset: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub month: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// The error message of every failed invocation: JSON text of this shape.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorMessage {
    pub message: String,
    #[serde(flatten)]
    pub subject: Subject,
}

impl ErrorMessage {
    /// Reads the `Cause` that Step Functions gives for a failed invocation,
    /// `{"errorType":…,"errorMessage":"<JSON of this shape>"}`, or the message alone; any other
    /// text becomes the message as it stands.
    pub fn from_cause(cause: &str) -> Self {
        #[derive(Deserialize)]
        struct LambdaCause {
            #[serde(rename = "errorMessage")]
            error_message: String,
        }
        let text = serde_json::from_str::<LambdaCause>(cause)
            .map_or_else(|_| cause.to_owned(), |lambda| lambda.error_message);
        serde_json::from_str(&text)
            .unwrap_or_else(|_| Self { message: text, subject: Subject::default() })
    }
}

/// What the Lambda runtime reports: the name as `errorType`, an [`ErrorMessage`] as `errorMessage`.
pub fn diagnostic(error: &dyn NamedError) -> Diagnostic {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !message.ends_with(&text) {
            message = format!("{message}: {text}");
        }
        source = cause.source();
    }
    let message = ErrorMessage { message, subject: error.subject() };
    Diagnostic {
        error_type: error.name().as_str().to_owned(),
        error_message: serde_json::to_string(&message).expect("strings serialize"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no column total_amount")]
    struct Missing(#[source] std::fmt::Error);

    impl NamedError for Missing {
        fn name(&self) -> ErrorName {
            ErrorName::SchemaMissingColumn
        }

        fn subject(&self) -> Subject {
            Subject { file: Some("a.csv".into()), ..Subject::default() }
        }
    }

    #[test]
    fn a_cause_reads_back_as_what_the_function_raised() {
        let raised = diagnostic(&Missing(std::fmt::Error));
        assert_eq!(raised.error_type, "Schema.MissingColumn");
        let cause = serde_json::to_string(&raised).unwrap();
        let message = ErrorMessage::from_cause(&cause);
        assert!(message.message.starts_with("no column total_amount: an error"), "{message:?}");
        assert_eq!(message.subject.file.as_deref(), Some("a.csv"));
        assert_eq!(ErrorMessage::from_cause("plain").message, "plain");
    }

    #[test]
    fn names_are_unique_and_classed() {
        let mut names: Vec<_> = ErrorName::ALL.iter().map(|name| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorName::ALL.len());
        assert_eq!(class_of("Source.Throttled"), Some(Class::Transient));
        assert_eq!(class_of("States.Timeout"), Some(Class::Transient));
        assert_eq!(class_of("States.TaskFailed"), None);
    }
}
