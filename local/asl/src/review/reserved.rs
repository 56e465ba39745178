//! `$states` and the context object: what of them is there where an expression stands.
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html> and
//! <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>.

use super::expression::{self, Expression, Form, Sight};
use super::outline::StateOutline;
use super::remark::{Remark, nearest};
use crate::path::{Path, Root, Step};

const MEMBERS: [&str; 4] = ["context", "errorOutput", "input", "result"];

/// Members of the context object, and theirs.
const CONTEXT: [(&str, &[&str]); 5] = [
    ("Execution", &["Id", "Input", "Name", "RedriveCount", "RedriveTime", "RoleArn", "StartTime"]),
    ("Map", &["Item"]),
    ("State", &["EnteredTime", "Name", "RetryCount"]),
    ("StateMachine", &["Id", "Name"]),
    ("Task", &["Token"]),
];

pub(super) fn remarks(state: &StateOutline) -> Vec<Remark> {
    let expressions = expression::of(state);
    expressions.iter().flat_map(expression_remarks).collect()
}

fn expression_remarks(expression: &Expression) -> Vec<Remark> {
    let at = expression.pointer.as_str();
    match &expression.form {
        Form::Query(query) => {
            let names = query.names();
            let states = names.states.iter().filter_map(|path| states(path, expression.sight, at));
            let root = names.root.then(|| {
                Remark::error("root-reference", at, "$$ names nothing in Step Functions")
                    .expected("$states.input, $states.context or a variable")
                    .advice("write $states.context for the context object")
            });
            states.chain(root).collect()
        }
        Form::Path(path) => context_path(path, at).into_iter().collect(),
        Form::Intrinsic(intrinsic) => {
            intrinsic.paths().into_iter().filter_map(|path| context_path(path, at)).collect()
        }
    }
}

/// `$states.<path>` seen from `sight`.
fn states(path: &[String], sight: Sight, at: &str) -> Option<Remark> {
    let (member, rest) = path.split_first()?;
    match (member.as_str(), sight) {
        ("input", _) | ("result", Sight::Result) | ("errorOutput", Sight::Error) => None,
        ("context", _) => context(&rest.iter().map(String::as_str).collect::<Vec<_>>(), at),
        ("result", _) => Some(
            Remark::error("states-misuse", at, "$states.result is not there yet, or never")
                .expected("$states.result in Output or Assign of a Task, Map, Parallel or Pass")
                .advice("read it in this state's Output or Assign, or read $states.input here"),
        ),
        ("errorOutput", _) => Some(
            Remark::error("states-misuse", at, "$states.errorOutput outside of a catcher")
                .expected("$states.errorOutput in Output or Assign of an entry of Catch")
                .advice("hand the error on in the catcher's Output, and read $states.input here"),
        ),
        (other, _) => Some(unknown(&format!("$states.{other}"), other, MEMBERS, at)),
    }
}

fn context_path(path: &Path, at: &str) -> Option<Remark> {
    if path.root != Root::Context {
        return None;
    }
    let names: Vec<_> = path
        .steps
        .iter()
        .map_while(|step| match step {
            Step::Member(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    context(&names, at)
}

fn context(path: &[&str], at: &str) -> Option<Remark> {
    let (section, rest) = path.split_first()?;
    let Some((_, fields)) = CONTEXT.iter().find(|(known, _)| known == section) else {
        let sections = CONTEXT.iter().map(|(known, _)| *known);
        return Some(unknown(&format!("the context object's {section}"), section, sections, at));
    };
    let field = rest.first()?;
    if fields.contains(field) {
        return None;
    }
    let name = format!("the context object's {section}.{field}");
    Some(unknown(&name, field, fields.iter().copied(), at))
}

fn unknown<'a>(
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
    at: &str,
) -> Remark {
    let expected = match nearest(name, known.clone()) {
        Some(meant) => format!("{meant}?"),
        None => format!("one of {}", known.into_iter().collect::<Vec<_>>().join(", ")),
    };
    Remark::error("states-misuse", at, format!("{what} does not exist"))
        .expected(expected)
        .advice("correct the name: reading what is not there fails the state")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::review::Outline;

    fn check(state: &Value, expected: &[&str]) {
        let mut state = state.clone();
        state["Type"] = json!("Task");
        let document = json!({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state}});
        let outline = Outline::of(&document);
        let found: Vec<_> = remarks(&outline.states[0]);
        let found: Vec<_> =
            found.iter().map(|remark| format!("{}: {}", remark.location, remark.found)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn states_holds_what_its_place_gives() {
        check(
            &json!({
                "Arguments": {"a": "{% $states.input.x %}", "b": "{% $states.context.Execution.Id %}"},
                "Assign": {"c": "{% $states.result.Payload %}"},
                "Catch": [{"Output": "{% $states.errorOutput.Cause %}"}]
            }),
            &[],
        );
        check(
            &json!({"Arguments": "{% $states.result %}"}),
            &["/States/A/Arguments: $states.result is not there yet, or never"],
        );
        check(
            &json!({"Output": "{% $states.errorOutput.Error %}"}),
            &["/States/A/Output: $states.errorOutput outside of a catcher"],
        );
        check(
            &json!({"Output": {"i": "{% $states.inptu %}", "e": "{% $states.context.Execution.Arn %}"}}),
            &[
                "/States/A/Output/i: $states.inptu does not exist",
                "/States/A/Output/e: the context object's Execution.Arn does not exist",
            ],
        );
        check(
            &json!({"Catch": [{"Assign": {"r": "{% $states.result %}"}}]}),
            &["/States/A/Catch/0/Assign/r: $states.result is not there yet, or never"],
        );
    }
}
