//! Tables and views, and their versions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

use super::storage::{self, Column, StorageDescriptor};
use super::{Catalog, CatalogError, Rest, database, document, epoch, json, name};
use crate::watch::{Touch, Verb};

/// Source: <https://docs.aws.amazon.com/glue/latest/webapi/API_TableInput.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct TableInput {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Days; 0 is for ever.
    pub retention: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_descriptor: Option<StorageDescriptor>,
    pub partition_keys: Vec<Column>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view_original_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view_expanded_text: Option<String>,
    /// `EXTERNAL_TABLE` or `VIRTUAL_VIEW`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table_type: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    #[serde(flatten)]
    pub rest: Rest,
}

/// Source: <https://docs.aws.amazon.com/glue/latest/webapi/API_Table.html>
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Table {
    pub database_name: String,
    /// A decimal number, 0 for a new table; every update adds one.
    pub version_id: String,
    #[serde(default, with = "epoch")]
    pub create_time: Option<Timestamp>,
    #[serde(default, with = "epoch")]
    pub update_time: Option<Timestamp>,
    #[serde(flatten)]
    pub definition: TableInput,
}

/// How to update a table. Default: whatever version it is at, keeping that version.
#[derive(Clone, Copy, Debug, Default)]
pub struct TableUpdate<'a> {
    /// Only if the table is at this version.
    pub expected_version: Option<&'a str>,
    /// Do not keep the version before.
    pub skip_archive: bool,
}

impl Table {
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    pub fn is_view(&self) -> bool {
        self.definition.table_type.as_deref() == Some("VIRTUAL_VIEW")
    }

    /// Whether its rows are those of an Iceberg table's metadata.
    pub fn is_iceberg(&self) -> bool {
        let kind = self.definition.parameters.get("table_type");
        kind.is_some_and(|kind| kind.eq_ignore_ascii_case("iceberg"))
    }

    fn version(&self) -> Result<i64, CatalogError> {
        let version = &self.version_id;
        version
            .parse()
            .map_err(|_| CatalogError::InvalidInput(format!("{version:?} is no version id")))
    }
}

impl Catalog {
    /// Errors: `DatabaseNotFound`, `TableExists`, `InvalidInput`.
    pub fn create_table(&self, database: &str, input: TableInput) -> Result<Table, CatalogError> {
        let definition = fold(input)?;
        self.watch.table(Verb::Create, database, &definition.name)?;
        self.state.write(|transaction| {
            let database = database::find(transaction, &database.to_lowercase())?;
            let now = epoch::now();
            let table = Table {
                database_name: database.name().to_owned(),
                version_id: "0".to_owned(),
                create_time: now,
                update_time: now,
                definition,
            };
            let created = transaction.execute(
                "INSERT OR IGNORE INTO catalog_tables (database, name, document) VALUES (?1, ?2, ?3)",
                [database.name(), table.name(), &json(&table)],
            )?;
            match created {
                0 => Err(CatalogError::TableExists(table.definition.name)),
                _ => Ok(table),
            }
        })
    }

    pub fn table(&self, database: &str, name: &str) -> Result<Table, CatalogError> {
        self.watch.table(Verb::Read, database, name)?;
        self.state.read(|snapshot| find(snapshot, database, name))
    }

    /// Tables and views of a database, in the order of their names.
    pub fn tables(&self, database: &str) -> Result<Vec<Table>, CatalogError> {
        self.watch.touch(Touch::Table { verb: Verb::List, database, name: None })?;
        self.state.read(|snapshot| {
            let database = database::find(snapshot, &database.to_lowercase())?;
            let mut statement = snapshot.prepare_cached(
                "SELECT document FROM catalog_tables WHERE database = ?1 ORDER BY name",
            )?;
            let tables =
                statement.query_map([database.name()], document)?.collect::<Result<_, _>>()?;
            Ok(tables)
        })
    }

    /// Replaces a table's definition and counts its version up. The expected version
    /// is compared in the same transaction: of two writers that read the same version
    /// one gets `VersionMismatch`.
    pub fn update_table(
        &self,
        database: &str,
        input: TableInput,
        update: TableUpdate<'_>,
    ) -> Result<Table, CatalogError> {
        let definition = fold(input)?;
        self.watch.table(Verb::Replace, database, &definition.name)?;
        self.state.write(|transaction| {
            let before = find(transaction, database, &definition.name)?;
            if let Some(expected) = update.expected_version
                && expected != before.version_id
            {
                return Err(CatalogError::VersionMismatch {
                    table: definition.name,
                    expected: expected.to_owned(),
                    found: before.version_id,
                });
            }
            let version = before.version()?;
            if !update.skip_archive {
                transaction.execute(
                    "INSERT INTO catalog_table_versions (database, name, version, document)
                     VALUES (?1, ?2, ?3, ?4)",
                    params![before.database_name, before.name(), version, json(&before)],
                )?;
            }
            let after = Table {
                database_name: before.database_name,
                version_id: (version + 1).to_string(),
                create_time: before.create_time,
                update_time: epoch::now(),
                definition,
            };
            transaction.execute(
                "UPDATE catalog_tables SET document = ?3 WHERE database = ?1 AND name = ?2",
                [&after.database_name, after.name(), &json(&after)],
            )?;
            Ok(after)
        })
    }

