//! What can be known of the project before anything runs: problems of the template, of the
//! state machines as they would be deployed, and of what they promise each other.
use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use crate::cloud::{Address, Cloud};
use crate::project::Project;
use crate::template::{Account, Stack, StateMachine};

/// Something to mend, or to think about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    pub severity: Severity,
    /// File with line and column, or file with a JSON pointer.
    pub place: String,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

impl Finding {
    fn error(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, place: place.into(), message: message.into() }
    }

    fn warning(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, place: place.into(), message: message.into() }
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{}: {severity}: {}", self.place, self.message)
    }
}

/// All findings of a project, errors first.
pub async fn project(project: &Project) -> anyhow::Result<Vec<Finding>> {
    let address = Address::default();
    let account = Account {
        id: address.account_id.clone(),
        region: address.region.clone(),
        endpoint: "http://127.0.0.1:4566".to_owned(),
        stack_name: "check".to_owned(),
    };
    let stack = match Stack::read(&project.template(), &std::collections::BTreeMap::new(), account)
    {
        Ok(stack) => stack,
        Err(error) => {
            let place = |place| format!("template.yaml:{place}");
            return Ok(error
                .problems
                .into_iter()
                .map(|problem| Finding::error(place(problem.place), problem.message))
                .collect());
        }
    };
    let cloud = Cloud::temporary().await?;
    let mut findings = functions(project, &stack);
    for (resource, machine) in stack.state_machines() {
        let place = machine
            .file
            .clone()
            .unwrap_or_else(|| format!("template.yaml#{}", resource.logical_id));
        findings.extend(language(&cloud, &place, machine).await?);
        findings.extend(contracts(&stack, &place, &machine.definition));
    }
    findings.sort();
    findings.dedup();
    Ok(findings)
}

/// Every function's package is in the workspace and its binary has its name.
fn functions(project: &Project, stack: &Stack) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (resource, function) in stack.functions() {
        let manifest = project.root.join("functions").join(&function.package).join("Cargo.toml");
        let expected = format!("name = \"{}\"", function.package);
        match std::fs::read_to_string(&manifest) {
            Ok(text) if text.lines().any(|line| line.trim() == expected) => {}
            Ok(_) => findings.push(Finding::error(
                manifest.display().to_string(),
                format!("expected {expected}: folder, package and binary share one name"),
            )),
            Err(error) => findings.push(Finding::error(
                manifest.display().to_string(),
                format!("{} needs this package: {error}", resource.logical_id),
            )),
        }
    }
    findings
}

/// What the service would say of the definition.
async fn language(
    cloud: &Cloud,
    place: &str,
    machine: &StateMachine,
) -> anyhow::Result<Vec<Finding>> {
    let input =
        json!({"definition": machine.definition, "type": machine.kind, "severity": "WARNING"});
    let verdict = cloud.call("states", "ValidateStateMachineDefinition", input).await?;
    let diagnostics = verdict["diagnostics"].as_array().into_iter().flatten();
    let finding = |diagnostic: &Value| {
        let text = |member: &str| diagnostic[member].as_str().unwrap_or_default();
        let place = format!("{place}#{}", text("location"));
        let message = format!("{}: {}", text("code"), text("message"));
        if text("severity") == "ERROR" {
            Finding::error(place, message)
        } else {
            Finding::warning(place, message)
        }
    };
    Ok(diagnostics.map(finding).collect())
}

/// What definition and template promise each other.
fn contracts(stack: &Stack, place: &str, definition: &str) -> Vec<Finding> {
    let Ok(definition) = serde_json::from_str::<Value>(definition) else { return Vec::new() };
    let arns: BTreeSet<String> = stack
        .resources
        .iter()
        .flat_map(|resource| {
            resource
                .identity
                .attributes
                .iter()
                .map(|(_, value)| value.clone())
                .chain([resource.identity.reference.clone()])
        })
        .collect();
    let mut findings = Vec::new();
    walk(&definition, String::new(), &mut |pointer, state| {
        let at = format!("{place}#{pointer}");
        if state["Type"] == "Task" {
            findings.extend(task(&at, state));
        }
        if let Some(arguments) = state.get("Arguments").or_else(|| state.get("Parameters")) {
            for text in texts(arguments) {
                let ours = text.starts_with("arn:aws:")
                    && text.contains(&format!(":{}:", stack.account.id));
                let name = text.split(":$").next().unwrap_or_default();
                if ours && !arns.contains(name) {
                    findings.push(Finding::error(
                        at.clone(),
                        format!("{text} is no resource of the template"),
                    ));
                }
            }
        }
    });
    findings
}

/// Bounds and error names of a Task.
fn task(place: &str, state: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    if state.get("TimeoutSeconds").is_none() && state.get("TimeoutSecondsPath").is_none() {
        findings.push(Finding::warning(place, "a Task without TimeoutSeconds waits up to a year"));
    }
    let resource = state["Resource"].as_str().unwrap_or_default();
    let service = resource
        .strip_prefix("arn:aws:states:::")
        .and_then(|rest| rest.split(':').next())
        .unwrap_or("lambda");
    for member in ["Retry", "Catch"] {
        let handlers = state[member].as_array().into_iter().flatten();
        let names =
            handlers.flat_map(|handler| handler["ErrorEquals"].as_array().into_iter().flatten());
        for name in names.filter_map(Value::as_str) {
            if let Some(problem) = error_name(name, service) {
                findings.push(Finding::error(format!("{place}/{member}"), problem));
            }
        }
    }
    findings
}

/// Why an error of this name cannot come out of a task of this service.
fn error_name(name: &str, service: &str) -> Option<String> {
    // <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>
    const RESERVED: [&str; 17] = [
        "States.ALL",
        "States.BranchFailed",
        "States.DataLimitExceeded",
        "States.ExceedToleratedFailureThreshold",
        "States.HeartbeatTimeout",
        "States.Http.Socket",
        "States.IntrinsicFailure",
        "States.ItemReaderFailed",
        "States.NoChoiceMatched",
        "States.ParameterPathFailure",
        "States.Permissions",
        "States.QueryEvaluationError",
        "States.ResultPathMatchFailure",
        "States.ResultWriterFailed",
        "States.Runtime",
        "States.TaskFailed",
        "States.Timeout",
    ];
    let (family, _) = name.split_once('.').unwrap_or((name, ""));
    match family {
        "States" if RESERVED.contains(&name) => None,
        "States" => Some(format!("{name} is none of the error names that States reserves")),
        // What a function calls its errors is the function's own; the service adds these families.
        _ if service == "lambda" || service == "states" => None,
        _ if family.eq_ignore_ascii_case(service) => None,
        _ => Some(format!("a task of {service} never fails with {name}")),
    }
}

/// Every state, with the JSON pointer to it.
fn walk(value: &Value, pointer: String, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(map) => {
            if map.get("Type").is_some_and(Value::is_string) {
                visit(&pointer, value);
            }
            for (key, inner) in map {
                walk(inner, format!("{pointer}/{key}"), visit);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                walk(inner, format!("{pointer}/{index}"), visit);
            }
        }
        _ => {}
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_names_fit_their_service() {
        for (name, service, fits) in [
            ("States.ALL", "athena", true),
            ("States.Timeuot", "athena", false),
            ("Athena.TooManyRequestsException", "athena", true),
            ("SNS.SnsException", "sns", true),
            ("SQS.SqsException", "sns", false),
            ("Source.Throttled", "lambda", true),
            ("Source.Throttled", "athena", false),
        ] {
            assert_eq!(error_name(name, service).is_none(), fits, "{name} of {service}");
        }
    }
}
