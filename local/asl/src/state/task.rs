//! Task: the one state type that does work, by way of the host.

use std::sync::Arc;

use futures::future::FutureExt as _;
use futures::stream::StreamExt as _;
use futures::{channel::mpsc, pin_mut, select_biased};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::task_events::TaskEvents;
use crate::definition::{ExecutionType, Fields};
use crate::failure::{Failure, Trouble, error_name};
use crate::host::{Signal, TaskCall, TaskFailure, TaskSignals, TaskStage};
use crate::payload;
use crate::quantity::Quantity;
use crate::resource::{Pattern, Resource, ResourceKind};
use crate::template::Template;
use crate::variables::Variables;
use crate::visit::{Exit, Visit};

#[derive(Debug)]
pub(crate) struct Task {
    resource: Resource,
    timeout: Option<Quantity>,
    heartbeat: Option<Quantity>,
    credentials: Option<Template>,
}

/// One attempt, its fields evaluated.
struct Attempt {
    parameters: Arc<Value>,
    timeout_seconds: Option<u64>,
    heartbeat_seconds: Option<u64>,
    role_arn: Option<String>,
}

impl Task {
    pub fn parse(fields: &Fields) -> Option<Self> {
        fields.require(&["Resource"]);
        let resource = fields.text("Resource").map(Resource::parse);
        if let Some(resource) = &resource {
            refuse_in_express(fields, resource);
        }
        let timeout = fields.quantity("TimeoutSeconds", "TimeoutSecondsPath");
        let heartbeat = fields.quantity("HeartbeatSeconds", "HeartbeatSecondsPath");
        if let (Some(Quantity::Fixed(timeout)), Some(Quantity::Fixed(heartbeat))) =
            (&timeout, &heartbeat)
            && heartbeat >= timeout
        {
            fields.wrong("HeartbeatSeconds", "HeartbeatSeconds must be less than TimeoutSeconds");
        }
        for (name, quantity) in [("TimeoutSeconds", &timeout), ("HeartbeatSeconds", &heartbeat)] {
            if matches!(quantity, Some(Quantity::Fixed(seconds)) if *seconds < 1.0) {
                fields.wrong(name, "Expected an integer of at least 1");
            }
        }
        if let Some(credentials) = fields.object("Credentials")
            && !credentials.has("RoleArn")
            && !credentials.has("RoleArn.$")
        {
            let message = "The field 'RoleArn' is required but was missing";
            fields.problems.schema(&credentials.at, message);
        }
        Some(Self {
            resource: resource?,
            timeout,
            heartbeat,
            credentials: fields.template("Credentials"),
        })
    }

    pub async fn run(&self, visit: &mut Visit<'_>, variables: &Variables) -> Result<Exit, Trouble> {
        if self.resource.has_token() {
            visit.context.token = Some(visit.run.host.task_token());
        }
        let attempt = self.evaluate(visit, variables)?;
        visit.track.open_state(visit.state.kind.state_type());
        let result = self.attempt(visit, attempt).await?;
        let exit = visit.exit(result, variables)?;
        visit.track.close();
        Ok(exit)
    }

    fn evaluate(&self, visit: &Visit, variables: &Variables) -> Result<Attempt, Trouble> {
        let input = visit.effective_input(variables)?;
        let scope = visit.scope(&input, variables);
        let seconds = |quantity: &Option<Quantity>| match quantity {
            Some(quantity) => quantity.evaluate(&scope).map(whole_seconds),
            None => Ok(None),
        };
        let timeout_seconds = seconds(&self.timeout)?;
        let heartbeat_seconds = seconds(&self.heartbeat)?;
        let role_arn = match &self.credentials {
            Some(template) => {
                let credentials = template.evaluate(&scope)?;
                credentials["RoleArn"].as_str().map(str::to_owned)
            }
            None => None,
        };
        Ok(Attempt {
            parameters: visit.parameters(&input, variables)?,
            timeout_seconds,
            heartbeat_seconds,
            role_arn,
        })
    }

