//! Events in the shape of `GetExecutionHistory`.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{Event, EventDetail, TaskName};
use crate::failure::Failure;

type Fields = Map<String, Value>;

impl Event {
    /// The event as `GetExecutionHistory` returns it: payloads as JSON text,
    /// `timestamp` in epoch seconds.
    pub fn to_json(&self) -> Value {
        let event_type = self.event_type();
        let mut event = Map::new();
        event.insert("timestamp".into(), json!(epoch_seconds(self.timestamp)));
        event.insert("type".into(), json!(event_type));
        event.insert("id".into(), json!(self.id));
        event.insert("previousEventId".into(), json!(self.previous_event_id));
        let details = self.detail.to_json();
        if !details.is_empty() {
            event.insert(self.detail.key(event_type), Value::Object(details));
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
    /// The member that holds the details: all states share two.
    fn key(&self, mut event_type: String) -> String {
        match self {
            Self::StateEntered { .. } => "stateEnteredEventDetails".to_owned(),
            Self::StateExited { .. } => "stateExitedEventDetails".to_owned(),
            _ => {
                event_type[..1].make_ascii_lowercase();
                format!("{event_type}EventDetails")
            }
        }
    }

    /// The details; empty where the type has none.
    fn to_json(&self) -> Fields {
        match self {
            Self::ExecutionStarted { input, role_arn } => {
                fields([("roleArn", json!(role_arn))], Some(("input", input)))
            }
            Self::ExecutionSucceeded { output }
            | Self::LambdaFunctionSucceeded(output)
            | Self::ActivitySucceeded(output) => fields([], Some(("output", output))),
            Self::StateEntered { name, input, .. } => {
                fields([("name", json!(name.as_ref()))], Some(("input", input)))
            }
            Self::StateExited { name, output, assigned, .. } => exited(name, output, assigned),
            Self::ExecutionFailed(failure)
            | Self::ExecutionTimedOut(failure)
            | Self::ExecutionAborted(failure)
            | Self::LambdaFunctionStartFailed(failure)
            | Self::LambdaFunctionFailed(failure)
            | Self::LambdaFunctionTimedOut(failure)
            | Self::ActivityFailed(failure)
            | Self::ActivityTimedOut(failure)
            | Self::MapRunFailed(failure) => failed(failure, []),
            Self::TaskScheduled { .. }
            | Self::LambdaFunctionScheduled { .. }
            | Self::ActivityScheduled { .. } => self.scheduled(),
            Self::TaskStarted(task) => fields(task.fields(), None),
            Self::TaskSubmitted(task, output) | Self::TaskSucceeded(task, output) => {
                fields(task.fields(), Some(("output", output)))
            }
            Self::TaskStartFailed(task, failure)
            | Self::TaskSubmitFailed(task, failure)
            | Self::TaskFailed(task, failure)
            | Self::TaskTimedOut(task, failure) => failed(failure, task.fields()),
            Self::ActivityStarted { worker_name } => {
                fields(worker_name.iter().map(|name| ("workerName", json!(name))), None)
            }
            Self::MapStateStarted { length } => fields([("length", json!(length))], None),
            Self::MapIterationStarted { name, index }
            | Self::MapIterationSucceeded { name, index }
            | Self::MapIterationFailed { name, index }
            | Self::MapIterationAborted { name, index } => {
                fields([("name", json!(name.as_ref())), ("index", json!(index))], None)
            }
            Self::ExecutionRedriven { redrive_count } => {
                fields([("redriveCount", json!(redrive_count))], None)
            }
            Self::MapRunRedriven { map_run_arn, redrive_count } => {
                let count = ("redriveCount", json!(redrive_count));
                fields([("mapRunArn", json!(map_run_arn)), count], None)
            }
            Self::MapRunStarted { map_run_arn } => {
                fields([("mapRunArn", json!(map_run_arn))], None)
            }
            Self::EvaluationFailed { failure, state, location } => {
                let location = location.iter().map(|at| ("location", json!(at)));
                failed(failure, location.chain([("state", json!(state.as_ref()))]))
            }
            Self::StateAborted { .. }
            | Self::LambdaFunctionStarted
            | Self::ParallelStateStarted
            | Self::ParallelStateSucceeded
            | Self::ParallelStateFailed
            | Self::MapStateSucceeded
            | Self::MapStateFailed
            | Self::MapRunSucceeded
            | Self::MapRunAborted => Fields::new(),
        }
    }

    /// What the three `…Scheduled` types have in common.
    fn scheduled(&self) -> Fields {
        let (mut details, limits, role_arn) = match self {
            Self::TaskScheduled {
                resource,
                resource_type,
                region,
                parameters,
                timeout_seconds,
                heartbeat_seconds,
                role_arn,
            } => {
                let plain = [
                    ("resourceType", json!(resource_type)),
                    ("resource", json!(resource)),
                    ("region", json!(region)),
                    ("parameters", json!(parameters.to_string())),
                ];
                (fields(plain, None), [*timeout_seconds, *heartbeat_seconds], role_arn.as_ref())
            }
            Self::LambdaFunctionScheduled { resource, input, timeout_seconds, role_arn } => {
                let fields = fields([("resource", json!(resource))], Some(("input", input)));
                (fields, [*timeout_seconds, None], role_arn.as_ref())
            }
            Self::ActivityScheduled { resource, input, timeout_seconds, heartbeat_seconds } => {
                let fields = fields([("resource", json!(resource))], Some(("input", input)));
                (fields, [*timeout_seconds, *heartbeat_seconds], None)
            }
            other => unreachable!("{} schedules nothing", other.event_type()),
        };
        for (name, seconds) in ["timeoutInSeconds", "heartbeatInSeconds"].into_iter().zip(limits) {
            if let Some(seconds) = seconds {
                details.insert(name.into(), json!(seconds));
            }
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

fn exited(name: &str, output: &Arc<Value>, assigned: &[(String, Arc<Value>)]) -> Fields {
    let mut exited = fields([("name", json!(name))], Some(("output", output)));
    if !assigned.is_empty() {
        let texts: Fields =
            assigned.iter().map(|(name, value)| (name.clone(), json!(value.to_string()))).collect();
        exited.insert("assignedVariables".into(), Value::Object(texts));
        exited.insert("assignedVariablesDetails".into(), json!({"truncated": false}));
    }
    exited
}

/// Plain fields, then a payload as text with its `…Details`.
fn fields(
    plain: impl IntoIterator<Item = (&'static str, Value)>,
    payload: Option<(&str, &Arc<Value>)>,
) -> Fields {
    let mut fields: Fields =
        plain.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    if let Some((key, payload)) = payload {
        fields.insert(key.to_owned(), json!(payload.to_string()));
        fields.insert(format!("{key}Details"), json!({"truncated": false}));
    }
    fields
}

fn failed(failure: &Failure, plain: impl IntoIterator<Item = (&'static str, Value)>) -> Fields {
    let mut fields = fields(plain, None);
    if let Some(error) = &failure.error {
        fields.insert("error".into(), json!(error));
    }
    if let Some(cause) = &failure.cause {
        fields.insert("cause".into(), json!(cause));
    }
    fields
}
