//! Every recorded ruleset is accepted or refused as Glue's parser did it, and printed as it prints it.
//!
//! The recorded answers lie beside the project and not in it; without them the test says that it ran none.
#![allow(clippy::print_stdout, reason = "tests say how many cases ran")]

use std::fs;
use std::path::Path;

use serde_json::Value;

#[test]
fn reads_and_prints_rulesets_as_glue_does() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/conformance/dqdl/rulesets.jsonl");
    let Ok(recorded) = fs::read_to_string(recorded) else {
        println!("0 recorded rulesets: they are not here");
        return;
    };
    let mut cases = 0;
    let mut differences = Vec::new();
    for line in recorded.lines() {
        let case: Value = serde_json::from_str(line).expect("a case is JSON");
        let text = case["in"].as_str().expect("a case has a ruleset");
        let expected = case["canonical"].as_str();
        let found = dqdl::parse(text).map(|ruleset| ruleset.to_string());
        cases += 1;
        match (expected, &found) {
            (Some(expected), Ok(found)) if expected == found => {}
            (None, Err(_)) => {}
            _ => differences.push(format!("{text}\n  expected {case}\n  found    {found:?}")),
        }
    }
    println!("{} of {cases} recorded rulesets", cases - differences.len());
    assert!(differences.is_empty(), "{}", differences.join("\n\n"));
    assert!(cases > 4_900, "only {cases} cases");
}
