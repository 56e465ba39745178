//! Dead letters that nobody sees, and alarms that nobody hears.
use serde_json::Value;

use super::{Finding, Subject};
use crate::template::{Body, Kind, Resource};

/// Metrics that tell of messages lying in a queue.
const TELLING: [&str; 3] = [
    "ApproximateAgeOfOldestMessage",
    "ApproximateNumberOfMessagesVisible",
    "NumberOfMessagesReceived",
];

/// A dead-letter queue without an alarm on what lies in it.
pub fn unwatched(subject: &Subject) -> Vec<Finding> {
    let queues = subject.stack.resources.iter().filter(|resource| resource.kind == Kind::Queue);
    let dead = queues.filter(|queue| is_dead_letter_queue(subject, queue));
    let unwatched = dead.filter(|queue| !alarms(subject).any(|alarm| watches(alarm, queue)));
    unwatched
        .map(|queue| {
            let found = format!("no alarm watches the dead letters in {}", queue.logical_id);
            Finding::warning("dead-letters-unwatched", &subject.template.file, found)
                .at(subject.template.place(["Resources", &queue.logical_id]))
                .expected("an alarm on ApproximateNumberOfMessagesVisible of this queue")
                .advice("add one: what nobody is told of lies there until it is deleted")
        })
        .collect()
}

/// An alarm without an action.
pub fn unheard(subject: &Subject) -> Vec<Finding> {
    let alarms = subject.stack.resources.iter().filter(|resource| resource.kind == Kind::Alarm);
    let silent = alarms.filter(|alarm| match &alarm.body {
        Body::Properties(properties) => {
            properties["AlarmActions"].as_array().is_none_or(Vec::is_empty)
        }
        Body::Function(_) | Body::StateMachine(_) | Body::Role(_) => false,
    });
    silent
        .map(|alarm| {
            let found = format!("{} tells nobody", alarm.logical_id);
            Finding::warning("alarm-unheard", &subject.template.file, found)
                .at(subject.template.place(["Resources", &alarm.logical_id]))
                .expected("AlarmActions")
                .advice("name the topic that people are subscribed to")
        })
        .collect()
}

fn alarms<'s>(subject: &Subject<'s>) -> impl Iterator<Item = &'s Value> {
    subject.stack.resources.iter().filter_map(|resource| match &resource.body {
        Body::Properties(properties) if resource.kind == Kind::Alarm => Some(properties),
        _ => None,
    })
}

fn watches(alarm: &Value, queue: &Resource) -> bool {
    let metric = alarm["MetricName"].as_str().unwrap_or_default();
    let dimensions = alarm["Dimensions"].as_array().into_iter().flatten();
    alarm["Namespace"] == "AWS/SQS"
        && TELLING.contains(&metric)
        && dimensions.into_iter().any(|dimension| {
            dimension["Name"] == "QueueName" && dimension["Value"] == *queue.identity.name
        })
}

/// By its name, or because something gives up into it.
fn is_dead_letter_queue(subject: &Subject, queue: &Resource) -> bool {
    let name = queue.logical_id.to_lowercase();
    let arn = queue.identity.attribute("Arn").unwrap_or_default();
    let by_name = name.contains("dlq") || (name.contains("dead") && name.contains("letter"));
    by_name
        || subject.stack.resources.iter().any(|resource| match &resource.body {
            Body::Function(function) => gives_up_into(&function.properties, &arn),
            Body::StateMachine(machine) => {
                machine.events.iter().any(|event| gives_up_into(&event.properties, &arn))
            }
            Body::Properties(properties) => gives_up_into(properties, &arn),
            Body::Role(_) => false,
        })
}

/// A `DeadLetterConfig`, `DeadLetterQueue` or `RedrivePolicy` with this ARN, wherever it stands.
fn gives_up_into(value: &Value, arn: &str) -> bool {
    match value {
        Value::Object(members) => members.iter().any(|(key, inner)| match key.as_str() {
            "DeadLetterConfig" => inner["Arn"] == *arn,
            "DeadLetterQueue" | "OnFailure" => {
                inner["TargetArn"] == *arn || inner["Destination"] == *arn
            }
            "RedrivePolicy" => inner["deadLetterTargetArn"] == *arn,
            _ => gives_up_into(inner, arn),
        }),
        Value::Array(items) => items.iter().any(|item| gives_up_into(item, arn)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
