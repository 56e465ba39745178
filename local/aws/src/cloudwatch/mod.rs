//! CloudWatch: metrics kept and summed up, alarms and dashboards kept.
//!
//! Own implementation: `winterbaume-cloudwatch` keeps metrics in memory, so that a second command would see none.
//! Alarms are not evaluated: their state is `INSUFFICIENT_DATA` until `SetAlarmState` says otherwise, which carries out
//! their actions.

mod alarm;
mod dashboard;
mod data_query;
mod metric;
mod statistics;

use std::sync::Arc;

use lake::{Database, Lake};
use serde_json::Value;

use crate::Settings;
use crate::collection::Collection;
use crate::services::Link;
use crate::wire::ServiceError;

/// The CloudWatch service.
pub struct CloudWatch {
    settings: Arc<Settings>,
    database: Arc<Database>,
    alarms: Collection<Value>,
    dashboards: Collection<Value>,
    link: Link,
}

impl CloudWatch {
    pub fn open(lake: &Lake, settings: Arc<Settings>, link: Link) -> Result<Self, ServiceError> {
        let database = lake.database().clone();
        database.install(metric::SCHEMA)?;
        Ok(CloudWatch {
            settings,
            alarms: Collection::open(&database, "cloudwatch/alarm")?,
            dashboards: Collection::open(&database, "cloudwatch/dashboard")?,
            link,
            database,
        })
    }

    pub fn operation(&self, action: &str, input: Value) -> Result<Value, ServiceError> {
        match action {
            "PutMetricData" => self.put_metric_data(input),
            "ListMetrics" => self.list_metrics(&input),
            "GetMetricStatistics" => self.get_metric_statistics(input),
            "GetMetricData" => self.get_metric_data(input),
            "PutMetricAlarm" => self.put_metric_alarm(input),
            "DescribeAlarms" => self.describe_alarms(&input),
            "DeleteAlarms" => self.delete_alarms(&input),
            "SetAlarmState" => self.set_alarm_state(&input),
            "EnableAlarmActions" => self.set_actions_enabled(&input, true),
            "DisableAlarmActions" => self.set_actions_enabled(&input, false),
            "PutDashboard" => self.put_dashboard(&input),
            "GetDashboard" => self.get_dashboard(&input),
            "ListDashboards" => self.list_dashboards(&input),
            "DeleteDashboards" => self.delete_dashboards(&input),
            _ => Err(ServiceError::unknown_operation("CloudWatch", action)),
        }
    }
}

fn missing(parameter: &str) -> ServiceError {
    ServiceError::new("MissingParameter", format!("The parameter {parameter} is required."))
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidParameterValue", message)
}
