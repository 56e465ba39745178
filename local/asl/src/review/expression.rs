//! The expressions of a state as they are written, in either query language, each with its place
//! and with what `$states` holds there.

use serde_json::Value;

use super::outline::{StateOutline, escaped};
use crate::event::StateType;
use crate::intrinsic::Intrinsic;
use crate::jsonata::Query;
use crate::path::{Path, Root};

/// One expression that parses; [`super::syntax`] tells of those that do not.
#[derive(Debug)]
pub struct Expression {
    /// JSON pointer.
    pub pointer: String,
    pub sight: Sight,
    pub form: Form,
}

#[derive(Debug)]
pub enum Form {
    Query(Query),
    Path(Path),
    Intrinsic(Intrinsic),
}

/// What an expression can see besides the input and the context object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// Before the state has done anything, or where it does nothing.
    Input,
    /// `$states.result`: in `Output` and `Assign` of a state that has one.
    Result,
    /// `$states.errorOutput`: in a catcher's.
    Error,
}

/// Fields that are never evaluated, and those that other rooms read.
const OPAQUE: [&str; 13] = [
    "Branches",
    "Catch",
    "Choices",
    "Comment",
    "End",
    "ItemProcessor",
    "Iterator",
    "Next",
    "QueryLanguage",
    "Resource",
    "Result",
    "Retry",
    "Type",
];

/// All expressions of a state, without those of the machines it holds.
pub fn of(state: &StateOutline) -> Vec<Expression> {
    let mut found = Found { jsonata: state.is_jsonata(), expressions: Vec::new() };
    let has_result = state.state_type.is_some_and(StateType::has_result);
    found.members(state.value, &state.pointer, &|name| match name {
        "Output" | "Assign" | "ResultSelector" | "OutputPath" if has_result => Sight::Result,
        _ => Sight::Input,
    });
    for (pointer, rule) in state.handlers("Choices") {
        found.members(rule, &pointer, &|_| Sight::Input);
    }
    for (pointer, catcher) in state.handlers("Catch") {
        found.members(catcher, &pointer, &|_| Sight::Error);
    }
    found.expressions
}

struct Found {
    jsonata: bool,
    expressions: Vec<Expression>,
}

impl Found {
    fn members(&mut self, value: &Value, pointer: &str, sight: &dyn Fn(&str) -> Sight) {
        for (name, inner) in value.as_object().into_iter().flatten() {
            if !OPAQUE.contains(&name.as_str()) {
                let pointer = format!("{pointer}/{}", escaped(name));
                self.value(name, inner, pointer, sight(name), is_template(name));
            }
        }
    }

    /// `template`: in a payload template, where only names that end with `.$` are evaluated.
    fn value(&mut self, name: &str, value: &Value, pointer: String, sight: Sight, template: bool) {
        match value {
            Value::String(text) => {
                let form = self.form(name, text, template);
                self.expressions.extend(form.map(|form| Expression { pointer, sight, form }));
            }
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.value("", item, format!("{pointer}/{at}"), sight, template);
                }
            }
            Value::Object(members) => {
                for (name, inner) in members {
                    let template = template || is_template(name);
                    let pointer = format!("{pointer}/{}", escaped(name));
                    self.value(name, inner, pointer, sight, template);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn form(&self, name: &str, text: &str, template: bool) -> Option<Form> {
        let field = !template && (name.ends_with("Path") || name == "Variable");
        if self.jsonata {
            Query::body(text).and_then(|body| Query::parse(body).ok()).map(Form::Query)
        } else if name.ends_with(".$") || field {
            if text.starts_with('$') {
                Path::parse(text).ok().map(Form::Path)
            } else {
                Intrinsic::parse(text).ok().map(Form::Intrinsic)
            }
        } else {
            None
        }
    }
}

fn is_template(name: &str) -> bool {
    ["Assign", "BatchInput", "Credentials", "ItemSelector", "Parameters", "ResultSelector"]
        .contains(&name)
}

impl Expression {
    /// The variables it reads, apart from those whose existence it only asks for.
    pub fn variables(&self) -> Vec<String> {
        match &self.form {
            Form::Query(query) => {
                let names = query.names();
                names.variables.difference(&names.tested).cloned().collect()
            }
            Form::Path(path) => root_variable(path).into_iter().collect(),
            Form::Intrinsic(intrinsic) => {
                intrinsic.paths().into_iter().filter_map(root_variable).collect()
            }
        }
    }
}

fn root_variable(path: &Path) -> Option<String> {
    match &path.root {
        Root::Variable(name) => Some(name.clone()),
        Root::Data | Root::Context => None,
    }
}
