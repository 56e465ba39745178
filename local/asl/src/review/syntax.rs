//! What Step Functions refuses, with what it would take instead.

use serde_json::Value;

use super::outline::{Outline, StateOutline};
use super::remark::{Remark, nearest};
use crate::diagnostic::{Diagnostic, DiagnosticCode};
use crate::intrinsic::Intrinsic;
use crate::path::Path;

/// The fields of states, for mistyped ones.
const FIELDS: [&str; 49] = [
    "Arguments",
    "Assign",
    "BackoffRate",
    "Branches",
    "Catch",
    "Cause",
    "CausePath",
    "Choices",
    "Comment",
    "Condition",
    "Credentials",
    "Default",
    "End",
    "Error",
    "ErrorEquals",
    "ErrorPath",
    "HeartbeatSeconds",
    "HeartbeatSecondsPath",
    "InputPath",
    "IntervalSeconds",
    "ItemBatcher",
    "ItemProcessor",
    "ItemReader",
    "ItemSelector",
    "Items",
    "ItemsPath",
    "JitterStrategy",
    "Label",
    "MaxAttempts",
    "MaxConcurrency",
    "MaxConcurrencyPath",
    "MaxDelaySeconds",
    "Next",
    "Output",
    "OutputPath",
    "Parameters",
    "QueryLanguage",
    "Resource",
    "Result",
    "ResultPath",
    "ResultSelector",
    "ResultWriter",
    "Retry",
    "StartAt",
    "States",
    "TimeoutSeconds",
    "TimeoutSecondsPath",
    "ToleratedFailureCount",
    "ToleratedFailurePercentage",
];

/// A field of one language, and what the other has for it.
const COUNTERPARTS: [(&str, &str); 9] = [
    ("InputPath", "Arguments or an expression on $states.input"),
    ("ItemsPath", "Items"),
    ("OutputPath", "Output"),
    ("Parameters", "Arguments"),
    ("Result", "Output"),
    ("ResultPath", "Output or Assign"),
    ("ResultSelector", "Output"),
    ("TimeoutSecondsPath", "TimeoutSeconds with an expression"),
    ("MaxConcurrencyPath", "MaxConcurrency with an expression"),
];

pub(super) fn remark(found: &Diagnostic, document: &Value, outline: &Outline) -> Remark {
    let pointer = if found.location == "/" { "" } else { found.location.as_str() };
    let remark = Remark::error(rule(found.code), pointer, found.message.clone());
    let Some((expected, advice)) = explained(found, pointer, document, outline) else {
        return remark
            .expected("what the States Language allows here")
            .advice("see https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html");
    };
    remark.expected(expected).advice(advice)
}

fn rule(code: DiagnosticCode) -> &'static str {
    match code {
        DiagnosticCode::DuplicateStateName => "duplicate-name",
        DiagnosticCode::InvalidJsonDescription => "not-json",
        DiagnosticCode::InvalidJsonataExpression => "invalid-jsonata",
        DiagnosticCode::MissingEndState => "no-terminal-state",
        DiagnosticCode::MissingTransitionTarget => "transition",
        DiagnosticCode::SchemaValidationFailed => "schema",
        DiagnosticCode::UnsupportedJsonataExpression => "top-level-reference",
    }
}

fn explained(
    found: &Diagnostic,
    pointer: &str,
    document: &Value,
    outline: &Outline,
) -> Option<(String, String)> {
    let message = found.message.as_str();
    let both = |expected: &str, advice: &str| Some((expected.to_owned(), advice.to_owned()));
    match found.code {
        DiagnosticCode::DuplicateStateName => both(
            "state names that are unique in the whole state machine, Maps and branches included",
            "rename the one, and what leads to it",
        ),
        DiagnosticCode::InvalidJsonDescription => {
            both("one JSON object", "correct the text at the line and column that are named")
        }
        DiagnosticCode::InvalidJsonataExpression => both(
            "a JSONata 2.0.6 expression between {% and %}",
            "try it in the JSONata Exerciser at https://try.jsonata.org",
        ),
        DiagnosticCode::MissingEndState => both(
            "a state with \"End\": true, or one of Type Succeed or Fail",
            "let the last state of the machine end it",
        ),
        DiagnosticCode::UnsupportedJsonataExpression => both(
            "an expression that begins at $states or at a variable",
            "write $states.input. before the field's name",
        ),
        DiagnosticCode::MissingTransitionTarget => Some(match message.rsplit_once("target: ") {
            Some((_, name)) => target(name, pointer, outline),
            None => (
                "a path from StartAt to it".to_owned(),
                "lead to it by a Next, a Default or a Catch, or delete it".to_owned(),
            ),
        }),
        DiagnosticCode::SchemaValidationFailed => schema(message, pointer, document, outline),
    }
}

fn target(name: &str, pointer: &str, outline: &Outline) -> (String, String) {
    let beside: Vec<_> = outline.names_beside(pointer).collect();
    let expected = match nearest(name, beside.iter().copied()) {
        Some(meant) => format!("a state beside it: {meant}?"),
        None => format!("a state beside it: {}", beside.join(", ")),
    };
    (expected, format!("correct the name, or add a state {name} to the same States"))
}

