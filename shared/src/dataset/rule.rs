//! Rules for single rows: a row that breaks one goes to quarantine.

use serde::Deserialize;

/// The columns beside the canonical ones, in their order: the file's name, and of a rejected row
/// the rule, the reason, and its values as they came, joined by commas.
pub const QUARANTINE_COLUMNS: [&str; 4] = ["file", "rule", "reason", "raw"];

/// A CSV row with more or fewer fields than its header. It holds for every data set.
pub const RAGGED_ROW: &str = "ragged_row";

/// A value that is there, but is not of its column's type. It holds for every data set.
pub const UNPARSABLE_VALUE: &str = "unparsable_value";

/// A rule of a data set.
#[derive(Clone, Debug, Deserialize)]
pub struct RowRule {
    pub name: String,
    #[serde(flatten)]
    pub check: Check,
}

/// What a row must satisfy.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "check", rename_all = "snake_case")]
pub enum Check {
    /// The column is not empty.
    Present { column: String },
    /// The column is not before `other`, unless both are in the hour that the clocks show twice
    /// when summer time ends. Empty values satisfy it.
    NotBefore { column: String, other: String },
    /// The column is not below zero. Empty values satisfy it.
    NotNegative { column: String },
}

impl Check {
    /// The columns it looks at.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Present { column } | Self::NotNegative { column } => vec![column],
            Self::NotBefore { column, other } => vec![column, other],
        }
    }
}
