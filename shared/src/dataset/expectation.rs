//! Expectations of all rows of a month together. The audit measures them, check-athena-result
//! judges them.

use serde::Deserialize;

/// A share of rows that should be small.
#[derive(Clone, Debug, Deserialize)]
pub struct ExpectedShare {
    /// It also names the column of the audit's result.
    pub name: String,
    #[serde(flatten)]
    pub share: Share,
    /// Above this share, 0 to 1, it is a warning.
    #[serde(default)]
    pub warn_above: Option<f64>,
    /// Above this share the month is refused.
    #[serde(default)]
    pub fail_above: Option<f64>,
}

/// Which rows are counted.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "share", rename_all = "snake_case")]
pub enum Share {
    /// Rejected rows, of all rows.
    Rejected,
    /// Rows whose column is empty, of the loaded rows.
    Empty { column: String },
    /// Rows whose column is below zero, of the loaded rows.
    Negative { column: String },
    /// Rows whose column is zero, of the loaded rows.
    Zero { column: String },
    /// Rows whose column is not in the file's month, of the loaded rows.
    OutOfMonth { column: String },
}

impl Share {
    /// The column it looks at.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Rejected => None,
            Self::Empty { column }
            | Self::Negative { column }
            | Self::Zero { column }
            | Self::OutOfMonth { column } => Some(column),
        }
    }
}
