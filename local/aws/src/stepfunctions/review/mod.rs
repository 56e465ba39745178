//! What can be said of a definition before it runs: the language's own remarks, and what the
//! services say of each Task: its resource, its arguments, its errors, the size of its result.
//!
//! The signatures lie in `local/aws/signatures`, where a script writes them from AWS's own models.

mod arguments;
mod error_name;
mod permission;
mod query;
mod resource;
mod signature;
mod unbounded;

use asl::{ExecutionType, Outline};
use serde_json::Value;

pub use asl::{
    Outline as DefinitionOutline, Remark, ResourceKind, Severity, StateOutline, nearest,
};
pub use permission::{actions, allowed};

/// Everything to be said of a definition, as a STANDARD or an EXPRESS state machine's.
pub fn review(definition: &str, kind: &str) -> Vec<Remark> {
    let execution_type = match kind {
        "EXPRESS" => ExecutionType::Express,
        _ => ExecutionType::Standard,
    };
    let mut remarks = asl::review(definition, execution_type);
    let document: Value = serde_json::from_str(definition).unwrap_or_default();
    let outline = Outline::of(&document);
    for state in &outline.states {
        remarks.extend(task(state));
    }
    remarks.extend(unbounded::remarks(&outline));
    remarks
}

fn task(state: &StateOutline) -> Vec<Remark> {
    let Some(resource) = state.resource() else { return Vec::new() };
    let (signature, mut remarks) = resource::remarks(state, &resource);
    if let Some(signature) = signature {
        remarks.extend(arguments::remarks(state, &resource, signature));
    }
    remarks.extend(error_name::remarks(state, &resource));
    remarks.extend(query::remarks(state, &resource));
    remarks
}
