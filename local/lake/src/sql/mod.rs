//! Athena's one door to SQL: which of the two parsers a statement belongs to, what is
//! refused before it runs, and what a finished query leaves behind.
//!
//! `check` is what `StartQueryExecution` does while the caller waits; `run` is the
//! query itself. Hive's DDL lives in [`crate::hive`], everything else in
//! [`crate::trino`]; neither knows the other.

mod error;
mod kind;
mod metadata;
mod output;
mod plain;
mod query;
mod result_file;
#[cfg(test)]
mod tests;
mod text;
mod type_text;
mod types;

pub use error::{ErrorCategory, Failure, QueryError, SyntaxError};
pub use kind::{StatementKind, StatementType, classify};
pub use output::{ColumnInfo, QueryContext, QueryOutput};
pub use query::Statement;
pub use result_file::parse_csv;
pub use text::write_value;
pub use types::{ADDRESS_WIDTH, TYPE_KEY, TrinoType, UNNAMED_FIELD, UUID_WIDTH, field_of};

pub(crate) use output::TextRows;
pub(crate) use result_file::{CsvResult, write_manifest, write_metadata, write_text};
pub(crate) use text::{
    civil, day_number, days_of_month, shortest, shown_field, ticks_of, write_date, write_double,
    write_real, write_scientific,
};
