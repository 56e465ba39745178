//! Results that are handed on whole from state to state, where each may hold 256 KiB at most.

use std::collections::BTreeSet;

use serde_json::Value;

use super::outline::{Outline, StateOutline, Way};
use super::remark::Remark;
use crate::event::StateType;
use crate::jsonata::Query;

/// How many states may hand a Task's whole result on before it is told.
const MOST_CARRIERS: usize = 3;

/// Tasks whose whole result goes through more than [`MOST_CARRIERS`] states.
pub(super) fn remarks(outline: &Outline) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for (at, state) in outline.states.iter().enumerate() {
        if state.state_type != Some(StateType::Task) {
            continue;
        }
        let longest = hands_on(outline, at).into_iter().max_by_key(Vec::len).unwrap_or_default();
        if longest.len() > MOST_CARRIERS {
            let names: Vec<_> = longest.iter().map(|at| outline.states[*at].name).collect();
            remarks.push(
                Remark::warning(
                    "result-handed-on",
                    state.pointer.clone(),
                    format!("the whole result goes through {}", names.join(", ")),
                )
                .expected(format!("a whole result in at most {MOST_CARRIERS} states"))
                .advice(
                    "keep what is needed by Output, Assign or ResultSelector, or a pointer to S3",
                ),
            );
        }
    }
    remarks
}

/// The states that get the whole result of the state `at` as their input, each as the path that
/// leads there, a shortest first.
pub fn hands_on(outline: &Outline, at: usize) -> Vec<Vec<usize>> {
    let mut paths = Vec::new();
    let mut seen = BTreeSet::from([at]);
    for lead in &outline.states[at].leads {
        if carried(&outline.states[at], lead.way).result && seen.insert(lead.to) {
            paths.push(vec![lead.to]);
        }
    }
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        next += 1;
        let last = path.last().expect("a path has a state");
        let state = &outline.states[*last];
        for lead in &state.leads {
            if carried(state, lead.way).input && seen.insert(lead.to) {
                paths.push(path.iter().copied().chain([lead.to]).collect());
            }
        }
    }
    paths
}

/// What of a state's input and of its result leaves it whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Carried {
    input: bool,
    result: bool,
}

const INPUT: Carried = Carried { input: true, result: false };
const RESULT: Carried = Carried { input: false, result: true };
const NOTHING: Carried = Carried { input: false, result: false };

fn carried(state: &StateOutline, way: Way) -> Carried {
    let has_own_result = state.state_type.is_some_and(StateType::can_fail);
    if state.is_jsonata() {
        let (holder, otherwise) = match way {
            Way::Choice(at) => (&state.value["Choices"][at], INPUT),
            Way::Catch(at) => (&state.value["Catch"][at], NOTHING),
            Way::Next | Way::Default if has_own_result => (state.value, RESULT),
            Way::Next | Way::Default => (state.value, INPUT),
        };
        return holder.get("Output").map_or(otherwise, in_output);
    }
    if let Way::Catch(at) = way {
        return match state.value["Catch"][at].get("ResultPath").map(|path| path == "$") {
            None | Some(true) => NOTHING,
            Some(false) => INPUT,
        };
    }
    if has_own_result || state.state_type == Some(StateType::Pass) {
        return narrowed(state, placed(state, has_own_result));
    }
    if is_whole(state.value.get("InputPath")) { narrowed(state, INPUT) } else { NOTHING }
}

/// `JSONata`: the parts of `Output` that are an input or a result as it is.
fn in_output(output: &Value) -> Carried {
    let each: Vec<Carried> = match output {
        Value::String(text) => match Query::body(text) {
            Some("$states.input") => return INPUT,
            Some("$states.result" | "$states.result.Payload") => return RESULT,
            _ => return NOTHING,
        },
        Value::Array(items) => items.iter().map(in_output).collect(),
        Value::Object(members) => members.values().map(in_output).collect(),
        _ => return NOTHING,
    };
    Carried {
        input: each.iter().any(|part| part.input),
        result: each.iter().any(|part| part.result),
    }
}

/// `JSONPath`: after `Parameters`, `Result`, `ResultSelector` and `ResultPath`.
fn placed(state: &StateOutline, has_own_result: bool) -> Carried {
    let value = state.value;
    let result =
        if has_own_result { value.get("ResultSelector").is_none_or(selects_all) } else { false };
    let passes_input = !has_own_result
        && value.get("Result").is_none()
        && value.get("Parameters").is_none_or(selects_all)
        && is_whole(value.get("InputPath"));
    match value.get("ResultPath") {
        Some(Value::Null) => INPUT,
        path if is_whole(path) => Carried { input: passes_input, result },
        _ => Carried { input: true, result },
    }
}

/// `JSONPath`: after `OutputPath`.
fn narrowed(state: &StateOutline, carried: Carried) -> Carried {
    let output = state.value.get("OutputPath");
    if is_whole(output) {
        return carried;
    }
    let place = state.value["ResultPath"].as_str();
    match output.and_then(Value::as_str).zip(place) {
        Some((output, place)) if output == place => Carried { input: false, ..carried },
        _ => NOTHING,
    }
}

fn is_whole(path: Option<&Value>) -> bool {
    path.is_none_or(|path| path == "$")
}

/// A template with a member that is all there is: `"all.$": "$"`.
fn selects_all(template: &Value) -> bool {
    let members = template.as_object().into_iter().flatten();
    members.into_iter().any(|(name, value)| name.ends_with(".$") && value == "$")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A Task, then a chain of states of which each has these `members`.
    fn check(language: &str, task: Value, members: Value, expected: bool) {
        let mut states = json!({"T": {"Type": "Task", "Next": "S0"}});
        for at in 0..5 {
            states[format!("S{at}")] = json!({"Type": "Task", "Next": format!("S{}", at + 1)});
        }
        states["S5"] = json!({"Type": "Succeed"});
        let merge = |state: &mut Value, more: &Value| {
            let more = more.as_object().unwrap().clone();
            state.as_object_mut().unwrap().extend(more);
        };
        merge(&mut states["T"], &task);
        for at in 0..5 {
            merge(&mut states[format!("S{at}")], &members);
        }
        let document = json!({"QueryLanguage": language, "StartAt": "T", "States": states});
        let found = remarks(&Outline::of(&document));
        let found = found.iter().any(|remark| remark.location == "/States/T");
        assert_eq!(found, expected, "{task} {members}");
    }

    #[test]
    fn a_whole_result_is_followed_until_a_state_drops_it() {
        let none = || json!({});
        check("JSONata", none(), none(), false);
        check("JSONata", none(), json!({"Output": "{% $states.input %}"}), true);
        check("JSONata", none(), json!({"Output": {"kept": "{% $states.input %}"}}), true);
        check(
            "JSONata",
            json!({"Output": "{% $states.result.Id %}"}),
            json!({"Output": "{% $states.input %}"}),
            false,
        );
        check("JSONPath", none(), none(), false);
        check("JSONPath", none(), json!({"ResultPath": "$.more"}), true);
        check("JSONPath", none(), json!({"ResultPath": null}), true);
        check(
            "JSONPath",
            json!({"ResultSelector": {"id.$": "$.Id"}}),
            json!({"ResultPath": null}),
            false,
        );
        check("JSONPath", none(), json!({"ResultPath": "$.more", "OutputPath": "$.more"}), false);
        check("JSONPath", json!({"ResultPath": "$.rows"}), json!({"Type": "Pass"}), true);
        check("JSONPath", none(), json!({"Type": "Pass", "Parameters": {"a.$": "$.a"}}), false);
    }
}
