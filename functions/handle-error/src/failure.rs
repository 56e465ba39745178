//! The error as it was caught, read from whatever the state machine sends.

use serde_json::Value;
use shared::event::{HandleErrorInput, Unit};

use crate::redaction::redact;

/// A state's name has at most 80 characters (Amazon States Language).
const LONGEST_STATE: usize = 320;

/// What failed, where and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub execution: String,
    /// The execution a person started; the same as `execution` outside of a month.
    pub run_execution: String,
    /// The input of that execution, where the run as a whole failed.
    pub input: Option<Value>,
    pub state: String,
    pub unit: Option<Unit>,
    /// 1 for the first try.
    pub attempt: u32,
    pub error: String,
    pub cause: String,
    /// The event itself, where it is not what was agreed.
    pub odd: Option<Value>,
}

impl Failure {
    /// Reads the event; one that is not what was agreed is read field by field, and kept.
    pub fn read(event: &Value) -> Self {
        match serde_json::from_value::<HandleErrorInput>(event.clone()) {
            Ok(input) => Self {
                run_execution: input.run_execution.unwrap_or_else(|| input.execution.clone()),
                execution: input.execution,
                input: input.input,
                state: redact(&input.state, LONGEST_STATE),
                unit: input.unit,
                attempt: input.attempt.max(1),
                error: input.error,
                cause: input.cause,
                odd: None,
            },
            Err(_) => Self {
                execution: text(&event["execution"]),
                run_execution: text(&event["execution"]),
                input: None,
                state: redact(&text(&event["state"]), LONGEST_STATE),
                unit: None,
                attempt: 1,
                error: text(&event["error"]),
                cause: text(&event["cause"]),
                odd: Some(event.clone()),
            },
        }
    }

    pub fn dataset(&self) -> Option<String> {
        self.unit.as_ref().map(|unit| unit.dataset.to_string())
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
