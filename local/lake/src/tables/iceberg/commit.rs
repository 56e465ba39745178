//! Commits: a new metadata file, and the catalog's entry that names it.
//!
//! The entry is replaced only if it is at the version that was read, as Glue does it. Of two
//! commits of one state one wins; the other begins again where it can follow, and fails where it
//! cannot. What is written before that point is part of no table.

use std::sync::Arc;

use iceberg::TableMetadata;

use super::change::{Change, put};
use super::columns::hive_columns;
use super::properties::TableProperties;
use super::table::{IcebergTable, LOCATION, PREVIOUS_LOCATION, parsed};
use crate::Lake;
use crate::catalog::{CatalogError, StorageDescriptor, Table, TableInput, TableUpdate};
use crate::sql::Failure;
use crate::store::{Store, WriteCondition};

/// How often a commit that lost a race begins again. Iceberg waits between its four; here nothing
/// waits, so there are more.
const ATTEMPTS: usize = 32;

/// Makes a table of metadata.
pub(crate) fn create(
    lake: &Lake,
    database: &str,
    name: &str,
    metadata: TableMetadata,
) -> Result<IcebergTable, CreateError> {
    let location = place(&metadata, 0);
    put(&lake.store, &location, &metadata.write()).map_err(CreateError::Failure)?;
    let mut input = TableInput {
        name: name.to_owned(),
        table_type: Some("EXTERNAL_TABLE".to_owned()),
        ..TableInput::default()
    };
    describe(&mut input, &metadata, &location);
    match lake.catalog.create_table(database, input) {
        Ok(entry) => {
            Ok(IcebergTable { entry, metadata: Arc::new(metadata), metadata_location: location })
        }
        Err(error) => {
            remove(&lake.store, &[location]);
            Err(CreateError::Catalog(error))
        }
    }
}

/// Why a table is not made.
#[derive(Debug)]
pub(crate) enum CreateError {
    Failure(Failure),
    Catalog(CatalogError),
}

/// What a catalog's entry says of a table.
fn describe(input: &mut TableInput, metadata: &TableMetadata, location: &str) {
    let storage = input.storage_descriptor.get_or_insert_with(StorageDescriptor::default);
    storage.columns = hive_columns(metadata.current_schema());
    storage.location = Some(metadata.location.trim_end_matches('/').to_owned());
    input.parameters.insert("table_type".to_owned(), "ICEBERG".to_owned());
    if let Some(previous) = input.parameters.insert(LOCATION.to_owned(), location.to_owned()) {
        input.parameters.insert(PREVIOUS_LOCATION.to_owned(), previous);
    }
}

/// The URL of a metadata file: its number tells how often the table was changed.
fn place(metadata: &TableMetadata, number: u64) -> String {
    let folder = metadata.location.trim_end_matches('/');
    format!("{folder}/metadata/{number:05}-{}.metadata.json", uuid::Uuid::new_v4())
}

