//! Which events a task's resource has: `Task…`, `LambdaFunction…`, `Activity…`.

use std::sync::Arc;

use serde_json::Value;

use crate::event::{EventDetail, TaskName};
use crate::failure::{Failure, error_name};
use crate::host::TaskStage;
use crate::resource::{Resource, ResourceKind};

pub(super) enum TaskEvents<'a> {
    Lambda(&'a str),
    Activity(&'a str),
    Service(TaskName),
}

impl<'a> TaskEvents<'a> {
    pub fn of(resource: &'a Resource) -> Self {
        match &resource.kind {
            ResourceKind::Lambda => Self::Lambda(&resource.arn),
            ResourceKind::Activity => Self::Activity(&resource.arn),
            ResourceKind::Service { service, action, pattern } => Self::Service(TaskName {
                resource: format!("{action}{}", pattern.suffix()).into(),
                resource_type: service.as_str().into(),
            }),
        }
    }

    pub fn scheduled(
        &self,
        region: &str,
        parameters: &Arc<Value>,
        (timeout_seconds, heartbeat_seconds): (Option<u64>, Option<u64>),
        role_arn: Option<String>,
    ) -> EventDetail {
        match self {
            Self::Lambda(arn) => EventDetail::LambdaFunctionScheduled {
                resource: (*arn).to_owned(),
                input: Arc::clone(parameters),
                timeout_seconds,
                role_arn,
            },
            Self::Activity(arn) => EventDetail::ActivityScheduled {
                resource: (*arn).to_owned(),
                input: Arc::clone(parameters),
                timeout_seconds,
                heartbeat_seconds,
            },
            Self::Service(name) => EventDetail::TaskScheduled {
                resource: name.resource.to_string(),
                resource_type: name.resource_type.to_string(),
                region: region.to_owned(),
                parameters: Arc::clone(parameters),
                timeout_seconds,
                heartbeat_seconds,
                role_arn,
            },
        }
    }

    pub fn started(&self, worker_name: Option<String>) -> EventDetail {
        match self {
            Self::Lambda(_) => EventDetail::LambdaFunctionStarted,
            Self::Activity(_) => EventDetail::ActivityStarted { worker_name },
            Self::Service(name) => EventDetail::TaskStarted(name.clone()),
        }
    }

    pub fn submitted(&self, output: Arc<Value>) -> EventDetail {
        let name = match self {
            Self::Service(name) => name.clone(),
            Self::Lambda(arn) | Self::Activity(arn) => {
                TaskName { resource: (*arn).into(), resource_type: "".into() }
            }
        };
        EventDetail::TaskSubmitted(name, output)
    }

    pub fn succeeded(&self, output: Arc<Value>) -> EventDetail {
        match self {
            Self::Lambda(_) => EventDetail::LambdaFunctionSucceeded(output),
            Self::Activity(_) => EventDetail::ActivitySucceeded(output),
            Self::Service(name) => EventDetail::TaskSucceeded(name.clone(), output),
        }
    }

    pub fn timed_out(&self) -> EventDetail {
        let failure = Failure::named(error_name::TIMEOUT);
        match self {
            Self::Lambda(_) => EventDetail::LambdaFunctionTimedOut(failure),
            Self::Activity(_) => EventDetail::ActivityTimedOut(failure),
            Self::Service(name) => EventDetail::TaskTimedOut(name.clone(), failure),
        }
    }

    pub fn failed(&self, stage: TaskStage, failure: Failure) -> EventDetail {
        match (self, stage) {
            (Self::Lambda(_), TaskStage::Start) => EventDetail::LambdaFunctionStartFailed(failure),
            (Self::Lambda(_), TaskStage::Submit | TaskStage::Run) => {
                EventDetail::LambdaFunctionFailed(failure)
            }
            (Self::Activity(_), _) => EventDetail::ActivityFailed(failure),
            (Self::Service(name), TaskStage::Start) => {
                EventDetail::TaskStartFailed(name.clone(), failure)
            }
            (Self::Service(name), TaskStage::Submit) => {
                EventDetail::TaskSubmitFailed(name.clone(), failure)
            }
            (Self::Service(name), TaskStage::Run) => EventDetail::TaskFailed(name.clone(), failure),
        }
    }
}
