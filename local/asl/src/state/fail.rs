//! Fail: ends its machine with an error.

use serde_json::Value;

use crate::definition::Fields;
use crate::failure::{Failure, Fault, Trouble};
use crate::intrinsic::Intrinsic;
use crate::jsonata::Query;
use crate::path::Path;
use crate::quantity::unexpected;
use crate::scope::Scope;
use crate::template::not_found;
use crate::test_state::Stage;
use crate::variables::Variables;
use crate::visit::Visit;

#[derive(Debug)]
pub(crate) struct Fail {
    error: Option<Text>,
    cause: Option<Text>,
}

/// A text that may be given, selected or computed.
#[derive(Debug)]
enum Text {
    Fixed(String),
    Path(Path, &'static str),
    Intrinsic(Intrinsic),
    Query(Query, &'static str),
}

impl Fail {
    pub fn parse(fields: &Fields) -> Self {
        Self {
            error: Text::parse(fields, "Error", "ErrorPath"),
            cause: Text::parse(fields, "Cause", "CausePath"),
        }
    }

    /// Never ends well.
    pub fn run(&self, visit: &Visit, variables: &Variables) -> Trouble {
        visit.show(Stage::AfterInputPath, &visit.input);
        let scope = visit.scope(&visit.input, variables);
        let evaluate = |text: &Option<Text>| match text {
            Some(text) => text.evaluate(&scope).map(Some),
            None => Ok(None),
        };
        match (evaluate(&self.error), evaluate(&self.cause)) {
            (Ok(error), Ok(cause)) => Failure { error, cause }.into(),
            (Err(fault), _) | (_, Err(fault)) => fault.into(),
        }
    }
}

impl Text {
    fn parse(fields: &Fields, name: &'static str, path_name: &'static str) -> Option<Self> {
        if !fields.is_jsonata() && fields.has(path_name) {
            if fields.has(name) {
                fields.wrong(path_name, format!("'{name}' and '{path_name}' exclude each other"));
            }
            fields.get(name);
            let text = fields.text(path_name)?;
            if text.starts_with("States.") {
                return match Intrinsic::parse(text) {
                    Ok(intrinsic) => Some(Self::Intrinsic(intrinsic)),
                    Err(error) => {
                        fields.wrong(path_name, error);
                        None
                    }
                };
            }
            return fields.path(path_name).map(|path| Self::Path(path, path_name));
        }
        let text = fields.text(name)?;
        if fields.is_jsonata() && Query::body(text).is_some() {
            return fields.query(name, text).map(|query| Self::Query(query, name));
        }
        Some(Self::Fixed(text.to_owned()))
    }

    fn evaluate(&self, scope: &Scope) -> Result<String, Fault> {
        match self {
            Self::Fixed(text) => Ok(text.clone()),
            Self::Path(path, field) => match scope.select(path) {
                Ok(value) => text(&value).ok_or_else(|| {
                    Fault::runtime(format!(
                        "The {field} field does not refer to a string value: {}",
                        path.text
                    ))
                }),
                Err(_) => Err(not_found(&path.text, field, scope)),
            },
            Self::Intrinsic(intrinsic) => {
                let value = intrinsic.evaluate(scope)?;
                text(&value)
                    .ok_or_else(|| Fault::runtime(format!("'{}' is not a string", intrinsic.text)))
            }
            Self::Query(query, field) => {
                let value = query.evaluate(scope, field)?;
                text(&value).ok_or_else(|| unexpected(query, field, "string", &value))
            }
        }
    }
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
