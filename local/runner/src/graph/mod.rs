//! A state machine as a picture: Mermaid's text, or SVG; with an execution's path where one is given.
mod layout;
mod mermaid;
mod svg;
mod visits;

use std::collections::BTreeSet;

use serde_json::Value;

pub use mermaid::mermaid;
pub use svg::svg;
pub use visits::{Mark, Visits};

/// A way from one state to another, or to the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Way {
    /// `None`: the machine ends.
    to: Option<String>,
    label: String,
}

/// The machines within a Map or Parallel.
fn inner(state: &Value) -> Vec<&Value> {
    let processor = ["ItemProcessor", "Iterator"].iter().filter_map(|member| state.get(member));
    let branches = state.get("Branches").and_then(Value::as_array).into_iter().flatten();
    processor.chain(branches).collect()
}

/// Where a state leads, with what is said of the way; each way once. Errors' ways are drawn once per target.
fn ways(state: &Value) -> Vec<Way> {
    let way = |to: &str, label: &str| Way { to: Some(to.to_owned()), label: label.to_owned() };
    let mut ways = Vec::new();
    for choice in state["Choices"].as_array().into_iter().flatten() {
        if let Some(next) = choice["Next"].as_str() {
            let condition = choice["Condition"].as_str().map(bare).unwrap_or_default();
            ways.push(way(next, &condition));
        }
    }
    if let Some(default) = state["Default"].as_str() {
        ways.push(way(default, "otherwise"));
    }
    if let Some(next) = state["Next"].as_str() {
        ways.push(way(next, ""));
    }
    let caught = state["Catch"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|catcher| catcher["Next"].as_str());
    ways.extend(caught.map(|next| way(next, "error")));
    let ends = state["End"] == true || matches!(state["Type"].as_str(), Some("Succeed" | "Fail"));
    if ends {
        ways.push(Way { to: None, label: String::new() });
    }
    let mut seen = BTreeSet::new();
    ways.retain(|way| seen.insert(way.clone()));
    ways
}

/// A JSONata condition without its brackets.
fn bare(condition: &str) -> String {
    condition.trim().trim_start_matches("{%").trim_end_matches("%}").trim().to_owned()
}
