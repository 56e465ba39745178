//! Code, state machines and template hold each other to what they promise.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use runner::template::{Account, Stack};
use serde_json::Value;
use shared::error::ErrorName;

use crate::house::root;

/// Names that Step Functions, Lambda and the integrated services raise, not our functions.
/// Source: Step Functions developer guide, "Handling errors"; Athena API reference, "Errors".
fn raised_by_aws(name: &str) -> bool {
    name.starts_with("States.")
        || name.ends_with("Exception")
        || ["Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout"].contains(&name)
}

#[test]
fn every_error_is_declared_by_a_function_and_expected_by_the_machine() {
    let declared: BTreeSet<&str> = ErrorName::ALL.into_iter().map(ErrorName::as_str).collect();
    let mut expected = BTreeSet::new();
    for (_, definition) in definitions() {
        walk(&definition, &mut |object| {
            let names = object.get("ErrorEquals").and_then(Value::as_array).into_iter().flatten();
            expected.extend(names.filter_map(Value::as_str).map(str::to_owned));
        });
    }
    let ours: BTreeSet<&str> =
        expected.iter().map(String::as_str).filter(|name| !raised_by_aws(name)).collect();
    let unknown: Vec<_> = ours.difference(&declared).collect();
    assert!(unknown.is_empty(), "ErrorEquals names errors no function raises: {unknown:?}");
    let forgotten: Vec<_> = declared.difference(&ours).collect();
    assert!(forgotten.is_empty(), "no state expects these errors by name: {forgotten:?}");
}

#[test]
fn every_task_is_bounded_retried_and_caught() {
    let mut tasks = 0;
    let mut problems = Vec::new();
    for (file, definition) in definitions() {
        walk_states(&definition, &mut |name, state| {
            if state["Type"] != "Task" {
                return;
            }
            tasks += 1;
            if state.get("TimeoutSeconds").is_none() {
                problems.push(format!("{file}: {name} has no TimeoutSeconds"));
            }
            for retry in state["Retry"].as_array().into_iter().flatten() {
                let bounded =
                    retry["MaxDelaySeconds"].is_number() && retry["JitterStrategy"] == "FULL";
                if !bounded {
                    problems
                        .push(format!("{file}: {name} retries without MaxDelaySeconds or jitter"));
                }
            }
            let catches = state["Catch"].as_array().into_iter().flatten();
            for catch in catches {
                let names = catch["ErrorEquals"].as_array().expect("ErrorEquals is a list");
                if names.len() > 1 && names.iter().any(|name| name == "States.ALL") {
                    problems.push(format!("{file}: {name}: States.ALL stands alone"));
                }
            }
        });
    }
    assert!(tasks > 10, "only {tasks} tasks found");
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn functions_read_the_environment_the_template_sets() {
    let stack = stack();
    let mut seen = BTreeMap::new();
    for (_, function) in stack.functions() {
        let read = variables_read_by(&function.package);
        let set: BTreeSet<String> = function.environment.keys().cloned().collect();
        let by_the_runtime = BTreeSet::from(["RUST_LOG".to_owned()]);
        let unset: Vec<_> = read.difference(&set).collect();
        let unread: Vec<_> =
            set.difference(&read).filter(|name| !by_the_runtime.contains(*name)).collect();
        assert!(
            unset.is_empty(),
            "{} reads what the template does not set: {unset:?}",
            function.package
        );
        assert!(
            unread.is_empty(),
            "the template sets what {} never reads: {unread:?}",
            function.package
        );
        seen.insert(function.package.clone(), read.len());
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
}

/// `env.text("NAME")` and its kin in a function's source.
fn variables_read_by(package: &str) -> BTreeSet<String> {
    let folder = root().join("functions").join(package).join("src");
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&folder).expect("a function has sources") {
        let path = entry.expect("a file").path();
        let Ok(text) = fs::read_to_string(&path) else { continue };
        for reader in ["env.text(\"", "env.or(\"", "env.list(\"", "env.optional(\""] {
            let calls = text.split(reader).skip(1);
            names.extend(calls.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    names
}

fn stack() -> Stack {
    let account = Account {
        id: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: "http://127.0.0.1:4566".to_owned(),
        stack_name: "contract".to_owned(),
    };
    Stack::read(&root().join("template.yaml"), &BTreeMap::new(), account)
        .expect("the template is sound")
}

/// The state machines, by file name. Their substitutions stand only inside strings.
fn definitions() -> Vec<(String, Value)> {
    let folder = root().join("statemachines");
    let mut found = Vec::new();
    for entry in fs::read_dir(&folder).expect("statemachines/") {
        let path = entry.expect("a file").path();
        if path.to_string_lossy().ends_with(".asl.json") {
            found.push((file_name(&path), definition(&path)));
        }
    }
    assert!(!found.is_empty(), "no state machine");
    found
}

fn definition(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a definition is text");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn file_name(path: &Path) -> String {
    path.file_name().expect("a file").to_string_lossy().into_owned()
}

fn walk(value: &Value, visit: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(object);
            object.values().for_each(|value| walk(value, visit));
        }
        Value::Array(items) => items.iter().for_each(|value| walk(value, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn walk_states(definition: &Value, visit: &mut impl FnMut(&str, &Value)) {
    walk(definition, &mut |object| {
        let states = object.get("States").and_then(Value::as_object).into_iter().flatten();
        states.for_each(|(name, state)| visit(name, state));
    });
}
