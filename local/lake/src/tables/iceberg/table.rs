//! An Iceberg table in the state the catalog names.

use std::sync::Arc;

use bytes::Bytes;
use iceberg::{Field, FormatError, Schema, Snapshot, TableMetadata};

use super::columns::trino_type;
use crate::S3Url;
use crate::catalog::Table;
use crate::sql::{Failure, TrinoType};
use crate::store::{Store, StoreError};

/// The parameter of a catalog's entry that names the metadata file.
pub(super) const LOCATION: &str = "metadata_location";
/// The one that names the file before.
pub(super) const PREVIOUS_LOCATION: &str = "previous_metadata_location";

#[derive(Clone, Debug)]
pub(crate) struct IcebergTable {
    pub entry: Table,
    pub metadata: Arc<TableMetadata>,
    /// The URL of the metadata file.
    pub metadata_location: String,
}

impl IcebergTable {
    /// Errors: `ICEBERG_INVALID_METADATA`, `NOT_SUPPORTED`.
    pub fn load(store: &Store, entry: &Table) -> Result<Self, Failure> {
        let name = format!("{}.{}", entry.database_name, entry.name());
        let location = entry.definition.parameters.get(LOCATION).ok_or_else(|| {
            Failure::new(
                "ICEBERG_INVALID_METADATA",
                format!("Table is missing [{LOCATION}] property: {name}"),
            )
        })?;
        let bytes = read(store, location)?;
        let metadata = TableMetadata::read(&bytes).map_err(|error| damaged(location, &error))?;
        Ok(Self {
            entry: entry.clone(),
            metadata: Arc::new(metadata),
            metadata_location: location.clone(),
        })
    }

    /// `database.table`
    pub fn full_name(&self) -> String {
        format!("{}.{}", self.entry.database_name, self.entry.name())
    }

    /// The columns with the types the engine gives them, of the current schema.
    pub fn columns(&self) -> Result<Vec<(String, TrinoType)>, Failure> {
        typed(&self.metadata.current_schema().fields)
    }

    /// The schema a snapshot is read by: a snapshot that time travel asks for has its own.
    pub fn schema_of(&self, snapshot: &Snapshot) -> &Schema {
        let own = snapshot.schema_id.and_then(|id| self.metadata.schema(id));
        own.unwrap_or_else(|| self.metadata.current_schema())
    }

    /// The table's folder.
    pub fn folder(&self) -> Result<S3Url, Failure> {
        parsed(&self.metadata.location).map(|url| url.folder())
    }

    /// Athena changes tables of version 2 alone.
    pub fn check_writable(&self) -> Result<(), Failure> {
        match self.metadata.format_version {
            2 => Ok(()),
            version => Err(Failure::not_supported(format!(
                "Iceberg tables of format version {version} are only read: {}",
                self.full_name()
            ))),
        }
    }
}

pub(super) fn typed(fields: &[Field]) -> Result<Vec<(String, TrinoType)>, Failure> {
    fields.iter().map(|field| Ok((field.name.to_lowercase(), trino_type(&field.kind)?))).collect()
}

/// A URL that a table's files name.
pub(super) fn parsed(url: &str) -> Result<S3Url, Failure> {
    url.parse().map_err(|error| {
        Failure::new("ICEBERG_INVALID_METADATA", format!("a file of an Iceberg table: {error}"))
    })
}

/// All bytes of a file of a table.
pub(super) fn read(store: &Store, url: &str) -> Result<Bytes, Failure> {
    let place = parsed(url)?;
    store.read(place.bucket(), place.key()).map_err(|error| match error {
        StoreError::NoSuchKey { .. } | StoreError::NoSuchBucket(_) => {
            Failure::new("ICEBERG_INVALID_METADATA", format!("Metadata not found: {url}"))
        }
        other => Failure::new("ICEBERG_FILESYSTEM_ERROR", other.to_string()),
    })
}

/// A file of a table that cannot be read.
pub(crate) fn damaged(url: &str, error: &FormatError) -> Failure {
    match error {
        FormatError::Unsupported(_) => Failure::not_supported(format!("{error}: {url}")),
        FormatError::Malformed { .. } => {
            Failure::new("ICEBERG_INVALID_METADATA", format!("{error} in {url}"))
        }
    }
}
