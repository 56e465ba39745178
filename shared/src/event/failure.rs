//! A caught error, and what becomes of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Unit;
use crate::error::Class;

/// What a Catch hands to `handle-error`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HandleErrorInput {
    #[serde(default)]
    pub execution: String,
    /// The execution of the main machine; the same as `execution` there.
    #[serde(default)]
    pub run_execution: Option<String>,
    /// The input of the execution, in the main machine.
    #[serde(default)]
    pub input: Option<Value>,
    /// The state that failed.
    #[serde(default)]
    pub state: String,
    /// The month at hand; none in the main machine.
    #[serde(default)]
    pub unit: Option<Unit>,
    /// 1 for the first try.
    #[serde(default)]
    pub attempt: u32,
    /// `Error` as Step Functions says it.
    pub error: String,
    #[serde(default)]
    pub cause: String,
}

/// What the state machine does next, with the texts it needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HandleErrorOutput {
    pub decision: Decision,
    pub class: Class,
    /// Before the next try.
    pub wait_seconds: u64,
    /// The number of the next try.
    pub attempt: u32,
    pub error: String,
    /// JSON text `{dataset, month, file, column?, error, cause}`, at most 32,768 characters.
    pub cause: String,
    /// The dead letter: all that a person needs to start the month again.
    pub dead_letter: Value,
    /// Of the notification: at most 100 characters of ASCII.
    pub subject: String,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Wait, then fetch again.
    Retry,
    /// The file is set aside: dead letter, notification, failed item.
    Quarantine,
    /// Nothing to be done by machine: dead letter, notification, failed item.
    Fail,
}
