//! `states:startExecution.sync` and `.sync:2`: an execution inside an execution.

use std::sync::Arc;

use asl::{Failure, Pattern, TaskFailure, TaskStage, error_name};
use serde_json::{Value, json};

use super::Task;
use super::optimised;
use super::shape::{Times, to_pascal, with_times};
use crate::iam::{Caller, Need};
use crate::stepfunctions::StepFunctions;
use crate::stepfunctions::execution::describe;

/// Stops the inner execution when the outer one no longer waits.
struct StopOnDrop<'a> {
    service: &'a Arc<StepFunctions>,
    caller: &'a Caller,
    arn: Option<String>,
}

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        let Some(arn) = self.arn.take() else { return };
        let need = Need::new("states:StopExecution", arn.as_str());
        if self.service.authorise(self.caller, &need).is_ok() {
            self.service.stop(&arn, Failure::default());
        }
    }
}

/// <https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html>
const RULE: &str = "StepFunctionsGetEventsForStepFunctionsExecutionRule";

/// Members of `DescribeExecution` that the task's result has.
const SHOWN: [&str; 12] = [
    "Cause",
    "Error",
    "ExecutionArn",
    "Input",
    "InputDetails",
    "Name",
    "Output",
    "OutputDetails",
    "StartDate",
    "StateMachineArn",
    "Status",
    "StopDate",
];

pub async fn execution(task: &Task<'_>, pattern: Pattern) -> Result<Value, TaskFailure> {
    // The end is told by an event, which a rule of Step Functions' own brings.
    let rule = task.services.settings().arn("events", &format!("rule/{RULE}"));
    for action in ["events:PutTargets", "events:PutRule", "events:DescribeRule"] {
        task.service.authorise(&task.caller, &Need::new(action, rule.as_str()))?;
    }
    let submitted = task
        .request("states", "startExecution")
        .await
        .map_err(|failure| TaskFailure { failure, stage: TaskStage::Submit })?;
    let arn = submitted["ExecutionArn"].as_str().unwrap_or_default().to_owned();
    task.call.signals.submitted(submitted);
    let (service, caller) = (task.service, &task.caller);
    let mut guard = StopOnDrop { service, caller, arn: Some(arn.clone()) };
    service.authorise(caller, &Need::new("states:DescribeExecution", arn.as_str()))?;
    let ended = task.service.end_of(&arn).await;
    let ended = ended.map_err(|error| optimised::failure("states", &error))?;
    guard.arn = None;
    let described = with_times(to_pascal(describe(&ended)), Times::Milliseconds);
    let mut result = json!({});
    for member in SHOWN {
        let value = &described[member];
        let is_payload = ["Input", "Output"].contains(&member) && pattern == Pattern::Sync2;
        result[member] = match value.as_str() {
            Some(text) if is_payload => serde_json::from_str(text).unwrap_or_default(),
            _ if value.is_null() => continue,
            _ => value.clone(),
        };
    }
    if ended.status == "SUCCEEDED" {
        return Ok(result);
    }
    Err(Failure::new(error_name::TASK_FAILED, result.to_string()).into())
}
