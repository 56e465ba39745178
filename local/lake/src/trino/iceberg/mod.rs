//! Statements about Iceberg tables: what they do to a table's files.

mod create_table_as;
mod insert;
mod merge;
mod rows;
mod statement;
mod target;
mod write;

pub(crate) use create_table_as::{defaults, transform};
pub(super) use create_table_as::{is_asked, run as create_table_as};
pub(super) use insert::run as insert;
pub use statement::TableChange;
pub(super) use target::TARGET;

use super::query::Running;
use crate::sql::{Failure, QueryError, QueryOutput};

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
        TableChange::Optimize { table, .. } | TableChange::Vacuum { table } => {
            target::Target::load(running, table, change.verb())?;
            Err(Failure::not_supported(format!("{} is not supported here", change.verb())).into())
        }
    }
}
