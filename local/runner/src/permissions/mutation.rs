//! Templates made worse, one thing at a time: whoever checks permissions by a record must notice each of them.
use serde_json::{Map, Value};

use super::excused::excuse;
use crate::template::{Body, Kind, Role, Stack};

/// A stack with one thing taken away or changed.
#[derive(Clone, Debug)]
pub struct Mutation {
    pub name: String,
    pub stack: Stack,
}

/// One change of a statement.
#[derive(Clone, Debug)]
enum Change {
    Remove,
    DropAction(usize),
    /// The pattern ends in something that nothing is called.
    Narrow(usize),
    /// Every value of every condition is another.
    Conditions,
    /// Services and roles named are others.
    Principals,
}

const ELSEWHERE: &str = "-elsewhere";

/// Every way to make the stack's policies worse that a rehearsal must notice.
pub fn mutations(stack: &Stack) -> Vec<Mutation> {
    let mut all = Vec::new();
    for (at, holder) in holders(stack).into_iter().enumerate() {
        for place in 0..holder.documents.len() {
            let (label, document) = &holder.documents[place];
            let statements = statements(document);
            if is_excused(label, &statements) {
                continue;
            }
            for (number, statement) in statements.iter().enumerate() {
                for (what, change) in changes(label, statement) {
                    let sid = statement["Sid"].as_str().unwrap_or_default();
                    let name = format!("{} {label} {sid}[{number}]: {what}", holder.name);
                    let mutated = mutated(stack, at, place, number, &change);
                    all.push(Mutation { name, stack: mutated });
                }
            }
        }
        // All at once: those that SAM gives a function in a network overlap.
        if !holder.managed.is_empty() {
            let name = format!("{}: without {}", holder.name, holder.managed.join(" and "));
            let mut stack = stack.clone();
            each_role(&mut stack, |index, role| {
                if index == at {
                    role.managed.clear();
                }
            });
            all.push(Mutation { name, stack });
        }
    }
    all
}

/// A role, or a resource's policy, with its documents in the order of [`documents_mut`].
struct Holder {
    name: String,
    documents: Vec<(String, Value)>,
    managed: Vec<String>,
}

fn holders(stack: &Stack) -> Vec<Holder> {
    let mut holders = Vec::new();
    let mut copy = stack.clone();
    each_role(&mut copy, |_, role| {
        let mut documents = vec![("trust".to_owned(), role.trust.clone())];
        documents.extend(role.policies.iter().cloned());
        let managed = role.managed.clone();
        holders.push(Holder { name: role.logical_id.clone(), documents, managed });
    });
    for resource in &stack.resources {
        if let (Body::Properties(properties), Kind::Policy(_)) = (&resource.body, resource.kind) {
            holders.push(Holder {
                name: resource.logical_id.clone(),
                documents: vec![("policy".to_owned(), properties["PolicyDocument"].clone())],
                managed: Vec::new(),
            });
        }
    }
    holders
}

/// All roles of a stack, in the order of [`Stack::roles`].
fn each_role(stack: &mut Stack, mut visit: impl FnMut(usize, &mut Role)) {
    let roles = stack.resources.iter_mut().flat_map(|resource| {
        let roles: Vec<&mut Role> = match &mut resource.body {
            Body::Role(role) => vec![role],
            Body::Function(function) => function.role.iter_mut().collect(),
            Body::StateMachine(machine) => {
                let of_events = machine.events.iter_mut().filter_map(|event| event.role.as_mut());
                machine.role.iter_mut().chain(of_events).collect()
            }
            Body::Properties(_) => Vec::new(),
        };
        roles
    });
    for (index, role) in roles.enumerate() {
        visit(index, role);
    }
}

fn statements(document: &Value) -> Vec<Value> {
    match &document["Statement"] {
        Value::Array(statements) => statements.clone(),
        one => vec![one.clone()],
    }
}

