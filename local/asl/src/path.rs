//! `JSONPath` as Step Functions speaks it: Jayway's dialect, with `$$` for the
//! context object and `$name` for variables.
//!
//! A definite path names one value; any other answers with a list.

mod filter;
mod parser;
mod reference;

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::payload::{MAX_PAYLOAD_BYTES, fits};
use filter::Filter;
pub(crate) use filter::equal;
pub(crate) use reference::ReferencePath;

/// A path's result is a part of a state's data, or is counted and thrown away: beyond some copies
/// of the largest payload it is neither.
const MOST_BYTES: usize = 64 * MAX_PAYLOAD_BYTES;

/// What a path starts from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Root {
    /// `$`
    Data,
    /// `$$`
    Context,
    /// `$name`
    Variable(String),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Path {
    pub text: String,
    pub root: Root,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    Member(String),
    Members(Vec<String>),
    Index(i64),
    Indexes(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    Wildcard,
    /// `..`: the node and everything below it.
    Descend,
    Filter(Filter),
    Function(Function),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Length,
    Min,
    Max,
    Avg,
    Sum,
    Keys,
    First,
    Last,
}

/// Why a path led nowhere, in Jayway's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing(pub String);

impl Path {
    /// Parses `$…`, `$$…` or `$name…`. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        parser::parse(text)
    }

    /// The value at this path below `root`, borrowed where that is possible.
    pub fn select<'a>(&self, root: &'a Value) -> Result<Cow<'a, Value>, Missing> {
        Self::select_steps(&self.steps, root)
    }

    /// Whether the steps name one value.
    pub fn is_definite(&self) -> bool {
        is_definite(&self.steps)
    }

    /// As [`Path::select`], for the steps of a path alone.
    pub fn select_steps<'a>(steps: &[Step], root: &'a Value) -> Result<Cow<'a, Value>, Missing> {
        let mut node = root;
        let mut at = 0;
        while let Some(step @ (Step::Member(_) | Step::Index(_))) = steps.get(at) {
            node = match child(step, node) {
                Some(child) => child,
                // A path that lists finds an empty list, not nothing.
                None if !is_definite(steps) => return Ok(Cow::Owned(json!([]))),
                None => return Err(missing(steps, at, node)),
            };
            at += 1;
        }
        if at == steps.len() {
            return Ok(Cow::Borrowed(node));
        }
        let functions = steps[at..]
            .iter()
            .position(|step| matches!(step, Step::Function(_)))
            .map_or(steps.len(), |offset| at + offset);
        let mut found = if functions == at {
            Cow::Borrowed(node)
        } else {
            let mut nodes = vec![node];
            for step in &steps[at..functions] {
                nodes = advance(step, &nodes).ok_or_else(too_many)?;
            }
            let mut room = MOST_BYTES;
            if !nodes.iter().all(|node| fits(node, &mut room)) {
                return Err(too_many());
            }
            Cow::Owned(Value::Array(nodes.into_iter().cloned().collect()))
        };
        for step in &steps[functions..] {
            found = match step {
                Step::Function(function) => Cow::Owned(function.apply(&found)),
                step => match child(step, &found) {
                    Some(value) => Cow::Owned(value.clone()),
                    None => return Err(missing(steps, functions, node)),
                },
            };
        }
        Ok(found)
    }
}

fn is_definite(steps: &[Step]) -> bool {
    steps.iter().all(|step| match step {
        Step::Member(_) | Step::Index(_) | Step::Function(_) => true,
        Step::Members(_)
        | Step::Indexes(_)
        | Step::Slice(..)
        | Step::Wildcard
        | Step::Descend
        | Step::Filter(_) => false,
    })
}

