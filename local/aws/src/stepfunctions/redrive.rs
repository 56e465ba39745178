//! Redrive: executions that ended without success go on where they stopped.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html>

use std::sync::Arc;

use asl::{ChildExecution, MAX_EVENTS, Past};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::arn::check;
use super::record::Execution;
use super::run::{Launch, Running};
use super::{StepFunctions, seconds};
use crate::wire::{ServiceError, read};

/// An execution can be redriven for so long after its end.
const REDRIVABLE: SignedDuration = SignedDuration::from_hours(14 * 24);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Redrive {
    execution_arn: String,
    client_token: Option<String>,
}

/// The last redrive of an execution that had a client token.
#[derive(Debug)]
pub(super) struct Token {
    text: String,
    redriven: i64,
}

fn not_redrivable(reason: impl Into<String>) -> ServiceError {
    ServiceError::new("ExecutionNotRedrivable", reason)
}

impl StepFunctions {
    /// `RedriveExecution`. The same client token answers the same redrive.
    pub(super) fn redrive_execution(self: &Arc<Self>, input: Value) -> Result<Value, ServiceError> {
        let Redrive { execution_arn, client_token } = read(input)?;
        let arn = check(&execution_arn, &["execution"])?;
        let token = client_token.as_deref();
        let known =
            self.state().redrives.get(arn).map(|known| (known.text.clone(), known.redriven));
        if let Some((text, redriven)) = known
            && Some(&*text) == token
        {
            return Ok(json!({"redriveDate": seconds(redriven)}));
        }
        let execution = self.recorded(arn)?;
        if execution.map_run.is_some() {
            return Err(not_redrivable(
                "Execution is a child workflow execution and is redriven with its Map Run, by its parent",
            ));
        }
        let revision = self.revisions.get(&execution.revision)?;
        let revision = revision
            .ok_or_else(|| not_redrivable("The state machine of the execution has been deleted"))?;
        let definition = self.definition(&execution.revision, &revision)?;
        let (execution, past) = self.take_up(&execution)?;
        let value = serde_json::from_str(&execution.input).map_err(ServiceError::internal)?;
        let name = execution.machine.rsplit(':').next().unwrap_or_default();
        let context = self.context(&execution, name, &revision.role_arn, Arc::new(value));
        self.launch(Launch { definition, context, recorded: true, past: Some(past) });
        let redriven = execution.redriven.unwrap_or_default();
        if let Some(text) = client_token {
            self.state().redrives.insert(execution.arn, Token { text, redriven });
        }
        Ok(json!({"redriveDate": seconds(redriven)}))
    }

    /// Redrives a child that did not succeed, with its Map Run.
    pub(super) fn redrive_child(
        self: &Arc<Self>,
        child: &ChildExecution,
        before: &Execution,
    ) -> Result<Running, ServiceError> {
        let (execution, past) = self.take_up(before)?;
        let name = execution.machine.rsplit(':').next().unwrap_or_default();
        let role = &child.parent.role_arn;
        let context = self.context(&execution, name, role, Arc::clone(&child.input));
        let definition = Arc::clone(&child.definition);
        Ok(self.launch(Launch { definition, context, recorded: true, past: Some(past) }))
    }

    /// The child that a Map Run started for an item before.
    pub(super) fn child_of(
        &self,
        map_run: &str,
        index: usize,
    ) -> Result<Option<Execution>, ServiceError> {
        let child = self.executions.child(map_run, index)?;
        child.map(|child| self.recorded(&child.arn)).transpose()
    }

    /// Makes an ended execution this process' own, if it may be redriven.
    fn take_up(&self, execution: &Execution) -> Result<(Execution, Past), ServiceError> {
        let now = lake::clock::now();
        let ended = execution.stopped.and_then(|at| Timestamp::from_millisecond(at).ok());
        if ended.is_some_and(|ended| now.duration_since(ended) > REDRIVABLE) {
            return Err(not_redrivable("Execution has exceeded the redrivable period of 14 days"));
        }
        let events = self.histories.read(&execution.arn, 0, MAX_EVENTS, false)?;
        let past = Past::of(&events)
            .ok_or_else(|| not_redrivable("The history of the execution cannot be read"))?;
        if past.events() >= MAX_EVENTS - 1 {
            return Err(not_redrivable("Execution has too many history events to be redriven"));
        }
        let taken =
            self.executions.redrive(&execution.arn, &self.owner.id, now.as_millisecond())?;
        if let Some(taken) = taken {
            return Ok((taken, past));
        }
        let status = self.recorded(&execution.arn)?.status;
        Err(not_redrivable(format!("Execution is {status} and cannot be redriven")))
    }
}
