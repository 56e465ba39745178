//! `athena:startQueryExecution.sync`: a query and the wait for its end.

use std::time::Duration;

use asl::{Failure, TaskFailure, TaskStage, error_name};
use serde_json::{Value, json};

use super::Task;
use super::optimised;
use super::shape::{Times, with_times};
use crate::Services;
use crate::iam::Caller;

/// The first and the longest pause between two looks at a query's state. (AWS looks every few seconds; here a look
/// costs microseconds.)
const PAUSES: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(200));

/// Stops the query when nobody waits for it any more: a timeout, a stopped execution.
struct StopOnDrop {
    services: Services,
    caller: Caller,
    query: Option<String>,
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        let Some(id) = self.query.take() else {
            return;
        };
        let (services, caller) = (self.services.clone(), self.caller.clone());
        // At the end of the program there is no runtime left, and no query either.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let input = json!({"QueryExecutionId": id});
            let stopped =
                services.dispatch_as(&caller, "athena", "StopQueryExecution", input).await;
            if let Err(error) = stopped {
                tracing::warn!(%error, query = id, "a query could not be stopped");
            }
        });
    }
}

pub async fn query(task: &Task<'_>) -> Result<Value, TaskFailure> {
    let submitted = task
        .request("athena", "startQueryExecution")
        .await
        .map_err(|failure| TaskFailure { failure, stage: TaskStage::Submit })?;
    let id = submitted["QueryExecutionId"].as_str().unwrap_or_default().to_owned();
    task.call.signals.submitted(submitted);
    let (services, caller) = (task.services.clone(), task.caller.clone());
    let mut guard = StopOnDrop { services, caller, query: Some(id.clone()) };
    let mut pause = PAUSES.0;
    let execution = loop {
        let input = json!({"QueryExecutionId": id});
        let answered = task.dispatch("athena", "GetQueryExecution", input).await;
        let execution = answered.map_err(|error| optimised::failure("athena", &error))?;
        let state = execution["QueryExecution"]["Status"]["State"].as_str().unwrap_or_default();
        if !["QUEUED", "RUNNING"].contains(&state) {
            break execution;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(PAUSES.1);
    };
    guard.query = None;
    let succeeded = execution["QueryExecution"]["Status"]["State"] == "SUCCEEDED";
    let result = with_times(execution, Times::Milliseconds);
    if succeeded {
        return Ok(result);
    }
    Err(Failure::new(error_name::TASK_FAILED, result.to_string()).into())
}
