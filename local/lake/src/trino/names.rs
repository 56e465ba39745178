//! Names as a statement's context completes them.

use crate::hive::TableName;
use crate::sql::QueryContext;

/// Athena's own catalog, in Trino's case.
pub(super) const CATALOG: &str = "awsdatacatalog";
/// The database of a context that names none.
const DATABASE: &str = "default";

pub(crate) fn database_of(context: &QueryContext) -> String {
    context
        .database
        .as_deref()
        .filter(|database| !database.is_empty())
        .map_or_else(|| DATABASE.to_owned(), str::to_lowercase)
}

/// Database and table.
pub(crate) fn complete(name: &TableName, context: &QueryContext) -> (String, String) {
    (name.database.clone().unwrap_or_else(|| database_of(context)), name.name.clone())
}
