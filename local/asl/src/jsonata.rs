//! `JSONata` as Step Functions speaks it: `{% … %}` over `$states` and variables.
//!
//! The evaluator's values are reference-counted and not `Send`: they are made
//! and dropped inside one call here.

mod convert;
mod functions;
mod names;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};

use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Context, Evaluator, EvaluatorOptions};
use jsonata_core::value::JValue;
use serde_json::Value;

use crate::failure::Fault;
use crate::payload::MAX_PAYLOAD_BYTES;
use crate::scope::Scope;

pub(crate) use convert::type_name;
pub(crate) use names::Names;

/// Evaluation is cut off after this long. AWS names no figure; this only
/// keeps a runaway recursion from holding a thread.
const EVALUATION_TIMEOUT_MILLISECONDS: u64 = 5_000;

/// Most items of an array on the way. The largest payload has room for an eighth of it.
const MOST_ITEMS: usize = 8 * MAX_PAYLOAD_BYTES / 2;

/// What is said of an expression over which the evaluator panics, as over a picture that is not
/// ASCII. One execution's expression must not take the others with it.
const GIVEN_UP: &str = "The expression cannot be evaluated.";

/// One `{% … %}` expression, parsed once.
#[derive(Debug)]
pub(crate) struct Query {
    pub text: String,
    ast: AstNode,
    uses: Uses,
}

/// What an expression names, so that only that is converted.
#[derive(Debug, Default)]
struct Uses {
    states: Vec<&'static str>,
    variables: Vec<String>,
}

const STATES_MEMBERS: [&str; 4] = ["input", "result", "errorOutput", "context"];

/// Why Step Functions does not take an expression.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Syntax(String),
    /// A field of the expression's own context, which is empty.
    TopLevelReference(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(message) => f.write_str(message),
            Self::TopLevelReference(name) => {
                write!(f, "Reference to '{name}' at the top level is not supported.")
            }
        }
    }
}

/// `S0207: Unexpected end of expression` as AWS shows it.
fn without_code(message: &str) -> &str {
    match message.split_once(": ") {
        Some((code, rest)) if code.len() == 5 && code[1..].bytes().all(|b| b.is_ascii_digit()) => {
            rest
        }
        _ => message,
    }
}

/// Values already converted in one scope, by `$states` member or variable name.
pub(crate) type Bindings = HashMap<String, JValue>;

impl Query {
    /// The expression inside `{%` and `%}`, if `text` is one.
    pub fn body(text: &str) -> Option<&str> {
        text.strip_prefix("{%")?.strip_suffix("%}").map(str::trim)
    }

    pub fn parse(body: &str) -> Result<Self, Refusal> {
        let query = Self::parse_alone(body)?;
        if let Some(name) = Names::of(&query.ast).context_fields.pop_first() {
            return Err(Refusal::TopLevelReference(name));
        }
        Ok(query)
    }

    /// Without a look at what it takes from its own context.
    fn parse_alone(body: &str) -> Result<Self, Refusal> {
        let syntax = |error: String| Refusal::Syntax(without_code(&error).to_owned());
        let parsed = panic::catch_unwind(|| jsonata_core::parser::parse(body));
        let parsed = parsed.map_err(|_| syntax(GIVEN_UP.to_owned()))?;
        let ast = parsed.map_err(|error| syntax(error.to_string()))?;
        let tree = serde_json::to_value(&ast).map_err(|error| syntax(error.to_string()))?;
        refuse_newer(&tree).map_err(syntax)?;
        Ok(Self { text: body.to_owned(), ast, uses: Uses::of(body) })
    }

    /// What the expression takes from outside itself.
    pub fn names(&self) -> Names {
        Names::of(&self.ast)
    }

    pub fn evaluate(&self, scope: &Scope, location: &str) -> Result<Value, Fault> {
        let value = self.value(scope, location, &JValue::Undefined)?;
        if value.is_undefined() {
            return Err(self.fault(location, "returned nothing (undefined)."));
        }
        convert::to_json(&value)
            .ok_or_else(|| self.fault(location, "returned an unsupported result type."))
    }

