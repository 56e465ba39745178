//! State machines: the definition as it would be deployed, and what it asks of the template's
//! resources and of the functions.
use std::collections::BTreeSet;

use aws::stepfunctions::review::{
    self, DefinitionOutline, Remark, ResourceKind, StateOutline, nearest,
};
use serde_json::Value;

use super::{Finding, Source, Subject};
use crate::project::Project;
use crate::template::{Function, Place, Resource, StateMachine};

/// A state machine with its text, so that places can be told.
pub struct Machine<'a> {
    pub resource: &'a Resource,
    pub deployed: &'a StateMachine,
    pub source: Source,
    /// Where the definition stands in the source; empty for a file of its own.
    prefix: String,
    pub document: Value,
}

impl<'a> Machine<'a> {
    pub fn of(
        project: &Project,
        template: &str,
        resource: &'a Resource,
        machine: &'a StateMachine,
    ) -> Self {
        let (source, prefix) = match &machine.file {
            Some(file) => {
                let text = std::fs::read_to_string(project.root.join(file)).unwrap_or_default();
                (Source::of(file, &text), String::new())
            }
            None => (
                Source::of("template.yaml", template),
                format!("/Resources/{}/Properties/Definition", resource.logical_id),
            ),
        };
        let document = serde_json::from_str(&machine.definition).unwrap_or_default();
        Self { resource, deployed: machine, source, prefix, document }
    }

    pub fn outline(&self) -> DefinitionOutline<'_> {
        DefinitionOutline::of(&self.document)
    }

    /// Puts a finding at a JSON pointer of the definition.
    pub fn place(&self, finding: Finding, pointer: &str) -> Finding {
        let place = self.source.pointer(&format!("{}{pointer}", self.prefix));
        let finding = finding.at(place);
        Finding { file: self.source.file.clone(), pointer: Some(pointer.to_owned()), ..finding }
    }

    fn finding(&self, remark: Remark) -> Finding {
        let severity = remark.severity.into();
        let named = Place::named_in(&remark.found).filter(|_| self.document.is_null());
        let finding = Finding::error(remark.rule, "", remark.found)
            .expected(remark.expected)
            .advice(remark.advice);
        let placed = self.place(Finding { severity, ..finding }, &remark.location);
        // Only the parser knows the place in a text that it could not read.
        if named.is_some() { placed.at(named) } else { placed }
    }
}

pub fn findings(subject: &Subject) -> Vec<Finding> {
    let mut findings = Vec::new();
    for machine in &subject.machines {
        let remarks = review::review(&machine.deployed.definition, &machine.deployed.kind);
        findings.extend(remarks.into_iter().map(|remark| machine.finding(remark)));
        for state in &machine.outline().states {
            findings.extend(strangers(subject, machine, state));
            findings.extend(short_timeout(subject, machine, state));
            findings.extend(undeclared_errors(subject, machine, state));
        }
    }
    findings
}

/// ARNs of this account that no resource of the template has.
fn strangers(subject: &Subject, machine: &Machine, state: &StateOutline) -> Vec<Finding> {
    let Some((pointer, arguments)) = state.arguments() else { return Vec::new() };
    let known: BTreeSet<&str> = subject
        .stack
        .resources
        .iter()
        .flat_map(|resource| {
            let attributes = resource.identity.attributes.iter().map(|(_, value)| value.as_str());
            attributes.chain([resource.identity.reference.as_str()])
        })
        .collect();
    let ours = format!(":{}:", subject.stack.account.id);
    let mut findings = Vec::new();
    for (at, text) in texts(arguments, pointer) {
        let name = text.split(":$").next().unwrap_or_default();
        if text.starts_with("arn:aws:") && text.contains(&ours) && !known.contains(name) {
            let finding =
                Finding::error("unknown-arn", "", format!("{text} is no resource of the template"))
                    .expected("the ARN of a resource of this template")
                    .advice("hand it in by DefinitionSubstitutions with !GetAtt or !Ref");
            findings.push(machine.place(finding, &at));
        }
    }
    findings
}

