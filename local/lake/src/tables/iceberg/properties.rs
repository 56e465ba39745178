//! A table's properties: Athena's names for what Iceberg's metadata keeps by its own.
//! Source: user guide, querying-iceberg-creating-tables.md, vacuum-statement.md.

use std::collections::BTreeMap;

use crate::sql::Failure;
use crate::tables::Compression;

const FORMAT: &str = "write.format.default";
const CODEC: &str = "write.parquet.compression-codec";
const LEVEL: &str = "write.parquet.compression-level";
const MAX_AGE: &str = "history.expire.max-snapshot-age-ms";
const MIN_SNAPSHOTS: &str = "history.expire.min-snapshots-to-keep";
const MAX_METADATA: &str = "write.metadata.previous-versions-max";

/// Athena's names with Iceberg's, in the order they are shown.
const NAMES: [(&str, &str); 12] = [
    ("format", FORMAT),
    ("write_compression", CODEC),
    ("compression_level", LEVEL),
    ("write_target_data_file_size_bytes", "write.target-file-size-bytes"),
    (
        "optimize_rewrite_min_data_file_size_bytes",
        "athena.optimize.rewrite.min-data-file-size-bytes",
    ),
    (
        "optimize_rewrite_max_data_file_size_bytes",
        "athena.optimize.rewrite.max-data-file-size-bytes",
    ),
    ("optimize_rewrite_data_file_threshold", "athena.optimize.rewrite.data-file-threshold"),
    ("optimize_rewrite_delete_file_threshold", "athena.optimize.rewrite.delete-file-threshold"),
    ("vacuum_max_snapshot_age_seconds", MAX_AGE),
    ("vacuum_min_snapshots_to_keep", MIN_SNAPSHOTS),
    ("vacuum_max_metadata_files_to_keep", MAX_METADATA),
    ("write_data_path_enabled", "athena.write.data-path-enabled"),
];

/// Iceberg's name of one of Athena's properties, in any case.
pub(crate) fn stored_name(name: &str) -> Option<&'static str> {
    let (_, stored) = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(stored)
}

/// The properties of a statement as metadata keeps them; `table_type` is none of them.
///
/// Errors: `NOT_SUPPORTED` of names Athena does not take and of formats that are not written here;
/// `INVALID_TABLE_PROPERTY` of values out of range.
pub(crate) fn stored_properties(
    given: &[(String, String)],
) -> Result<BTreeMap<String, String>, Failure> {
    let mut found = BTreeMap::new();
    for (name, value) in given {
        if name.eq_ignore_ascii_case("table_type") {
            continue;
        }
        let stored = stored_name(name).ok_or_else(|| {
            Failure::not_supported(format!("Unsupported table property key: {name}"))
        })?;
        found.insert(stored.to_owned(), checked(name, stored, value)?);
    }
    check_format(&found)?;
    if found.contains_key(LEVEL) && !found.contains_key(CODEC) {
        return Err(invalid(
            "Compression codec must be defined when compression_level property is specified.",
        ));
    }
    if !found.is_empty() {
        compression_of(&found)?;
    }
    Ok(found)
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("INVALID_TABLE_PROPERTY", message)
}

fn checked(name: &str, stored: &str, value: &str) -> Result<String, Failure> {
    let number =
        || {
            value.trim().parse::<i64>().ok().filter(|number| *number >= 0).ok_or_else(|| {
                invalid(format!("Invalid value for table property '{name}': {value}"))
            })
        };
    match stored {
        FORMAT => Ok(value.to_uppercase()),
        CODEC => Ok(value.to_lowercase()),
        MAX_AGE => Ok(number()?.saturating_mul(1_000).to_string()),
        "athena.write.data-path-enabled" => Ok(value.to_lowercase()),
        _ => Ok(number()?.to_string()),
    }
}

/// Only Parquet is written.
pub(super) fn check_format(properties: &BTreeMap<String, String>) -> Result<(), Failure> {
    match properties.get(FORMAT) {
        Some(format) if !format.eq_ignore_ascii_case("parquet") => Err(Failure::not_supported(
            format!("Iceberg tables of the format {format} are not written here"),
        )),
        _ => Ok(()),
    }
}

