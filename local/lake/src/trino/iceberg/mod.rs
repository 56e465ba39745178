//! Statements about Iceberg tables: what they do to a table's files.

mod create_table_as;
mod insert;
mod merge;
mod optimize;
mod rows;
mod statement;
mod target;
mod write;

pub(crate) use create_table_as::{defaults, transform};
pub(super) use create_table_as::{is_asked, run as create_table_as};
pub(super) use insert::run as insert;
pub use statement::TableChange;
pub(super) use target::TARGET;

use std::sync::Arc;

use datafusion::catalog::TableProvider;

use super::query::Running;
use super::schemas::Visible;
use super::table_version::KnownVersion;
use crate::catalog::Table;
use crate::sql::{Failure, QueryError, QueryOutput, TextRows};
use crate::tables::iceberg::{IcebergRows, IcebergTable, vacuum};

/// Runs a statement that changes a table.
pub(super) async fn change(
    running: &Running<'_>,
    change: &TableChange,
) -> Result<QueryOutput, QueryError> {
    match change {
        TableChange::Delete { table, filter } => {
            rows::delete(running, table, filter.as_ref()).await
        }
        TableChange::Update { table, assignments, filter } => {
            rows::update(running, table, assignments, filter.as_ref()).await
        }
        TableChange::Merge(merge) => merge::run(running, merge).await,
        TableChange::Optimize { table, filter } => {
            optimize::run(running, table, filter.as_ref()).await
        }
        TableChange::Vacuum { table } => {
            let target = target::Target::load(running, table, "VACUUM")?;
            vacuum(running.lake, &target.table)?;
            running.text(&TextRows::none())
        }
    }
}

/// The rows of a table in an earlier state.
///
/// Errors: `NOT_SUPPORTED` of tables without versions; `INVALID_ARGUMENTS` where there is no such state.
pub(super) fn earlier(
    visible: &Visible,
    table: &Table,
    version: &KnownVersion,
) -> Result<Arc<dyn TableProvider>, Failure> {
    if !table.is_iceberg() {
        return Err(version.refusal());
    }
    let table = IcebergTable::load(&visible.lake.store, table)?;
    let snapshot = version.snapshot(&table.metadata, &table.full_name())?;
    let rows = IcebergRows::at(&visible.lake.store, &table, snapshot)?;
    Ok(Arc::new(if visible.with_path { rows.with_path() } else { rows }))
}