    /// Schedules the task, follows it to its end and records all of it.
    async fn attempt(&self, visit: &Visit<'_>, attempt: Attempt) -> Result<Arc<Value>, Trouble> {
        let events = TaskEvents::of(&self.resource);
        let (run, track) = (visit.run, visit.track);
        let record = |detail| run.history.record(track, detail);
        let (sender, mut signals) = mpsc::unbounded();
        let scheduled_event_id = record(events.scheduled(
            &run.execution.region,
            &attempt.parameters,
            (attempt.timeout_seconds, attempt.heartbeat_seconds),
            attempt.role_arn.clone(),
        ))?;
        if self.resource.kind != ResourceKind::Activity {
            record(events.started(None))?;
        }
        let heartbeat = attempt.heartbeat_seconds.filter(|_| self.resource.has_token());
        let limit = attempt.timeout_seconds.map(|seconds| deadline(visit, seconds));
        let mut next_heartbeat = heartbeat.map(|seconds| deadline(visit, seconds));
        let work = run.host.task(TaskCall {
            state: Arc::clone(&visit.state.name),
            resource: self.resource.clone(),
            parameters: attempt.parameters,
            retry_count: visit.context.retry_count.unwrap_or_default(),
            token: visit.context.token.clone(),
            timeout_seconds: attempt.timeout_seconds,
            heartbeat_seconds: attempt.heartbeat_seconds,
            role_arn: attempt.role_arn,
            execution: Arc::clone(&run.execution),
            scheduled_event_id,
            signals: TaskSignals(sender),
        });
        let work = work.fuse();
        pin_mut!(work);
        let ended = loop {
            let until = [limit, next_heartbeat].into_iter().flatten().min();
            let expiry = expiry(visit, until).fuse();
            pin_mut!(expiry);
            select_biased! {
                signal = signals.next() => match signal {
                    Some(Signal::Started(worker)) if self.resource.kind == ResourceKind::Activity => {
                        record(events.started(worker))?;
                        next_heartbeat = heartbeat.map(|seconds| deadline(visit, seconds));
                    }
                    Some(Signal::Submitted(output)) => {
                        record(events.submitted(Arc::new(output)))?;
                    }
                    Some(Signal::Heartbeat) => {
                        next_heartbeat = heartbeat.map(|seconds| deadline(visit, seconds));
                    }
                    Some(Signal::Started(_)) | None => {}
                },
                ended = work => break ended,
                () = expiry => {
                    record(events.timed_out())?;
                    let timed_out = limit.is_some() && limit == until;
                    return Err(match timed_out {
                        true => Failure::named(error_name::TIMEOUT).into(),
                        false => Trouble::Heartbeat,
                    });
                }
            }
        };
        while let Ok(Signal::Submitted(output)) = signals.try_recv() {
            record(events.submitted(Arc::new(output)))?;
        }
        match self.within_limit(ended) {
            Ok(result) => {
                let result = Arc::new(result);
                record(events.succeeded(Arc::clone(&result)))?;
                Ok(result)
            }
            Err(failed) if failed.failure.error.as_deref() == Some(error_name::TIMEOUT) => {
                record(events.timed_out())?;
                Err(failed.failure.into())
            }
            Err(failed) => {
                record(events.failed(failed.stage, failed.failure.clone()))?;
                Err(failed.failure.into())
            }
        }
    }

    fn within_limit(&self, ended: Result<Value, TaskFailure>) -> Result<Value, TaskFailure> {
        let result = ended?;
        if payload::is_too_large(&result) {
            return Err(TaskFailure {
                failure: Failure::too_large(self.resource.origin()),
                stage: TaskStage::Run,
            });
        }
        Ok(result)
    }
}

fn whole_seconds(seconds: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "fractions of a second are dropped, negatives end at once"
    )]
    let whole = seconds.max(0.0) as u64;
    Some(whole)
}

fn deadline(visit: &Visit, seconds: u64) -> Timestamp {
    let seconds = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    visit.run.host.now().checked_add(seconds).unwrap_or(Timestamp::MAX)
}

async fn expiry(visit: &Visit<'_>, until: Option<Timestamp>) {
    match until {
        Some(until) => visit.run.host.sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// What EXPRESS state machines do not support.
fn refuse_in_express(fields: &Fields, resource: &Resource) {
    if fields.scheme.execution_type != ExecutionType::Express {
        return;
    }
    let refused = match &resource.kind {
        ResourceKind::Lambda => return,
        ResourceKind::Activity => "Activity ARN".to_owned(),
        ResourceKind::Service { pattern, .. } => match pattern {
            Pattern::RequestResponse => return,
            Pattern::Sync | Pattern::Sync2 => "'.sync' service integration".to_owned(),
            // The space at the end is AWS's.
            Pattern::WaitForTaskToken => "'.waitForTaskToken' service integration ".to_owned(),
        },
    };
    fields.wrong("Resource", format!("Express state machine does not support {refused}"));
}
