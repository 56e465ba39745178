//! One JSON object of a definition, read field by field, each problem noted
//! where it is.

use std::cell::RefCell;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::machine::{Place, Scheme, Selection};
use super::{QueryLanguage, template};
use crate::diagnostic::Problems;
use crate::jsonata::Query;
use crate::path::{Path, ReferencePath};
use crate::quantity::Quantity;
use crate::template::Template;

/// Fields that one query language alone has.
const JSONATA_FIELDS: &[&str] = &["Arguments", "Condition", "Items", "Output"];
const JSON_PATH_FIELDS: &[&str] = &[
    "CausePath",
    "ErrorPath",
    "HeartbeatSecondsPath",
    "InputPath",
    "ItemsPath",
    "MaxConcurrencyPath",
    "MaxInputBytesPerBatchPath",
    "MaxItemsPath",
    "MaxItemsPerBatchPath",
    "OutputPath",
    "Parameters",
    "ResultPath",
    "ResultSelector",
    "SecondsPath",
    "TimeoutSecondsPath",
    "TimestampPath",
    "ToleratedFailureCountPath",
    "ToleratedFailurePercentagePath",
    "Variable",
];

pub(crate) struct Fields<'a> {
    members: &'a Map<String, Value>,
    /// The object's JSON pointer; empty for the document.
    pub at: String,
    pub scheme: Scheme,
    pub problems: &'a Problems,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    pub fn new(
        members: &'a Map<String, Value>,
        at: impl Into<String>,
        scheme: Scheme,
        problems: &'a Problems,
    ) -> Self {
        Self { members, at: at.into(), scheme, problems, known: RefCell::new(vec!["Comment"]) }
    }

    pub fn is_jsonata(&self) -> bool {
        self.scheme.language == QueryLanguage::Jsonata
    }

    pub fn pointer(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    pub fn get(&self, name: &'static str) -> Option<&'a Value> {
        self.known.borrow_mut().push(name);
        self.members.get(name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    pub fn wrong(&self, name: &str, message: impl Into<String>) {
        self.problems.schema(&self.pointer(name), message);
    }

    /// These fields are required: all that are missing, in one message.
    pub fn require(&self, names: &[&str]) {
        let missing: Vec<_> = names.iter().copied().filter(|name| !self.has(name)).collect();
        if !missing.is_empty() {
            self.problems
                .schema(&self.at, format!("These fields are required: [{}]", missing.join(", ")));
        }
    }

    pub fn refuse_unknown(&self, also: &[&'static str]) {
        let known = self.known.borrow();
        for name in self.members.keys() {
            if !known.contains(&name.as_str()) && !also.contains(&name.as_str()) {
                self.problems.schema(&self.at, self.refusal(name));
            }
        }
    }

    /// AWS's words for a field that is not read here.
    fn refusal(&self, name: &str) -> String {
        let (language, other) =
            if self.is_jsonata() { ("JSONata", "JSONPath") } else { ("JSONPath", "JSONata") };
        let fields = if self.is_jsonata() { JSON_PATH_FIELDS } else { JSONATA_FIELDS };
        if fields.contains(&name) {
            return format!(
                "The QueryLanguage is set to '{language}', but field '{name}' is only supported \
                 for the '{other}' QueryLanguage"
            );
        }
        format!("Field '{name}' is not supported")
    }

    pub fn text(&self, name: &'static str) -> Option<&'a str> {
        let value = self.get(name)?;
        if value.as_str().is_none() {
            self.wrong(name, "Expected value of type String");
        }
        value.as_str()
    }

    pub fn boolean(&self, name: &'static str) -> Option<bool> {
        let value = self.get(name)?;
        if value.as_bool().is_none() {
            self.wrong(name, "Expected value of type Boolean");
        }
        value.as_bool()
    }

    pub fn whole(&self, name: &'static str, least: u64) -> Option<u64> {
        let value = self.get(name)?;
        let number = value.as_u64().filter(|number| *number >= least);
        if number.is_none() {
            self.wrong(name, format!("Expected an integer of at least {least}"));
        }
        number
    }

    pub fn number(&self, name: &'static str, least: f64) -> Option<f64> {
        let value = self.get(name)?;
        let number = value.as_f64().filter(|number| *number >= least);
        if number.is_none() {
            self.wrong(name, format!("Expected a number of at least {least}"));
        }
        number
    }

    pub fn list(&self, name: &'static str) -> Option<&'a [Value]> {
        let value = self.get(name)?;
        if !value.is_array() {
            self.wrong(name, "Expected value of type Array");
        }
        value.as_array().map(Vec::as_slice)
    }

    pub fn object(&self, name: &'static str) -> Option<Fields<'a>> {
        let value = self.get(name)?;
        self.object_of(name, value)
    }

    /// The fields of `value`, which stands at `name` below this object.
    pub fn object_of(&self, name: &str, value: &'a Value) -> Option<Fields<'a>> {
        let Some(members) = value.as_object() else {
            self.wrong(name, "Expected value of type Object");
            return None;
        };
        Some(Fields::new(members, self.pointer(name), self.scheme, self.problems))
    }

    pub fn entries(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.members.iter()
    }

    pub fn query_language(&self, inherited: QueryLanguage) -> QueryLanguage {
        match self.text("QueryLanguage") {
            None => inherited,
            Some("JSONPath") if self.scheme.jsonata_everywhere => {
                self.problems.schema(
                    &self.at,
                    "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
                );
                inherited
            }
            Some("JSONPath") => QueryLanguage::JsonPath,
            Some("JSONata") => QueryLanguage::Jsonata,
            Some(other) => {
                self.wrong("QueryLanguage", format!("'{other}' is not a query language"));
                inherited
            }
        }
    }

    pub fn path(&self, name: &'static str) -> Option<Path> {
        let text = self.text(name)?;
        match Path::parse(text) {
            Ok(path) => Some(path),
            Err(error) => {
                self.wrong(name, format!("Value is not a valid JSONPath: {error}"));
                None
            }
        }
    }

    /// `InputPath`, `OutputPath`: absent is the whole, `null` is `{}`.
    pub fn selection(&self, name: &'static str) -> Selection {
        match self.members.get(name) {
            Some(Value::Null) => {
                self.get(name);
                Selection::Empty
            }
            _ => match self.path(name) {
                Some(path) if path.text == "$" => Selection::Whole,
                Some(path) => Selection::Path(path),
                None => Selection::Whole,
            },
        }
    }

    /// `ResultPath`: absent is the whole, `null` discards the result.
    pub fn place(&self, name: &'static str) -> Place {
        match self.members.get(name) {
            Some(Value::Null) => {
                self.get(name);
                Place::Nowhere
            }
            _ => match self.text(name).map(ReferencePath::parse) {
                Some(Ok(path)) if path.is_whole() => Place::Whole,
                Some(Ok(path)) => Place::At(path),
                Some(Err(error)) => {
                    self.wrong(name, format!("Value is not a Reference Path: {error}"));
                    Place::Whole
                }
                None => Place::Whole,
            },
        }
    }

    /// A payload template in this object's query language.
    pub fn template(&self, name: &'static str) -> Option<Template> {
        let value = self.get(name)?;
        Some(template::parse(value, name, &self.pointer(name), self.scheme.language, self.problems))
    }

    /// A template without expressions, whatever is in it.
    pub fn literal(&self, name: &'static str) -> Option<Arc<Value>> {
        self.get(name).map(|value| Arc::new(value.clone()))
    }

    pub fn assign(&self) -> Vec<(String, Template)> {
        match self.object("Assign") {
            Some(fields) => template::parse_assign(&fields),
            None => Vec::new(),
        }
    }

    /// A number given as such, by an expression (`JSONata`), or by the path in
    /// the sister field `path_name` (`JSONPath`).
    pub fn quantity(&self, name: &'static str, path_name: &'static str) -> Option<Quantity> {
        if !self.is_jsonata() && self.has(path_name) {
            if self.has(name) {
                self.wrong(path_name, format!("'{name}' and '{path_name}' exclude each other"));
            }
            self.get(name);
            return self.path(path_name).map(|path| Quantity::Path { path, field: path_name });
        }
        match self.get(name)? {
            Value::Number(number) => number.as_f64().map(Quantity::Fixed),
            Value::String(text) if self.is_jsonata() => {
                self.query(name, text).map(|query| Quantity::Query { query, field: name })
            }
            _ => {
                self.wrong(name, "Expected value of type Integer");
                None
            }
        }
    }

    /// A `{% … %}` expression; anything else is a problem.
    pub fn query(&self, name: &str, text: &str) -> Option<Query> {
        let Some(body) = Query::body(text) else {
            self.wrong(name, format!("Expected an expression between {{% and %}}, not '{text}'"));
            return None;
        };
        match Query::parse(body) {
            Ok(query) => Some(query),
            Err(refusal) => {
                self.problems.query(&self.pointer(name), &refusal);
                None
            }
        }
    }
}
