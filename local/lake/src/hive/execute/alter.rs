//! `ALTER DATABASE` and `ALTER TABLE`.

use std::fmt::Write as _;

use super::{Here, parameters, task};
use crate::S3Url;
use crate::catalog::{CatalogError, Column, PartitionInput, StorageDescriptor, Table};
use crate::hive::statement::{AlterAction, ColumnDefinition, PartitionSpec, TableName};
use crate::sql::{QueryError, TextRows};

pub(super) fn database(
    here: &Here<'_>,
    name: &str,
    properties: &[(String, String)],
) -> Result<TextRows, QueryError> {
    let catalog = &here.lake.catalog;
    let database = catalog.database(name).map_err(|_| {
        QueryError::hive(format!(
            "FAILED: SemanticException [Error 10072]: Database does not exist: {name}"
        ))
    })?;
    let mut input = database.definition;
    input.parameters.extend(parameters(properties));
    catalog.update_database(name, input).map_err(|error| task("MetaException", &error))?;
    Ok(TextRows::none())
}

pub(super) fn table(
    here: &Here<'_>,
    name: &TableName,
    action: &AlterAction,
) -> Result<TextRows, QueryError> {
    let mut table = here.table(name)?;
    refuse_view(&table)?;
    if table.is_iceberg() {
        return super::iceberg::alter(here, &table, action);
    }
    match action {
        AlterAction::AddPartitions { if_not_exists, partitions } => {
            add_partitions(here, &table, *if_not_exists, partitions)?;
        }
        AlterAction::DropPartitions { if_exists, partitions } => {
            drop_partitions(here, &table, *if_exists, partitions)?;
        }
        AlterAction::RenamePartition { from, to } => rename_partition(here, &table, from, to)?,
        AlterAction::SetLocation { partition, location } if !partition.is_empty() => {
            let mut found = find(here, &table, partition)?;
            let storage = found.definition.storage_descriptor.get_or_insert_default();
            storage.location = Some(folder(location)?);
            let values = found.values().to_vec();
            here.lake
                .catalog
                .update_partition(&table.database_name, table.name(), &values, found.definition)
                .map_err(|error| task("MetaException", &error))?;
        }
        AlterAction::SetLocation { location, .. } => {
            table.definition.storage_descriptor.get_or_insert_default().location =
                Some(folder(location)?);
            here.replace(&table)?;
        }
        AlterAction::SetProperties { properties } => {
            table.definition.parameters.extend(parameters(properties));
            here.replace(&table)?;
        }
        AlterAction::UnsetProperties { names } => {
            for name in names {
                table.definition.parameters.remove(name);
            }
            here.replace(&table)?;
        }
        AlterAction::AddColumns { columns, .. } => {
            let storage = table.definition.storage_descriptor.get_or_insert_default();
            for column in columns {
                if storage.columns.iter().any(|known| known.name == column.name) {
                    return Err(QueryError::ddl_task(
                        "InvalidOperationException",
                        format!("Duplicate column name: {}", column.name),
                    ));
                }
                storage.columns.push(catalog_column(column));
            }
            here.replace(&table)?;
        }
        AlterAction::ReplaceColumns { columns, .. } => {
            table.definition.storage_descriptor.get_or_insert_default().columns =
                columns.iter().map(catalog_column).collect();
            here.replace(&table)?;
        }
        AlterAction::ChangeColumn { .. }
        | AlterAction::DropColumn { .. }
        | AlterAction::RenameTable { .. } => {
            return Err(QueryError::trino(
                "NOT_SUPPORTED",
                format!("this ALTER TABLE is for Iceberg tables alone: {}", table.name()),
            ));
        }
    }
    Ok(TextRows::none())
}

fn refuse_view(table: &Table) -> Result<(), QueryError> {
    if table.is_view() {
        return Err(QueryError::hive(format!(
            "FAILED: SemanticException [Error 10131]: To alter a view you need to use the ALTER VIEW command: {}",
            table.name()
        )));
    }
    Ok(())
}

fn catalog_column(column: &ColumnDefinition) -> Column {
    Column {
        comment: column.comment.clone(),
        ..Column::new(column.name.clone(), column.hive_type.clone())
    }
}

fn folder(location: &str) -> Result<String, QueryError> {
    let url: S3Url = location
        .parse()
        .map_err(|error| QueryError::ddl_task("MetaException", format!("{error}")))?;
    Ok(url.folder().to_string())
}