/// A Task that gives up while its function may still be at work.
fn short_timeout(subject: &Subject, machine: &Machine, state: &StateOutline) -> Option<Finding> {
    let function = invoked(subject, state)?;
    let timeout = state.number("TimeoutSeconds")?;
    (timeout < function.timeout_seconds).then(|| {
        let found = format!(
            "the Task gives up after {timeout} s, the function after {} s",
            function.timeout_seconds
        );
        let finding = Finding::warning("task-timeout-below-function", "", found)
            .expected(format!("TimeoutSeconds above {}", function.timeout_seconds))
            .advice(
                "raise the Task's, or lower the function's: a retry would run beside the first",
            );
        machine.place(finding, &format!("{}/TimeoutSeconds", state.pointer))
    })
}

/// Names of `ErrorEquals` that the function, or none of the functions, raises.
fn undeclared_errors(subject: &Subject, machine: &Machine, state: &StateOutline) -> Vec<Finding> {
    if subject.code.errors.is_empty() {
        return Vec::new();
    }
    let resource = state.resource();
    let calls_service = resource.as_ref().is_some_and(|resource| match &resource.kind {
        ResourceKind::Service { service, .. } => service != "lambda",
        ResourceKind::Lambda => false,
        ResourceKind::Activity => true,
    });
    if calls_service {
        return Vec::new();
    }
    let function = invoked(subject, state);
    let promises = function.and_then(|function| subject.code.functions.get(&function.package));
    let declared = promises.map_or(&subject.code.errors, |promises| &promises.errors);
    let raiser = match function.filter(|_| promises.is_some()) {
        Some(function) => format!("functions/{}", function.package),
        None => "no function".to_owned(),
    };
    let mut findings = Vec::new();
    for member in ["Retry", "Catch"] {
        for (pointer, handler) in state.handlers(member) {
            let names = handler["ErrorEquals"].as_array().into_iter().flatten();
            for name in names.filter_map(Value::as_str) {
                if raised_by_aws(name) || declared.contains(name) {
                    continue;
                }
                let found = match raiser.as_str() {
                    "no function" => format!("no function raises {name}"),
                    raiser => format!("{raiser} raises no {name}"),
                };
                let expected = match nearest(name, declared.iter().map(String::as_str)) {
                    Some(meant) => format!("{meant}?"),
                    None => declared.iter().cloned().collect::<Vec<_>>().join(", "),
                };
                let finding =
                    Finding::error("error-of-no-function", "", found).expected(expected).advice(
                        "correct or remove it, or declare it in shared/src/error.rs and raise it",
                    );
                findings.push(machine.place(finding, &format!("{pointer}/ErrorEquals")));
            }
        }
    }
    findings
}

/// Names that Step Functions, Lambda and its runtime give.
fn raised_by_aws(name: &str) -> bool {
    let family = name.split('.').next().unwrap_or_default();
    name.ends_with("Exception")
        || ["States", "State", "Lambda", "Runtime", "Sandbox", "Extension", "Function"]
            .contains(&family)
}

/// The template's function that a Task invokes.
pub fn invoked<'s>(subject: &Subject<'s>, state: &StateOutline) -> Option<&'s Function> {
    let resource = state.resource()?;
    let arn = match &resource.kind {
        ResourceKind::Lambda => resource.arn.as_str(),
        ResourceKind::Service { service, action, .. }
            if service == "lambda" && action == "invoke" =>
        {
            state.arguments()?.1["FunctionName"].as_str()?
        }
        _ => return None,
    };
    let mut functions = subject.stack.functions().map(|(_, function)| function);
    functions.find(|function| {
        arn == function.name
            || arn
                .strip_prefix(&function.arn)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    })
}

/// Every text in a value, with its pointer.
fn texts(value: &Value, pointer: String) -> Vec<(String, &str)> {
    match value {
        Value::String(text) => vec![(pointer, text)],
        Value::Array(items) => {
            let each = items.iter().enumerate();
            each.flat_map(|(at, item)| texts(item, format!("{pointer}/{at}"))).collect()
        }
        Value::Object(members) => {
            let each = members.iter();
            each.flat_map(|(key, item)| texts(item, format!("{pointer}/{key}"))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}
