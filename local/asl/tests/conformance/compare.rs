//! The comparator's rules, as the corpus's README and `compare.py` state them.

use serde_json::{Map, Value, json};

use crate::case::Case;
use crate::script::Actual;

/// What of a case is as recorded; `None` where nothing was recorded.
pub struct Verdict {
    pub result: bool,
    pub history: Option<bool>,
    pub cause: Option<bool>,
    pub differences: String,
}

impl Verdict {
    pub fn is_right(&self) -> bool {
        self.result && self.history != Some(false) && self.cause != Some(false)
    }
}

pub fn compare(case: &Case, run: &Actual) -> Verdict {
    use std::fmt::Write as _;
    let wild = Wildcards::of(&case.wildcards);
    let expected = &case.expected;
    let status = expected["status"] == run.status.as_str();
    let succeeded = expected["status"] == "SUCCEEDED";
    let (field, theirs, ours) = if succeeded {
        ("output", &expected["output"], run.output.clone())
    } else {
        ("error", &expected["error"], json!(run.error))
    };
    let result = status && wild.matches(theirs, &ours);
    let told = (!succeeded).then(|| wild.matches(&expected["cause"], &json!(run.cause)));
    let mut differences = String::new();
    if !result {
        writeln!(differences, "  expected {} {field} {theirs}", expected["status"]).unwrap();
        writeln!(differences, "  actual   {:?} {field} {ours}", run.status).unwrap();
    }
    if told == Some(false) {
        writeln!(differences, "  expected cause {}", expected["cause"]).unwrap();
        writeln!(differences, "  actual   cause {}", json!(run.cause)).unwrap();
    }
    let history = expected["events"].as_array().filter(|events| !events.is_empty());
    let history = history.map(|events| {
        let ours: Vec<_> = run.events.iter().map(normal).collect();
        let same = if expected["order"] == "concurrent" {
            same_set(&wild, events, &ours, &mut differences)
        } else {
            same_list(&wild, events, &ours, &mut differences)
        };
        if !same {
            for event in &ours {
                writeln!(differences, "    {event}").unwrap();
            }
        }
        same
    });
    Verdict { result, history, cause: told, differences }
}

/// Same length, same order, same ids.
fn same_list(wild: &Wildcards, theirs: &[Value], ours: &[Value], differences: &mut String) -> bool {
    use std::fmt::Write as _;
    for at in 0..theirs.len().max(ours.len()) {
        let same = match (theirs.get(at), ours.get(at)) {
            (Some(theirs), Some(ours)) => {
                ["id", "prev", "type"].iter().all(|key| theirs[key] == ours[key])
                    && same_details(wild, theirs, ours)
            }
            _ => false,
        };
        if !same {
            let (theirs, ours) = (theirs.get(at), ours.get(at));
            writeln!(differences, "  expected event {}", json!(theirs)).unwrap();
            writeln!(differences, "  actual   event {}", json!(ours)).unwrap();
            return false;
        }
    }
    true
}

/// The same events in any order; ids and predecessors are left out.
fn same_set(wild: &Wildcards, theirs: &[Value], ours: &[Value], differences: &mut String) -> bool {
    use std::fmt::Write as _;
    let mut rest: Vec<&Value> = ours.iter().collect();
    let mut same = theirs.len() == ours.len();
    for event in theirs {
        let found = rest
            .iter()
            .position(|other| event["type"] == other["type"] && same_details(wild, event, other));
        if let Some(at) = found {
            rest.remove(at);
        } else {
            writeln!(differences, "  expected event {event}").unwrap();
            same = false;
        }
    }
    for event in rest {
        writeln!(differences, "  spare    event {event}").unwrap();
    }
    same
}

fn same_details(wild: &Wildcards, theirs: &Value, ours: &Value) -> bool {
    let details = |event: &Value| match &event["details"] {
        Value::Null => json!({}),
        details => details.clone(),
    };
    wild.matches(&details(theirs), &details(ours))
}

/// An event of `GetExecutionHistory` in the corpus's form.
fn normal(event: &Value) -> Value {
    let mut normal = Map::new();
    normal.insert("id".into(), event["id"].clone());
    normal.insert("prev".into(), event["previousEventId"].clone());
    normal.insert("type".into(), event["type"].clone());
    for (key, value) in event.as_object().unwrap() {
        if !key.ends_with("EventDetails") {
            continue;
        }
        let mut details = value.as_object().unwrap().clone();
        details.shift_remove("roleArn");
        for key in ["inputDetails", "outputDetails"] {
            details.shift_remove(key);
        }
        for key in ["input", "output", "parameters"] {
            if let Some(text) = details.get_mut(key) {
                *text = serde_json::from_str(text.as_str().unwrap()).unwrap();
            }
        }
        if !details.is_empty() {
            normal.insert("details".into(), Value::Object(details));
        }
    }
    Value::Object(normal)
}

/// The placeholders of a case.
pub struct Wildcards {
    all: Vec<String>,
    /// Those that may stand inside a longer text, longest first.
    embedded: Vec<String>,
}

impl Wildcards {
    pub fn of(names: &[String]) -> Self {
        let mut embedded: Vec<_> =
            names.iter().filter(|name| name.starts_with('<')).cloned().collect();
        embedded.sort_by_key(|name| std::cmp::Reverse(name.len()));
        Self { all: names.to_vec(), embedded }
    }

    pub fn matches(&self, expected: &Value, actual: &Value) -> bool {
        match (expected, actual) {
            (Value::String(text), _) if self.all.contains(text) => true,
            (Value::String(expected), Value::String(actual)) => {
                expected == actual || self.matches_text(expected, actual)
            }
            (Value::Number(expected), Value::Number(actual)) => {
                expected == actual || expected.as_f64() == actual.as_f64()
            }
            (Value::Object(_), Value::String(text)) => serde_json::from_str(text)
                .is_ok_and(|actual: Value| actual.is_object() && self.matches(expected, &actual)),
            (Value::Object(expected), Value::Object(actual)) => {
                expected.len() == actual.len()
                    && expected.iter().all(|(key, value)| {
                        actual.get(key).is_some_and(|actual| self.matches(value, actual))
                    })
            }
            (Value::Array(expected), Value::Array(actual)) => {
                expected.len() == actual.len()
                    && expected.iter().zip(actual).all(|(e, a)| self.matches(e, a))
            }
            _ => expected == actual,
        }
    }

    /// Placeholders inside a text stand for any text.
    fn matches_text(&self, expected: &str, actual: &str) -> bool {
        let first = self
            .embedded
            .iter()
            .filter_map(|name| expected.find(name.as_str()).map(|at| (at, name)))
            .min_by_key(|(at, name)| (*at, std::cmp::Reverse(name.len())));
        let Some((at, name)) = first else {
            return expected == actual;
        };
        let (before, after) = (&expected[..at], &expected[at + name.len()..]);
        let Some(rest) = actual.strip_prefix(before) else {
            return false;
        };
        let mut starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
        starts.any(|start| self.matches_text(after, &rest[start..]))
    }
}
