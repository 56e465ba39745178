//! Executions at work: launched, stopped, ended, and abandoned when their process is gone.

use std::sync::{Arc, Weak};
use std::time::Duration;

use asl::{
    Definition, Event, EventDetail, ExecutionContext, ExecutionType, Failure, Outcome, Past, Stop,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::StepFunctions;
use super::execution::describe;
use super::history::{Histories, write};
use super::host::ExecutionHost;
use super::permission::{TRACES_BEGIN, TRACES_END};
use super::record::{End, Execution, end};
use crate::eventbridge::Notice;
use crate::wire::ServiceError;

/// How long an event may wait before other processes can read it, and a stop asked for by another process.
const ATTENTION: Duration = Duration::from_millis(200);

/// An execution about to run.
pub(super) struct Launch {
    pub definition: Arc<Definition>,
    pub context: Arc<ExecutionContext>,
    /// It has a row and a history (STANDARD).
    pub recorded: bool,
    /// What it had done before a redrive.
    pub past: Option<Past>,
}

/// How an execution ended.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub outcome: Outcome,
    pub stopped: Timestamp,
}

/// An execution of this process.
#[derive(Clone)]
pub(super) struct Running {
    pub arn: String,
    stop: Arc<watch::Sender<Option<Stop>>>,
    ended: watch::Receiver<Option<Arc<Ended>>>,
    task: tokio::task::AbortHandle,
}

impl Running {
    pub fn stop(&self, failure: Failure) {
        self.stop.send_if_modified(|stop| {
            let first = stop.is_none();
            if first {
                *stop = Some(Stop(failure));
            }
            first
        });
    }

    /// Waits for the end. Fails when the process shuts down first.
    pub async fn ended(mut self) -> Result<Arc<Ended>, ServiceError> {
        let ended = self.ended.wait_for(Option::is_some).await;
        let ended = ended.ok().and_then(|ended| ended.clone());
        ended.ok_or_else(|| ServiceError::new("ServiceUnavailable", "shutting down").status(503))
    }
}

impl StepFunctions {
    pub(super) fn launch(self: &Arc<Self>, launch: Launch) -> Running {
        let arn = launch.context.execution_arn.clone();
        let (stop, stopped) = watch::channel(None);
        let (end, ended) = watch::channel(None);
        let recorder = launch.recorded.then(|| self.histories.recorder(&arn));
        let host = ExecutionHost::new(self.clone(), launch.context.clone(), recorder, stopped);
        let service = self.clone();
        if launch.recorded {
            self.notify(&launch.context, None);
        }
        self.trace(&launch.context, &TRACES_BEGIN);
        // The task must not end before it is listed: it takes itself off.
        let mut state = self.state();
        let task = tokio::spawn(async move {
            let context = launch.context.clone();
            let outcome = match launch.past {
                None => asl::run(&launch.definition, context, &host).await,
                Some(past) => asl::redrive(&launch.definition, context, &host, past).await,
            };
            let ended = Arc::new(Ended { outcome, stopped: lake::clock::now() });
            service.trace(&launch.context, &TRACES_END);
            service.record_segment(&launch.context, &ended);
            if launch.recorded {
                service.conclude(&launch.context, &ended);
            }
            service.state().running.remove(&launch.context.execution_arn);
            end.send_replace(Some(ended));
        });
        let running =
            Running { arn: arn.clone(), stop: Arc::new(stop), ended, task: task.abort_handle() };
        state.running.insert(arn, running.clone());
        running
    }

