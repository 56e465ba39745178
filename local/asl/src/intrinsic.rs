//! Intrinsic functions of `JSONPath` states: `States.Format('…', $.x)`.
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html>.

mod functions;
mod parser;

use serde_json::Value;

use crate::failure::{Fault, error_name};
use crate::path::Path;
use crate::scope::Scope;

/// The longest `States.ArrayRange`, and `$range`.
pub(crate) const MAX_RANGE: usize = 1_000;

/// A parsed call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Intrinsic {
    pub text: String,
    call: Call,
}

#[derive(Debug, Clone, PartialEq)]
struct Call {
    function: Function,
    arguments: Vec<Argument>,
}

#[derive(Debug, Clone, PartialEq)]
enum Argument {
    Path(Path),
    /// Quoted text with its escapes still in it: `States.Format` needs them to
    /// tell `\{\}` from `{}`.
    Text(String),
    Literal(Value),
    Call(Call),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Array,
    ArrayContains,
    ArrayGetItem,
    ArrayLength,
    ArrayPartition,
    ArrayRange,
    ArrayUnique,
    Base64Decode,
    Base64Encode,
    Format,
    Hash,
    JsonMerge,
    JsonToString,
    MathAdd,
    MathRandom,
    StringSplit,
    StringToJson,
    Uuid,
}

impl Intrinsic {
    pub fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { text: text.to_owned(), call: parser::parse(text)? })
    }

    /// The paths among its arguments, at any depth.
    pub fn paths(&self) -> Vec<&Path> {
        self.call.paths()
    }

    pub fn evaluate(&self, scope: &Scope) -> Result<Value, Fault> {
        self.call.evaluate(scope).map_err(|complaint| {
            let (error, complaint) = match complaint {
                Complaint::Missing(path) => (
                    error_name::RUNTIME,
                    format!(
                        "The JsonPath argument for the field '{path}' could not be found in the \
                         input '{}'",
                        scope.data
                    ),
                ),
                Complaint::Function(text) => (error_name::INTRINSIC_FAILURE, text),
            };
            let detail =
                format!("The function '{}' had the following error: {complaint}", self.text);
            Fault::of(error, detail)
        })
    }
}

/// What a call complains of.
enum Complaint {
    /// A path that leads nowhere.
    Missing(String),
    Function(String),
}

impl Call {
    fn paths(&self) -> Vec<&Path> {
        let each = self.arguments.iter().map(|argument| match argument {
            Argument::Path(path) => vec![path],
            Argument::Call(call) => call.paths(),
            Argument::Text(_) | Argument::Literal(_) => Vec::new(),
        });
        each.flatten().collect()
    }

    fn evaluate(&self, scope: &Scope) -> Result<Value, Complaint> {
        let raw_template = match (self.function, self.arguments.first()) {
            (Function::Format, Some(Argument::Text(raw))) => Some(raw.clone()),
            _ => None,
        };
        let mut values = Vec::with_capacity(self.arguments.len());
        for argument in &self.arguments {
            values.push(match argument {
                Argument::Path(path) => match scope.select(path) {
                    Ok(value) => value.into_owned(),
                    Err(_) => return Err(Complaint::Missing(path.text.clone())),
                },
                Argument::Text(raw) => Value::String(parser::unescape(raw)),
                Argument::Literal(value) => value.clone(),
                Argument::Call(call) => call.evaluate(scope)?,
            });
        }
        if let Some(raw) = raw_template {
            values[0] = Value::String(raw);
        }
        self.function.apply(values, scope.host).map_err(Complaint::Function)
    }
}
