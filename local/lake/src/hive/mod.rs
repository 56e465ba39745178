//! Hive's DDL as Athena speaks it: an own recursive-descent parser and what each
//! statement does to the catalog.
//!
//! Identifiers are bare or in back quotes, strings are in single or double quotes,
//! keywords are no reserved words here. This room never sees a query: `SELECT`,
//! `INSERT` and `CREATE TABLE … AS` belong to [`crate::trino`].

mod alter;
mod create;
mod cursor;
mod execute;
mod show;
mod statement;
mod token;
mod types;

pub(crate) use execute::{execute, format_classes};
pub use statement::{
    AlterAction, ColumnDefinition, ColumnPlace, CreateTable, DescribeStyle, HiveStatement,
    PartitionField, PartitionSpec, RowFormat, StoredAs, TableName,
};
pub use types::{normalise as normalise_type, trino_type_text};

use crate::sql::SyntaxError;

/// Parses one Hive statement; a trailing `;` is allowed.
pub fn parse(text: &str) -> Result<HiveStatement, SyntaxError> {
    let mut cursor = cursor::Cursor::new(text)?;
    let statement = statement::parse(&mut cursor)?;
    cursor.symbol_if(';');
    cursor.end()?;
    Ok(match cursor.other_catalog {
        Some(catalog) => HiveStatement::Elsewhere { catalog },
        None => statement,
    })
}
