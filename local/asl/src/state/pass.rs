//! Pass: hands its input on, or a fixed result.

use std::sync::Arc;

use serde_json::Value;

use crate::definition::Fields;
use crate::failure::Trouble;
use crate::variables::Variables;
use crate::visit::{Exit, Visit};

#[derive(Debug)]
pub(crate) struct Pass {
    /// `Result`, in `JSONPath` only.
    pub result: Option<Arc<Value>>,
}

impl Pass {
    pub fn parse(fields: &Fields) -> Self {
        let result = if fields.is_jsonata() { None } else { fields.literal("Result") };
        Self { result }
    }

    pub fn run(&self, visit: &Visit, variables: &Variables) -> Result<Exit, Trouble> {
        if visit.is_jsonata() {
            return visit.exit_without_result(variables);
        }
        let input = visit.effective_input(variables)?;
        let result = match &self.result {
            Some(result) => Arc::clone(result),
            None => visit.parameters(&input, variables)?,
        };
        visit.exit(result, variables)
    }
}
