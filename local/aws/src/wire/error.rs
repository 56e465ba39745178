//! What a service answers when it refuses: AWS's code and words, an HTTP status, and members of the error's shape.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// An AWS error. `code` is the shape's name (`InvalidRequestException`), `message` AWS's text.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ServiceError {
    pub code: Cow<'static, str>,
    pub message: String,
    /// HTTP status; 400 unless said otherwise.
    pub status: u16,
    /// Further members of the error shape, such as Athena's `AthenaErrorCode`.
    pub members: Box<Map<String, Value>>,
}

impl ServiceError {
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        ServiceError {
            code: code.into(),
            message: message.into(),
            status: 400,
            members: Box::default(),
        }
    }

    /// Unknown action of a known service (AWS's JSON protocols say so with this code).
    pub fn unknown_operation(service: &str, action: &str) -> Self {
        ServiceError::new(
            "UnknownOperationException",
            format!("{service} does not offer the action {action} here"),
        )
    }

    /// A failure of this program itself, such as an unreadable database.
    pub fn internal(error: impl std::fmt::Display) -> Self {
        ServiceError::new("InternalFailure", error.to_string()).status(500)
    }

    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }
}

impl From<rusqlite::Error> for ServiceError {
    fn from(error: rusqlite::Error) -> Self {
        ServiceError::internal(format!("the local database: {error}"))
    }
}
