//! What can go wrong with databases, tables and partitions, by Glue's names.

use crate::watch::Refused;

/// Each variant but the last is one Glue exception ([`CatalogError::code`]).
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("Database {0} not found.")]
    DatabaseNotFound(String),
    #[error("Table {table} not found in {database}.")]
    TableNotFound { database: String, table: String },
    #[error("Table {table} has no version {version}.")]
    VersionNotFound { table: String, version: String },
    #[error("Cannot find partition {0:?}.")]
    PartitionNotFound(Vec<String>),
    #[error("Database {0} already exists.")]
    DatabaseExists(String),
    #[error("Table {0} already exists.")]
    TableExists(String),
    #[error("Partition {0:?} already exists.")]
    PartitionExists(Vec<String>),
    #[error(
        "Update table failed due to concurrent modifications: {table} is at version {found}, expected {expected}."
    )]
    VersionMismatch { table: String, expected: String, found: String },
    #[error("{0}")]
    InvalidInput(String),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the state file cannot be read or written")]
    Database(#[from] rusqlite::Error),
}

impl CatalogError {
    /// Glue's error code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DatabaseNotFound(_)
            | Self::TableNotFound { .. }
            | Self::VersionNotFound { .. }
            | Self::PartitionNotFound(_) => "EntityNotFoundException",
            Self::DatabaseExists(_) | Self::TableExists(_) | Self::PartitionExists(_) => {
                "AlreadyExistsException"
            }
            Self::VersionMismatch { .. } => "ConcurrentModificationException",
            Self::InvalidInput(_) => "InvalidInputException",
            Self::Refused(_) => "AccessDeniedException",
            Self::Database(_) => "InternalServiceException",
        }
    }
}