/// What files are packed by: zstd where nothing is said.
pub(crate) fn compression_of(
    properties: &BTreeMap<String, String>,
) -> Result<Compression, Failure> {
    let level = properties.get(LEVEL).map(|level| {
        level.parse().ok().filter(|level| (1..=22).contains(level)).ok_or_else(|| {
            invalid(format!("compression_level must be between 1 and 22, found {level}"))
        })
    });
    let level = level.transpose()?;
    match properties.get(CODEC).map_or("zstd", String::as_str).to_lowercase().as_str() {
        "zstd" => Ok(Compression::Zstd(level.unwrap_or(3))),
        "gzip" => Ok(Compression::Gzip),
        "snappy" => Ok(Compression::Snappy),
        "none" | "uncompressed" => Ok(Compression::None),
        other => Err(Failure::not_supported(format!(
            "Parquet files packed by {other} are not written here"
        ))),
    }
}

/// The properties Athena shows, by its names.
pub(crate) fn shown_properties(
    properties: &BTreeMap<String, String>,
) -> Vec<(&'static str, String)> {
    let shown = NAMES.iter().filter_map(|(name, stored)| {
        let value = properties.get(*stored)?;
        Some((
            *name,
            match *stored {
                FORMAT => value.to_lowercase(),
                MAX_AGE => value
                    .parse::<i64>()
                    .map_or_else(|_| value.clone(), |age| (age / 1_000).to_string()),
                _ => value.clone(),
            },
        ))
    });
    shown.collect()
}

/// What maintenance asks of a table, with Athena's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableProperties {
    /// Milliseconds; 5 days.
    pub max_snapshot_age_ms: i64,
    /// 1.
    pub min_snapshots: usize,
    /// 100.
    pub max_metadata_files: usize,
    /// Bytes; 512 MB.
    pub target_size: i64,
    /// Smaller files are rewritten; three quarters of the target.
    pub min_size: i64,
    /// Larger files are rewritten; 1.8 times the target.
    pub max_size: i64,
    /// Fewer files are not rewritten; 5.
    pub file_threshold: usize,
    /// Files with as many files of deletes are rewritten; 2.
    pub delete_threshold: usize,
}

impl TableProperties {
    pub fn of(properties: &BTreeMap<String, String>) -> Self {
        let number = |name: &str, default: i64| {
            let stored = stored_name(name).and_then(|stored| properties.get(stored));
            stored.and_then(|value| value.parse().ok()).unwrap_or(default)
        };
        let count = |name: &str, default: i64| usize::try_from(number(name, default)).unwrap_or(0);
        let target_size = number("write_target_data_file_size_bytes", 536_870_912);
        Self {
            max_snapshot_age_ms: number("vacuum_max_snapshot_age_seconds", 432_000_000),
            min_snapshots: count("vacuum_min_snapshots_to_keep", 1),
            max_metadata_files: count("vacuum_max_metadata_files_to_keep", 100),
            target_size,
            min_size: number("optimize_rewrite_min_data_file_size_bytes", target_size / 4 * 3),
            max_size: number("optimize_rewrite_max_data_file_size_bytes", target_size / 5 * 9),
            file_threshold: count("optimize_rewrite_data_file_threshold", 5),
            delete_threshold: count("optimize_rewrite_delete_file_threshold", 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn athenas_names_are_kept_by_icebergs_and_shown_again() {
        let given = [
            ("table_type", "ICEBERG"),
            ("FORMAT", "Parquet"),
            ("write_compression", "GZIP"),
            ("vacuum_max_snapshot_age_seconds", "60"),
        ];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let stored = stored_properties(&given).unwrap();
        assert_eq!(stored[MAX_AGE], "60000");
        let shown: Vec<String> = shown_properties(&stored)
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(
            shown,
            ["format=parquet", "write_compression=gzip", "vacuum_max_snapshot_age_seconds=60"]
        );
        assert_eq!(TableProperties::of(&stored).max_snapshot_age_ms, 60_000);
        assert_eq!(TableProperties::of(&stored).min_size, 402_653_184);
        for (name, value) in [("x", "1"), ("format", "orc"), ("vacuum_min_snapshots_to_keep", "-1")]
        {
            assert!(stored_properties(&[(name.to_owned(), value.to_owned())]).is_err(), "{name}");
        }
    }
}
