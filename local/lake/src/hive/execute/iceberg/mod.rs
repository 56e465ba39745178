//! DDL of Iceberg tables: changes of metadata, each one commit.

mod alter;
mod create;
mod show;

use iceberg::Type;

use super::{Here, task};
use crate::catalog::Table;
use crate::sql::{Failure, QueryError, TextRows, TrinoType};
use crate::tables::iceberg::{IcebergTable, Source, drop_files, file_type};

pub(super) use alter::alter;
pub(super) use create::create;
pub(super) use show::{columns, describe, properties, show_create};

fn refused(message: impl Into<String>) -> QueryError {
    QueryError::trino("NOT_SUPPORTED", message)
}

/// What Hive's tables can do and Iceberg's cannot.
pub(super) fn unsupported() -> QueryError {
    refused("Query type not supported by Athena Iceberg at this time")
}

/// A DDL's type as Iceberg has it.
fn column_type(hive: &str) -> Result<Type, Failure> {
    let unknown = || Failure::not_supported(format!("Type not supported for Iceberg: {hive}"));
    file_type(&TrinoType::parse(hive).ok_or_else(unknown)?, Source::Definition)
}

fn load(here: &Here<'_>, entry: &Table) -> Result<IcebergTable, QueryError> {
    Ok(IcebergTable::load(&here.lake.store, entry)?)
}

/// `DROP TABLE`: the data goes too.
pub(super) fn drop(here: &Here<'_>, entry: &Table) -> Result<TextRows, QueryError> {
    // A table whose metadata cannot be read is dropped as well.
    let table = IcebergTable::load(&here.lake.store, entry);
    here.lake
        .catalog
        .delete_table(&entry.database_name, entry.name())
        .map_err(|error| task("MetaException", &error))?;
    if let Ok(table) = table {
        drop_files(&here.lake.store, &table)?;
    }
    Ok(TextRows::none())
}
