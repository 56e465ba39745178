//! Definitions of state machines: checked when they come, parsed once when they run.

use std::sync::Arc;

use asl::{Definition, Diagnostic};
use serde_json::{Value, json};

use super::machine::{Kind, Revision};
use super::{StepFunctions, text};
use crate::wire::{ServiceError, read};

/// The longest definition, bytes.
const LONGEST_DEFINITION: usize = 1024 * 1024;

impl StepFunctions {
    /// The parsed definition of a revision. Parsed once in this process.
    pub(super) fn definition(
        &self,
        revision_id: &str,
        revision: &Revision,
    ) -> Result<Arc<Definition>, ServiceError> {
        if let Some(definition) = self.state().definitions.get(revision_id) {
            return Ok(definition.clone());
        }
        let definition = Arc::new(parse(&revision.definition, revision.kind)?);
        self.state().definitions.insert(revision_id.to_owned(), definition.clone());
        Ok(definition)
    }

    pub(super) fn validate_state_machine_definition(input: &Value) -> Result<Value, ServiceError> {
        let kind: Kind = match &input["type"] {
            Value::Null => Kind::Standard,
            kind => read(kind.clone())?,
        };
        let found =
            Definition::parse_as(text(input, "definition")?, kind.into()).err().unwrap_or_default();
        let errors = found.iter().any(|found| found.severity == asl::Severity::Error);
        let only_errors = input["severity"] == "ERROR";
        let most = input["maxResults"].as_u64().filter(|most| *most > 0).unwrap_or(100);
        let shown = found
            .iter()
            .filter(|found| !only_errors || found.severity == asl::Severity::Error)
            .map(|found| {
                let mut shown = json!({
                    "severity": found.severity.as_str(),
                    "code": found.code.as_str(),
                    "message": found.message,
                });
                if found.code != asl::DiagnosticCode::MissingEndState {
                    shown["location"] = found.location.as_str().into();
                }
                shown
            });
        let diagnostics: Vec<Value> =
            shown.take(usize::try_from(most).unwrap_or(usize::MAX)).collect();
        Ok(json!({
            "result": if errors { "FAIL" } else { "OK" },
            "truncated": diagnostics.len() < found.len() && !only_errors,
            "diagnostics": diagnostics,
        }))
    }
}

/// A definition, or `InvalidDefinition` with all of its problems.
pub(super) fn parse(definition: &str, kind: Kind) -> Result<Definition, ServiceError> {
    if definition.len() > LONGEST_DEFINITION {
        return Err(ServiceError::new(
            "ValidationException",
            format!(
                "1 validation error detected: Value at 'definition' failed to satisfy constraint: Member must have length less than or equal to {LONGEST_DEFINITION}"
            ),
        ));
    }
    Definition::parse_as(definition, kind.into()).map_err(|found| {
        let texts: Vec<String> = found.iter().map(Diagnostic::to_string).collect();
        ServiceError::new(
            "InvalidDefinition",
            format!("Invalid State Machine Definition: '{}'", texts.join(", ")),
        )
    })
}
