//! `template.yaml` read as `CloudFormation` and SAM read it: parameters, conditions and
//! functions worked out, globals merged, each resource with its physical name.
//!
//! This is the only configuration of the local side. What is not understood is a
//! [`Problem`] with its place; all problems of a template are reported together.
mod document;
mod function;
mod identity;
mod kind;
mod role;
mod scope;
mod state_machine;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use self::document::Entry;
pub use self::document::{Content, Node, Place, Problem};
pub use self::function::Function;
pub use self::identity::Identity;
pub use self::kind::{Kind, PolicyKind};
pub use self::role::Role;
pub use self::scope::Account;
use self::scope::{Scope, plain};
pub use self::state_machine::{Event, StateMachine, Trigger};

/// A template with everything worked out for one account.
#[derive(Clone, Debug)]
pub struct Stack {
    pub account: Account,
    /// Those whose condition holds, in the template's order.
    pub resources: Vec<Resource>,
    pub outputs: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
pub struct Resource {
    pub logical_id: String,
    pub kind: Kind,
    pub identity: Identity,
    pub body: Body,
}

/// What a resource is made of.
#[derive(Clone, Debug)]
pub enum Body {
    Function(Function),
    StateMachine(StateMachine),
    Role(Role),
    /// The template's properties, worked out.
    Properties(Value),
}

/// Why a template cannot be used: every problem of it.
#[derive(Debug)]
pub struct TemplateError {
    pub path: PathBuf,
    pub problems: Vec<Problem>,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{}:{problem}", self.path.display())?;
        }
        Ok(())
    }
}

impl std::error::Error for TemplateError {}

impl Stack {
    /// Reads a template file; `overrides` set parameters by name.
    pub fn read(
        path: &Path,
        overrides: &BTreeMap<String, String>,
        account: Account,
    ) -> Result<Self, TemplateError> {
        let failed = |problems| TemplateError { path: path.to_owned(), problems };
        let text = std::fs::read_to_string(path).map_err(|error| {
            failed(vec![Problem::new(
                Place { line: 1, column: 1 },
                format!("cannot be read: {error}"),
            )])
        })?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, folder, overrides, account).map_err(failed)
    }

    /// Reads a template's text; files it names are found from `folder`.
    pub fn parse(
        text: &str,
        folder: &Path,
        overrides: &BTreeMap<String, String>,
        account: Account,
    ) -> Result<Self, Vec<Problem>> {
        match Self::survey(text, folder, overrides, account) {
            (Some(stack), problems) if problems.is_empty() => Ok(stack),
            (_, problems) => Err(problems),
        }
    }

    /// As [`Stack::parse`], with what could be read beside the problems of what could not.
    pub fn survey(
        text: &str,
        folder: &Path,
        overrides: &BTreeMap<String, String>,
        account: Account,
    ) -> (Option<Self>, Vec<Problem>) {
        let root = match Node::parse(text) {
            Ok(root) => root,
            Err(problem) => return (None, vec![problem]),
        };
        let mut problems = unknown_sections(&root);
        let (mut resources, mut outputs) = (Vec::new(), BTreeMap::new());
        {
            let scope = match Scope::new(&root, overrides, &account) {
                Ok(scope) => scope,
                Err(found) => return (None, found),
            };
            let globals = root.get("Globals");
            for entry in entries(&root, "Resources", &mut problems) {
                match resource(&scope, globals, folder, entry, &mut problems) {
                    Ok(Some(resource)) => resources.push(resource),
                    Ok(None) => {}
                    Err(found) => problems.extend(found),
                }
            }
            for entry in entries(&root, "Outputs", &mut problems) {
                match output(&scope, entry) {
                    Ok(Some(value)) => drop(outputs.insert(entry.key.clone(), value)),
                    Ok(None) => {}
                    Err(problem) => problems.push(problem),
                }
            }
        }
        problems.sort_by_key(|problem| problem.place);
        (Some(Self { account, resources, outputs }), problems)
    }

    pub fn functions(&self) -> impl Iterator<Item = (&Resource, &Function)> {
        self.resources.iter().filter_map(|resource| match &resource.body {
            Body::Function(function) => Some((resource, function)),
            _ => None,
        })
    }

    /// All roles: the template's and those that SAM makes. Policies that stand by themselves are their roles'.
    pub fn roles(&self) -> Vec<Role> {
        let mut roles: Vec<Role> = Vec::new();
        for resource in &self.resources {
            match &resource.body {
                Body::Role(role) => roles.push(role.clone()),
                Body::Function(function) => roles.extend(function.role.clone()),
                Body::StateMachine(machine) => {
                    roles.extend(machine.role.clone());
                    roles.extend(machine.events.iter().filter_map(|event| event.role.clone()));
                }
                Body::Properties(_) => {}
            }
        }
        for (resource, properties) in self.policies(PolicyKind::Managed) {
            let holders = properties.get("Roles").and_then(Value::as_array).into_iter().flatten();
            let holders: Vec<String> = holders.map(plain).collect();
            let name =
                text_of(properties, "PolicyName").unwrap_or_else(|| resource.logical_id.clone());
            let document = properties.get("PolicyDocument").cloned().unwrap_or_default();
            for role in roles.iter_mut().filter(|role| holders.contains(&role.name)) {
                role.policies.push((name.clone(), document.clone()));
            }
        }
        roles
    }

    /// Policies of one kind of resource, each with its properties.
    pub fn policies(&self, kind: PolicyKind) -> impl Iterator<Item = (&Resource, &Value)> {
        self.resources.iter().filter_map(move |resource| match &resource.body {
            Body::Properties(properties) if resource.kind == Kind::Policy(kind) => {
                Some((resource, properties))
            }
            _ => None,
        })
    }

    pub fn state_machines(&self) -> impl Iterator<Item = (&Resource, &StateMachine)> {
        self.resources.iter().filter_map(|resource| match &resource.body {
            Body::StateMachine(machine) => Some((resource, machine)),
            _ => None,
        })
    }
}

