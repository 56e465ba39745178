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
use super::run::Running;
use super::{callback, integration, item_reader, result_writer};

pub(super) struct ExecutionHost {
    service: Arc<StepFunctions>,
    context: Arc<ExecutionContext>,
    recorder: Option<Recorder>,
    stopped: watch::Receiver<Option<Stop>>,
}

impl ExecutionHost {
    pub fn new(
        service: Arc<StepFunctions>,
        context: Arc<ExecutionContext>,
        recorder: Option<Recorder>,
        stopped: watch::Receiver<Option<Stop>>,
    ) -> Self {
        ExecutionHost { service, context, recorder, stopped }
    }
}

/// A child whose parent no longer waits is stopped, as AWS stops it.
struct StopOnDrop(Option<Running>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(child) = self.0.take() {
            child.stop(Failure::default());
        }
    }
}

#[async_trait]
impl Host for ExecutionHost {
    fn now(&self) -> Timestamp {
        lake::clock::now()
    }

    fn random(&self) -> u64 {
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
        integration::run(&self.service, call).await
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

    async fn start_map_run(&self, run: MapRunStart) -> String {
        self.service.start_map_run(&run)
    }

    async fn read_items(&self, source: ItemSource) -> Result<Vec<Value>, Failure> {
        item_reader::read(&self.service, &source)
    }

    async fn child(&self, child: ChildExecution) -> Outcome {
        let revision = self.service.revision_of(&self.context.execution_arn);
        let running = match self.service.launch_child(&child, revision) {
            Ok(running) => running,
            Err(error) => {
                return Outcome::Failed(Failure::new(error_name::RUNTIME, error.to_string()));
            }
        };
        let mut guard = StopOnDrop(Some(running.clone()));
        let ended = running.ended().await;
        guard.0 = None;
        match ended {
            Ok(ended) => ended.outcome.clone(),
            Err(error) => Outcome::Aborted(Failure::new(error_name::RUNTIME, error.to_string())),
        }
    }

    async fn write_results(&self, results: ResultSink) -> Result<Value, Failure> {
        result_writer::write(&self.service, &results)
    }

    async fn end_map_run(&self, arn: &str, failure: Option<&Failure>) {
        self.service.end_map_run(arn, failure);
    }
}
