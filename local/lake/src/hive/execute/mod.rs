//! What each statement does to the catalog, and the lines it answers with.

mod alter;
mod create;
mod describe;
mod iceberg;
mod repair;
mod show;

pub(crate) use create::format_classes;

use std::collections::BTreeMap;

use super::statement::{HiveStatement, TableName};
use crate::Lake;
use crate::catalog::{CatalogError, Table};
use crate::sql::{QueryContext, QueryError, TextRows};
use crate::trino::database_of;

/// Runs a statement; the lines are those of its `.txt` result.
pub(crate) fn execute(
    lake: &Lake,
    context: &QueryContext,
    statement: &HiveStatement,
) -> Result<TextRows, QueryError> {
    let here = Here { lake, context };
    match statement {
        HiveStatement::CreateDatabase { name, if_not_exists, comment, location, properties } => {
            create::database(
                &here,
                name,
                *if_not_exists,
                comment.as_deref(),
                location.as_deref(),
                properties,
            )
        }
        HiveStatement::AlterDatabase { name, properties } => {
            alter::database(&here, name, properties)
        }
        HiveStatement::DropDatabase { name, if_exists, cascade } => {
            create::drop_database(&here, name, *if_exists, *cascade)
        }
        HiveStatement::CreateTable(table) => create::table(&here, table),
        HiveStatement::DropTable { name, if_exists } => create::drop_table(&here, name, *if_exists),
        HiveStatement::AlterTable { name, action } => alter::table(&here, name, action),
        HiveStatement::Repair { name } => repair::run(&here, name),
        HiveStatement::ShowDatabases { pattern } => show::databases(&here, pattern.as_deref()),
        HiveStatement::ShowTables { database, pattern } => {
            show::tables(&here, database.as_deref(), pattern.as_deref())
        }
        HiveStatement::ShowViews { database, pattern } => {
            show::views(&here, database.as_deref(), pattern.as_deref())
        }
        HiveStatement::ShowColumns { name } => show::columns(&here, name),
        HiveStatement::ShowPartitions { name, partition } => {
            show::partitions(&here, name, partition)
        }
        HiveStatement::ShowCreateTable { name } => show::create_table(&here, name),
        HiveStatement::ShowCreateView { name } => show::create_view(&here, name),
        HiveStatement::ShowProperties { name, property } => {
            show::properties(&here, name, property.as_deref())
        }
        HiveStatement::Describe { name, style, partition, column } => {
            describe::run(&here, name, *style, partition, column.as_deref())
        }
        HiveStatement::Elsewhere { catalog } => Err(QueryError::trino(
            "CATALOG_NOT_FOUND",
            format!("Catalog '{catalog}' does not exist"),
        )),
    }
}

/// A statement's surroundings.
struct Here<'a> {
    lake: &'a Lake,
    context: &'a QueryContext,
}

impl Here<'_> {
    fn complete(&self, name: &TableName) -> (String, String) {
        (name.database.clone().unwrap_or_else(|| database_of(self.context)), name.name.clone())
    }

    fn table(&self, name: &TableName) -> Result<Table, QueryError> {
        let (database, table) = self.complete(name);
        self.lake.catalog.table(&database, &table).map_err(|error| match error {
            CatalogError::TableNotFound { .. } | CatalogError::DatabaseNotFound(_) => {
                QueryError::hive_table_not_found(format!("{database}.{table}"))
            }
            other => task("MetaException", &other),
        })
    }

    /// Replaces a table's definition; the version read must still be the current one.
    fn replace(&self, table: &Table) -> Result<(), QueryError> {
        let update = crate::catalog::TableUpdate {
            expected_version: Some(&table.version_id),
            skip_archive: false,
        };
        self.lake
            .catalog
            .update_table(&table.database_name, table.definition.clone(), update)
            .map(drop)
            .map_err(|error| task("InvalidOperationException", &error))
    }
}

fn task(exception: &str, error: &CatalogError) -> QueryError {
    QueryError::ddl_task(exception, error)
}

fn parameters(properties: &[(String, String)]) -> BTreeMap<String, String> {
    properties.iter().cloned().collect()
}
