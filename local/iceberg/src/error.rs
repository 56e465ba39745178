//! Why bytes are no part of an Iceberg table, or of one that is not read here.

/// A file of a table that cannot be read, or a table that cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    #[error("{place}: expected {expected}, found {found}")]
    Malformed { place: String, expected: String, found: String },
    #[error("{0} is not supported here")]
    Unsupported(String),
}

impl FormatError {
    /// What stands at a place is not what the specification says.
    pub fn malformed(
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Malformed { place: place.into(), expected: expected.into(), found: found.into() }
    }

    /// Something the specification has, and this crate has not.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into())
    }
}
