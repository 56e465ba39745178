//! Databases.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction};
use serde::{Deserialize, Serialize};

use super::{Catalog, CatalogError, Rest, document, epoch, json, name};
use crate::watch::{Touch, Verb};

/// Source: <https://docs.aws.amazon.com/glue/latest/webapi/API_DatabaseInput.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DatabaseInput {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_uri: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    #[serde(flatten)]
    pub rest: Rest,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Database {
    #[serde(flatten)]
    pub definition: DatabaseInput,
    #[serde(default, with = "epoch")]
    pub create_time: Option<Timestamp>,
}

impl Database {
    pub fn name(&self) -> &str {
        &self.definition.name
    }
}

impl Catalog {
    /// Errors: `DatabaseExists`, `InvalidInput`.
    pub fn create_database(&self, mut input: DatabaseInput) -> Result<Database, CatalogError> {
        input.name = name(&input.name)?;
        self.watch.database(Verb::Create, &input.name)?;
        let database = Database { definition: input, create_time: epoch::now() };
        self.state.write(|transaction| {
            let created = transaction.execute(
                "INSERT OR IGNORE INTO catalog_databases (name, document) VALUES (?1, ?2)",
                [database.name(), &json(&database)],
            )?;
            match created {
                0 => Err(CatalogError::DatabaseExists(database.name().to_owned())),
                _ => Ok(database),
            }
        })
    }

    pub fn database(&self, name: &str) -> Result<Database, CatalogError> {
        self.watch.database(Verb::Read, name)?;
        self.state.read(|snapshot| find(snapshot, &name.to_lowercase()))
    }

    /// In the order of their names.
    pub fn databases(&self) -> Result<Vec<Database>, CatalogError> {
        self.watch.touch(Touch::Database { verb: Verb::List, name: None })?;
        self.state.read(|snapshot| {
            let mut statement =
                snapshot.prepare_cached("SELECT document FROM catalog_databases ORDER BY name")?;
            let databases = statement.query_map([], document)?.collect::<Result<_, _>>()?;
            Ok(databases)
        })
    }

    /// Replaces the definition of the database called `old`, which keeps its name.
    pub fn update_database(&self, old: &str, input: DatabaseInput) -> Result<(), CatalogError> {
        self.watch.database(Verb::Replace, old)?;
        self.state.write(|transaction| {
            let before = find(transaction, &old.to_lowercase())?;
            let definition = DatabaseInput { name: before.definition.name, ..input };
            let after = Database { definition, create_time: before.create_time };
            transaction.execute(
                "UPDATE catalog_databases SET document = ?2 WHERE name = ?1",
                [after.name(), &json(&after)],
            )?;
            Ok(())
        })
    }

    /// Deletes a database with all of its tables, as Glue does. (Athena's
    /// `DROP DATABASE` without CASCADE looks for tables first.)
    pub fn delete_database(&self, name: &str) -> Result<(), CatalogError> {
        self.watch.database(Verb::Delete, name)?;
        self.state.write(|transaction| {
            let database = find(transaction, &name.to_lowercase())?;
            transaction
                .execute("DELETE FROM catalog_databases WHERE name = ?1", [database.name()])?;
            Ok(())
        })
    }
}

pub(super) fn find(transaction: &Transaction<'_>, name: &str) -> Result<Database, CatalogError> {
    transaction
        .prepare_cached("SELECT document FROM catalog_databases WHERE name = ?1")?
        .query_row([name], document)
        .optional()?
        .ok_or_else(|| CatalogError::DatabaseNotFound(name.to_owned()))
}
