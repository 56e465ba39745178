//! Why a file is refused.

use shared::error::ErrorName;

use crate::file_schema::Unreadable;
use crate::mapping::MissingColumns;

#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Problem {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error(transparent)]
    MissingColumns(#[from] MissingColumns),
    #[error("the file has no rows")]
    Empty,
    #[error("the manifest of a CSV file says how many lines it has: /manifest/lines is missing")]
    NoLines,
}

impl Problem {
    pub fn name(&self) -> ErrorName {
        match self {
            Self::Unreadable(_) => ErrorName::SchemaUnreadable,
            Self::MissingColumns(_) => ErrorName::SchemaMissingColumn,
            Self::Empty => ErrorName::DataEmpty,
            Self::NoLines => ErrorName::InputInvalid,
        }
    }

    /// The column at fault, or several joined by `, `.
    pub fn column(&self) -> Option<String> {
        match self {
            Self::Unreadable(reason) => reason.column().map(str::to_owned),
            Self::MissingColumns(missing) => Some(missing.columns.join(", ")),
            Self::Empty | Self::NoLines => None,
        }
    }
}