/// The number in a metadata file's name.
fn number(location: &str) -> u64 {
    let name = location.rsplit('/').next().unwrap_or_default();
    name.split('-').next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

fn now_ms() -> i64 {
    crate::clock::now().as_millisecond()
}

impl IcebergTable {
    /// Makes a change a snapshot of the table.
    ///
    /// Errors: `ICEBERG_COMMIT_ERROR` where others have changed the table and the change does more
    /// than to add rows.
    pub fn commit(&self, lake: &Lake, change: &Change) -> Result<Self, Failure> {
        let mut base = self.clone();
        for _ in 0..ATTEMPTS {
            let mut written = Vec::new();
            let mut metadata = base.metadata.as_ref().clone();
            let snapshot = change.snapshot(&lake.store, &metadata, now_ms(), &mut written);
            let snapshot = snapshot.inspect_err(|_| remove(&lake.store, &written))?;
            metadata.add_snapshot(snapshot);
            if let Some(committed) = base.replace(lake, metadata, &mut written)? {
                return Ok(committed);
            }
            let newest = self.newest(lake)?;
            let unchanged = newest.metadata_location == base.metadata_location;
            // Files were written for a schema and partitions.
            let fits = newest.metadata.default_spec() == self.metadata.default_spec()
                && newest.metadata.current_schema_id == self.metadata.current_schema_id;
            let follows = unchanged || (change.is_append() && fits);
            if !follows {
                return Err(self.lost());
            }
            base = newest;
        }
        Err(self.lost())
    }

    /// The table as it is now.
    pub fn newest(&self, lake: &Lake) -> Result<Self, Failure> {
        let entry = lake.catalog.table(&self.entry.database_name, self.entry.name());
        let entry = entry.map_err(|error| match error {
            CatalogError::TableNotFound { .. } => self.lost(),
            other => Failure::new("HIVE_METASTORE_ERROR", other.to_string()),
        })?;
        Self::load(&lake.store, &entry)
    }

    fn lost(&self) -> Failure {
        Failure::new(
            "ICEBERG_COMMIT_ERROR",
            format!("Failed to commit Iceberg update to table: {}", self.full_name()),
        )
    }

    /// Replaces the table's metadata; `None` when somebody else was first. Files in `written`, which
    /// nobody else names, go with the attempt.
    fn replace(
        &self,
        lake: &Lake,
        mut metadata: TableMetadata,
        written: &mut Vec<String>,
    ) -> Result<Option<Self>, Failure> {
        let keep = TableProperties::of(&metadata.properties).max_metadata_files;
        let before = self.metadata_location.clone();
        metadata.follow(before, self.metadata.last_updated_ms, keep);
        metadata.last_updated_ms = metadata.last_updated_ms.max(now_ms());
        let location = place(&metadata, number(&self.metadata_location) + 1);
        put(&lake.store, &location, &metadata.write())
            .inspect_err(|_| remove(&lake.store, written))?;
        written.push(location.clone());
        let mut definition = self.entry.definition.clone();
        describe(&mut definition, &metadata, &location);
        let update = TableUpdate {
            expected_version: Some(&self.entry.version_id),
            // Each state is a metadata file already.
            skip_archive: true,
        };
        match lake.catalog.update_table(&self.entry.database_name, definition, update) {
            Ok(entry) => {
                Ok(Some(Self { entry, metadata: Arc::new(metadata), metadata_location: location }))
            }
            Err(CatalogError::VersionMismatch { .. }) => {
                remove(&lake.store, written);
                Ok(None)
            }
            Err(error @ CatalogError::Database(_)) => {
                // Whether it was replaced is not known: what it may name must stay.
                Err(Failure::new("HIVE_METASTORE_ERROR", error.to_string()))
            }
            Err(error) => {
                remove(&lake.store, written);
                Err(Failure::new("HIVE_METASTORE_ERROR", error.to_string()))
            }
        }
    }
}

/// Changes a table's metadata, beginning again where somebody else was first.
///
/// Errors: those of `change`; `ICEBERG_COMMIT_ERROR`.
pub(crate) fn edit<E: From<Failure>>(
    lake: &Lake,
    entry: &Table,
    change: impl Fn(&mut TableMetadata) -> Result<(), E>,
) -> Result<IcebergTable, E> {
    let mut base = IcebergTable::load(&lake.store, entry)?;
    base.check_writable()?;
    for _ in 0..ATTEMPTS {
        let mut metadata = base.metadata.as_ref().clone();
        change(&mut metadata)?;
        metadata.last_updated_ms = now_ms().max(metadata.last_updated_ms + 1);
        if let Some(committed) = base.replace(lake, metadata, &mut Vec::new())? {
            return Ok(committed);
        }
        base = base.newest(lake)?;
    }
    Err(base.lost().into())
}

/// Removes files that no table names. What cannot be removed is an orphan, which VACUUM finds.
pub(super) fn remove(store: &Store, urls: &[String]) {
    for url in urls {
        let Ok(place) = parsed(url) else { continue };
        let removed = store.delete(place.bucket(), place.key(), None, &WriteCondition::Always);
        if let Err(error) = removed {
            tracing::debug!(url, %error, "a file that no table names stays");
        }
    }
}
