//! What is wrong with a definition, as `ValidateStateMachineDefinition` tells it.

use std::cell::RefCell;
use std::fmt;

use crate::jsonata::Refusal;

/// One problem. All of a document's problems are reported at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    pub severity: Severity,
    pub code: DiagnosticCode,
    pub message: String,
    /// A JSON pointer into the definition, `/` for the document.
    pub location: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// AWS's diagnostic codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiagnosticCode {
    /// A state's name that another state has, wherever either stands.
    DuplicateStateName,
    /// The text is not JSON.
    InvalidJsonDescription,
    /// A `{% … %}` that does not parse.
    InvalidJsonataExpression,
    /// No state ends the machine.
    MissingEndState,
    /// A `Next`, `Default` or `StartAt` without its state, or a state nobody
    /// leads to.
    MissingTransitionTarget,
    SchemaValidationFailed,
    /// A `{% … %}` that reads what Step Functions does not have.
    UnsupportedJsonataExpression,
}

impl DiagnosticCode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DuplicateStateName => "DUPLICATE_STATE_NAME",
            Self::InvalidJsonDescription => "INVALID_JSON_DESCRIPTION",
            Self::InvalidJsonataExpression => "INVALID_JSONATA_EXPRESSION",
            Self::MissingEndState => "MISSING_END_STATE",
            Self::MissingTransitionTarget => "MISSING_TRANSITION_TARGET",
            Self::SchemaValidationFailed => "SCHEMA_VALIDATION_FAILED",
            Self::UnsupportedJsonataExpression => "UNSUPPORTED_JSONATA_EXPRESSION",
        }
    }
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warning => "WARNING",
        }
    }
}

/// As `CreateStateMachine` words it: `CODE: message at /location`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, message) = (self.code.as_str(), &self.message);
        // AWS has no place for what is missing everywhere.
        let nowhere = self.code == DiagnosticCode::MissingEndState;
        write!(f, "{code}: {message} at {}", if nowhere { "null" } else { &self.location })
    }
}

/// Problems found so far.
#[derive(Debug, Default)]
pub(crate) struct Problems(RefCell<Vec<Diagnostic>>);

impl Problems {
    pub fn schema(&self, location: &str, message: impl Into<String>) {
        self.add(DiagnosticCode::SchemaValidationFailed, location, message);
    }

    pub fn target(&self, location: &str, message: impl Into<String>) {
        self.add(DiagnosticCode::MissingTransitionTarget, location, message);
    }

    /// An expression: what keeps it from being parsed, or from being taken.
    pub fn query(&self, location: &str, refusal: &Refusal) {
        let code = match refusal {
            Refusal::Syntax(_) => DiagnosticCode::InvalidJsonataExpression,
            Refusal::TopLevelReference(_) => DiagnosticCode::UnsupportedJsonataExpression,
        };
        self.add(code, location, refusal.to_string());
    }

    pub fn add(&self, code: DiagnosticCode, location: &str, message: impl Into<String>) {
        self.0.borrow_mut().push(Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            location: if location.is_empty() { "/" } else { location }.to_owned(),
        });
    }

    pub fn into_vec(self) -> Vec<Diagnostic> {
        self.0.into_inner()
    }
}
