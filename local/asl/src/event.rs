//! The execution history, in the shape of `GetExecutionHistory`.

mod json;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::failure::Failure;

/// One entry of an execution's history.
#[derive(Debug, Clone)]
pub struct Event {
    /// From 1, without gaps.
    pub id: u64,
    /// 0 for the first state's entry, as AWS has it.
    pub previous_event_id: u64,
    pub timestamp: Timestamp,
    pub detail: EventDetail,
}

/// Which type of state an event tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateType {
    Task,
    Pass,
    Choice,
    Wait,
    Succeed,
    Fail,
    Parallel,
    Map,
}

/// What happened. Payloads are shared with the running state, not copied;
/// [`Event::to_json`] turns them into the text AWS has.
#[derive(Debug, Clone)]
pub enum EventDetail {
    ExecutionStarted {
        input: Arc<Value>,
        role_arn: String,
    },
    ExecutionSucceeded {
        output: Arc<Value>,
    },
    ExecutionFailed(Failure),
    ExecutionTimedOut(Failure),
    ExecutionAborted(Failure),
    ExecutionRedriven {
        redrive_count: u32,
    },
    StateEntered {
        state: StateType,
        name: Arc<str>,
        input: Arc<Value>,
    },
    StateExited {
        state: StateType,
        name: Arc<str>,
        output: Arc<Value>,
        assigned: Vec<(String, Arc<Value>)>,
    },
    /// Task, Wait, Map and Parallel only.
    StateAborted {
        state: StateType,
    },
    TaskScheduled {
        resource: String,
        resource_type: String,
        region: String,
        parameters: Arc<Value>,
        timeout_seconds: Option<u64>,
        heartbeat_seconds: Option<u64>,
        role_arn: Option<String>,
    },
    TaskStarted(TaskName),
    TaskStartFailed(TaskName, Failure),
    TaskSubmitted(TaskName, Arc<Value>),
    TaskSubmitFailed(TaskName, Failure),
    TaskSucceeded(TaskName, Arc<Value>),
    TaskFailed(TaskName, Failure),
    TaskTimedOut(TaskName, Failure),
    LambdaFunctionScheduled {
        resource: String,
        input: Arc<Value>,
        timeout_seconds: Option<u64>,
        role_arn: Option<String>,
    },
    LambdaFunctionStarted,
    LambdaFunctionStartFailed(Failure),
    LambdaFunctionSucceeded(Arc<Value>),
    LambdaFunctionFailed(Failure),
    LambdaFunctionTimedOut(Failure),
    ActivityScheduled {
        resource: String,
        input: Arc<Value>,
        timeout_seconds: Option<u64>,
        heartbeat_seconds: Option<u64>,
    },
    ActivityStarted {
        worker_name: Option<String>,
    },
    ActivitySucceeded(Arc<Value>),
    ActivityFailed(Failure),
    ActivityTimedOut(Failure),
    ParallelStateStarted,
    ParallelStateSucceeded,
    ParallelStateFailed,
    MapStateStarted {
        length: usize,
    },
    MapStateSucceeded,
    MapStateFailed,
    MapIterationStarted {
        name: Arc<str>,
        index: usize,
    },
    MapIterationSucceeded {
        name: Arc<str>,
        index: usize,
    },
    MapIterationFailed {
        name: Arc<str>,
        index: usize,
    },
    MapIterationAborted {
        name: Arc<str>,
        index: usize,
    },
    MapRunStarted {
        map_run_arn: String,
    },
    MapRunRedriven {
        map_run_arn: String,
        redrive_count: u32,
    },
    MapRunSucceeded,
    MapRunFailed(Failure),
    MapRunAborted,
    EvaluationFailed {
        failure: Failure,
        state: Arc<str>,
        location: Option<String>,
    },
}

/// `resource` and `resourceType` of a service task's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskName {
    pub resource: Arc<str>,
    pub resource_type: Arc<str>,
}

