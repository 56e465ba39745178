//! Payload templates: JSON in which some strings are to be evaluated.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::failure::Fault;
use crate::intrinsic::Intrinsic;
use crate::jsonata::Query;
use crate::path::Path;
use crate::scope::Scope;

/// A template of either language, its expressions parsed.
#[derive(Debug)]
pub(crate) enum Template {
    /// No expression in it: shared, never copied.
    Literal(Arc<Value>),
    Object(Vec<(String, Template)>),
    Array(Vec<Template>),
    /// `"name.$": "$.path"`
    Path {
        field: String,
        path: Path,
    },
    /// `"name.$": "States.…"`
    Intrinsic(Intrinsic),
    /// `"{% … %}"`; the location is the field as AWS names it in causes.
    Query {
        query: Query,
        location: String,
    },
}

impl Template {
    pub fn evaluate(&self, scope: &Scope) -> Result<Value, Fault> {
        match self {
            Self::Literal(value) => Ok(value.as_ref().clone()),
            Self::Object(members) => {
                let mut object = Map::with_capacity(members.len());
                for (name, member) in members {
                    object.insert(name.clone(), member.evaluate(scope)?);
                }
                Ok(Value::Object(object))
            }
            Self::Array(items) => {
                let items = items.iter().map(|item| item.evaluate(scope));
                Ok(Value::Array(items.collect::<Result<_, _>>()?))
            }
            Self::Path { field, path } => match scope.select(path) {
                Ok(value) => Ok(value.into_owned()),
                Err(_) => Err(not_found(&path.text, field, scope)),
            },
            Self::Intrinsic(intrinsic) => intrinsic.evaluate(scope),
            Self::Query { query, location } => query.evaluate(scope, location),
        }
    }

    /// As [`Template::evaluate`], sharing a literal instead of copying it.
    pub fn share(&self, scope: &Scope) -> Result<Arc<Value>, Fault> {
        match self {
            Self::Literal(value) => Ok(Arc::clone(value)),
            template => template.evaluate(scope).map(Arc::new),
        }
    }

    /// The value, when nothing in it is to be evaluated.
    pub fn literal(&self) -> Option<&Value> {
        match self {
            Self::Literal(value) => Some(value),
            _ => None,
        }
    }
}

/// The cause of a path that does not lead anywhere in `Parameters` and the like.
pub(crate) fn not_found(path: &str, field: &str, scope: &Scope) -> Fault {
    let input = if path.starts_with("$$") {
        scope.context.json().to_string()
    } else {
        scope.data.to_string()
    };
    Fault::runtime(format!(
        "The JSONPath '{path}' specified for the field '{field}' could not be found in the input \
         '{input}'"
    ))
}
