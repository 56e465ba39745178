//! EventBridge Scheduler: schedules, which fire while this account is served.
//!
//! Own implementation: `winterbaume-scheduler` keeps schedules in memory and has no clock.

mod clock;
mod cron;
mod expression;
mod rest;
mod schedule;

use std::sync::Arc;

use lake::Lake;
use serde_json::Value;

use crate::Settings;
use crate::collection::Collection;
use crate::services::Link;
use crate::wire::ServiceError;

pub use expression::Expression;
pub use schedule::Schedule;

/// The Scheduler service.
pub struct Scheduler {
    settings: Arc<Settings>,
    link: Link,
    schedules: Collection<Schedule>,
    groups: Collection<Value>,
}

impl Scheduler {
    pub fn open(lake: &Lake, settings: Arc<Settings>, link: Link) -> Result<Self, ServiceError> {
        Ok(Scheduler {
            settings,
            link,
            schedules: Collection::open(lake.database(), "scheduler/schedule")?,
            groups: Collection::open(lake.database(), "scheduler/group")?,
        })
    }

    pub fn operation(&self, action: &str, input: Value) -> Result<Value, ServiceError> {
        match action {
            "CreateSchedule" => self.create_schedule(input),
            "GetSchedule" => self.get_schedule(&input),
            "ListSchedules" => self.list_schedules(&input),
            "UpdateSchedule" => self.update_schedule(input),
            "DeleteSchedule" => self.delete_schedule(&input),
            "CreateScheduleGroup" => self.create_schedule_group(&input),
            "GetScheduleGroup" => self.get_schedule_group(&input),
            "ListScheduleGroups" => self.list_schedule_groups(),
            "DeleteScheduleGroup" => self.delete_schedule_group(&input),
            _ => Err(ServiceError::unknown_operation("Scheduler", action)),
        }
    }
}
