//! Schedules at work: they fire while somebody serves this account, and whenever somebody asks.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Schedule, Scheduler};
use crate::eventbridge::{Delivery, Sender};
use crate::services::Link;
use crate::wire::ServiceError;

/// Schedules are exact to the minute on AWS; here to the second.
const TICK: Duration = Duration::from_secs(1);

impl Scheduler {
    /// Fires what becomes due from now on, schedules and scheduled rules. Ends with the services.
    pub async fn run(link: Link) {
        let since = lake::clock::now();
        loop {
            tokio::time::sleep(TICK).await;
            let Some(services) = link.services() else {
                return;
            };
            let now = lake::clock::now();
            let ticked = services.scheduler().tick(since, now);
            if let Err(error) = ticked.and_then(|()| services.eventbridge().tick(since, now)) {
                tracing::error!(%error, "schedules could not be looked at");
            }
        }
    }

    fn tick(&self, since: Timestamp, now: Timestamp) -> Result<(), ServiceError> {
        for (key, schedule) in self.schedules.list("")? {
            let last = Timestamp::from_second(schedule.last_fired).unwrap_or_default();
            let due = schedule.next(last.max(since)).filter(|due| *due <= now);
            let Some(due) = due.filter(|_| schedule.is_enabled()) else {
                continue;
            };
            // Several processes may serve one data directory: the first to write it down fires it.
            let claimed = self.schedules.update(&key, |stored| {
                let first = stored.last_fired < due.as_second();
                stored.last_fired = stored.last_fired.max(due.as_second());
                Ok(first)
            })?;
            if claimed != Some(true) {
                continue;
            }
            let delivery = self.delivery(&schedule, due);
            if let Some(services) = self.link.services() {
                tokio::spawn(async move {
                    // A failure has been logged, and became a dead letter where there is a queue for it.
                    let _ = delivery.run(&services).await;
                });
            }
            let over = schedule.next(due).is_none();
            if over && schedule.text("ActionAfterCompletion") == "DELETE" {
                self.schedules.delete(&key)?;
            }
        }
        Ok(())
    }

    /// Fires a schedule now, enabled or not, and answers what its target answered. `name` may begin with its group.
    pub async fn fire(&self, name: &str) -> Result<Value, ServiceError> {
        let key = if name.contains('/') { name.to_owned() } else { format!("default/{name}") };
        let schedule = self.schedule(&key)?;
        let delivery = self.delivery(&schedule, lake::clock::now());
        delivery.run(&self.link.require()?).await
    }

    /// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html>
    fn delivery(&self, schedule: &Schedule, scheduled: Timestamp) -> Delivery {
        let target = schedule.target();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let id = Uuid::new_v4().to_string();
        let time = scheduled.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let input = match target["Input"].as_str() {
            Some(input) => input
                .replace("<aws.scheduler.schedule-arn>", &self.arn(schedule))
                .replace("<aws.scheduler.scheduled-time>", &time)
                .replace("<aws.scheduler.execution-id>", &id)
                .replace("<aws.scheduler.attempt-number>", "1"),
            None => self.default_input(schedule, &id, &time).to_string(),
        };
        Delivery {
            source_arn: self.arn(schedule),
            target_arn: text(&target["Arn"]),
            input,
            dead_letter_arn: target["DeadLetterConfig"]["Arn"].as_str().map(str::to_owned),
            sender: Sender::Schedule {
                role_arn: text(&target["RoleArn"]),
                group_arn: self.group_arn(&schedule.group),
            },
        }
    }

    fn default_input(&self, schedule: &Schedule, id: &str, time: &str) -> Value {
        json!({
            "version": "0",
            "id": id,
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": self.settings.account_id,
            "time": time,
            "region": self.settings.region,
            "resources": [self.arn(schedule)],
            "detail": "{}",
        })
    }
}
