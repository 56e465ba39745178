//! What goes wrong with a path while it is evaluated: an answer of its own to predicates,
//! and to the `ON ERROR` of a call.

use datafusion::error::DataFusionError;

use crate::sql::Failure;

#[derive(Clone, Debug, PartialEq)]
pub(in crate::trino::functions::json) struct PathError(String);

impl PathError {
    pub fn new(message: String) -> Self {
        Self(message)
    }

    pub fn item_type(expected: &str, found: &str) -> Self {
        Self(format!("invalid item type. Expected: {expected}, actual: {found}"))
    }

    pub fn structural(message: &str) -> Self {
        Self(format!("structural error: {message}"))
    }
}

impl From<PathError> for Failure {
    fn from(error: PathError) -> Self {
        Self::new("PATH_EVALUATION_ERROR", format!("path evaluation failed: {}", error.0))
    }
}

/// The failure an error carries; `otherwise` of any other error.
pub(super) fn failure_of(error: DataFusionError, otherwise: impl Fn() -> Failure) -> Failure {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Failure>() {
            Ok(failure) => *failure,
            Err(_) => otherwise(),
        },
        _ => otherwise(),
    }
}
