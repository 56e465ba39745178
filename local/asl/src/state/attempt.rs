//! One attempt of a Task: scheduled, followed to its end, recorded.

use std::sync::Arc;

use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use futures::future::{FusedFuture, FutureExt as _};
use futures::stream::StreamExt as _;
use futures::{pin_mut, select_biased};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::task_events::TaskEvents;
use crate::event::EventDetail;
use crate::failure::{Failure, Trouble, error_name};
use crate::host::{Signal, TaskCall, TaskFailure, TaskSignals, TaskStage};
use crate::payload;
use crate::resource::{Resource, ResourceKind};
use crate::visit::Visit;

/// The fields of a Task, evaluated.
pub(super) struct Attempt {
    pub parameters: Arc<Value>,
    pub timeout_seconds: Option<u64>,
    pub heartbeat_seconds: Option<u64>,
    pub role_arn: Option<String>,
}

impl Attempt {
    pub async fn run(self, visit: &Visit<'_>, resource: &Resource) -> Result<Arc<Value>, Trouble> {
        let heartbeat = self.heartbeat_seconds.filter(|_| resource.takes_heartbeats());
        let limit = self.timeout_seconds.map(|seconds| deadline(visit, seconds));
        let watch = Watch { visit, resource, events: TaskEvents::of(resource), limit, heartbeat };
        let (sender, signals) = unbounded();
        let call = self.schedule(&watch, TaskSignals(sender))?;
        let work = visit.run.host.task(call).fuse();
        pin_mut!(work);
        let ended = watch.follow(work, signals).await?;
        watch.end(ended)
    }

    fn schedule(self, watch: &Watch, signals: TaskSignals) -> Result<TaskCall, Trouble> {
        let run = watch.visit.run;
        let scheduled_event_id = watch.record(watch.events.scheduled(
            &run.execution.region,
            &self.parameters,
            (self.timeout_seconds, self.heartbeat_seconds),
            self.role_arn.clone(),
        ))?;
        if watch.resource.kind != ResourceKind::Activity {
            watch.record(watch.events.started(None))?;
        }
        Ok(TaskCall {
            state: Arc::clone(&watch.visit.state.name),
            resource: watch.resource.clone(),
            parameters: self.parameters,
            retry_count: watch.visit.context.retry_count.unwrap_or_default(),
            token: watch.visit.context.token.clone(),
            timeout_seconds: self.timeout_seconds,
            heartbeat_seconds: self.heartbeat_seconds,
            role_arn: self.role_arn,
            execution: Arc::clone(&run.execution),
            scheduled_event_id,
            signals,
        })
    }
}

/// A scheduled task under watch.
struct Watch<'a> {
    visit: &'a Visit<'a>,
    resource: &'a Resource,
    events: TaskEvents<'a>,
    /// When `TimeoutSeconds` runs out.
    limit: Option<Timestamp>,
    /// `HeartbeatSeconds`
    heartbeat: Option<u64>,
}

impl Watch<'_> {
    fn record(&self, detail: EventDetail) -> Result<u64, Trouble> {
        self.visit.run.history.record(self.visit.track, detail)
    }

    fn next_heartbeat(&self) -> Option<Timestamp> {
        self.heartbeat.map(|seconds| deadline(self.visit, seconds))
    }

    /// Waits for the end of the work, its limit, or a heartbeat that does not come.
    async fn follow(
        &self,
        mut work: impl FusedFuture<Output = Result<Value, TaskFailure>> + Unpin,
        mut signals: UnboundedReceiver<Signal>,
    ) -> Result<Result<Value, TaskFailure>, Trouble> {
        let mut next_heartbeat = self.next_heartbeat();
        loop {
            let until = [self.limit, next_heartbeat].into_iter().flatten().min();
            let expiry = expiry(self.visit, until).fuse();
            pin_mut!(expiry);
            select_biased! {
                signal = signals.next() => {
                    if let Some(signal) = signal {
                        self.signalled(signal)?;
                        next_heartbeat = self.next_heartbeat();
                    }
                }
                ended = work => {
                    while let Ok(signal) = signals.try_recv() {
                        self.signalled(signal)?;
                    }
                    return Ok(ended);
                }
                () = expiry => {
                    self.record(self.events.timed_out())?;
                    return Err(if self.limit == until {
                        Failure::named(error_name::TIMEOUT).into()
                    } else {
                        Trouble::Heartbeat
                    });
                }
            }
        }
    }

    fn signalled(&self, signal: Signal) -> Result<(), Trouble> {
        match signal {
            Signal::Started(worker) if self.resource.kind == ResourceKind::Activity => {
                self.record(self.events.started(worker))?;
            }
            Signal::Submitted(output) => {
                self.record(self.events.submitted(Arc::new(output)))?;
            }
            Signal::Started(_) | Signal::Heartbeat => {}
        }
        Ok(())
    }

    fn end(&self, ended: Result<Value, TaskFailure>) -> Result<Arc<Value>, Trouble> {
        let ended = ended.and_then(|result| {
            if payload::is_too_large(&result) {
                return Err(Failure::too_large(self.resource.origin()).into());
            }
            Ok(Arc::new(result))
        });
        match ended {
            Ok(result) => {
                self.record(self.events.succeeded(Arc::clone(&result)))?;
                Ok(result)
            }
            Err(TaskFailure { failure, stage }) => {
                let timed_out = failure.error.as_deref() == Some(error_name::TIMEOUT);
                self.record(if timed_out && stage == TaskStage::Run {
                    self.events.timed_out()
                } else {
                    self.events.failed(stage, failure.clone())
                })?;
                Err(failure.into())
            }
        }
    }
}

fn deadline(visit: &Visit, seconds: u64) -> Timestamp {
    let seconds = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let now = visit.run.host.now();
    now.checked_add(seconds).unwrap_or(Timestamp::MAX)
}

async fn expiry(visit: &Visit<'_>, until: Option<Timestamp>) {
    match until {
        Some(until) => visit.run.host.sleep_until(until).await,
        None => std::future::pending().await,
    }
}
