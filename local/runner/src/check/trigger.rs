//! What starts executions: names that stacks do not share, and a place for what cannot start.
use aws::stepfunctions::review::allowed;
use serde_json::Value;

use super::machine::Machine;
use super::role::list;
use super::{Finding, Subject};
use crate::template::{Body, Content, Event, Kind, Node, PolicyKind, Resource, Trigger};

pub fn findings(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for machine in &subject.machines {
        for event in &machine.deployed.events {
            let path = path(machine, event);
            match event.trigger {
                Trigger::Schedule => {
                    findings.extend(shared_name(subject, &path, &event.logical_id));
                }
                Trigger::Rule => {
                    findings.extend(closed_queue(subject, &path, &event.properties));
                }
            }
        }
    }
    for resource in &subject.stack.resources {
        let path = ["Resources", resource.logical_id.as_str()];
        match (resource.kind, &resource.body) {
            (Kind::Schedule, _) if named(subject, &path).is_some() => {
                findings.extend(shared_name(subject, &path, &resource.logical_id));
            }
            (Kind::Rule, Body::Properties(rule)) => {
                for target in list(&rule["Targets"]) {
                    findings.extend(closed_queue(subject, &path, target));
                }
            }
            _ => {}
        }
    }
    findings
}

/// The path of an event in the template.
fn path<'p>(machine: &'p Machine, event: &'p Event) -> [&'p str; 5] {
    let name = event.logical_id.strip_prefix(machine.resource.logical_id.as_str());
    ["Resources", &machine.resource.logical_id, "Properties", "Events", name.unwrap_or_default()]
}

fn named<'s>(subject: &Subject<'s>, path: &[&str]) -> Option<&'s Node> {
    subject.template.node(path)?.get("Properties")?.get("Name")
}

/// A schedule's name is unique in its account, and SAM's default for it is the logical id.
fn shared_name(subject: &Subject, path: &[&str], logical_id: &str) -> Option<Finding> {
    let name = named(subject, path);
    let properties = subject.template.node(path)?.get("Properties");
    let omitted = properties.and_then(|node| node.get("OmitName"));
    if name.is_some_and(has_function) || omitted.is_some_and(|node| is_true(&node.content)) {
        return None;
    }
    let found = match name.and_then(Node::as_str) {
        Some(name) => format!("every stack calls this schedule {name}"),
        None => format!("without a Name every stack calls this schedule {logical_id}"),
    };
    let place = subject.template.place(path.iter().copied().chain(["Properties", "Name"]));
    Some(
        Finding::error("schedule-name", &subject.template.file, found)
            .at(place)
            .expected("OmitName: true, or a Name with the stage in it")
            .advice("a second stack in this account fails to deploy: add OmitName: true"),
    )
}

fn is_true(content: &Content) -> bool {
    matches!(content, Content::Bool(true))
}

/// Whether a value is worked out, as `!Sub nyctaxi-${Stage}` is.
fn has_function(node: &Node) -> bool {
    match &node.content {
        Content::Call { .. } => true,
        Content::List(items) => items.iter().any(has_function),
        Content::Map(entries) => entries.iter().any(|entry| has_function(&entry.value)),
        _ => false,
    }
}

/// A rule writes to its dead-letter queue as EventBridge, which the queue's policy must allow.
/// Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html>.
fn closed_queue(subject: &Subject, path: &[&str], properties: &Value) -> Option<Finding> {
    let arn = properties["DeadLetterConfig"]["Arn"].as_str()?;
    let queue = subject.stack.resources.iter().find(|resource| {
        resource.kind == Kind::Queue && resource.identity.attribute("Arn").as_deref() == Some(arn)
    })?;
    if subject.stack.resources.iter().any(|policy| opens(policy, queue, arn)) {
        return None;
    }
    let found = format!("no QueuePolicy lets EventBridge write to {}", queue.logical_id);
    let place = path.iter().copied().chain(["Properties", "DeadLetterConfig"]);
    Some(
        Finding::error("rule-dead-letters-refused", &subject.template.file, found)
            .at(subject.template.place(place))
            .expected(format!(
                "a QueuePolicy on {} that allows sqs:SendMessage to events.amazonaws.com",
                queue.logical_id
            ))
            .advice("add it: SAM makes none, and what cannot be delivered is lost"),
    )
}

fn opens(policy: &Resource, queue: &Resource, arn: &str) -> bool {
    let Body::Properties(properties) = &policy.body else { return false };
    let covers = policy.kind == Kind::Policy(PolicyKind::Queue)
        && list(&properties["Queues"]).any(|url| *url == *queue.identity.reference);
    covers
        && list(&properties["PolicyDocument"]["Statement"]).any(|statement| {
            let mut actions = list(&statement["Action"]).filter_map(Value::as_str);
            let mut services = list(&statement["Principal"]["Service"]);
            let mut resources = list(&statement["Resource"]);
            statement["Effect"] == "Allow"
                && actions.any(|action| allowed(action, "sqs:SendMessage"))
                && services.any(|service| service == "events.amazonaws.com")
                && resources.any(|on| on == "*" || on == arn)
        })
}
