//! Which column of the file fills which canonical column, and what differs from the contract.

use std::collections::HashSet;

use shared::dataset::{Column, ColumnType, Dataset};
use shared::event::{Drift, Retyped};
use shared::month::Month;

use crate::file_schema::{FileColumn, FileSchema, FileType, Layout, Unreadable};
use crate::problem::Problem;

/// How many of a file's columns are named in a message or in the drift: more than any TLC file has.
const LISTED_NAMES: usize = 60;

/// For each canonical column of the contract, in its order, the columns of the file that fill it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    /// Indices into the file's columns, the preferred one first; empty when there is none.
    pub sources: Vec<Vec<usize>>,
    pub drift: Drift,
}

/// All required columns that the file has not.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "required column missing: {}. The file has: {}. If it has a new name, add it to the aliases in shared/datasets/{dataset}.toml",
    .columns.join(", "),
    .found.join(", ")
)]
pub struct MissingColumns {
    pub dataset: String,
    /// Canonical names; where one of several would do, they are joined by ` or `.
    pub columns: Vec<String>,
    /// What the file has.
    pub found: Vec<String>,
}

impl Mapping {
    /// Whether column `index` of the file fills any canonical column.
    pub fn uses(&self, index: usize) -> bool {
        self.sources.iter().any(|sources| sources.contains(&index))
    }
}

/// Finds the sources of every canonical column in a file of `month`.
pub fn map(dataset: &Dataset, month: Month, schema: &FileSchema) -> Result<Mapping, Problem> {
    let keys: Vec<_> = schema.columns.iter().map(FileColumn::key).collect();
    let sources: Vec<Vec<usize>> = dataset.columns.iter().map(|c| find(c, &keys)).collect();
    let missing = missing(dataset, month, &sources);
    if !missing.is_empty() {
        let found = listed(schema.columns.iter().map(|column| column.name.trim()));
        let dataset = dataset.name.to_string();
        return Err(MissingColumns { dataset, columns: missing, found }.into());
    }
    let used: HashSet<usize> = sources.iter().flatten().copied().collect();
    check_names(schema, &keys, &used)?;
    let retyped = retyped(dataset, schema, &sources)?;
    let absent = |(column, sources): (&Column, &Vec<usize>)| {
        (sources.is_empty() && column.is_expected_in(month)).then(|| column.name.clone())
    };
    let unused = schema.columns.iter().enumerate().filter(|(index, _)| !used.contains(index));
    let drift = Drift {
        missing_optional: dataset.columns.iter().zip(&sources).filter_map(absent).collect(),
        unknown: listed(unused.map(|(_, column)| column.name.trim())),
        retyped,
    };
    Ok(Mapping { sources, drift })
}

/// At most so many names, that a strange file cannot fill the state machine's payload.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.take(LISTED_NAMES).map(|name| name.chars().take(64).collect()).collect()
}

fn find(column: &Column, keys: &[String]) -> Vec<usize> {
    column.file_names().filter_map(|name| keys.iter().position(|key| key == name)).collect()
}

fn missing(dataset: &Dataset, month: Month, sources: &[Vec<usize>]) -> Vec<String> {
    let columns = || dataset.columns.iter().zip(sources);
    let required = columns()
        .filter(|(column, sources)| sources.is_empty() && column.is_required_in(month))
        .map(|(column, _)| column.name.clone());
    let mut missing: Vec<_> = required.collect();
    for choice in &dataset.one_of {
        let has_one =
            columns().any(|(column, sources)| choice.contains(&column.name) && !sources.is_empty());
        if !has_one && !choice.iter().any(|name| missing.contains(name)) {
            missing.push(choice.join(" or "));
        }
    }
    missing
}

/// A column that is used must have a name of its own, and, to be found by name, no blanks around.
fn check_names(
    schema: &FileSchema,
    keys: &[String],
    used: &HashSet<usize>,
) -> Result<(), Unreadable> {
    for (index, key) in keys.iter().enumerate() {
        let column = &schema.columns[index];
        if schema.layout == Layout::Named
            && used.contains(&index)
            && column.name.trim() != column.name
        {
            let reason = format!(
                "column {:?} has blanks around its name: Athena would not find it",
                column.name
            );
            return Err(Unreadable::column_because(key, reason));
        }
        if let Some(other) = keys[..index].iter().position(|other| other == key)
            && (used.contains(&index) || used.contains(&other))
        {
            let names = (&schema.columns[other].name, &column.name);
            let reason = format!("two columns have one name: {:?} and {:?}", names.0, names.1);
            return Err(Unreadable::column_because(key, reason));
        }
    }
    Ok(())
}

/// The columns whose type is another than their canonical column's. CSV has no types.
fn retyped(
    dataset: &Dataset,
    schema: &FileSchema,
    sources: &[Vec<usize>],
) -> Result<Vec<Retyped>, Unreadable> {
    let mut retyped = Vec::new();
    for (column, sources) in dataset.columns.iter().zip(sources) {
        for file in sources.iter().map(|index| &schema.columns[*index]) {
            let change = Retyped {
                column: file.name.clone(),
                from: file.file_type.describe(),
                to: column.column_type.hive().to_owned(),
            };
            match fit(&file.file_type, column.column_type) {
                Fit::Same => {}
                Fit::Converted if schema.layout == Layout::Positional => {}
                Fit::Converted => retyped.push(change),
                Fit::Impossible => {
                    let reason = format!(
                        "column {} is of type {}, which cannot become {}",
                        change.column, change.from, change.to
                    );
                    return Err(Unreadable::column_because(&column.name, reason));
                }
            }
        }
    }
    Ok(retyped)
}