    /// Writes histories and heeds other processes' wishes, until the service is dropped.
    pub(super) fn attend(service: Weak<Self>) {
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(ATTENTION).await;
                let Some(service) = service.upgrade() else {
                    return;
                };
                let asked = service.executions.asked_to_stop(&service.owner.id);
                let written = service.histories.flush().and_then(|()| service.meters.flush());
                let attended = written.and(asked).map(|asked| {
                    for (arn, failure) in asked {
                        service.stop(&arn, failure);
                    }
                });
                if let Err(error) = attended {
                    tracing::error!(%error, "histories could not be written; trying again");
                }
            }
        });
    }

    /// Asks an execution of this process to stop; `false` if it is not one.
    pub(super) fn stop(&self, arn: &str, failure: Failure) -> bool {
        let running = self.state().running.get(arn).cloned();
        running.inspect(|running| running.stop(failure)).is_some()
    }

    /// Waits for an execution to end, of this process or another, and answers what `DescribeExecution` does.
    pub async fn wait(&self, arn: &str) -> Result<Value, ServiceError> {
        Ok(describe(&self.end_of(arn).await?))
    }

    /// The row of an execution once it has ended.
    pub(super) async fn end_of(&self, arn: &str) -> Result<Execution, ServiceError> {
        loop {
            let running = self.state().running.get(arn).cloned();
            if let Some(running) = running {
                running.ended().await?;
            }
            let execution = self.recorded(arn)?;
            if execution.status != "RUNNING" {
                return Ok(execution);
            }
            tokio::time::sleep(ATTENTION).await;
        }
    }

    /// The end of a recorded execution: last events and final row in one transaction.
    fn conclude(&self, context: &ExecutionContext, ended: &Ended) {
        let (output, failure) = match &ended.outcome {
            Outcome::Succeeded(output) => (Some(output.to_string()), None),
            Outcome::Failed(failure) | Outcome::TimedOut(failure) | Outcome::Aborted(failure) => {
                (None, Some(failure))
            }
        };
        let events = self.histories.take(&context.execution_arn);
        let written = self.executions.database().write(|transaction| {
            write(transaction, &context.execution_arn, &events)?;
            let row = End {
                status: ended.outcome.status(),
                output,
                error: failure.and_then(|failure| failure.error.as_deref()),
                cause: failure.and_then(|failure| failure.cause.as_deref()),
                stopped: ended.stopped.as_millisecond(),
            };
            end(transaction, &context.execution_arn, &row)
        });
        if let Err(error) = written {
            tracing::error!(%error, execution = context.execution_arn, "the end of an execution could not be written");
        }
        self.notify(context, Some(ended));
    }

    /// <https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html>
    fn notify(&self, context: &ExecutionContext, ended: Option<&Ended>) {
        let (output, failure) = match ended.map(|ended| &ended.outcome) {
            None => (Value::Null, None),
            Some(Outcome::Succeeded(output)) => (output.to_string().into(), None),
            Some(
                Outcome::Failed(failure) | Outcome::TimedOut(failure) | Outcome::Aborted(failure),
            ) => (Value::Null, Some(failure)),
        };
        let included = |value: &Value| {
            if value.is_null() { Value::Null } else { json!({"included": true}) }
        };
        let detail = json!({
            "executionArn": context.execution_arn,
            "stateMachineArn": context.state_machine_arn,
            "name": context.execution_name,
            "status": ended.map_or("RUNNING", |ended| ended.outcome.status()),
            "startDate": context.start_time.as_millisecond(),
            "stopDate": ended.map(|ended| ended.stopped.as_millisecond()),
            "input": context.input.to_string(),
            "inputDetails": {"included": true},
            "outputDetails": included(&output),
            "output": output,
            "error": failure.and_then(|failure| failure.error.clone()),
            "cause": failure.and_then(|failure| failure.cause.clone()),
            "redriveCount": context.redrive_count,
            "redriveDate": context.redrive_time.map(Timestamp::as_millisecond),
        });
        // The bus is gone only when everything shuts down.
        let _ = self.notices.send(Notice {
            source: "aws.states".to_owned(),
            detail_type: "Step Functions Execution Status Change".to_owned(),
            resources: vec![context.execution_arn.clone()],
            detail,
        });
    }

    /// Ends every execution whose process has ended.
    pub(super) fn abandon_orphans(&self) -> Result<(), ServiceError> {
        for (arn, owner) in self.executions.running()? {
            if !self.owner.is_alive(&owner) {
                self.abandon(&arn)?;
            }
        }
        Ok(())
    }

    pub(super) fn abandon(&self, arn: &str) -> Result<(), ServiceError> {
        let failure = Failure::new(
            "Local.ProcessEnded",
            "the process that ran this execution has ended; redrive it, or start a new execution",
        );
        let now = lake::clock::now();
        self.executions.database().write(|transaction| {
            let row = End {
                status: "ABORTED",
                output: None,
                error: failure.error.as_deref(),
                cause: failure.cause.as_deref(),
                stopped: now.as_millisecond(),
            };
            if !end(transaction, arn, &row)? {
                return Ok(());
            }
            Histories::append(transaction, arn, |id| Event {
                id,
                previous_event_id: 0,
                timestamp: now,
                detail: EventDetail::ExecutionAborted(failure.clone()),
            })
        })
    }

    /// Ends all work of this process at once, leaving rows as a killed process would.
    pub(crate) fn halt(&self) {
        for (_, running) in self.state().running.drain() {
            running.task.abort();
        }
    }

    /// Registers a child of a Distributed Map and runs it; EXPRESS children leave no trace.
    pub(super) fn launch_child(
        self: &Arc<Self>,
        child: &asl::ChildExecution,
        revision: String,
    ) -> Result<Running, ServiceError> {
        let id = uuid::Uuid::new_v4().to_string();
        let machine = self.child_machine(&child.map_run_arn);
        let standard = child.execution_type == ExecutionType::Standard;
        let kind = if standard { "execution" } else { "express" };
        let arn = self.settings.arn("states", &format!("{kind}:{machine}:{id}"));
        let context = ExecutionContext {
            execution_arn: arn.clone(),
            execution_name: id.clone(),
            state_machine_arn: self.settings.arn("states", &format!("stateMachine:{machine}")),
            state_machine_name: machine,
            start_time: lake::clock::now(),
            input: child.input.clone(),
            execution_type: child.execution_type,
            redrive_count: 0,
            redrive_time: None,
            synchronous: false,
            role_arn: child.parent.role_arn.clone(),
            region: child.parent.region.clone(),
        };
        if standard {
            self.executions.insert(&Execution {
                arn,
                name: id,
                machine: context.state_machine_arn.clone(),
                qualifier: None,
                revision,
                status: "RUNNING".to_owned(),
                input: child.input.to_string(),
                output: None,
                error: None,
                cause: None,
                started: context.start_time.as_millisecond(),
                stopped: None,
                redrives: 0,
                redriven: None,
                map_run: Some(child.map_run_arn.clone()),
                item_index: i64::try_from(child.index).ok(),
                trace: None,
                owner: self.owner.id.clone(),
            })?;
        }
        self.mock_child(&child.parent.execution_arn, &context.execution_arn);
        Ok(self.launch(Launch {
            definition: child.definition.clone(),
            context: Arc::new(context),
            recorded: standard,
            past: None,
        }))
    }

    /// `<machine>/<label>` of a Map Run's ARN, `…:mapRun:<machine>/<label>:<uuid>`.
    fn child_machine(&self, map_run_arn: &str) -> String {
        let prefix = self.settings.arn("states", "mapRun:");
        let rest = map_run_arn.strip_prefix(&prefix).unwrap_or(map_run_arn);
        rest.rsplit_once(':').map_or(rest, |(machine, _)| machine).to_owned()
    }
}