/// The values of a full partition specification, in the order of the keys.
pub(super) fn values(table: &Table, partition: &PartitionSpec) -> Result<Vec<String>, QueryError> {
    let keys = &table.definition.partition_keys;
    if keys.is_empty() {
        return Err(QueryError::hive(
            "FAILED: SemanticException table is not partitioned but partition spec exists",
        ));
    }
    if let Some((unknown, _)) =
        partition.iter().find(|(name, _)| keys.iter().all(|key| key.name != *name))
    {
        return Err(QueryError::hive(format!(
            "FAILED: SemanticException Partition spec contains non-partition column {unknown}"
        )));
    }
    keys.iter()
        .map(|key| {
            partition.iter().find(|(name, _)| *name == key.name).map(|(_, value)| value.clone()).ok_or_else(|| {
                QueryError::hive(format!(
                    "FAILED: SemanticException partition spec {partition:?} doesn't contain all ({}) partition columns",
                    keys.len()
                ))
            })
        })
        .collect()
}

fn find(
    here: &Here<'_>,
    table: &Table,
    partition: &PartitionSpec,
) -> Result<crate::catalog::Partition, QueryError> {
    let values = values(table, partition)?;
    here.lake.catalog.partition(&table.database_name, table.name(), &values).map_err(|error| {
        match error {
            CatalogError::PartitionNotFound(_) => QueryError::hive(format!(
                "FAILED: SemanticException [Error 10006]: Partition not found {partition:?}"
            )),
            other => task("MetaException", &other),
        }
    })
}

/// A partition where Hive puts it unless told otherwise: `<table>/k=v/…/`.
pub(super) fn input(
    table: &Table,
    values: Vec<String>,
    location: Option<String>,
) -> PartitionInput {
    let storage = table.definition.storage_descriptor.clone().unwrap_or_default();
    let location = location.unwrap_or_else(|| {
        let mut folder = storage.location.clone().unwrap_or_default();
        if !folder.ends_with('/') {
            folder.push('/');
        }
        for (key, value) in table.definition.partition_keys.iter().zip(&values) {
            let _ = write!(folder, "{}={value}/", key.name);
        }
        folder
    });
    PartitionInput {
        values,
        storage_descriptor: Some(StorageDescriptor { location: Some(location), ..storage }),
        ..PartitionInput::default()
    }
}

fn add_partitions(
    here: &Here<'_>,
    table: &Table,
    if_not_exists: bool,
    partitions: &[(PartitionSpec, Option<String>)],
) -> Result<(), QueryError> {
    let mut inputs = Vec::with_capacity(partitions.len());
    for (partition, location) in partitions {
        let location = location.as_deref().map(folder).transpose()?;
        inputs.push(input(table, values(table, partition)?, location));
    }
    // All or none: Hive checks before it adds.
    if !if_not_exists {
        for wanted in &inputs {
            if here
                .lake
                .catalog
                .partition(&table.database_name, table.name(), &wanted.values)
                .is_ok()
            {
                return Err(exists(&wanted.values));
            }
        }
    }
    let done = here
        .lake
        .catalog
        .create_partitions(&table.database_name, table.name(), inputs)
        .map_err(|error| task("MetaException", &error))?;
    for created in done {
        match created {
            Ok(_) => {}
            Err(CatalogError::PartitionExists(_)) if if_not_exists => {}
            Err(CatalogError::PartitionExists(values)) => return Err(exists(&values)),
            Err(error) => return Err(task("MetaException", &error)),
        }
    }
    Ok(())
}

fn exists(values: &[String]) -> QueryError {
    QueryError::ddl_task(
        "AlreadyExistsException",
        format!("Partition already exists: [{}]", values.join(", ")),
    )
}

fn drop_partitions(
    here: &Here<'_>,
    table: &Table,
    if_exists: bool,
    partitions: &[PartitionSpec],
) -> Result<(), QueryError> {
    for partition in partitions {
        match find(here, table, partition) {
            Ok(found) => here
                .lake
                .catalog
                .delete_partition(&table.database_name, table.name(), found.values())
                .map_err(|error| task("MetaException", &error))?,
            Err(QueryError::Hive { message }) if if_exists && message.contains("10006") => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn rename_partition(
    here: &Here<'_>,
    table: &Table,
    from: &PartitionSpec,
    to: &PartitionSpec,
) -> Result<(), QueryError> {
    let found = find(here, table, from)?;
    let old = found.values().to_vec();
    let mut input = found.definition;
    input.values = values(table, to)?;
    here.lake
        .catalog
        .update_partition(&table.database_name, table.name(), &old, input)
        .map(drop)
        .map_err(|error| task("InvalidOperationException", &error))
}
