//! Log groups, alarms, dashboards.
use serde_json::{Value, json};

use super::already;
use crate::cloud::{CallError, Cloud};

pub async fn log_group(cloud: &Cloud, name: &str, properties: &Value) -> Result<(), CallError> {
    let made = cloud.call("logs", "CreateLogGroup", json!({"logGroupName": name})).await;
    already(made, "ResourceAlreadyExistsException")?;
    if let Some(days) = properties.get("RetentionInDays") {
        cloud
            .call(
                "logs",
                "PutRetentionPolicy",
                json!({"logGroupName": name, "retentionInDays": days}),
            )
            .await?;
    }
    Ok(())
}

pub async fn alarm(cloud: &Cloud, name: &str, properties: &Value) -> Result<(), CallError> {
    let mut input = properties.clone();
    input["AlarmName"] = name.into();
    let action =
        if properties.get("AlarmRule").is_some() { "PutCompositeAlarm" } else { "PutMetricAlarm" };
    cloud.call("monitoring", action, input).await.map(drop)
}

pub async fn dashboard(cloud: &Cloud, name: &str, properties: &Value) -> Result<(), CallError> {
    let body = properties.get("DashboardBody").cloned().unwrap_or_default();
    let body = if body.is_string() { body } else { body.to_string().into() };
    cloud
        .call("monitoring", "PutDashboard", json!({"DashboardName": name, "DashboardBody": body}))
        .await
        .map(drop)
}