fn mutated(stack: &Stack, holder: usize, place: usize, number: usize, change: &Change) -> Stack {
    let mut stack = stack.clone();
    let mut roles = 0;
    each_role(&mut stack, |index, role| {
        roles += 1;
        if index != holder {
            return;
        }
        let document = match place {
            0 => &mut role.trust,
            _ => &mut role.policies[place - 1].1,
        };
        apply(document, number, change);
    });
    let policies = stack.resources.iter_mut().filter(|found| matches!(found.kind, Kind::Policy(_)));
    if let Some(resource) = holder.checked_sub(roles).and_then(|at| policies.into_iter().nth(at))
        && let Body::Properties(properties) = &mut resource.body
    {
        apply(&mut properties["PolicyDocument"], number, change);
    }
    stack
}

/// Does a policy allow something, and nothing that a rehearsal uses?
fn is_excused(policy: &str, statements: &[Value]) -> bool {
    let mut allowing =
        statements.iter().filter(|statement| statement["Effect"] == "Allow").peekable();
    allowing.peek().is_some() && allowing.all(|statement| is_statement_excused(policy, statement))
}

fn is_statement_excused(policy: &str, statement: &Value) -> bool {
    let sid = statement["Sid"].as_str().unwrap_or_default();
    texts(&statement["Action"]).iter().all(|action| excuse(policy, sid, action).is_some())
}

fn changes(policy: &str, statement: &Value) -> Vec<(String, Change)> {
    let mut changes = Vec::new();
    let sid = statement["Sid"].as_str().unwrap_or_default();
    let is_excused = |action: &String| excuse(policy, sid, action).is_some();
    let is_allow = statement["Effect"] == "Allow";
    // A statement that no rehearsal uses is missed by none.
    if is_allow && !is_statement_excused(policy, statement) {
        changes.push(("without it".to_owned(), Change::Remove));
        let actions = texts(&statement["Action"]);
        for (at, action) in actions.iter().enumerate().filter(|_| actions.len() > 1) {
            if !is_excused(action) {
                changes.push((format!("without {action}"), Change::DropAction(at)));
            }
        }
        for (at, resource) in texts(&statement["Resource"]).iter().enumerate() {
            if resource != "*" {
                changes.push((format!("elsewhere than {resource}"), Change::Narrow(at)));
            }
        }
        if statement["Principal"].is_object() {
            changes.push(("for others".to_owned(), Change::Principals));
        }
    }
    if statement["Condition"].is_object() {
        changes.push(("on another condition".to_owned(), Change::Conditions));
    }
    changes
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn apply(document: &mut Value, number: usize, change: &Change) {
    if !document["Statement"].is_array() {
        document["Statement"] = Value::Array(statements(document));
    }
    let Some(all) = document["Statement"].as_array_mut() else { return };
    match change {
        Change::Remove => drop(all.remove(number)),
        Change::DropAction(at) => {
            let mut actions = texts(&all[number]["Action"]);
            actions.remove(*at);
            all[number]["Action"] = actions.into();
        }
        Change::Narrow(at) => {
            let mut resources = texts(&all[number]["Resource"]);
            resources[*at].push_str(ELSEWHERE);
            all[number]["Resource"] = resources.into();
        }
        Change::Conditions => {
            let condition = all[number]["Condition"].take();
            all[number]["Condition"] = turned(condition);
        }
        Change::Principals => {
            let principals = all[number]["Principal"].take();
            all[number]["Principal"] = elsewhere(principals);
        }
    }
}

/// Every text with something behind it, and every truth the other one.
fn turned(value: Value) -> Value {
    match value {
        Value::String(text) => match text.as_str() {
            "true" => "false".into(),
            "false" => "true".into(),
            _ => (text + ELSEWHERE).into(),
        },
        Value::Array(items) => items.into_iter().map(turned).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, turned(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other,
    }
}

fn elsewhere(value: Value) -> Value {
    match value {
        Value::String(text) => format!("nobody.{text}").into(),
        Value::Array(items) => items.into_iter().map(elsewhere).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, elsewhere(value)))
            .collect::<Map<_, _>>()
            .into(),
        other => other,
    }
}
