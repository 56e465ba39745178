//! Numbers of a state that may be given, selected or computed.

use serde_json::Value;

use crate::failure::Fault;
use crate::jsonata::{Query, type_name};
use crate::path::Path;
use crate::scope::Scope;

#[derive(Debug)]
pub(crate) enum Quantity {
    Fixed(f64),
    /// `TimeoutSecondsPath` and its like.
    Path {
        path: Path,
        field: &'static str,
    },
    /// `{% … %}`
    Query {
        query: Query,
        field: &'static str,
    },
}

impl Quantity {
    pub fn evaluate(&self, scope: &Scope) -> Result<f64, Fault> {
        match self {
            Self::Fixed(number) => Ok(*number),
            Self::Path { path, field } => {
                let value = scope.require(path)?;
                number(&value).ok_or_else(|| {
                    let text = match value.as_ref() {
                        Value::String(text) => text.clone(),
                        other => other.to_string(),
                    };
                    Fault::runtime(format!(
                        "The {field} field refers to value \"{text}\" which is not a valid \
                         integer: {}",
                        path.text
                    ))
                })
            }
            Self::Query { query, field } => {
                let value = query.evaluate(scope, field)?;
                value.as_f64().ok_or_else(|| unexpected(query, field, "number", &value))
            }
        }
    }
}

/// Numbers, and texts that are one: AWS takes `"1"` for 1.
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => text.parse().ok(),
        other => other.as_f64(),
    }
}

/// A result of the wrong type, in AWS's words.
pub(crate) fn unexpected(query: &Query, field: &str, expected: &str, value: &Value) -> Fault {
    query.fault(
        field,
        &format!(
            "returned an unexpected result type. Expected '{expected}', but was '{}' for value: \
             {value}",
            type_name(value)
        ),
    )
}
