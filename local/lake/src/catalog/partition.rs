//! Partitions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

use super::storage::{self, StorageDescriptor};
use super::{Catalog, CatalogError, Filter, Rest, document, epoch, json, table, table::Table};
use crate::watch::Verb;

/// Source: <https://docs.aws.amazon.com/glue/latest/webapi/API_PartitionInput.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct PartitionInput {
    /// As many as the table has partition keys, in their order.
    pub values: Vec<String>,
    /// Its own columns and formats: a partition keeps those it was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_descriptor: Option<StorageDescriptor>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    #[serde(flatten)]
    pub rest: Rest,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Partition {
    pub database_name: String,
    pub table_name: String,
    #[serde(default, with = "epoch")]
    pub creation_time: Option<Timestamp>,
    #[serde(flatten)]
    pub definition: PartitionInput,
}

impl Partition {
    pub fn values(&self) -> &[String] {
        &self.definition.values
    }

    /// The folder of its data.
    pub fn location(&self) -> Option<&str> {
        self.definition.storage_descriptor.as_ref()?.location.as_deref()
    }
}

impl Catalog {
    /// Errors: `TableNotFound`, `PartitionExists`, `InvalidInput` for a wrong number
    /// of values.
    pub fn create_partition(
        &self,
        database: &str,
        table: &str,
        input: PartitionInput,
    ) -> Result<Partition, CatalogError> {
        let mut created = self.create_partitions(database, table, vec![input])?;
        created.pop().expect("one partition was asked for")
    }

    /// Adds partitions in one transaction. One that cannot be added has its own error
    /// and does not keep the others out.
    pub fn create_partitions(
        &self,
        database: &str,
        table: &str,
        inputs: Vec<PartitionInput>,
    ) -> Result<Vec<Result<Partition, CatalogError>>, CatalogError> {
        self.watch.partition(Verb::Create, database, table)?;
        self.state.write(|transaction| {
            let table = table::find(transaction, database, table)?;
            Ok(inputs.into_iter().map(|input| insert(transaction, &table, input)).collect())
        })
    }

    pub fn partition(
        &self,
        database: &str,
        table: &str,
        values: &[String],
    ) -> Result<Partition, CatalogError> {
        self.watch.partition(Verb::Read, database, table)?;
        self.state.read(|snapshot| {
            let table = table::find(snapshot, database, table)?;
            find(snapshot, &table, values)
        })
    }

    /// Partitions that `filter` lets through, in the order of their values.
    pub fn partitions(
        &self,
        database: &str,
        table: &str,
        filter: Option<&str>,
    ) -> Result<Vec<Partition>, CatalogError> {
        self.watch.partition(Verb::List, database, table)?;
        self.state.read(|snapshot| {
            let table = table::find(snapshot, database, table)?;
            let filter = filter
                .filter(|filter| !filter.trim().is_empty())
                .map(|filter| Filter::parse(filter, &table.definition.partition_keys))
                .transpose()?;
            let mut statement = snapshot.prepare_cached(
                "SELECT document FROM catalog_partitions
                 WHERE database = ?1 AND name = ?2 ORDER BY partition_values",
            )?;
            let all =
                statement.query_map([&table.database_name, table.name()], document::<Partition>)?;
            let mut partitions = Vec::new();
            for partition in all {
                let partition = partition?;
                if filter.as_ref().is_none_or(|filter| filter.matches(partition.values())) {
                    partitions.push(partition);
                }
            }
            Ok(partitions)
        })
    }

    /// Replaces a partition, also its values.
    pub fn update_partition(
        &self,
        database: &str,
        table: &str,
        values: &[String],
        input: PartitionInput,
    ) -> Result<Partition, CatalogError> {
        self.watch.partition(Verb::Replace, database, table)?;
        self.state.write(|transaction| {
            let table = table::find(transaction, database, table)?;
            let before = find(transaction, &table, values)?;
            remove(transaction, &table, values)?;
            let mut after = insert(transaction, &table, input)?;
            after.creation_time = before.creation_time;
            transaction.execute(
                "UPDATE catalog_partitions SET document = ?4
                 WHERE database = ?1 AND name = ?2 AND partition_values = ?3",
                params![
                    table.database_name,
                    table.name(),
                    json(&after.definition.values),
                    json(&after)
                ],
            )?;
            Ok(after)
        })
    }

    pub fn delete_partition(
        &self,
        database: &str,
        table: &str,
        values: &[String],
    ) -> Result<(), CatalogError> {
        self.watch.partition(Verb::Delete, database, table)?;
        self.state.write(|transaction| {
            let table = table::find(transaction, database, table)?;
            find(transaction, &table, values)?;
            remove(transaction, &table, values)
        })
    }
}

fn insert(
    transaction: &Transaction<'_>,
    table: &Table,
    mut input: PartitionInput,
) -> Result<Partition, CatalogError> {
    let keys = table.definition.partition_keys.len();
    if input.values.len() != keys {
        return Err(CatalogError::InvalidInput(format!(
            "the table {} has {keys} partition keys, found {} values",
            table.name(),
            input.values.len()
        )));
    }
    if let Some(storage) = &mut input.storage_descriptor {
        storage::fold(&mut storage.columns);
    }
    let partition = Partition {
        database_name: table.database_name.clone(),
        table_name: table.name().to_owned(),
        creation_time: epoch::now(),
        definition: input,
    };
    let inserted = transaction
        .prepare_cached(
            "INSERT OR IGNORE INTO catalog_partitions (database, name, partition_values, document)
             VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            table.database_name,
            table.name(),
            json(&partition.definition.values),
            json(&partition)
        ])?;
    match inserted {
        0 => Err(CatalogError::PartitionExists(partition.definition.values)),
        _ => Ok(partition),
    }
}

fn find(
    transaction: &Transaction<'_>,
    table: &Table,
    values: &[String],
) -> Result<Partition, CatalogError> {
    transaction
        .prepare_cached(
            "SELECT document FROM catalog_partitions
             WHERE database = ?1 AND name = ?2 AND partition_values = ?3",
        )?
        .query_row(params![table.database_name, table.name(), json(&values)], document)
        .optional()?
        .ok_or_else(|| CatalogError::PartitionNotFound(values.to_vec()))
}

fn remove(
    transaction: &Transaction<'_>,
    table: &Table,
    values: &[String],
) -> Result<(), CatalogError> {
    transaction.execute(
        "DELETE FROM catalog_partitions WHERE database = ?1 AND name = ?2 AND partition_values = ?3",
        params![table.database_name, table.name(), json(&values)],
    )?;
    Ok(())
}
