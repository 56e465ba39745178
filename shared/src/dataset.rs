//! The contracts of the data sets: what is expected of their files, and what is made of them.
//!
//! A contract is a text in `shared/datasets/` with a ruleset beside it; nothing in the code knows a data set by name.
//! The documentation of the fields is that of the contract's file.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::event::FileFormat;
use crate::month::Month;
use crate::run::hex;

mod column;
mod gold;
mod name;
mod quality;
mod quarantine;
mod tables;

pub use column::{Column, ColumnType};
pub use gold::{Gold, Measure};
pub use name::{DatasetName, DatasetNameError};
pub use quality::{Level, RowRule, audit_statement, level_of, name_of};
pub use quarantine::{QUARANTINE_COLUMNS, RAGGED_ROW, UNPARSABLE_VALUE};
pub use tables::{Partition, View, ViewColumn};

/// Raise it when the SQL made of the contracts changes what is loaded: it makes every run key new,
/// so that every month is loaded again when it is next asked for.
const GENERATOR_VERSION: u32 = 2;

/// What is expected of a data set's files, and what is made of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dataset {
    pub name: DatasetName,
    /// Digest of the contract's text and of the generator's version.
    #[serde(skip)]
    pub version: String,
    /// The first month there is, or `current` for one undated file.
    pub first_month: Month,
    /// The file's path at the source: `{month}` and `{format}` are filled in.
    pub path: String,
    /// The formats the source may have it in; all when nothing is said.
    #[serde(default = "all_formats")]
    pub formats: Vec<FileFormat>,
    /// The view of its live rows.
    pub view: String,
    /// The canonical columns, in their order.
    pub columns: Vec<Column>,
    /// Of each list at least one column must be there.
    #[serde(default)]
    pub one_of: Vec<Vec<String>>,
    /// What is expected of its rows, by a ruleset in DQDL.
    #[serde(skip)]
    pub ruleset: dqdl::Ruleset,
    #[serde(default)]
    pub gold: Option<Gold>,
}

fn all_formats() -> Vec<FileFormat> {
    FileFormat::ALL.to_vec()
}

impl Dataset {
    /// The contract of `name`.
    ///
    /// # Panics
    /// Never with the contracts as they are: a test reads them all.
    pub fn named(name: DatasetName) -> Self {
        let (text, rules) = (name.contract(), name.rules());
        let dataset: Self = toml::from_str(text).expect("a test reads every contract");
        let ruleset = dqdl::parse(rules).expect("a test reads every ruleset");
        let version = hex(&Sha256::digest(format!("{GENERATOR_VERSION}\n{text}\n{rules}")));
        Self { version: version[..16].to_owned(), ruleset, ..dataset }
    }

    /// The file's path at the source, below its base URL; none in a format it never has.
    pub fn source_path(&self, month: Month, format: FileFormat) -> Option<String> {
        self.formats.contains(&format).then(|| {
            self.path.replace("{month}", &month.to_string()).replace("{format}", format.extension())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn contracts_hold_together() {
        let mut versions = HashSet::new();
        for name in DatasetName::all() {
            let dataset = Dataset::named(name);
            assert_eq!(dataset.name, name);
            assert!(versions.insert(dataset.version.clone()), "{name}");
            let mut names = HashSet::new();
            for column in &dataset.columns {
                assert!(names.insert(column.name.as_str()), "{name}: {} twice", column.name);
                let lower = column.file_names().all(|name| name == name.to_lowercase());
                assert!(lower, "{name}: {} has a file name in upper case", column.name);
            }
            for quarantine in QUARANTINE_COLUMNS {
                assert!(!names.contains(quarantine), "{name}: {quarantine} is a quarantine column");
            }
            let used = dataset.one_of.iter().flatten().map(String::as_str);
            let used = used.chain(dataset.gold.iter().flat_map(Gold::columns));
            for column in used {
                assert!(names.contains(column), "{name}: no column {column}");
            }
        }
    }

    #[test]
    fn paths_are_the_sources() {
        let check = |name: &str, month: &str, format, expected: Option<&str>| {
            let dataset = Dataset::named(name.parse().unwrap());
            let path = dataset.source_path(month.parse().unwrap(), format);
            assert_eq!(path.as_deref(), expected);
        };
        let green = Some("trip-data/green_tripdata_2024-01.parquet");
        check("green", "2024-01", FileFormat::Parquet, green);
        check("zones", "current", FileFormat::Csv, Some("misc/taxi_zone_lookup.csv"));
        check("zones", "current", FileFormat::Parquet, None);
    }
}
