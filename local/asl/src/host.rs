//! The one door of the language: everything a state machine needs from outside.

use std::sync::Arc;

use async_trait::async_trait;
use futures::channel::mpsc::UnboundedSender;
use jiff::Timestamp;
use serde_json::Value;

use crate::definition::{Definition, ExecutionType};
use crate::event::Event;
use crate::execution::{ExecutionContext, Outcome};
use crate::failure::{Failure, error_name};
use crate::items::ReaderConfig;
use crate::resource::Resource;

/// The world of one execution: tasks, time, chance, and the history.
///
/// One `Host` value belongs to one execution; the children of a Distributed
/// Map are executions of their own, for which [`Host::child`] makes another.
/// All futures may be dropped at any time (a timeout, a failed sibling, a
/// stopped execution): dropping one cancels what it stands for.
#[async_trait]
pub trait Host: Send + Sync {
    /// The time now. Every timestamp of the history comes from here.
    fn now(&self) -> Timestamp;

    /// 64 uniformly random bits: retry jitter, `$random`, `$uuid`,
    /// `States.MathRandom`, `States.UUID`.
    fn random(&self) -> u64;

    /// Appends to the execution's history. Ids start at 1 and have no gaps;
    /// calls come in the order of ids.
    fn record(&self, event: Event);

    /// Returns at `instant`, at once if it has passed.
    async fn sleep_until(&self, instant: Timestamp);

    /// A new task token, resolvable by `SendTaskSuccess` and its siblings. Asked
    /// for before the task's arguments are evaluated, for activities and for
    /// `.waitForTaskToken` and `.sync` tasks: AWS shows the latter one too.
    fn task_token(&self) -> String;

    /// Does the work of one attempt of a Task state and returns its raw result.
    /// Timeouts and heartbeats are watched by the caller, which drops the
    /// future when one runs out.
    async fn task(&self, call: TaskCall) -> Result<Value, TaskFailure>;

    /// Resolves when the execution is to stop (`StopExecution`). Never, by default.
    async fn stopped(&self) -> Stop {
        std::future::pending().await
    }

    /// Registers a new Map Run and returns its ARN. Fails when the execution
    /// may not start children.
    async fn start_map_run(&self, run: MapRunStart) -> Result<String, Failure>;

    /// Takes up a Map Run of the execution's past again, and returns how often that has now happened.
    async fn redrive_map_run(&self, arn: &str) -> Result<u32, Failure> {
        Err(Failure::new(
            error_name::RUNTIME,
            format!("the Map Run '{arn}' cannot be redriven here"),
        ))
    }

    /// Reads the items of a Distributed Map's `ItemReader`, at most
    /// `source.max_items`. [`items`](crate::items) parses JSON, JSONL and CSV.
    async fn read_items(&self, source: ItemSource) -> Result<Vec<Value>, Failure>;

    /// Runs one child execution of a Distributed Map to its end. Several are
    /// in flight at once; the host may run each on its own thread. Where the Map
    /// Run is redriven, a child that succeeded before keeps its outcome.
    async fn child(&self, child: ChildExecution) -> Outcome;

    /// Writes the children's results as `ResultWriter` says and returns the
    /// Map state's result, `{"MapRunArn", "ResultWriterDetails": {"Bucket", "Key"}}`.
    async fn write_results(&self, results: ResultSink) -> Result<Value, Failure>;

    /// The Map Run has ended; `failure` tells why when it failed. Not called
    /// when the run's future is dropped: what is then still running is aborted.
    async fn end_map_run(&self, arn: &str, failure: Option<&Failure>);
}

/// One attempt of a Task state.
#[derive(Debug, Clone)]
pub struct TaskCall {
    pub state: Arc<str>,
    pub resource: Resource,
    /// `Parameters` or `Arguments` after evaluation; the state's input when
    /// there are none.
    pub parameters: Arc<Value>,
    /// 0 for the first attempt.
    pub retry_count: u32,
    /// What [`Host::task_token`] answered, where it was asked.
    pub token: Option<String>,
    pub timeout_seconds: Option<u64>,
    pub heartbeat_seconds: Option<u64>,
    /// `Credentials.RoleArn`, evaluated.
    pub role_arn: Option<String>,
    pub execution: Arc<ExecutionContext>,
    /// The id of the event that scheduled this task.
    pub scheduled_event_id: u64,
    pub signals: TaskSignals,
}

