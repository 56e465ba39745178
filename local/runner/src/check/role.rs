//! What the state machine's role allows, against what its states need to work at all.
//!
//! Only actions are looked at here, not the resources they are allowed on: what a role lacks for
//! the very data of a run is found by running it.
use std::collections::BTreeMap;

use aws::iam::managed;
use aws::stepfunctions::review::{actions, allowed};
use serde_json::Value;

use super::machine::Machine;
use super::{Finding, Subject};
use crate::template::Place;

/// Without these no trace is written.
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html>.
const TRACING: [&str; 4] = [
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
];

/// The statements of one role.
pub struct Grants {
    /// The role, by its logical id.
    pub logical_id: String,
    statements: Vec<Value>,
    /// Nothing is granted by a policy that is not known here.
    complete: bool,
}

impl Grants {
    /// The role of a state machine; `None` where the template does not have it.
    pub fn of(subject: &Subject, machine: &Machine) -> Option<Self> {
        let mut roles = subject.stack.roles().into_iter();
        let role = roles.find(|role| role.arn == machine.deployed.role_arn)?;
        let mut documents: Vec<Value> =
            role.policies.into_iter().map(|(_, document)| document).collect();
        let managed: Vec<_> = role.managed.iter().map(|arn| managed::document(arn)).collect();
        let complete = managed.iter().all(Option::is_some);
        let known = managed.into_iter().flatten();
        documents.extend(known.filter_map(|text| serde_json::from_str(text).ok()));
        let statements = documents.iter().flat_map(|document| list(&document["Statement"]));
        let statements = statements.cloned().collect();
        Some(Self { logical_id: role.logical_id, statements, complete })
    }

    /// Where its policies stand: with the role, or with the state machine that SAM makes it for.
    pub fn place(&self, subject: &Subject, machine: &Machine) -> Option<Place> {
        let own = subject.stack.resources.iter().any(|role| role.logical_id == self.logical_id);
        let holder = if own { &self.logical_id } else { &machine.resource.logical_id };
        subject.template.place(["Resources", holder, "Properties", "Policies"])
    }

    /// Whether an action is allowed on some resource.
    pub fn allow(&self, action: &str) -> bool {
        !self.complete || self.granting(action).next().is_some()
    }

    /// Whether an action is allowed on every resource.
    pub fn allow_everywhere(&self, action: &str) -> bool {
        let mut granting = self.granting(action);
        !self.complete || granting.any(|grant| list(&grant["Resource"]).any(|on| on == "*"))
    }

    fn granting(&self, action: &str) -> impl Iterator<Item = &Value> {
        self.statements.iter().filter(move |statement| {
            let allows = statement["Effect"] == "Allow";
            let names = list(&statement["Action"]).filter_map(Value::as_str);
            let mut names = names.map(|pattern| allowed(pattern, action));
            let excluded = statement.get("NotAction").is_some();
            allows && (excluded || names.any(|allowed| allowed))
        })
    }
}

pub fn findings(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for machine in &subject.machines {
        let Some(grants) = Grants::of(subject, machine) else { continue };
        let mut missing: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for state in &machine.outline().states {
            for action in actions(state).into_iter().filter(|action| !grants.allow(action)) {
                missing.entry(action).or_default().push(state.name.to_owned());
            }
        }
        let traced = machine.deployed.properties["Tracing"]["Enabled"] == true;
        for action in TRACING.iter().filter(|action| traced && !grants.allow(action)) {
            missing.entry((*action).to_owned()).or_default().push("Tracing".to_owned());
        }
        let place = grants.place(subject, machine);
        for (action, needed_by) in missing {
            let found = format!("{} does not allow {action}", grants.logical_id);
            findings.push(
                Finding::error("role-lacks-action", &subject.template.file, found)
                    .at(place)
                    .expected(format!("{action}, which {} cannot do without", needed_by.join(", ")))
                    .advice("allow it on the resource that the state works on"),
            );
        }
    }
    findings
}

/// The items of a list; something else is a list of one, nothing is empty.
pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        Value::Null => &[],
        other => std::slice::from_ref(other),
    };
    items.iter()
}