fn schema(
    message: &str,
    pointer: &str,
    document: &Value,
    outline: &Outline,
) -> Option<(String, String)> {
    if let Some(name) = between(message, "Field '", "' is not supported") {
        return Some(field(name, pointer, outline));
    }
    if let Some(name) = between(message, "but field '", "' is only supported") {
        return Some(other_language(name));
    }
    if let Some(names) = between(message, "These fields are required: [", "]") {
        return Some((names.to_owned(), format!("add {names}")));
    }
    if let Some(names) = between(message, "fields is required: [", "]") {
        let advice = format!("add one of {names}");
        return Some((format!("exactly one of {names}"), advice));
    }
    if let Some(key) = between(message, "The value for the field '", "' must be") {
        let text = document.pointer(&format!("{pointer}/{key}")).and_then(Value::as_str);
        let problem = text.map_or_else(|| "a text".to_owned(), evaluated);
        return Some((problem, "correct the path or the function call".to_owned()));
    }
    let (expected, advice) = match message {
        message if message.starts_with("States.ALL") => (
            "[\"States.ALL\"] alone, in the last entry",
            "move it to an entry of its own at the end",
        ),
        message if message.contains("JSONPath") || message.contains("Reference Path") => {
            ("a path such as $.field[0]", "correct the path at the character that is named")
        }
        message if message.starts_with("Express state machine") => {
            ("a request and its response alone", "make the state machine STANDARD, or do not wait")
        }
        message if message.starts_with("HeartbeatSeconds") => {
            ("HeartbeatSeconds below TimeoutSeconds", "lower the one or raise the other")
        }
        message if message.contains("exclude each other") => ("one of the two", "remove the other"),
        message if message.contains("must not be empty") => {
            ("at least one", "add one, or remove it")
        }
        message if message.starts_with("Expected ") => {
            (&message["Expected ".len()..], "correct the value")
        }
        _ => return None,
    };
    Some((expected.to_owned(), advice.to_owned()))
}

/// What is wrong with a path or a call that did not parse.
fn evaluated(text: &str) -> String {
    let problem =
        if text.starts_with('$') { Path::parse(text).err() } else { Intrinsic::parse(text).err() };
    match problem {
        Some(problem) => format!("a JSONPath or an intrinsic function: {problem}"),
        None => "a JSONPath or an intrinsic function".to_owned(),
    }
}

/// A field that this state does not have.
fn field(name: &str, pointer: &str, outline: &Outline) -> (String, String) {
    let state = outline.states.iter().find(|state| state.pointer == pointer);
    let jsonata = state.is_some_and(StateOutline::is_jsonata);
    if jsonata && COUNTERPARTS.iter().any(|(known, _)| *known == name) {
        return other_language(name);
    }
    let what = state.and_then(|state| state.value["Type"].as_str()).unwrap_or("this object");
    match nearest(name, FIELDS) {
        Some(meant) => (format!("{meant}?"), "correct the name".to_owned()),
        None => (format!("a field of {what}"), "remove it, or put it where it belongs".to_owned()),
    }
}

fn other_language(name: &str) -> (String, String) {
    let path = COUNTERPARTS.iter().find(|(known, _)| *known == name);
    match path {
        Some((_, jsonata)) => (
            format!("in JSONata {jsonata}"),
            "rewrite it, or give the state \"QueryLanguage\": \"JSONPath\"".to_owned(),
        ),
        None => (
            "a field of JSONPath: Parameters, ItemsPath, ResultSelector, ResultPath, OutputPath"
                .to_owned(),
            "rewrite it, or give the state \"QueryLanguage\": \"JSONata\"".to_owned(),
        ),
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ExecutionType, review};

    #[test]
    fn every_refusal_says_what_to_do() {
        let text = r#"{"StartAt": "A", "States": {
            "A": {"Type": "Pass", "Parametres": 1, "Next": "Bb"},
            "B": {"Type": "Pass", "Parameters": {"x.$": "$.a["}, "Output": 1, "Next": "C"},
            "C": {"Type": "Task", "TimeoutSeconds": 5, "HeartbeatSeconds": 5}
        }}"#;
        let found = review(text, ExecutionType::Standard);
        for (rule, location, piece) in [
            ("transition", "/States/A/Next", "B?"),
            ("schema", "/States/A", "Parameters?"),
            ("schema", "/States/B/Parameters", "unexpected text at character 4"),
            ("schema", "/States/B", "a field of JSONPath"),
            ("schema", "/States/C", "Resource"),
            ("schema", "/States/C", "exactly one of Next, End"),
            ("schema", "/States/C/HeartbeatSeconds", "below"),
        ] {
            let fits = |remark: &&Remark| {
                (remark.rule, remark.location.as_str()) == (rule, location)
                    && remark.expected.contains(piece)
            };
            assert!(
                found.iter().any(|remark| fits(&remark)),
                "{rule} {location} {piece}: {found:#?}"
            );
        }
        assert!(found.iter().all(|remark| !remark.advice.is_empty()), "{found:#?}");
    }
}
