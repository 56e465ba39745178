//! The columns a file has, whatever its format.

use shared::sql::{Sql, sql};

/// What a footer or a header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSchema {
    pub layout: Layout,
    /// In the file's order.
    pub columns: Vec<FileColumn>,
    /// How many rows it has, where the file says so.
    pub rows: Option<u64>,
}

/// How a column of the file is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// By its name: Parquet.
    Named,
    /// By its place: CSV.
    Positional,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileColumn {
    /// As the file has it.
    pub name: String,
    pub file_type: FileType,
}

impl FileColumn {
    /// What it is compared by: catalogs know no case, and some headers have blanks around names.
    pub fn key(&self) -> String {
        self.name.trim().to_lowercase()
    }
}

/// What the values of a column are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileType {
    Boolean,
    Int,
    Bigint,
    Float,
    Double,
    Decimal {
        precision: i32,
        scale: i32,
    },
    Date,
    /// Of any precision; `utc` when the values are instants and not New York's wall clock.
    Timestamp {
        utc: bool,
    },
    Text,
    /// Parquet's logical type UNKNOWN: every value is null, the physical type says nothing.
    Null,
    /// What no canonical column can be made of.
    Other(String),
}

impl FileType {
    /// Its type in the raw table; none for what cannot or need not be read.
    pub fn hive(&self) -> Option<Sql> {
        Some(match self {
            Self::Boolean => sql("boolean", &[]),
            Self::Int => sql("int", &[]),
            Self::Bigint => sql("bigint", &[]),
            Self::Float => sql("float", &[]),
            Self::Double => sql("double", &[]),
            Self::Decimal { precision, scale } => {
                sql("decimal({},{})", &[&i64::from(*precision), &i64::from(*scale)])
            }
            Self::Date => sql("date", &[]),
            Self::Timestamp { .. } => sql("timestamp", &[]),
            Self::Text => sql("string", &[]),
            Self::Null | Self::Other(_) => return None,
        })
    }

    /// Its name in messages.
    pub fn describe(&self) -> String {
        match self {
            Self::Timestamp { utc: true } => "timestamp in UTC".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Other(description) => description.clone(),
            known => known.hive().map(String::from).unwrap_or_default(),
        }
    }
}

/// Why a file cannot be read, and the column at fault where there is one.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{reason}")]
pub struct Unreadable {
    reason: String,
    column: Option<String>,
}

impl Unreadable {
    pub fn because(reason: String) -> Self {
        Self { reason, column: None }
    }

    pub fn column_because(column: &str, reason: String) -> Self {
        Self { reason, column: Some(column.to_owned()) }
    }

    pub fn column(&self) -> Option<&str> {
        self.column.as_deref()
    }
}
