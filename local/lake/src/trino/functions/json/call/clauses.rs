//! The clauses of a call, between the reader of statements and the functions: they travel
//! as the text of the call's first argument.

use serde::{Deserialize, Serialize};

use crate::sql::Failure;

/// `json_exists`, `json_value` and `json_query`. The call's arguments are the input and
/// what is passed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::trino) struct PathClauses {
    pub path: String,
    /// Where the path's literal begins, from one.
    pub line: u64,
    pub column: u64,
    pub input: Format,
    pub passed: Vec<Passed>,
    /// The text of a type.
    pub returning: Option<String>,
    pub output: Format,
    pub wrapper: Wrapper,
    /// `None` is not said, which keeps them.
    pub quotes: Option<Quotes>,
    pub on_empty: Behavior,
    pub on_error: Behavior,
}

/// `json_object` and `json_array`. The call's arguments are keys and values in turn, or
/// values.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::trino) struct ConstructorClauses {
    /// Of each value.
    pub formats: Vec<Format>,
    /// Whether NULL becomes JSON's null, or nothing.
    pub null_on_null: bool,
    pub unique_keys: bool,
    pub returning: Option<String>,
    pub output: Format,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::trino) struct Passed {
    pub name: String,
    pub format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::trino) enum Format {
    /// A value of SQL.
    Plain,
    Json,
    Utf8,
    Utf16,
    Utf32,
}

impl Format {
    /// As a statement says it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Plain | Self::Json => "JSON",
            Self::Utf8 => "JSON ENCODING UTF8",
            Self::Utf16 => "JSON ENCODING UTF16",
            Self::Utf32 => "JSON ENCODING UTF32",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::trino) enum Wrapper {
    Without,
    Conditional,
    Unconditional,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::trino) enum Quotes {
    Keep,
    Omit,
}

/// What is answered where there is nothing, or something goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::trino) enum Behavior {
    Null,
    Error,
    /// An expression of the statement.
    Default,
    EmptyArray,
    EmptyObject,
    True,
    False,
}

/// Clauses as the text of an argument.
pub(in crate::trino) fn written(clauses: &impl Serialize) -> String {
    serde_json::to_string(clauses).expect("clauses are texts, numbers and names")
}

/// Clauses from the text of an argument.
pub(super) fn read<'t, T: Deserialize<'t>>(text: Option<&'t str>) -> Result<T, Failure> {
    text.and_then(|text| serde_json::from_str(text).ok())
        .ok_or_else(|| Failure::type_mismatch("the clauses of a JSON function are missing"))
}
