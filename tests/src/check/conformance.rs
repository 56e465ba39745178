//! The definitions of recorded cases: what AWS accepted is accepted, what it refused is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use aws::stepfunctions::review::{Remark, Severity, review};
use serde_json::Value;

use crate::house::beside;

/// Groups whose cases hold a whole definition that AWS did not accept.
const REFUSED: [&str; 2] = ["definition_rejected", "definition_rejected_localstack"];
/// Groups whose definitions are single states, tested by themselves.
const SINGLE_STATES: [&str; 2] = ["test_state", "test_state_rejected"];

/// Definitions that AWS takes and whose recorded execution then failed by what is found: an
/// expression that reads a variable, or calls a function, which is not there.
const FAILED_WHEN_RUN: [&str; 4] = [
    "intrinsic_jsonata/math_operations_jsonata.test_math_random_seeded.exec_hist_resp_0",
    "variables/assign_reference_variables.test_undefined_reference-BASE_UNDEFINED_ARGUMENTS",
    "variables/assign_reference_variables.test_undefined_reference-BASE_UNDEFINED_ARGUMENTS_FIELD",
    "variables/assign_reference_variables.test_undefined_reference-BASE_UNDEFINED_ASSIGN",
];

#[derive(Debug)]
struct Definition {
    id: String,
    text: String,
    kind: String,
    /// What the execution that was recorded with it failed with.
    error: Option<String>,
    accepted: bool,
}

/// Each definition once, however many cases share it.
fn definitions() -> Option<Vec<Definition>> {
    let root = beside("conformance/asl")?;
    let mut found: BTreeMap<(String, String), Definition> = BTreeMap::new();
    let mut groups: Vec<_> = fs::read_dir(root).ok()?.flatten().map(|entry| entry.path()).collect();
    groups.sort();
    for group in groups.iter().filter(|group| group.is_dir()) {
        let name = group.file_name().expect("a name").to_string_lossy().into_owned();
        if SINGLE_STATES.contains(&name.as_str()) {
            continue;
        }
        for file in fs::read_dir(group).expect("a group").flatten() {
            let case: Value =
                serde_json::from_slice(&fs::read(file.path()).expect("a case")).expect("JSON");
            let written = case["definition_text"].as_str();
            let text = match written.map(serde_json::from_str::<Value>) {
                Some(Ok(definition)) => definition.to_string(),
                Some(Err(_)) => written.unwrap_or_default().to_owned(),
                None => case["definition"].to_string(),
            };
            let kind = case["type"].as_str().unwrap_or("STANDARD").to_owned();
            let refused = REFUSED.contains(&name.as_str()) || case["expected"]["result"] == "FAIL";
            let definition = Definition {
                id: case["id"].as_str().expect("an id").to_owned(),
                error: case["expected"]["error"].as_str().map(str::to_owned),
                accepted: !refused,
                kind: kind.clone(),
                text: text.clone(),
            };
            let known = found.entry((text, kind)).or_insert(definition);
            known.error =
                known.error.take().or(case["expected"]["error"].as_str().map(str::to_owned));
        }
    }
    Some(found.into_values().collect())
}

#[test]
fn what_aws_accepts_has_no_errors_and_what_it_refuses_has_some() {
    let Some(definitions) = definitions() else {
        println!("no recorded definitions beside this checkout: 0 ran");
        return;
    };
    let (mut accepted, mut refused, mut found, mut failed) = (0, 0, 0, 0);
    let mut false_findings = Vec::new();
    let mut warnings: BTreeMap<&str, usize> = BTreeMap::new();
    for definition in &definitions {
        let remarks = review(&definition.text, &definition.kind);
        let (errors, others): (Vec<Remark>, Vec<Remark>) =
            remarks.into_iter().partition(|remark| remark.severity == Severity::Error);
        if !definition.accepted {
            refused += 1;
            found += usize::from(!errors.is_empty());
            continue;
        }
        accepted += 1;
        if FAILED_WHEN_RUN.contains(&definition.id.as_str()) {
            let told = errors.iter().all(|error| error.rule == "variable-never-set");
            let failure = definition.error.as_deref();
            assert!(told && !errors.is_empty(), "{}: {errors:?}", definition.id);
            assert_eq!(failure, Some("States.QueryEvaluationError"), "{}", definition.id);
            failed += 1;
        } else {
            false_findings
                .extend(errors.iter().map(|error| format!("{}: {error:?}", definition.id)));
        }
        let rules: BTreeSet<_> = others.iter().map(|warning| warning.rule).collect();
        for rule in rules {
            *warnings.entry(rule).or_default() += 1;
        }
    }
    println!("{} false errors on {accepted} accepted definitions", false_findings.len());
    println!("{failed} accepted definitions have an error that their recorded execution failed by");
    println!("{found} of {refused} refused definitions refused");
    for (rule, definitions) in &warnings {
        println!("warned of {rule}: {definitions} definitions");
    }
    assert!(false_findings.is_empty(), "\n{}", false_findings.join("\n"));
    assert_eq!(found, refused);
}