impl StateType {
    pub const ALL: [Self; 8] = [
        Self::Task,
        Self::Pass,
        Self::Choice,
        Self::Wait,
        Self::Succeed,
        Self::Fail,
        Self::Parallel,
        Self::Map,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Task => "Task",
            Self::Pass => "Pass",
            Self::Choice => "Choice",
            Self::Wait => "Wait",
            Self::Succeed => "Succeed",
            Self::Fail => "Fail",
            Self::Parallel => "Parallel",
            Self::Map => "Map",
        }
    }
}

impl Event {
    /// AWS's event type, such as `TaskStateEntered`.
    pub fn event_type(&self) -> String {
        self.detail.event_type()
    }
}

impl EventDetail {
    pub fn event_type(&self) -> String {
        let name = match self {
            Self::StateEntered { state, .. } => return format!("{}StateEntered", state.name()),
            Self::StateExited { state, .. } => return format!("{}StateExited", state.name()),
            Self::StateAborted { state } => return format!("{}StateAborted", state.name()),
            Self::ExecutionStarted { .. } => "ExecutionStarted",
            Self::ExecutionSucceeded { .. } => "ExecutionSucceeded",
            Self::ExecutionFailed(_) => "ExecutionFailed",
            Self::ExecutionTimedOut(_) => "ExecutionTimedOut",
            Self::ExecutionAborted(_) => "ExecutionAborted",
            Self::ExecutionRedriven { .. } => "ExecutionRedriven",
            Self::TaskScheduled { .. } => "TaskScheduled",
            Self::TaskStarted(_) => "TaskStarted",
            Self::TaskStartFailed(..) => "TaskStartFailed",
            Self::TaskSubmitted(..) => "TaskSubmitted",
            Self::TaskSubmitFailed(..) => "TaskSubmitFailed",
            Self::TaskSucceeded(..) => "TaskSucceeded",
            Self::TaskFailed(..) => "TaskFailed",
            Self::TaskTimedOut(..) => "TaskTimedOut",
            Self::LambdaFunctionScheduled { .. } => "LambdaFunctionScheduled",
            Self::LambdaFunctionStarted => "LambdaFunctionStarted",
            Self::LambdaFunctionStartFailed(_) => "LambdaFunctionStartFailed",
            Self::LambdaFunctionSucceeded(_) => "LambdaFunctionSucceeded",
            Self::LambdaFunctionFailed(_) => "LambdaFunctionFailed",
            Self::LambdaFunctionTimedOut(_) => "LambdaFunctionTimedOut",
            Self::ActivityScheduled { .. } => "ActivityScheduled",
            Self::ActivityStarted { .. } => "ActivityStarted",
            Self::ActivitySucceeded(_) => "ActivitySucceeded",
            Self::ActivityFailed(_) => "ActivityFailed",
            Self::ActivityTimedOut(_) => "ActivityTimedOut",
            Self::ParallelStateStarted => "ParallelStateStarted",
            Self::ParallelStateSucceeded => "ParallelStateSucceeded",
            Self::ParallelStateFailed => "ParallelStateFailed",
            Self::MapStateStarted { .. } => "MapStateStarted",
            Self::MapStateSucceeded => "MapStateSucceeded",
            Self::MapStateFailed => "MapStateFailed",
            Self::MapIterationStarted { .. } => "MapIterationStarted",
            Self::MapIterationSucceeded { .. } => "MapIterationSucceeded",
            Self::MapIterationFailed { .. } => "MapIterationFailed",
            Self::MapIterationAborted { .. } => "MapIterationAborted",
            Self::MapRunStarted { .. } => "MapRunStarted",
            Self::MapRunRedriven { .. } => "MapRunRedriven",
            Self::MapRunSucceeded => "MapRunSucceeded",
            Self::MapRunFailed(_) => "MapRunFailed",
            Self::MapRunAborted => "MapRunAborted",
            Self::EvaluationFailed { .. } => "EvaluationFailed",
        };
        name.to_owned()
    }
}