/// Jayway's message for the step at which the path broke off.
fn missing(steps: &[Step], at: usize, parent: &Value) -> Missing {
    let whole = display(&steps[..=at]);
    let message = match &steps[at] {
        Step::Member(_) if parent.is_object() => {
            if at + 1 == steps.len() {
                format!("No results for path: {whole}")
            } else {
                format!("Missing property in path {whole}")
            }
        }
        Step::Member(name) => format!(
            "Expected to find an object with property ['{name}'] in path {} but found '{}'. \
             This is not a json object according to the JsonProvider: \
             'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'.",
            display(&steps[..at]),
            jackson_node(parent),
        ),
        Step::Index(_) if parent.is_array() => format!("No results for path: {whole}"),
        Step::Index(_) | Step::Indexes(_) | Step::Slice(..) => format!(
            "Filter: {} can only be applied to arrays. Current context is: {parent}",
            display(&steps[at..=at]).trim_start_matches('$'),
        ),
        _ => format!("No results for path: {whole}"),
    };
    Missing(message)
}

fn child<'a>(step: &Step, value: &'a Value) -> Option<&'a Value> {
    match step {
        Step::Member(name) => value.as_object()?.get(name),
        Step::Index(index) => at(value.as_array()?, *index),
        _ => None,
    }
}

fn at(items: &[Value], index: i64) -> Option<&Value> {
    let index = match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => items.len().checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    items.get(index)
}

fn too_many() -> Missing {
    Missing(format!("The path selects more than {MOST_BYTES} bytes of values"))
}

/// One step for all nodes; those it does not lead anywhere drop out. None when there are more
/// than any payload holds: each `..` multiplies them.
fn advance<'a>(step: &Step, nodes: &[&'a Value]) -> Option<Vec<&'a Value>> {
    let mut next = Vec::new();
    for &node in nodes {
        if next.len() > MAX_PAYLOAD_BYTES {
            return None;
        }
        match step {
            Step::Member(_) | Step::Index(_) => next.extend(child(step, node)),
            Step::Members(names) => {
                let members = node.as_object();
                next.extend(names.iter().filter_map(|name| members?.get(name)));
            }
            Step::Indexes(indexes) => {
                let items = node.as_array();
                next.extend(indexes.iter().filter_map(|index| at(items?, *index)));
            }
            Step::Slice(from, to) => {
                let items = node.as_array().map(Vec::as_slice).unwrap_or_default();
                next.extend(slice(items, *from, *to));
            }
            Step::Wildcard => next.extend(children(node)),
            Step::Descend => descend(node, &mut next),
            Step::Filter(filter) => match node {
                Value::Array(items) => next.extend(items.iter().filter(|item| filter.holds(item))),
                object => next.extend(Some(object).filter(|object| filter.holds(object))),
            },
            Step::Function(_) => {}
        }
    }
    (next.len() <= MAX_PAYLOAD_BYTES).then_some(next)
}

fn slice(items: &[Value], from: Option<i64>, to: Option<i64>) -> &[Value] {
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let clamp = |index: i64| {
        let index = if index < 0 { index + length } else { index };
        usize::try_from(index.clamp(0, length)).unwrap_or(0)
    };
    let (from, to) = (clamp(from.unwrap_or(0)), clamp(to.unwrap_or(length)));
    items.get(from..to).unwrap_or(&[])
}

fn children(node: &Value) -> Vec<&Value> {
    match node {
        Value::Array(items) => items.iter().collect(),
        Value::Object(members) => members.values().collect(),
        _ => Vec::new(),
    }
}

fn descend<'a>(node: &'a Value, into: &mut Vec<&'a Value>) {
    into.push(node);
    for child in children(node) {
        descend(child, into);
    }
}

impl Function {
    fn apply(self, value: &Value) -> Value {
        let numbers = || -> Vec<f64> {
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            items.iter().filter_map(Value::as_f64).collect()
        };
        match self {
            Self::Length => match value {
                Value::Array(items) => json!(items.len()),
                Value::Object(members) => json!(members.len()),
                Value::String(text) => json!(text.chars().count()),
                _ => Value::Null,
            },
            Self::Min => json!(numbers().into_iter().reduce(f64::min)),
            Self::Max => json!(numbers().into_iter().reduce(f64::max)),
            Self::Sum => json!(numbers().iter().sum::<f64>()),
            Self::Avg => {
                let numbers = numbers();
                #[expect(clippy::cast_precision_loss, reason = "a list's length is small")]
                let count = numbers.len() as f64;
                json!(numbers.iter().sum::<f64>() / count)
            }
            Self::Keys => match value {
                Value::Object(members) => json!(members.keys().collect::<Vec<_>>()),
                _ => Value::Null,
            },
            Self::First => value.get(0).cloned().unwrap_or(Value::Null),
            Self::Last => {
                value.as_array().and_then(|items| items.last().cloned()).unwrap_or(Value::Null)
            }
        }
    }
}

