//! A state machine as a Mermaid state diagram.
use std::collections::BTreeSet;

use serde_json::Value;

/// Draws a definition. Errors' ways are drawn once per target.
pub fn mermaid(definition: &Value) -> String {
    let mut text = String::from("stateDiagram-v2\n");
    draw(definition, 1, &mut text);
    text
}

/// States of a machine, a Map's processor or a Parallel's branch.
fn draw(machine: &Value, depth: usize, text: &mut String) {
    if let Some(start) = machine["StartAt"].as_str() {
        line(text, depth, &format!("[*] --> {}", id(start)));
    }
    for (name, state) in machine["States"].as_object().into_iter().flatten() {
        let id = id(name);
        if id != *name {
            line(text, depth, &format!("state \"{name}\" as {id}"));
        }
        let inner = inner(state);
        if !inner.is_empty() {
            line(text, depth, &format!("state {id} {{"));
            for (index, machine) in inner.iter().enumerate() {
                if index > 0 {
                    line(text, depth + 1, "--");
                }
                draw(machine, depth + 1, text);
            }
            line(text, depth, "}");
        }
        for (to, label) in ways(state) {
            let label = if label.is_empty() { label } else { format!(" : {label}") };
            line(text, depth, &format!("{id} --> {to}{label}"));
        }
    }
}

fn line(text: &mut String, depth: usize, content: &str) {
    text.extend(std::iter::repeat_n("    ", depth));
    text.push_str(content);
    text.push('\n');
}

/// The machines within a Map or Parallel.
fn inner(state: &Value) -> Vec<&Value> {
    let processor = ["ItemProcessor", "Iterator"].iter().filter_map(|member| state.get(member));
    let branches = state.get("Branches").and_then(Value::as_array).into_iter().flatten();
    processor.chain(branches).collect()
}

/// Where a state leads, with what is said of the way; each way once.
fn ways(state: &Value) -> Vec<(String, String)> {
    let mut ways = Vec::new();
    for choice in state["Choices"].as_array().into_iter().flatten() {
        if let Some(next) = choice["Next"].as_str() {
            let condition = choice["Condition"].as_str().map(label).unwrap_or_default();
            ways.push((id(next), condition));
        }
    }
    if let Some(default) = state["Default"].as_str() {
        ways.push((id(default), "otherwise".to_owned()));
    }
    if let Some(next) = state["Next"].as_str() {
        ways.push((id(next), String::new()));
    }
    let caught = state["Catch"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|catcher| catcher["Next"].as_str());
    ways.extend(caught.map(|next| (id(next), "error".to_owned())));
    let ends = state["End"] == true || matches!(state["Type"].as_str(), Some("Succeed" | "Fail"));
    if ends {
        ways.push(("[*]".to_owned(), String::new()));
    }
    let mut seen = BTreeSet::new();
    ways.retain(|way| seen.insert(way.clone()));
    ways
}

/// A name that Mermaid takes for one.
fn id(name: &str) -> String {
    name.chars()
        .map(|letter| if letter.is_alphanumeric() || letter == '_' { letter } else { '_' })
        .collect()
}

/// A JSONata condition without its brackets, and without what would end a label.
fn label(condition: &str) -> String {
    let bare = condition.trim().trim_start_matches("{%").trim_end_matches("%}").trim();
    bare.replace([':', ';', '#'], " ").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_way_is_drawn_once() {
        let definition = json!({
            "StartAt": "Pick one",
            "States": {
                "Pick one": {"Type": "Choice", "Choices": [{"Condition": "{% $x > 0 %}", "Next": "Each"}], "Default": "Done"},
                "Each": {
                    "Type": "Map",
                    "ItemProcessor": {"StartAt": "Work", "States": {"Work": {"Type": "Task", "End": true}}},
                    "Catch": [{"ErrorEquals": ["A"], "Next": "Done"}, {"ErrorEquals": ["States.ALL"], "Next": "Done"}],
                    "Next": "Done"
                },
                "Done": {"Type": "Succeed"}
            }
        });
        let expected = r#"stateDiagram-v2
    [*] --> Pick_one
    state "Pick one" as Pick_one
    Pick_one --> Each : $x > 0
    Pick_one --> Done : otherwise
    state Each {
        [*] --> Work
        Work --> [*]
    }
    Each --> Done
    Each --> Done : error
    Done --> [*]
"#;
        assert_eq!(mermaid(&definition), expected);
    }
}
