//! Code, state machines and template hold each other to what they promise.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use runner::check::Code;
use runner::template::{Account, Body, Kind, Resource, Stack};
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

/// `local check` reads the sources; this holds what it reads to the compiled code.
#[test]
fn the_sources_say_what_the_code_declares() {
    let code = Code::read(&root());
    let declared: BTreeSet<String> =
        ErrorName::ALL.into_iter().map(|name| name.as_str().to_owned()).collect();
    assert_eq!(code.errors, declared);
    let mut seen = BTreeSet::new();
    for (_, function) in stack().functions() {
        let promises = &code.functions[&function.package];
        assert!(!promises.errors.is_empty(), "{}: {promises:?}", function.package);
        let read = promises.required.len() + promises.optional.len();
        assert!(
            read > 1,
            "{} reads the environment by another way: {promises:?}",
            function.package
        );
        seen.insert(function.package.clone());
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
}

#[test]
fn stages_share_no_name() {
    let names = |stage| -> BTreeSet<(String, String)> {
        let stack = stack_of(stage);
        let named =
            |resource: &Resource| (format!("{:?}", resource.kind), resource.identity.name.clone());
        stack.resources.iter().map(named).collect()
    };
    let (one, two) = (names("one"), names("two"));
    assert!(one.len() > 30, "only {} resources", one.len());
    let both: Vec<_> = one.intersection(&two).collect();
    assert!(both.is_empty(), "two stages of one account share {both:?}");
}

#[test]
fn production_and_the_local_stage_publish_under_the_plain_name() {
    for (stage, database) in
        [("local", "nyctaxidb"), ("prod", "nyctaxidb"), ("dev", "nyctaxidb_dev")]
    {
        let stack = stack_of(stage);
        let of_kind = |kind| stack.resources.iter().find(|resource| resource.kind == kind);
        let found = of_kind(Kind::Database).expect("the template has a database");
        assert_eq!(found.identity.name, database, "{stage}");
    }
}

#[test]
fn every_alarm_tells_somebody_and_is_explained() {
    let stack = stack();
    let manual = fs::read_to_string(root().join("OPERATIONS.md")).expect("OPERATIONS.md");
    let mut alarms = 0;
    for resource in stack.resources.iter().filter(|resource| resource.kind == Kind::Alarm) {
        alarms += 1;
        let Body::Properties(properties) = &resource.body else { panic!("an alarm is properties") };
        let told = properties["AlarmActions"].as_array().is_some_and(|actions| !actions.is_empty());
        assert!(told, "{} tells nobody", resource.logical_id);
        let explained = manual.contains(&format!("`{}`", resource.logical_id));
        assert!(explained, "OPERATIONS.md says nothing of {}", resource.logical_id);
    }
    assert!(alarms >= 8, "only {alarms} alarms");
}

fn stack() -> Stack {
    stack_of("dev")
}

fn stack_of(stage: &str) -> Stack {
    let account = Account {
        id: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: "http://127.0.0.1:4566".to_owned(),
        stack_name: format!("nyctaxi-{stage}"),
    };
    let parameters = BTreeMap::from([("Stage".to_owned(), stage.to_owned())]);
    Stack::read(&root().join("template.yaml"), &parameters, account).expect("the template is sound")
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