    /// What it comes to; its own context is `root`.
    fn value(&self, scope: &Scope, location: &str, root: &JValue) -> Result<JValue, Fault> {
        let mut context = Context::new();
        self.bind(scope, &mut context);
        let options = EvaluatorOptions {
            timeout_ms: Some(EVALUATION_TIMEOUT_MILLISECONDS),
            max_sequence_length: Some(MOST_ITEMS),
            ..EvaluatorOptions::default()
        };
        let mut evaluator = Evaluator::with_options(context, options);
        functions::register(&mut evaluator, &self.uses.variables, scope.host);
        // The evaluator is dropped, whatever state a panic has left it in.
        let evaluate = AssertUnwindSafe(|| evaluator.evaluate(&self.ast, root));
        let evaluated = panic::catch_unwind(evaluate).map_err(|_| {
            self.fault(location, &format!("threw an error during evaluation. {GIVEN_UP}"))
        })?;
        evaluated.map_err(|error| {
            self.fault(
                location,
                &format!("threw an error during evaluation. {}", message(error.message())),
            )
        })
    }

    pub fn fault(&self, location: &str, complaint: &str) -> Fault {
        Fault::query(
            format!(
                "The JSONata expression '{}' specified for the field '{location}' {complaint}",
                self.text
            ),
            Some(location),
        )
    }

    fn bind(&self, scope: &Scope, context: &mut Context) {
        let mut bindings = scope.bindings.borrow_mut();
        if !self.uses.states.is_empty() {
            let mut states = Vec::new();
            for &member in &self.uses.states {
                let value = match member {
                    "input" => Some(scope.data),
                    "result" => scope.result,
                    "errorOutput" => scope.error_output,
                    _ => Some(scope.context.json()),
                };
                if let Some(value) = value {
                    let key = format!("states.{member}");
                    let value = bindings.entry(key).or_insert_with(|| convert::of(value));
                    states.push((member.to_owned(), value.clone()));
                }
            }
            context.bind("states".into(), JValue::object(states.into_iter().collect()));
        }
        for name in &self.uses.variables {
            if name == "now" {
                context.bind("now".into(), now(scope));
            }
            if let Some(value) = scope.variables.get(name) {
                let value = bindings.entry(name.clone()).or_insert_with(|| convert::of(value));
                context.bind(name.clone(), value.clone());
            }
        }
    }
}

/// Step Functions speaks `JSONata` 2.0.6; these operators came with 2.1.
fn refuse_newer(ast: &Value) -> Result<(), String> {
    let inner: Vec<&Value> = match ast {
        Value::Array(nodes) => nodes.iter().collect(),
        Value::Object(members) => {
            let operator = match members.get("op").and_then(Value::as_str) {
                Some("Coalesce") => Some("??"),
                Some("Default") => Some("?:"),
                _ => None,
            };
            if let Some(operator) = operator {
                return Err(format!("S0204: Unknown operator: \"{operator}\""));
            }
            members.values().collect()
        }
        _ => Vec::new(),
    };
    inner.into_iter().try_for_each(refuse_newer)
}

/// The reference implementation's text, which AWS shows, where the crate's says more.
fn message(text: &str) -> &str {
    const NOT_A_FUNCTION: &str = "T1006: Attempted to invoke a non-function";
    if text.starts_with(NOT_A_FUNCTION) { NOT_A_FUNCTION } else { text }
}

/// `$now`, told by the host's clock instead of the machine's.
fn now(scope: &Scope) -> JValue {
    let milliseconds = scope.host.now().as_millisecond();
    let text =
        format!("function($picture, $zone) {{ $fromMillis({milliseconds}, $picture, $zone) }}");
    let ast = jsonata_core::parser::parse(&text).expect("the text above is JSONata");
    Evaluator::new().evaluate(&ast, &JValue::Undefined).expect("a function evaluates to itself")
}

impl Uses {
    /// A scan of the text. It may see more than the expression uses (a name
    /// inside a string), never less.
    fn of(text: &str) -> Self {
        let mut uses = Self::default();
        for part in text.split('$').skip(1) {
            let end = part.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(part.len());
            let (name, rest) = part.split_at(end);
            match name {
                "" => {}
                "states" => uses.add_states(rest),
                name if uses.variables.iter().any(|known| known == name) => {}
                name => uses.variables.push(name.to_owned()),
            }
        }
        uses
    }

    fn add_states(&mut self, rest: &str) {
        let named = rest.trim_start().strip_prefix('.').map(str::trim_start);
        let member = named.and_then(|rest| {
            STATES_MEMBERS.into_iter().find(|member| {
                rest.strip_prefix(member).is_some_and(|rest| {
                    !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_')
                })
            })
        });
        let members = match member {
            Some(member) => vec![member],
            None => STATES_MEMBERS.to_vec(),
        };
        for member in members {
            if !self.states.contains(&member) {
                self.states.push(member);
            }
        }
    }
}
