//! A state machine definition: parsed, checked, and without any run state.

mod fields;
mod machine;
mod policy;
mod template;

use std::collections::HashSet;

use serde_json::Value;

use crate::diagnostic::{Diagnostic, DiagnosticCode, Problems};
use crate::review::Outline;

pub(crate) use fields::Fields;
pub(crate) use machine::{Found, Machine, Place, Scheme, Selection, State, Targets, Transition};
pub(crate) use policy::Catcher;

/// A whole state machine, ready to run any number of times.
#[derive(Debug)]
pub struct Definition {
    pub(crate) machine: Machine,
    pub comment: Option<String>,
    pub query_language: QueryLanguage,
    /// The execution's limit, `TimeoutSeconds`.
    pub timeout_seconds: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueryLanguage {
    #[default]
    JsonPath,
    Jsonata,
}

/// The two workflow types. EXPRESS has no history limit and takes no
/// `.sync`, `.waitForTaskToken` or activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExecutionType {
    #[default]
    Standard,
    Express,
}

impl Definition {
    /// Parses and checks a STANDARD state machine. The error holds every
    /// problem of the text.
    pub fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        Self::parse_as(text, ExecutionType::Standard)
    }

    /// As [`Definition::parse`], with the rules of `execution_type`.
    pub fn parse_as(text: &str, execution_type: ExecutionType) -> Result<Self, Vec<Diagnostic>> {
        let problems = Problems::default();
        let document: Value = match serde_json::from_str(text) {
            Ok(document) => document,
            Err(error) => {
                problems.add(
                    DiagnosticCode::InvalidJsonDescription,
                    "",
                    format!("The definition is not JSON: {error}"),
                );
                return Err(problems.into_vec());
            }
        };
        let definition = Self::of(&document, execution_type, &problems);
        let found = problems.into_vec();
        match definition {
            Some(definition) if found.is_empty() => Ok(definition),
            _ => Err(found),
        }
    }

    /// The names of the top-level states, in the order of the text.
    pub fn state_names(&self) -> impl Iterator<Item = &str> {
        self.machine.states.iter().map(|state| &*state.name)
    }

    /// Whether a state is called so, at any depth.
    pub fn has_state(&self, name: &str) -> bool {
        self.machine.find(name).is_some()
    }

    /// The children's definition of a Distributed Map.
    pub(crate) fn of_processor(machine: Machine, query_language: QueryLanguage) -> Self {
        Self { machine, comment: None, query_language, timeout_seconds: None }
    }

    fn of(document: &Value, execution_type: ExecutionType, problems: &Problems) -> Option<Self> {
        let Some(members) = document.as_object() else {
            problems.schema("", "The definition is not a JSON object");
            return None;
        };
        let scheme =
            Scheme { execution_type, language: QueryLanguage::JsonPath, jsonata_everywhere: false };
        let fields = Fields::new(members, "", scheme, problems);
        let language = fields.query_language(scheme.language);
        let scheme =
            Scheme { language, jsonata_everywhere: language == QueryLanguage::Jsonata, ..scheme };
        let machine = Machine::parse(&fields, scheme);
        let definition = Self {
            comment: fields.text("Comment").map(str::to_owned),
            query_language: language,
            timeout_seconds: fields.whole("TimeoutSeconds", 1),
            machine: machine?,
        };
        fields.text("Version");
        fields.refuse_unknown(&[]);
        refuse_same_names(document, problems);
        Some(definition)
    }
}

/// State names are unique in the whole definition, nested machines included.
fn refuse_same_names(document: &Value, problems: &Problems) {
    let mut seen = HashSet::new();
    for state in Outline::of(document).states {
        if !seen.insert(state.name) {
            let message = format!("Duplicate State name: {}", state.name);
            problems.add(DiagnosticCode::DuplicateStateName, &state.pointer, message);
        }
    }
}
