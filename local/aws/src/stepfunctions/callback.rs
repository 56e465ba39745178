//! Task tokens: whoever holds one ends the task it stands for.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use asl::{Failure, MAX_PAYLOAD_BYTES, TaskSignals};
use base64::Engine as _;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use uuid::Uuid;

use super::{StepFunctions, text};
use crate::wire::ServiceError;

/// What a token's text begins with, so that made-up tokens can be told from expired ones.
const PREFIX: &str = "AQCEAAAAKgAAAAMAAAAA";

pub fn new_token() -> String {
    let mut bytes = Vec::with_capacity(96);
    for _ in 0..6 {
        bytes.extend_from_slice(Uuid::new_v4().as_bytes());
    }
    format!("{PREFIX}{}", base64::engine::general_purpose::STANDARD.encode(bytes))
}

type Verdict = Result<Value, Failure>;

/// The tasks of this process that wait for a token.
#[derive(Default)]
pub struct Callbacks {
    waiting: Mutex<HashMap<String, (oneshot::Sender<Verdict>, TaskSignals)>>,
}

/// A task's wait; dropping it makes the token worthless.
pub struct Waiting<'a> {
    callbacks: &'a Callbacks,
    token: String,
    verdict: oneshot::Receiver<Verdict>,
}

impl Callbacks {
    /// To be called before anybody is told the token.
    pub fn expect(&self, token: &str, signals: TaskSignals) -> Waiting<'_> {
        let (sender, verdict) = oneshot::channel();
        self.waiting().insert(token.to_owned(), (sender, signals));
        Waiting { callbacks: self, token: token.to_owned(), verdict }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, (oneshot::Sender<Verdict>, TaskSignals)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn settle(&self, token: &str, verdict: Verdict) -> Result<(), ServiceError> {
        match self.waiting().remove(token) {
            // A receiver that has gone was dropped by its timeout a moment ago.
            Some((sender, _)) => sender.send(verdict).map_err(|_| gone()),
            None => Err(unknown(token)),
        }
    }

    fn beat(&self, token: &str) -> Result<(), ServiceError> {
        match self.waiting().get(token) {
            Some((_, signals)) => {
                signals.heartbeat();
                Ok(())
            }
            None => Err(unknown(token)),
        }
    }
}

impl Waiting<'_> {
    pub async fn verdict(mut self) -> Verdict {
        match (&mut self.verdict).await {
            Ok(verdict) => verdict,
            // The sender stays listed until a verdict or the drop of `self`.
            Err(_) => std::future::pending().await,
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.callbacks.waiting().remove(&self.token);
    }
}

fn unknown(token: &str) -> ServiceError {
    if token.starts_with(PREFIX) {
        gone()
    } else {
        ServiceError::new("InvalidToken", "Invalid Token: 'Invalid token'")
    }
}

fn gone() -> ServiceError {
    ServiceError::new("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'")
}

impl StepFunctions {
    pub(super) fn send_task_success(&self, input: &Value) -> Result<Value, ServiceError> {
        let output = text(input, "output")?;
        let invalid = |reason: &str| {
            ServiceError::new("InvalidOutput", format!("Invalid Task Output: '{reason}'"))
        };
        if output.len() > MAX_PAYLOAD_BYTES {
            return Err(invalid("larger than 256 KiB"));
        }
        let value = serde_json::from_str(output).map_err(|error| invalid(&error.to_string()))?;
        self.callbacks.settle(text(input, "taskToken")?, Ok(value))?;
        Ok(json!({}))
    }

    pub(super) fn send_task_failure(&self, input: &Value) -> Result<Value, ServiceError> {
        let member = |name: &str| input[name].as_str().map(str::to_owned);
        let failure = Failure { error: member("error"), cause: member("cause") };
        self.callbacks.settle(text(input, "taskToken")?, Err(failure))?;
        Ok(json!({}))
    }

    pub(super) fn send_task_heartbeat(&self, input: &Value) -> Result<Value, ServiceError> {
        self.callbacks.beat(text(input, "taskToken")?)?;
        Ok(json!({}))
    }
}