/// Jayway's normalised form: `$['a']['b'][0]`.
fn display(steps: &[Step]) -> String {
    use std::fmt::Write as _;
    let mut text = String::from("$");
    for step in steps {
        let written = match step {
            Step::Member(name) => write!(text, "['{name}']"),
            Step::Members(names) => write!(text, "['{}']", names.join("','")),
            Step::Index(index) => write!(text, "[{index}]"),
            Step::Indexes(indexes) => {
                let indexes: Vec<_> = indexes.iter().map(i64::to_string).collect();
                write!(text, "[{}]", indexes.join(","))
            }
            Step::Slice(from, to) => {
                let bound = |bound: &Option<i64>| bound.map_or(String::new(), |at| at.to_string());
                write!(text, "[{}:{}]", bound(from), bound(to))
            }
            Step::Wildcard => write!(text, "[*]"),
            Step::Descend => write!(text, ".."),
            Step::Filter(_) => write!(text, "[?]"),
            Step::Function(_) => write!(text, "()"),
        };
        written.expect("a String takes all that is written to it");
    }
    text
}

fn jackson_node(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "com.fasterxml.jackson.databind.node.BooleanNode",
        Value::Number(number) if number.is_f64() => {
            "com.fasterxml.jackson.databind.node.DoubleNode"
        }
        Value::Number(_) => "com.fasterxml.jackson.databind.node.IntNode",
        Value::String(_) => "com.fasterxml.jackson.databind.node.TextNode",
        Value::Array(_) => "com.fasterxml.jackson.databind.node.ArrayNode",
        Value::Object(_) => "com.fasterxml.jackson.databind.node.ObjectNode",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(path: &str, expected: &Value) {
        let data = json!({
            "items": [{"n": 1, "s": "a"}, {"n": 2, "s": "b"}, {"n": 3}],
            "c-d": {"e": [[1], [2]]},
            "text": "abc",
        });
        let path = Path::parse(path).unwrap();
        assert_eq!(path.select(&data).unwrap().as_ref(), expected, "{path:?}");
    }

    #[test]
    fn definite_paths_name_a_value_and_others_list() {
        check("$.items[0].n", &json!(1));
        check("$.items[-1].n", &json!(3));
        check("$.c-d.e[1]", &json!([2]));
        check("$['c-d']['e'][0][0]", &json!(1));
        check("$.items[*].n", &json!([1, 2, 3]));
        check("$.items[1:].n", &json!([2, 3]));
        check("$.items[:1]", &json!([{"n": 1, "s": "a"}]));
        check("$.items[0,2].n", &json!([1, 3]));
        check("$..n", &json!([1, 2, 3]));
        check("$.items[?(@.n > 1 && @.s)].s", &json!(["b"]));
        check("$.items[?(@.s == 'a')].n", &json!([1]));
        check("$.items[?(@.s in ['b','c'])].n", &json!([2]));
        check("$.items.length()", &json!(3));
        check("$.items[(@.length-1)].n", &json!(3));
        check("$.items[9:]", &json!([]));
    }

    #[test]
    fn a_path_that_leads_nowhere_is_told_as_jayway_tells_it() {
        let message =
            |path: &str, data: Value| Path::parse(path).unwrap().select(&data).unwrap_err().0;
        assert_eq!(message("$.a", json!({})), "No results for path: $['a']");
        assert_eq!(message("$.a.b.c", json!({"x": 1})), "Missing property in path $['a']");
    }
}