enum Fit {
    /// The values are of the canonical type, or all null.
    Same,
    /// They can be made so.
    Converted,
    Impossible,
}

fn fit(from: &FileType, to: ColumnType) -> Fit {
    match (from, to) {
        (FileType::Null, _)
        | (FileType::Int | FileType::Bigint, ColumnType::Bigint)
        | (FileType::Double, ColumnType::Double)
        | (FileType::Timestamp { utc: false }, ColumnType::Timestamp)
        | (FileType::Text, ColumnType::Text) => Fit::Same,
        (FileType::Other(_), _)
        | (
            FileType::Timestamp { .. } | FileType::Date,
            ColumnType::Bigint | ColumnType::Double | ColumnType::Text,
        )
        | (
            FileType::Boolean
            | FileType::Int
            | FileType::Bigint
            | FileType::Float
            | FileType::Double
            | FileType::Decimal { .. },
            ColumnType::Timestamp,
        )
        | (FileType::Boolean, ColumnType::Double) => Fit::Impossible,
        (
            FileType::Boolean | FileType::Float | FileType::Double | FileType::Decimal { .. },
            ColumnType::Bigint,
        )
        | (
            FileType::Int | FileType::Bigint | FileType::Float | FileType::Decimal { .. },
            ColumnType::Double,
        )
        | (FileType::Timestamp { utc: true } | FileType::Date, ColumnType::Timestamp)
        | (FileType::Text, ColumnType::Bigint | ColumnType::Double | ColumnType::Timestamp)
        | (
            FileType::Boolean
            | FileType::Int
            | FileType::Bigint
            | FileType::Float
            | FileType::Double
            | FileType::Decimal { .. },
            ColumnType::Text,
        ) => Fit::Converted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(layout: Layout, columns: &[(&str, FileType)]) -> FileSchema {
        let column = |(name, file_type): &(&str, FileType)| FileColumn {
            name: (*name).to_owned(),
            file_type: file_type.clone(),
        };
        FileSchema { layout, columns: columns.iter().map(column).collect(), rows: None }
    }

    fn map_zones(columns: &[(&str, FileType)]) -> Result<Mapping, Problem> {
        let zones = Dataset::named("zones".parse().unwrap());
        map(&zones, Month::Current, &schema(Layout::Named, columns))
    }

    #[test]
    fn names_all_missing_columns_at_once() {
        let error =
            map_zones(&[("LocationID", FileType::Int), ("Area", FileType::Text)]).unwrap_err();
        assert_eq!(error.column().as_deref(), Some("borough, zone"));
        assert_eq!(
            error.to_string(),
            "required column missing: borough, zone. The file has: LocationID, Area. \
             If it has a new name, add it to the aliases in shared/datasets/zones.toml"
        );
    }

    #[test]
    fn one_of_several_columns_is_enough() {
        let green = Dataset::named("green".parse().unwrap());
        let names = |skip: &[&str]| -> Vec<_> {
            let columns = green.columns.iter().map(|column| column.name.as_str());
            columns.filter(|name| !skip.contains(name)).map(|n| (n, FileType::Text)).collect()
        };
        let map = |skip: &[&str], month: &str| {
            let schema = schema(Layout::Positional, &names(skip));
            map(&green, month.parse().unwrap(), &schema).map_err(|error| error.column())
        };
        let zones = ["pulocationid", "dolocationid"];
        let all = ["pulocationid", "dolocationid", "pickup_longitude", "dropoff_longitude"];
        assert!(map(&zones, "2016-06").is_ok());
        assert_eq!(map(&zones, "2016-07").unwrap_err().unwrap(), "pulocationid, dolocationid");
        assert_eq!(
            map(&all, "2014-01").unwrap_err().unwrap(),
            "pulocationid or pickup_longitude, dolocationid or dropoff_longitude"
        );
    }

    #[test]
    fn notes_what_has_drifted() {
        let mapping = map_zones(&[
            ("__index_level_0__", FileType::Bigint),
            ("ZONE", FileType::Text),
            ("locationid", FileType::Double),
            ("borough", FileType::Null),
        ]);
        let mapping = mapping.unwrap();
        assert_eq!(mapping.sources, [vec![2], vec![3], vec![1], vec![]]);
        assert_eq!(mapping.drift.unknown, ["__index_level_0__"]);
        assert_eq!(mapping.drift.missing_optional, ["service_zone"]);
        let retyped = &mapping.drift.retyped[..];
        assert!(
            matches!(retyped, [one] if one.from == "double" && one.to == "bigint"),
            "{retyped:?}"
        );
    }

    #[test]
    fn refuses_columns_that_cannot_be_told_apart_or_converted() {
        let check = |columns: &[(&str, FileType)], expected: &str| {
            let base = [("Borough", FileType::Text), ("LocationID", FileType::Int)];
            let error = map_zones(&[&base, columns].concat()).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
        };
        check(
            &[("zone", FileType::Text), ("Zone", FileType::Text)],
            "two columns have one name: \"zone\" and \"Zone\"",
        );
        check(&[("zone ", FileType::Text)], "column \"zone \" has blanks around its name");
        let nested = FileType::Other("nested group".to_owned());
        check(
            &[("zone", nested)],
            "column zone is of type nested group, which cannot become string",
        );
    }
}
