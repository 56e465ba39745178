//! The execution history, in the shape of GetExecutionHistory.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

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

    /// The event as GetExecutionHistory returns it: payloads as JSON text,
    /// `timestamp` in epoch seconds.
    pub fn to_json(&self) -> Value {
        let mut event = Map::new();
        event.insert("timestamp".into(), json!(epoch_seconds(self.timestamp)));
        event.insert("type".into(), json!(self.event_type()));
        event.insert("id".into(), json!(self.id));
        event.insert("previousEventId".into(), json!(self.previous_event_id));
        if let Some((key, details)) = self.detail.to_json() {
            event.insert(key, details);
        }
        Value::Object(event)
    }
}

fn epoch_seconds(timestamp: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age fit into 53 bits")]
    let milliseconds = timestamp.as_millisecond() as f64;
    milliseconds / 1000.0
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
            Self::MapRunSucceeded => "MapRunSucceeded",
            Self::MapRunFailed(_) => "MapRunFailed",
            Self::MapRunAborted => "MapRunAborted",
            Self::EvaluationFailed { .. } => "EvaluationFailed",
        };
        name.to_owned()
    }

    /// The name of the details member and its value, where the type has one.
    fn to_json(&self) -> Option<(String, Value)> {
        let own_key = || {
            let mut key = self.event_type();
            key[..1].make_ascii_lowercase();
            format!("{key}EventDetails")
        };
        let (key, details) = match self {
            Self::StateEntered { name, input, .. } => (
                "stateEnteredEventDetails".to_owned(),
                details([("name", json!(name.as_ref()))], &[("input", input)]),
            ),
            Self::StateExited { name, output, assigned, .. } => {
                let mut exited = details([("name", json!(name.as_ref()))], &[("output", output)]);
                if !assigned.is_empty() {
                    let texts: Map<_, _> = assigned
                        .iter()
                        .map(|(name, value)| (name.clone(), json!(value.to_string())))
                        .collect();
                    exited.insert("assignedVariables".into(), Value::Object(texts));
                    exited.insert("assignedVariablesDetails".into(), json!({"truncated": false}));
                }
                ("stateExitedEventDetails".to_owned(), exited)
            }
            Self::ExecutionStarted { input, role_arn } => {
                (own_key(), details([("roleArn", json!(role_arn))], &[("input", input)]))
            }
            Self::ExecutionSucceeded { output } => (own_key(), details([], &[("output", output)])),
            Self::ExecutionFailed(failure)
            | Self::ExecutionTimedOut(failure)
            | Self::ExecutionAborted(failure)
            | Self::LambdaFunctionStartFailed(failure)
            | Self::LambdaFunctionFailed(failure)
            | Self::LambdaFunctionTimedOut(failure)
            | Self::ActivityFailed(failure)
            | Self::ActivityTimedOut(failure)
            | Self::MapRunFailed(failure) => (own_key(), failed(failure, [])),
            Self::TaskScheduled { .. }
            | Self::LambdaFunctionScheduled { .. }
            | Self::ActivityScheduled { .. } => (own_key(), self.scheduled()),
            Self::TaskStarted(task) => (own_key(), details(task.fields(), &[])),
            Self::TaskSubmitted(task, output) | Self::TaskSucceeded(task, output) => {
                (own_key(), details(task.fields(), &[("output", output)]))
            }
            Self::TaskStartFailed(task, failure)
            | Self::TaskSubmitFailed(task, failure)
            | Self::TaskFailed(task, failure)
            | Self::TaskTimedOut(task, failure) => (own_key(), failed(failure, task.fields())),
            Self::LambdaFunctionSucceeded(output) | Self::ActivitySucceeded(output) => {
                (own_key(), details([], &[("output", output)]))
            }
            Self::ActivityStarted { worker_name } => {
                let name = worker_name.as_ref().map(|name| ("workerName", json!(name)));
                (own_key(), details(name, &[]))
            }
            Self::MapStateStarted { length } => {
                (own_key(), details([("length", json!(length))], &[]))
            }
            Self::MapIterationStarted { name, index }
            | Self::MapIterationSucceeded { name, index }
            | Self::MapIterationFailed { name, index }
            | Self::MapIterationAborted { name, index } => {
                (own_key(), details([("name", json!(name.as_ref())), ("index", json!(index))], &[]))
            }
            Self::MapRunStarted { map_run_arn } => {
                (own_key(), details([("mapRunArn", json!(map_run_arn))], &[]))
            }
            Self::EvaluationFailed { failure, state, location } => {
                let location = location.as_ref().map(|at| ("location", json!(at)));
                let fields = location.into_iter().chain([("state", json!(state.as_ref()))]);
                (own_key(), failed(failure, fields))
            }
            Self::StateAborted { .. }
            | Self::LambdaFunctionStarted
            | Self::ParallelStateStarted
            | Self::ParallelStateSucceeded
            | Self::ParallelStateFailed
            | Self::MapStateSucceeded
            | Self::MapStateFailed
            | Self::MapRunSucceeded
            | Self::MapRunAborted => return None,
        };
        (!details.is_empty()).then_some((key, Value::Object(details)))
    }

    fn scheduled(&self) -> Map<String, Value> {
        let (mut details, timeout, heartbeat, role_arn) = match self {
            Self::TaskScheduled {
                resource,
                resource_type,
                region,
                parameters,
                timeout_seconds,
                heartbeat_seconds,
                role_arn,
            } => (
                details(
                    [
                        ("resourceType", json!(resource_type)),
                        ("resource", json!(resource)),
                        ("region", json!(region)),
                        ("parameters", json!(parameters.to_string())),
                    ],
                    &[],
                ),
                timeout_seconds,
                heartbeat_seconds,
                role_arn,
            ),
            Self::LambdaFunctionScheduled { resource, input, timeout_seconds, role_arn } => (
                details([("resource", json!(resource))], &[("input", input)]),
                timeout_seconds,
                &None,
                role_arn,
            ),
            Self::ActivityScheduled { resource, input, timeout_seconds, heartbeat_seconds } => (
                details([("resource", json!(resource))], &[("input", input)]),
                timeout_seconds,
                heartbeat_seconds,
                &None,
            ),
            other => unreachable!("{} schedules nothing", other.event_type()),
        };
        if let Some(seconds) = timeout {
            details.insert("timeoutInSeconds".into(), json!(seconds));
        }
        if let Some(seconds) = heartbeat {
            details.insert("heartbeatInSeconds".into(), json!(seconds));
        }
        if let Some(role) = role_arn {
            details.insert("taskCredentials".into(), json!({"roleArn": role}));
        }
        details
    }
}

impl TaskName {
    fn fields(&self) -> [(&'static str, Value); 2] {
        [
            ("resourceType", json!(self.resource_type.as_ref())),
            ("resource", json!(self.resource.as_ref())),
        ]
    }
}

/// Plain fields, then payloads as text with their `…Details`.
fn details(
    fields: impl IntoIterator<Item = (&'static str, Value)>,
    payloads: &[(&str, &Arc<Value>)],
) -> Map<String, Value> {
    let mut details: Map<_, _> =
        fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    for (key, payload) in payloads {
        details.insert((*key).to_owned(), json!(payload.to_string()));
        details.insert(format!("{key}Details"), json!({"truncated": false}));
    }
    details
}

fn failed(
    failure: &Failure,
    fields: impl IntoIterator<Item = (&'static str, Value)>,
) -> Map<String, Value> {
    let mut details = details(fields, &[]);
    if let Some(error) = &failure.error {
        details.insert("error".into(), json!(error));
    }
    if let Some(cause) = &failure.cause {
        details.insert("cause".into(), json!(cause));
    }
    details
}
