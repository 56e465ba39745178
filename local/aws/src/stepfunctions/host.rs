//! The world of one execution, as `asl` asks for it.

use std::sync::Arc;
use std::time::Duration;

use asl::{
    ChildExecution, Event, ExecutionContext, Failure, Host, ItemSource, MapRunStart, Outcome,
    ResultSink, Stop, TaskCall, TaskFailure, error_name,
};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use uuid::Uuid;

use super::StepFunctions;
use super::history::Recorder;
use super::mock_config::MockedCase;
use super::run::Running;
use super::{callback, integration, item_reader, result_writer};
use crate::iam::{Caller, Need};
use crate::wire::ServiceError;

pub(super) struct ExecutionHost {
    service: Arc<StepFunctions>,
    context: Arc<ExecutionContext>,
    /// The machine's role, in a session of this execution.
    caller: Caller,
    recorder: Option<Recorder>,
    stopped: watch::Receiver<Option<Stop>>,
    /// What answers in place of services.
    mocked: Option<Arc<MockedCase>>,
}

impl ExecutionHost {
    pub fn new(
        service: Arc<StepFunctions>,
        context: Arc<ExecutionContext>,
        recorder: Option<Recorder>,
        stopped: watch::Receiver<Option<Stop>>,
    ) -> Self {
        let caller = Caller::role(&context.role_arn, Uuid::new_v4().simple().to_string());
        let mocked = service.mocked_case(&context.execution_arn);
        ExecutionHost { service, context, caller, recorder, stopped, mocked }
    }

    fn launch_child(&self, child: &ChildExecution) -> Result<Child, Failure> {
        let failed = |error: ServiceError| Failure::new(error_name::RUNTIME, error.to_string());
        let revision = self.service.revision_of(&self.context.execution_arn);
        let before = if child.redriven {
            self.service.child_of(&child.map_run_arn, child.index).map_err(failed)?
        } else {
            None
        };
        let Some(before) = before else {
            return self.service.launch_child(child, revision).map(Child::Running).map_err(failed);
        };
        if let Some(output) = &before.output {
            let output = serde_json::from_str(output);
            let output =
                output.map_err(|error| Failure::new(error_name::RUNTIME, error.to_string()))?;
            return Ok(Child::Ended(Outcome::Succeeded(Arc::new(output))));
        }
        self.authorise("states:RedriveExecution", before.arn.clone())?;
        self.service.redrive_child(child, &before).map(Child::Running).map_err(failed)
    }

    /// What Step Functions does for the Map as its role.
    fn authorise(&self, action: &'static str, resource: String) -> Result<(), Failure> {
        self.service.authorise(&self.caller, &Need::new(action, resource))
    }
}

/// A child of a Map Run, started or taken up again.
enum Child {
    Running(Running),
    /// It had succeeded before its Map Run was redriven.
    Ended(Outcome),
}

/// A child whose parent no longer waits is stopped, as AWS stops it, if the role may.
struct StopOnDrop<'a> {
    host: &'a ExecutionHost,
    child: Option<Running>,
}

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            let allowed = self.host.authorise("states:StopExecution", child.arn.clone());
            if allowed.is_ok() {
                child.stop(Failure::default());
            }
        }
    }
}

#[async_trait]
impl Host for ExecutionHost {
    fn now(&self) -> Timestamp {
        lake::clock::now()
    }

    fn random(&self) -> u64 {
        let stand_in =
            self.service.link.services().and_then(|services| services.0.stand_ins.random);
        if let Some(random) = stand_in {
            return random();
        }
        // Each half of a version-4 UUID has fixed bits, but not in the same places.
        let (high, low) = Uuid::new_v4().as_u64_pair();
        high ^ low
    }

    fn record(&self, event: Event) {
        if let Some(recorder) = &self.recorder {
            recorder.record(event);
        }
    }

    async fn sleep_until(&self, instant: Timestamp) {
        let wait = instant.duration_since(lake::clock::now());
        if let Ok(wait) = Duration::try_from(wait) {
            tokio::time::sleep(wait).await;
        }
    }

    fn task_token(&self) -> String {
        callback::new_token()
    }

    async fn task(&self, call: TaskCall) -> Result<Value, TaskFailure> {
        if let Some(answer) = self.mocked.as_ref().and_then(|mocked| mocked.answer(&call)) {
            return answer;
        }
        integration::run(&self.service, &self.caller, call).await
    }

    async fn stopped(&self) -> Stop {
        let mut stopped = self.stopped.clone();
        let stop = stopped.wait_for(Option::is_some).await.ok().and_then(|stop| stop.clone());
        match stop {
            Some(stop) => stop,
            // Nobody is left who could stop it.
            None => std::future::pending().await,
        }
    }

    async fn start_map_run(&self, run: MapRunStart) -> Result<String, Failure> {
        let machine = run.execution.state_machine_arn.split('/').next().unwrap_or_default();
        self.authorise("states:StartExecution", machine.to_owned())?;
        Ok(self.service.start_map_run(&run))
    }

    async fn redrive_map_run(&self, arn: &str) -> Result<u32, Failure> {
        self.service.redrive_map_run(arn).map_err(|error| {
            Failure::new(
                error_name::RUNTIME,
                format!("the Map Run '{arn}' was not redriven: {error}"),
            )
        })
    }

    async fn read_items(&self, source: ItemSource) -> Result<Vec<Value>, Failure> {
        self.service.with_store(&self.context, |store| {
            item_reader::read(&self.service, &self.caller, store, &source)
        })
    }

    async fn child(&self, child: ChildExecution) -> Outcome {
        let running = match self.launch_child(&child) {
            Ok(Child::Running(running)) => running,
            Ok(Child::Ended(outcome)) => return outcome,
            Err(failure) => return Outcome::Failed(failure),
        };
        let mut guard = StopOnDrop { host: self, child: Some(running.clone()) };
        let followed = self.authorise("states:DescribeExecution", running.arn.clone());
        let ended = running.ended().await;
        guard.child = None;
        if let Err(failure) = followed {
            return Outcome::Failed(failure);
        }
        match ended {
            Ok(ended) => ended.outcome.clone(),
            Err(error) => Outcome::Aborted(Failure::new(error_name::RUNTIME, error.to_string())),
        }
    }

    async fn write_results(&self, results: ResultSink) -> Result<Value, Failure> {
        self.service.with_store(&self.context, |store| {
            result_writer::write(&self.service, &self.caller, store, &results)
        })
    }

    async fn end_map_run(&self, arn: &str, failure: Option<&Failure>) {
        self.service.end_map_run(arn, failure);
    }
}
