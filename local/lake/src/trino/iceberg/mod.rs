//! Statements about Iceberg tables: what they do to a table's files.

mod create_table_as;
mod insert;
mod write;

pub(crate) use create_table_as::{defaults, transform};
pub(super) use create_table_as::{is_asked, run as create_table_as};
pub(super) use insert::run as insert;
