//! Engine versions: there is one, by Athena's name for what the SQL here answers like.

use serde_json::{Value, json};

use super::refusal::invalid;
use crate::wire::ServiceError;

const EFFECTIVE: &str = "Athena engine version 3";
pub(super) const AUTO: &str = "AUTO";

/// `EngineVersion` of a choice.
pub(super) fn shape(selected: &str) -> Value {
    json!({"SelectedEngineVersion": selected, "EffectiveEngineVersion": EFFECTIVE})
}

/// The choice in a workgroup's configuration.
pub(super) fn selected(configuration: &Value) -> Result<&str, ServiceError> {
    match configuration["EngineVersion"]["SelectedEngineVersion"].as_str() {
        None => Ok(AUTO),
        Some(selected) if [AUTO, EFFECTIVE].contains(&selected) => Ok(selected),
        Some(other) => Err(invalid(format!("Engine version {other} is not supported."))),
    }
}

pub(super) fn list_engine_versions() -> Value {
    json!({"EngineVersions": [shape(AUTO), shape(EFFECTIVE)]})
}
