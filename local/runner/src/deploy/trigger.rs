//! What starts executions: rules on the event bus, schedules.
use serde_json::{Value, json};

use super::{already, pick};
use crate::cloud::{CallError, Cloud};
use crate::template::{Event, StateMachine, Trigger};

/// An event of a state machine, which SAM makes a rule or a schedule of.
pub async fn of_machine(
    cloud: &Cloud,
    machine: &StateMachine,
    event: &Event,
) -> Result<(), CallError> {
    let mut target = pick(
        &event.properties,
        &[
            ("Input", "Input"),
            ("InputPath", "InputPath"),
            ("RetryPolicy", "RetryPolicy"),
            ("DeadLetterConfig", "DeadLetterConfig"),
        ],
    );
    target.insert("Arn".to_owned(), json!(machine.event_target));
    target.insert("RoleArn".to_owned(), json!(event.role_arn));
    let mut properties = event.properties.clone();
    match event.trigger {
        Trigger::Rule => {
            target.insert("Id".to_owned(), json!(format!("{}Target", event.logical_id)));
            properties["EventPattern"] = properties["Pattern"].clone();
            properties["Targets"] = json!([target]);
            rule(cloud, &event.identity.name, &properties).await
        }
        Trigger::Schedule => {
            properties["Target"] = Value::Object(target);
            schedule(cloud, &event.identity.name, &properties).await
        }
    }
}

pub async fn rule(cloud: &Cloud, name: &str, properties: &Value) -> Result<(), CallError> {
    let mut input = pick(
        properties,
        &[
            ("Description", "Description"),
            ("State", "State"),
            ("ScheduleExpression", "ScheduleExpression"),
            ("EventBusName", "EventBusName"),
        ],
    );
    input.insert("Name".to_owned(), name.into());
    if let Some(pattern) = properties.get("EventPattern").filter(|pattern| !pattern.is_null()) {
        input.insert("EventPattern".to_owned(), pattern.to_string().into());
    }
    cloud.call("events", "PutRule", Value::Object(input)).await?;
    if let Some(targets) = properties.get("Targets") {
        let mut input = pick(properties, &[("EventBusName", "EventBusName")]);
        input.insert("Rule".to_owned(), name.into());
        input.insert("Targets".to_owned(), targets.clone());
        cloud.call("events", "PutTargets", Value::Object(input)).await?;
    }
    Ok(())
}

pub async fn schedule(cloud: &Cloud, name: &str, properties: &Value) -> Result<(), CallError> {
    const MEMBERS: [&str; 9] = [
        "Description",
        "GroupName",
        "ScheduleExpression",
        "ScheduleExpressionTimezone",
        "State",
        "StartDate",
        "EndDate",
        "FlexibleTimeWindow",
        "Target",
    ];
    let mut input = pick(properties, &MEMBERS.map(|member| (member, member)));
    input.insert("Name".to_owned(), name.into());
    // SAM's default.
    input.entry("FlexibleTimeWindow").or_insert_with(|| json!({"Mode": "OFF"}));
    let made = cloud.call("scheduler", "CreateSchedule", Value::Object(input.clone())).await;
    if already(made, "ConflictException")? {
        cloud.call("scheduler", "UpdateSchedule", Value::Object(input)).await?;
    }
    Ok(())
}
