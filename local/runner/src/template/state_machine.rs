//! A state machine as the template has it: its definition with everything put in, and
//! what starts it.
use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use super::document::{Entry, Node, Problem};
use super::identity::Identity;
use super::role::Role;
use super::scope::{Scope, plain};
use super::text_of;

#[derive(Clone, Debug, PartialEq)]
pub struct StateMachine {
    pub name: String,
    pub arn: String,
    pub role_arn: String,
    /// The role SAM makes for it, if it was given none.
    pub role: Option<Role>,
    /// `STANDARD` or `EXPRESS`.
    pub kind: String,
    /// The definition's file as the template names it; `None` when it stands in the template.
    pub file: Option<String>,
    /// The definition as the service gets it.
    pub definition: String,
    /// The alias that follows every published version: `AutoPublishAlias`.
    pub alias: Option<String>,
    /// What its events start: the alias where `UseAliasAsEventTarget` says so, or the machine.
    pub event_target: String,
    pub events: Vec<Event>,
    pub properties: Value,
}

/// Something that starts executions.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub logical_id: String,
    pub identity: Identity,
    pub trigger: Trigger,
    /// Whoever starts executions starts them as this role.
    pub role_arn: String,
    /// That role, if SAM makes it.
    pub role: Option<Role>,
    pub properties: Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// EventBridge Scheduler: `ScheduleV2`.
    Schedule,
    /// An EventBridge rule: `EventBridgeRule`, with the pattern of the events.
    Rule,
}

impl StateMachine {
    pub(super) fn of(
        scope: &Scope<'_>,
        entry: &Entry,
        identity: &Identity,
        folder: &Path,
        properties: Value,
        problems: &mut Vec<Problem>,
    ) -> Result<Self, Vec<Problem>> {
        let one = |problem| vec![problem];
        let node = entry.value.get("Properties").unwrap_or(&entry.value);
        let (file, text) =
            match (text_of(&properties, "DefinitionUri"), properties.get("Definition")) {
                (Some(file), _) => {
                    let place = node.get("DefinitionUri").map_or(entry.place, |node| node.place);
                    let path = folder.join(&file);
                    let text = std::fs::read_to_string(&path).map_err(|error| {
                        vec![Problem::new(
                            place,
                            format!("{} cannot be read: {error}", path.display()),
                        )]
                    })?;
                    (Some(file), text)
                }
                (None, Some(definition)) => (None, definition.to_string()),
                (None, None) => {
                    return Err(vec![Problem::new(
                        entry.place,
                        "a state machine without DefinitionUri or Definition",
                    )]);
                }
            };
        let empty = Map::new();
        let substitutions =
            properties.get("DefinitionSubstitutions").and_then(Value::as_object).unwrap_or(&empty);
        let definition = substitute(
            &text,
            substitutions,
            node.get("DefinitionSubstitutions").unwrap_or(node),
            file.as_deref(),
            problems,
        );
        let alias = text_of(&properties, "AutoPublishAlias");
        let event_target = match &alias {
            Some(alias) if properties["UseAliasAsEventTarget"] == true => {
                format!("{}:{alias}", identity.reference)
            }
            _ => identity.reference.clone(),
        };
        let mut events = Vec::new();
        if let Some(declared) = node.get("Events") {
            for event in declared.entries().map_err(one)? {
                events.push(trigger(scope, (entry, &event_target), event).map_err(one)?);
            }
        }
        let (role_arn, role) = if let Some(arn) = text_of(&properties, "Role") {
            (arn, None)
        } else {
            let logical_id = format!("{}Role", entry.key);
            let made = scope.identity(&logical_id, entry.place).map_err(one)?;
            let role = Role::of_machine(&logical_id, &made, &properties, scope.account)
                .map_err(|message| vec![Problem::new(entry.place, message)])?;
            (role.arn.clone(), Some(role))
        };
        Ok(Self {
            name: identity.name.clone(),
            arn: identity.reference.clone(),
            role_arn,
            role,
            kind: text_of(&properties, "Type").unwrap_or_else(|| "STANDARD".to_owned()),
            file,
            definition,
            alias,
            event_target,
            events,
            properties,
        })
    }
}

fn trigger(
    scope: &Scope<'_>,
    (machine, target): (&Entry, &str),
    event: &Entry,
) -> Result<Event, Problem> {
    let kind = event
        .value
        .get("Type")
        .ok_or_else(|| Problem::new(event.place, "an event without Type"))?;
    let trigger = match kind.literal()? {
        "ScheduleV2" => Trigger::Schedule,
        "EventBridgeRule" => Trigger::Rule,
        other => {
            return Err(Problem::new(
                kind.place,
                format!(
                    "event type {other} is not known locally; known are ScheduleV2, EventBridgeRule"
                ),
            ));
        }
    };
    let logical_id = format!("{}{}", machine.key, event.key);
    let mut identity = scope.identity(&logical_id, event.place)?;
    let properties = event
        .value
        .get("Properties")
        .map(|node| scope.resolve(node))
        .transpose()?
        .flatten()
        .unwrap_or_default();
    if let Some(name) = text_of(&properties, "Name") {
        identity.name.clone_from(&name);
        identity.reference = name;
    }
    let (role_arn, role) = if let Some(arn) = text_of(&properties, "RoleArn") {
        (arn, None)
    } else {
        let role_id = format!("{logical_id}Role");
        let made = scope.identity(&role_id, event.place)?;
        let (sender, letters) = match trigger {
            Trigger::Schedule => (
                ("scheduler.amazonaws.com", logical_id.as_str()),
                properties.pointer("/DeadLetterConfig/Arn"),
            ),
            Trigger::Rule => (("events.amazonaws.com", role_id.as_str()), None),
        };
        let role = Role::of_event(&role_id, &made, sender, target, letters);
        (role.arn.clone(), Some(role))
    };
    Ok(Event { logical_id, identity, trigger, role_arn, role, properties })
}

/// Puts values where the definition says `${Name}`, in keys and texts alike; every name must
/// have a value, and every value a place. A name without one is left.
fn substitute(
    text: &str,
    values: &Map<String, Value>,
    at: &Node,
    file: Option<&str>,
    problems: &mut Vec<Problem>,
) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    let mut used = BTreeSet::new();
    let where_to = file.unwrap_or("the definition");
    while let Some(start) = rest.find("${") {
        out.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some(length) = rest.find('}') else { break };
        let name = &rest[2..length];
        if let Some(value) = values.get(name) {
            // The text stands within a JSON string.
            let quoted = Value::String(plain(value)).to_string();
            out.push_str(&quoted[1..quoted.len() - 1]);
            used.insert(name.to_owned());
        } else {
            out.push_str(&rest[..=length]);
            problems.push(Problem::new(
                at.place,
                format!(
                    "{where_to} asks for ${{{name}}}, which DefinitionSubstitutions does not give"
                ),
            ));
        }
        rest = &rest[length + 1..];
    }
    out.push_str(rest);
    for name in values.keys().filter(|name| !used.contains(*name)) {
        problems.push(Problem::new(
            at.place,
            format!("DefinitionSubstitutions gives {name}, which {where_to} does not ask for"),
        ));
    }
    out
}
