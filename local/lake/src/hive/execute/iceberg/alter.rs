//! `ALTER TABLE` of an Iceberg table.

use iceberg::{EvolutionError, PartitionSpec, Place, Schema, Transform};

use super::{column_type, refused, unsupported};
use crate::catalog::{CatalogError, Table, TableInput};
use crate::hive::execute::{Here, task};
use crate::hive::statement::{AlterAction, ColumnPlace, TableName};
use crate::sql::{QueryError, TextRows};
use crate::tables::iceberg::{edit, stored_name, stored_properties};

/// `ALTER TABLE`. Source: user guide, querying-iceberg-evolving-table-schema.md and
/// querying-iceberg-managing-tables.md.
pub(in crate::hive::execute) fn alter(
    here: &Here<'_>,
    entry: &Table,
    action: &AlterAction,
) -> Result<TextRows, QueryError> {
    match action {
        AlterAction::AddColumns { partition, columns } if partition.is_empty() => {
            let columns = columns.iter().map(|column| {
                let kind = column_type(&column.hive_type)?;
                Ok((column.name.clone(), kind, column.comment.clone()))
            });
            let columns = columns.collect::<Result<Vec<_>, QueryError>>()?;
            evolve(here, entry, |schema, last| schema.with_columns(&columns, last))
        }
        AlterAction::DropColumn { name } => drop_column(here, entry, name),
        AlterAction::ChangeColumn { from, to, place } => {
            let kind = column_type(&to.hive_type)?;
            let place = place.as_ref().map(|place| match place {
                ColumnPlace::First => Place::First,
                ColumnPlace::After(other) => Place::After(other.clone()),
            });
            evolve(here, entry, |schema, last| {
                let new = (to.name.as_str(), &kind);
                schema.with_changed(from, new, to.comment.as_deref(), place.as_ref(), last)
            })
        }
        AlterAction::SetProperties { properties } => {
            let stored = stored_properties(properties)?;
            edit(here.lake, entry, |metadata| {
                metadata.properties.extend(stored.clone());
                Ok::<_, QueryError>(())
            })?;
            Ok(TextRows::none())
        }
        AlterAction::UnsetProperties { names } => {
            let stored = names.iter().map(|name| {
                stored_name(name).ok_or_else(|| {
                    refused(format!("Table property {name} is not supported by Athena"))
                })
            });
            let stored = stored.collect::<Result<Vec<_>, _>>()?;
            edit(here.lake, entry, |metadata| {
                metadata.properties.retain(|name, _| !stored.contains(&name.as_str()));
                Ok::<_, QueryError>(())
            })?;
            Ok(TextRows::none())
        }
        AlterAction::RenameTable { to } => rename(here, entry, to),
        AlterAction::AddColumns { .. }
        | AlterAction::ReplaceColumns { .. }
        | AlterAction::AddPartitions { .. }
        | AlterAction::DropPartitions { .. }
        | AlterAction::RenamePartition { .. }
        | AlterAction::SetLocation { .. } => Err(unsupported()),
    }
}

/// Gives a table a changed schema.
fn evolve(
    here: &Here<'_>,
    entry: &Table,
    change: impl Fn(&Schema, i32) -> Result<Schema, EvolutionError>,
) -> Result<TextRows, QueryError> {
    edit::<QueryError>(here.lake, entry, |metadata| {
        let changed = change(metadata.current_schema(), metadata.last_column_id)
            .map_err(|error| QueryError::trino("INVALID_TABLE_PROPERTY", error.to_string()))?;
        metadata.set_schema(changed);
        Ok(())
    })?;
    Ok(TextRows::none())
}

/// A column that partitions are made of stays. Source: Trino's `IcebergMetadata.dropColumn`.
fn drop_column(here: &Here<'_>, entry: &Table, name: &str) -> Result<TextRows, QueryError> {
    edit::<QueryError>(here.lake, entry, |metadata| {
        let schema = metadata.current_schema();
        let column = schema.column(name).map(|field| field.id);
        let is_part = |spec: &PartitionSpec| {
            spec.fields
                .iter()
                .any(|field| Some(field.source_id) == column && field.transform != Transform::Void)
        };
        if is_part(metadata.default_spec()) {
            return Err(refused(format!("Cannot drop partition field: {name}")));
        }
        if metadata.partition_specs.iter().any(is_part) {
            return Err(refused(
                "Cannot drop column which is used by an old partition spec: ".to_owned() + name,
            ));
        }
        let changed = schema
            .without_column(name)
            .map_err(|error| QueryError::trino("INVALID_TABLE_PROPERTY", error.to_string()))?;
        metadata.set_schema(changed);
        Ok(())
    })?;
    Ok(TextRows::none())
}

/// The entry under a new name; the files stay where they are.
fn rename(here: &Here<'_>, entry: &Table, to: &TableName) -> Result<TextRows, QueryError> {
    let (database, name) = here.complete(to);
    let catalog = &here.lake.catalog;
    let definition = TableInput { name: name.clone(), ..entry.definition.clone() };
    catalog.create_table(&database, definition).map_err(|error| match error {
        CatalogError::TableExists(_) => {
            QueryError::ddl_task("AlreadyExistsException", format!("Table {name} already exists"))
        }
        other => task("InvalidOperationException", &other),
    })?;
    catalog
        .delete_table(&entry.database_name, entry.name())
        .map_err(|error| task("MetaException", &error))?;
    Ok(TextRows::none())
}