fn entries<'n>(root: &'n Node, section: &str, problems: &mut Vec<Problem>) -> &'n [Entry] {
    match root.get(section).map(Node::entries) {
        None => &[],
        Some(Ok(entries)) => entries,
        Some(Err(problem)) => {
            problems.push(problem);
            &[]
        }
    }
}

fn unknown_sections(root: &Node) -> Vec<Problem> {
    const SECTIONS: [&str; 11] = [
        "AWSTemplateFormatVersion",
        "Transform",
        "Description",
        "Metadata",
        "Parameters",
        "Rules",
        "Mappings",
        "Conditions",
        "Globals",
        "Resources",
        "Outputs",
    ];
    match root.entries() {
        Err(problem) => vec![problem],
        Ok(entries) => {
            let unknown = entries.iter().filter(|entry| !SECTIONS.contains(&entry.key.as_str()));
            unknown
                .map(|entry| Problem::new(entry.place, format!("unknown section {}", entry.key)))
                .collect()
        }
    }
}

fn output(scope: &Scope<'_>, entry: &Entry) -> Result<Option<String>, Problem> {
    if let Some(condition) = entry.value.get("Condition")
        && !scope.condition(condition.literal()?, condition.place)?
    {
        return Ok(None);
    }
    let value = entry
        .value
        .get("Value")
        .ok_or_else(|| Problem::new(entry.place, "an output without Value"))?;
    scope.text(value).map(Some)
}

fn resource(
    scope: &Scope<'_>,
    globals: Option<&Node>,
    folder: &Path,
    entry: &Entry,
    problems: &mut Vec<Problem>,
) -> Result<Option<Resource>, Vec<Problem>> {
    let one = |problem| vec![problem];
    if let Some(condition) = entry.value.get("Condition") {
        let name = condition.literal().map_err(one)?;
        if !scope.condition(name, condition.place).map_err(one)? {
            return Ok(None);
        }
    }
    let kind = Kind::of(&entry.value).map_err(one)?;
    let identity = scope.identity(&entry.key, entry.place).map_err(one)?;
    let own = resolve(scope, entry.value.get("Properties"))?;
    let body = match kind {
        Kind::Function => {
            let properties =
                merged(resolve(scope, globals.and_then(|globals| globals.get("Function")))?, own);
            let role_id = format!("{}Role", entry.key);
            let role = scope.identity(&role_id, entry.place).map_err(one)?;
            let written =
                [entry.value.get("Properties"), globals.and_then(|all| all.get("Function"))];
            let has_vpc = written.into_iter().flatten().any(|node| node.get("VpcConfig").is_some());
            let function =
                Function::of(&identity, (&role_id, &role), properties, has_vpc, scope.account);
            Body::Function(function.map_err(|message| vec![Problem::new(entry.place, message)])?)
        }
        Kind::StateMachine => {
            let properties = merged(
                resolve(scope, globals.and_then(|globals| globals.get("StateMachine")))?,
                own,
            );
            let machine = StateMachine::of(scope, entry, &identity, folder, properties, problems)?;
            Body::StateMachine(machine)
        }
        Kind::Role => Body::Role(
            Role::of(&entry.key, &identity, &own)
                .map_err(|message| vec![Problem::new(entry.place, message)])?,
        ),
        _ => Body::Properties(own),
    };
    Ok(Some(Resource { logical_id: entry.key.clone(), kind, identity, body }))
}

/// The value of a map, with the problems of all its keys; an empty map where there is none.
fn resolve(scope: &Scope<'_>, node: Option<&Node>) -> Result<Value, Vec<Problem>> {
    let Some(node) = node else { return Ok(Value::Object(Map::new())) };
    let (mut map, mut problems) = (Map::new(), Vec::new());
    for entry in node.entries().map_err(|problem| vec![problem])? {
        match scope.resolve(&entry.value) {
            Ok(Some(value)) => drop(map.insert(entry.key.clone(), value)),
            Ok(None) => {}
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(Value::Object(map)) } else { Err(problems) }
}

/// SAM's globals under a resource's own properties: maps are merged, the rest is replaced.
fn merged(below: Value, above: Value) -> Value {
    match (below, above) {
        (Value::Object(mut below), Value::Object(above)) => {
            for (key, value) in above {
                let value = match below.remove(&key) {
                    Some(under) => merged(under, value),
                    None => value,
                };
                below.insert(key, value);
            }
            Value::Object(below)
        }
        (_, above) => above,
    }
}

/// A property as a text, where there is one.
fn text_of(properties: &Value, name: &str) -> Option<String> {
    properties.get(name).filter(|value| !value.is_null()).map(plain)
}

#[cfg(test)]
mod tests;
