//! Workflow variables: what `Assign` sets and later states read.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

/// The variables a state sees. A branch or iteration starts with a copy of its
/// parent's and keeps its own assignments to itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables(Arc<HashMap<String, Arc<Value>>>);

impl Variables {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).map(AsRef::as_ref)
    }

    pub fn assign(&mut self, assigned: &[(String, Arc<Value>)]) {
        if assigned.is_empty() {
            return;
        }
        let variables = Arc::make_mut(&mut self.0);
        for (name, value) in assigned {
            variables.insert(name.clone(), Arc::clone(value));
        }
    }
}
