//! A state machine as a Mermaid state diagram.
use serde_json::Value;

use super::{Mark, Visits, inner, ways};

/// What marks look like.
const CLASSES: [(Mark, &str); 4] = [
    (Mark::Succeeded, "fill:#d7f0dc,stroke:#14732f,color:#0d3a1a"),
    (Mark::Caught, "fill:#fdeccb,stroke:#a65f00,color:#4a2b00"),
    (Mark::Failed, "fill:#fbdcd9,stroke:#b3261e,color:#5c1410"),
    (Mark::Running, "fill:#d9e8f7,stroke:#0b5cad,color:#06325e"),
];

/// Draws a definition, with an execution's path if one is given.
pub fn mermaid(definition: &Value, visits: Option<&Visits>) -> String {
    let mut text = String::from("stateDiagram-v2\n");
    draw(definition, 1, &mut text);
    for (mark, style) in CLASSES {
        let marked = visits.into_iter().flat_map(|visits| visits.marked(mark));
        let marked: Vec<String> = marked.map(id).collect();
        if !marked.is_empty() {
            line(&mut text, 1, &format!("classDef {} {style}", mark.name()));
            line(&mut text, 1, &format!("class {} {}", marked.join(","), mark.name()));
        }
    }
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
        for way in ways(state) {
            let to = way.to.map_or_else(|| "[*]".to_owned(), |to| self::id(&to));
            let label = label(&way.label);
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

/// A name that Mermaid takes for one.
fn id(name: &str) -> String {
    name.chars()
        .map(|letter| if letter.is_alphanumeric() || letter == '_' { letter } else { '_' })
        .collect()
}

/// A label without what would end it.
fn label(text: &str) -> String {
    text.replace([':', ';', '#'], " ").replace('\n', " ")
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
        assert_eq!(mermaid(&definition, None), expected);
        let history = [
            json!({"id": 1, "previousEventId": 0, "type": "ExecutionStarted"}),
            json!({"id": 2, "previousEventId": 1, "type": "ChoiceStateEntered", "stateEnteredEventDetails": {"name": "Pick one"}}),
            json!({"id": 3, "previousEventId": 2, "type": "ChoiceStateExited", "stateExitedEventDetails": {"name": "Pick one"}}),
        ];
        let visits = Visits::of([(&history[..], true)]);
        let drawn = mermaid(&definition, Some(&visits));
        let rest = drawn.strip_prefix(expected).unwrap();
        assert!(rest.contains("class Pick_one succeeded"), "{rest}");
    }
}