    /// Creates a table or replaces it, whichever it takes, in one transaction.
    pub fn put_table(&self, database: &str, input: TableInput) -> Result<Table, CatalogError> {
        match self.update_table(database, input.clone(), TableUpdate::default()) {
            Err(CatalogError::TableNotFound { .. }) => {
                match self.create_table(database, input.clone()) {
                    Err(CatalogError::TableExists(_)) => {
                        self.update_table(database, input, TableUpdate::default())
                    }
                    created => created,
                }
            }
            updated => updated,
        }
    }

    /// Deletes a table with its partitions and versions. Its data stays in the store.
    pub fn delete_table(&self, database: &str, name: &str) -> Result<(), CatalogError> {
        self.watch.table(Verb::Delete, database, name)?;
        self.state.write(|transaction| {
            let table = find(transaction, database, name)?;
            transaction.execute(
                "DELETE FROM catalog_tables WHERE database = ?1 AND name = ?2",
                [&table.database_name, table.name()],
            )?;
            Ok(())
        })
    }

    /// The table as it is and as it was, the newest first.
    pub fn table_versions(&self, database: &str, name: &str) -> Result<Vec<Table>, CatalogError> {
        self.state.read(|snapshot| {
            let table = find(snapshot, database, name)?;
            let mut statement = snapshot.prepare_cached(
                "SELECT document FROM catalog_table_versions
                 WHERE database = ?1 AND name = ?2 ORDER BY version DESC",
            )?;
            let key = [table.database_name.clone(), table.definition.name.clone()];
            let mut versions = vec![table];
            for version in statement.query_map(key, document)? {
                versions.push(version?);
            }
            Ok(versions)
        })
    }

    /// Errors: `TableNotFound`, `VersionNotFound`.
    pub fn table_version(
        &self,
        database: &str,
        name: &str,
        version: &str,
    ) -> Result<Table, CatalogError> {
        let versions = self.table_versions(database, name)?;
        versions.into_iter().find(|table| table.version_id == version).ok_or_else(|| {
            CatalogError::VersionNotFound {
                table: name.to_lowercase(),
                version: version.to_owned(),
            }
        })
    }

    /// Forgets an earlier version. The one the table is at cannot be deleted.
    pub fn delete_table_version(
        &self,
        database: &str,
        name: &str,
        version: &str,
    ) -> Result<(), CatalogError> {
        self.state.write(|transaction| {
            let table = find(transaction, database, name)?;
            if table.version_id == version {
                return Err(CatalogError::InvalidInput("the current version cannot be deleted".to_owned()));
            }
            let deleted = transaction.execute(
                "DELETE FROM catalog_table_versions WHERE database = ?1 AND name = ?2 AND version = ?3",
                [&table.database_name, table.name(), version],
            )?;
            if deleted == 0 {
                let version = version.to_owned();
                return Err(CatalogError::VersionNotFound { table: table.definition.name, version });
            }
            Ok(())
        })
    }
}

/// Finds a table by names in any case. A missing database is named as such.
pub(super) fn find(
    transaction: &Transaction<'_>,
    database: &str,
    name: &str,
) -> Result<Table, CatalogError> {
    let (database, name) = (database.to_lowercase(), name.to_lowercase());
    let table = transaction
        .prepare_cached("SELECT document FROM catalog_tables WHERE database = ?1 AND name = ?2")?
        .query_row([&database, &name], document)
        .optional()?;
    if let Some(table) = table {
        return Ok(table);
    }
    database::find(transaction, &database)?;
    Err(CatalogError::TableNotFound { database, table: name })
}

fn fold(mut input: TableInput) -> Result<TableInput, CatalogError> {
    input.name = name(&input.name)?;
    storage::fold(&mut input.partition_keys);
    if let Some(storage) = &mut input.storage_descriptor {
        storage::fold(&mut storage.columns);
    }
    Ok(input)
}