/// What a running task tells the engine before it ends. Cheap to clone; calls
/// after the task's end are ignored.
#[derive(Debug, Clone)]
pub struct TaskSignals(pub(crate) UnboundedSender<Signal>);

#[derive(Debug)]
pub(crate) enum Signal {
    Started(Option<String>),
    Submitted(Value),
    Heartbeat,
}

impl TaskSignals {
    /// An activity worker has taken the task. Other tasks start by themselves.
    pub fn started(&self, worker_name: Option<String>) {
        self.send(Signal::Started(worker_name));
    }

    /// The service has accepted the request of a `.sync` or
    /// `.waitForTaskToken` task: `TaskSubmitted` with its response.
    pub fn submitted(&self, output: Value) {
        self.send(Signal::Submitted(output));
    }

    /// `SendTaskHeartbeat`: starts `HeartbeatSeconds` anew.
    pub fn heartbeat(&self) {
        self.send(Signal::Heartbeat);
    }

    fn send(&self, signal: Signal) {
        // The receiver is gone once the task is over, and then nobody minds.
        let _ = self.0.unbounded_send(signal);
    }
}

/// How far a task came before it failed; decides the type of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TaskStage {
    /// `TaskStartFailed`, `LambdaFunctionStartFailed`
    Start,
    /// `TaskSubmitFailed`: the service refused the request of a `.sync` or
    /// `.waitForTaskToken` task.
    Submit,
    /// `TaskFailed`, `LambdaFunctionFailed`, `ActivityFailed`
    #[default]
    Run,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskFailure {
    pub failure: Failure,
    pub stage: TaskStage,
}

impl From<Failure> for TaskFailure {
    fn from(failure: Failure) -> Self {
        Self { failure, stage: TaskStage::Run }
    }
}

/// `StopExecution`'s error and cause.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stop(pub Failure);

/// A Map Run about to start.
#[derive(Debug, Clone)]
pub struct MapRunStart {
    pub state: Arc<str>,
    pub label: Option<String>,
    pub max_concurrency: u64,
    pub tolerated_failure_count: u64,
    pub tolerated_failure_percentage: f64,
    pub execution_type: ExecutionType,
    pub execution: Arc<ExecutionContext>,
}

/// What an `ItemReader` asks for.
#[derive(Debug, Clone)]
pub struct ItemSource {
    pub state: Arc<str>,
    /// `s3:getObject` or `s3:listObjectsV2`.
    pub resource: Resource,
    /// `Parameters` or `Arguments`, evaluated.
    pub parameters: Value,
    pub reader: ReaderConfig,
    pub execution: Arc<ExecutionContext>,
}

/// One child execution of a Distributed Map.
#[derive(Debug, Clone)]
pub struct ChildExecution {
    pub map_run_arn: String,
    pub index: usize,
    pub definition: Arc<Definition>,
    pub execution_type: ExecutionType,
    pub input: Arc<Value>,
    pub parent: Arc<ExecutionContext>,
    /// The Map Run is: this child may have run before.
    pub redriven: bool,
}

/// The children's results of a Distributed Map with a `ResultWriter`.
#[derive(Debug, Clone)]
pub struct ResultSink {
    pub map_run_arn: String,
    pub resource: Option<Resource>,
    /// `Parameters` or `Arguments`, evaluated: `{"Bucket", "Prefix"}`.
    pub parameters: Value,
    /// `WriterConfig`: `{"Transformation": "NONE" | "COMPACT" | "FLATTEN", "OutputType": "JSON" | "JSONL"}`.
    pub writer_config: Option<Value>,
    /// In the order of the items.
    pub outcomes: Vec<ChildResult>,
    pub execution: Arc<ExecutionContext>,
}

#[derive(Debug, Clone)]
pub struct ChildResult {
    pub input: Arc<Value>,
    pub outcome: Outcome,
}
