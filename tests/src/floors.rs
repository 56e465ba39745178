//! Arrows between the crates point down only.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use crate::house::root;

/// The crates of this workspace each crate may depend on.
const FLOORS: &[(&str, &[&str])] = &[
    ("dqdl", &[]),
    ("shared", &["dqdl"]),
    ("extract", &["shared"]),
    ("validate", &["dqdl", "shared"]),
    ("load", &["shared"]),
    ("check-athena-result", &["dqdl", "shared"]),
    ("handle-error", &["shared"]),
    ("asl", &[]),
    ("fields", &[]),
    ("iceberg", &[]),
    ("kernels", &[]),
    ("lake", &["fields", "iceberg", "kernels"]),
    ("aws", &["asl", "lake"]),
    ("runner", &["aws", "dqdl"]),
];

#[test]
fn arrows_point_down_only() {
    let found = workspace_dependencies();
    for (name, dependencies) in &found {
        if name == "tests" {
            continue;
        }
        let (_, allowed) = FLOORS
            .iter()
            .find(|(floor, _)| floor == name)
            .unwrap_or_else(|| panic!("crate {name} stands on no floor: add it to FLOORS"));
        for dependency in dependencies {
            assert!(
                allowed.contains(&dependency.as_str()),
                "{name} must not depend on {dependency}"
            );
        }
    }
    for (floor, _) in FLOORS {
        assert!(found.contains_key(*floor), "{floor} is a floor without a crate");
    }
}

#[test]
fn the_local_side_learns_the_pipeline_from_template_and_wire_only() {
    let found = workspace_dependencies();
    let deployed = ["shared", "extract", "validate", "load", "check-athena-result", "handle-error"];
    for local in ["asl", "fields", "iceberg", "kernels", "lake", "aws", "runner"] {
        for name in deployed {
            assert!(!found[local].contains(name), "{local} imports {name}");
        }
    }
}

fn workspace_dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo answers JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let names: BTreeSet<&str> = packages.iter().filter_map(|p| p["name"].as_str()).collect();
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter()
                .filter_map(|dependency| dependency["name"].as_str())
                .filter(|name| names.contains(name))
                .map(str::to_owned)
                .collect();
            (package["name"].as_str().expect("name").to_owned(), dependencies)
        })
        .collect()
}
