//! Tables as rules see them.

use std::collections::BTreeMap;

use crate::sql;

/// A table with its columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What stands behind FROM: a quoted name, or a query in parentheses.
    pub from: String,
    pub columns: Vec<Column>,
    /// Columns that have the same text in every row, with that text.
    pub constants: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnKind,
    /// The type's name in the catalog.
    pub type_name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    Text,
    Whole,
    /// Floating point or decimal.
    Real,
    Boolean,
    Date,
    Timestamp,
    /// Arrays, maps, rows, bytes.
    Other,
}

impl Column {
    /// A column of a type by its name in Hive or Athena: `bigint`, `varchar(3)`, `decimal(9,2)`.
    pub fn of_type(name: &str, type_name: &str) -> Self {
        let lower = type_name.to_ascii_lowercase();
        let base = lower.split(['(', '<', ' ']).next().unwrap_or_default();
        let kind = match base {
            "string" | "varchar" | "char" => ColumnKind::Text,
            "tinyint" | "smallint" | "int" | "integer" | "bigint" => ColumnKind::Whole,
            "float" | "real" | "double" | "decimal" => ColumnKind::Real,
            "boolean" => ColumnKind::Boolean,
            "date" => ColumnKind::Date,
            "timestamp" => ColumnKind::Timestamp,
            _ => ColumnKind::Other,
        };
        Self { name: name.to_owned(), kind, type_name: lower }
    }

    pub fn is_number(&self) -> bool {
        matches!(self.kind, ColumnKind::Whole | ColumnKind::Real)
    }

    pub(crate) fn sql(&self) -> String {
        sql::name(&self.name)
    }

    /// Its value as a double; of a text NULL where it is no number.
    pub(crate) fn number(&self) -> String {
        match self.kind {
            ColumnKind::Whole | ColumnKind::Real => self.sql(),
            _ => format!("TRY_CAST({} AS double)", self.sql()),
        }
    }

    pub(crate) fn double(&self) -> String {
        match self.kind {
            ColumnKind::Text => format!("TRY_CAST({} AS double)", self.sql()),
            _ if self.type_name == "double" => self.sql(),
            _ => format!("CAST({} AS double)", self.sql()),
        }
    }

    pub(crate) fn text(&self) -> String {
        match self.kind {
            ColumnKind::Text => self.sql(),
            _ => format!("CAST({} AS varchar)", self.sql()),
        }
    }

    /// Its day; of a text NULL where it does not begin with one.
    pub(crate) fn day(&self) -> String {
        match self.kind {
            ColumnKind::Date => self.sql(),
            ColumnKind::Timestamp => format!("CAST({} AS date)", self.sql()),
            _ => format!("TRY_CAST(SUBSTR({}, 1, 10) AS date)", self.text()),
        }
    }
}

impl Table {
    /// A table of a catalog.
    pub fn named(database: &str, name: &str, columns: Vec<Column>) -> Self {
        let from = format!("{}.{}", sql::name(database), sql::name(name));
        Self { from, columns, constants: Vec::new() }
    }

    pub fn column(&self, name: &str) -> Option<&Column> {
        let name = name.trim_matches('`');
        let same = |column: &&Column| column.name == name;
        self.columns.iter().find(same).or_else(|| {
            // Athena's names have no case.
            self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
        })
    }
}

/// What a plan is made for.
#[derive(Clone, Debug)]
pub struct Sources {
    pub primary: Table,
    /// Other tables, by the names that rules have for them.
    pub references: BTreeMap<String, Table>,
    /// `now()`, in UTC.
    pub now: jiff::civil::DateTime,
}
