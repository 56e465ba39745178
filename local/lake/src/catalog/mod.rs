//! Databases, tables, views and partitions, in Glue's shapes and with its rules.
//!
//! Every change is one transaction, so a reader sees a table as it was before a
//! change or as it is after it, and of two updates that expect the same version one
//! fails. All names are folded to lower case, as Glue and Athena do.

use std::sync::Arc;

use crate::database::Database as StateFile;
use crate::watch::Watch;

mod database;
mod epoch;
mod error;
mod filter;
mod partition;
mod storage;
mod table;
#[cfg(test)]
mod tests;

pub use database::{Database, DatabaseInput};
pub use error::CatalogError;
pub use filter::{Filter, FilterError};
pub use partition::{Partition, PartitionInput};
pub use storage::{Column, Order, SerDeInfo, StorageDescriptor};
pub use table::{Table, TableInput, TableUpdate};

/// What a table holds beyond the fields that have a meaning here: kept and given
/// back as it was put.
pub type Rest = serde_json::Map<String, serde_json::Value>;

/// The one catalog of a data directory, `AwsDataCatalog`. Cheap to clone; calls are
/// synchronous, short, and safe from any number of threads and processes.
#[derive(Clone)]
pub struct Catalog {
    state: Arc<StateFile>,
    watch: Watch,
}

impl Catalog {
    /// Opens the catalog, with its tables in the state file.
    pub fn open(state: Arc<StateFile>) -> Result<Self, CatalogError> {
        state.install(SCHEMA)?;
        Ok(Self { state, watch: Watch::default() })
    }

    pub(crate) fn watched(&self, watch: Watch) -> Self {
        Self { watch, ..self.clone() }
    }
}

fn document<T: serde::de::DeserializeOwned>(row: &rusqlite::Row<'_>) -> rusqlite::Result<T> {
    let text: String = row.get("document")?;
    serde_json::from_str(&text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
    })
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("the shapes of the catalog are JSON")
}

/// A name as the catalog keeps it: in lower case, 1 to 255 bytes.
fn name(given: &str) -> Result<String, CatalogError> {
    if given.is_empty() || given.len() > 255 {
        return Err(CatalogError::InvalidInput(format!(
            "a name has 1 to 255 bytes, found {}",
            given.len()
        )));
    }
    Ok(given.to_lowercase())
}

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS catalog_databases (
    name TEXT PRIMARY KEY,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS catalog_tables (
    database TEXT NOT NULL REFERENCES catalog_databases ON DELETE CASCADE,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (database, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS catalog_table_versions (
    database TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (database, name, version),
    FOREIGN KEY (database, name) REFERENCES catalog_tables ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS catalog_partitions (
    database TEXT NOT NULL,
    name TEXT NOT NULL,
    partition_values TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (database, name, partition_values),
    FOREIGN KEY (database, name) REFERENCES catalog_tables ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
";
