//! Activities: tasks that workers fetch by polling.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use asl::{Failure, TaskCall, TaskFailure, TaskSignals, TaskStage};
use lake::Database;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::arn::{check, check_name};
use super::{StepFunctions, seconds, text};
use crate::collection::Collection;
use crate::wire::{ServiceError, page};

/// `GetActivityTask` holds the connection for so long, then answers no task.
const POLL: Duration = Duration::from_mins(1);

#[derive(Serialize, Deserialize)]
struct Activity {
    name: String,
    created: i64,
    tags: Vec<Value>,
}

/// A task that no worker has fetched yet.
struct Offer {
    token: String,
    input: Arc<Value>,
    signals: TaskSignals,
}

/// All activities, and the tasks of this process that wait for workers.
pub struct Activities {
    known: Collection<Activity>,
    offers: Mutex<HashMap<String, VecDeque<Offer>>>,
    arrivals: Notify,
}

impl Activities {
    pub fn open(database: &Arc<Database>) -> Result<Self, ServiceError> {
        Ok(Activities {
            known: Collection::open(database, "states/activity")?,
            offers: Mutex::default(),
            arrivals: Notify::new(),
        })
    }

    pub fn tags(&self, arn: &str) -> Result<Option<Vec<Value>>, ServiceError> {
        Ok(self.known.get(arn)?.map(|activity| activity.tags))
    }

    pub fn update_tags(
        &self,
        arn: &str,
        change: impl FnOnce(&mut Vec<Value>),
    ) -> Result<Option<()>, ServiceError> {
        self.known.update(arn, |activity| {
            change(&mut activity.tags);
            Ok(())
        })
    }

    fn offers(&self) -> MutexGuard<'_, HashMap<String, VecDeque<Offer>>> {
        self.offers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes an offer back when the task ends before a worker came.
struct Withdrawal<'a> {
    activities: &'a Activities,
    arn: &'a str,
    token: &'a str,
}

impl Drop for Withdrawal<'_> {
    fn drop(&mut self) {
        if let Some(offers) = self.activities.offers().get_mut(self.arn) {
            offers.retain(|offer| offer.token != self.token);
        }
    }
}

fn no_activity(arn: &str) -> ServiceError {
    ServiceError::new("ActivityDoesNotExist", format!("Activity Does Not Exist: '{arn}'"))
}

impl StepFunctions {
    /// One attempt of an activity's task: offered to workers, then waits for the token.
    pub(super) async fn activity_task(&self, call: &TaskCall) -> Result<Value, TaskFailure> {
        let arn = call.resource.arn.as_str();
        let known = self.activities.known.get(arn).ok().flatten().is_some();
        let (true, Some(token)) = (known, call.token.as_deref()) else {
            let failure = Failure::new(
                asl::error_name::RUNTIME,
                format!(
                    "The activity ARN '{arn}' specified in the state machine definition does not exist"
                ),
            );
            return Err(TaskFailure { failure, stage: TaskStage::Start });
        };
        let waiting = self.callbacks.expect(token, call.signals.clone());
        self.activities.offers().entry(arn.to_owned()).or_default().push_back(Offer {
            token: token.to_owned(),
            input: call.parameters.clone(),
            signals: call.signals.clone(),
        });
        let _withdrawal = Withdrawal { activities: &self.activities, arn, token };
        self.activities.arrivals.notify_waiters();
        Ok(waiting.verdict().await?)
    }

    pub(super) async fn get_activity_task(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = check(text(input, "activityArn")?, &["activity"])?;
        if self.activities.known.get(arn)?.is_none() {
            return Err(no_activity(arn));
        }
        let deadline = tokio::time::Instant::now() + POLL;
        loop {
            let arrived = self.activities.arrivals.notified();
            let offer = self.activities.offers().get_mut(arn).and_then(VecDeque::pop_front);
            if let Some(offer) = offer {
                offer.signals.started(input["workerName"].as_str().map(str::to_owned));
                return Ok(json!({"taskToken": offer.token, "input": offer.input.to_string()}));
            }
            tokio::select! {
                () = arrived => {}
                () = tokio::time::sleep_until(deadline) => return Ok(json!({})),
            }
        }
    }

    pub(super) fn create_activity(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = text(input, "name")?;
        check_name(name)?;
        let arn = self.settings.arn("states", &format!("activity:{name}"));
        let activity = Activity {
            name: name.to_owned(),
            created: lake::clock::now().as_millisecond(),
            tags: input["tags"].as_array().cloned().unwrap_or_default(),
        };
        self.activities.known.insert(&arn, &activity)?;
        let created = self.activities.known.get(&arn)?.map_or(0, |activity| activity.created);
        Ok(json!({"activityArn": arn, "creationDate": seconds(created)}))
    }

    pub(super) fn describe_activity(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = check(text(input, "activityArn")?, &["activity"])?;
        let activity = self.activities.known.get(arn)?.ok_or_else(|| no_activity(arn))?;
        Ok(shown(arn, &activity))
    }

    pub(super) fn list_activities(&self, input: &Value) -> Result<Value, ServiceError> {
        let activities = self.activities.known.list("")?;
        let size = input["maxResults"].as_u64();
        let (activities, next) = page(activities, size, 1000, input["nextToken"].as_str())?;
        let activities: Vec<Value> =
            activities.iter().map(|(arn, activity)| shown(arn, activity)).collect();
        let mut answer = json!({"activities": activities});
        if let Some(next) = next {
            answer["nextToken"] = next.into();
        }
        Ok(answer)
    }

    pub(super) fn delete_activity(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = check(text(input, "activityArn")?, &["activity"])?;
        self.activities.known.delete(arn)?;
        Ok(json!({}))
    }
}

fn shown(arn: &str, activity: &Activity) -> Value {
    json!({"activityArn": arn, "name": activity.name, "creationDate": seconds(activity.created)})
}
