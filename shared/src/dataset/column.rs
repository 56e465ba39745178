//! A canonical column, and the columns of files that may fill it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::month::Month;

/// A canonical column.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The TLC's name in lower case.
    pub name: String,
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Other names files have had for it, in lower case. When a file has several of them, the
    /// first one that is not empty counts.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Files from this month on must have it.
    #[serde(default)]
    pub required: Option<Month>,
    /// Files from this month on should have it.
    #[serde(default)]
    pub since: Option<Month>,
    /// Files after this month need not have it.
    #[serde(default)]
    pub until: Option<Month>,
    /// Words that stand for a value: value → words, in upper case. The words of the value `""`
    /// are known to stand for none.
    #[serde(default)]
    pub words: BTreeMap<String, Vec<String>>,
}

impl Column {
    /// The names it may have in a file, in the order they are preferred.
    pub fn file_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.name.as_str()).chain(self.aliases.iter().map(String::as_str))
    }

    pub fn is_required_in(&self, month: Month) -> bool {
        self.required.is_some_and(|since| since <= month)
    }

    /// Whether a file of `month` without it has drifted.
    pub fn is_expected_in(&self, month: Month) -> bool {
        self.since.or(self.required).is_some_and(|since| since <= month)
            && self.until.is_none_or(|until| month <= until)
    }
}

/// The type of a canonical column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// Identifiers, codes and counts.
    Bigint,
    /// Money in dollars, distance in miles, degrees.
    Double,
    /// New York wall clock, to the millisecond: what Hive tables hold.
    Timestamp,
    Text,
}

impl ColumnType {
    /// Its name in Hive DDL and in the Glue catalog.
    pub const fn hive(self) -> &'static str {
        match self {
            Self::Bigint => "bigint",
            Self::Double => "double",
            Self::Timestamp => "timestamp",
            Self::Text => "string",
        }
    }

    /// Its name in Trino statements and in the definition of a view.
    pub const fn trino(self) -> &'static str {
        match self {
            Self::Bigint => "bigint",
            Self::Double => "double",
            Self::Timestamp => "timestamp(3)",
            Self::Text => "varchar",
        }
    }
}
