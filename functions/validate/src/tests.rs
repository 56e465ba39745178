//! Real and made-up files, from their bytes to their statements.

use std::path::{Path, PathBuf};

use shared::event::{FileFormat, Validation};
use shared::s3_uri::S3Uri;

use crate::*;

/// Where the TLC's own files lie, on machines that have them.
const REAL_FILES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/tlc");

fn format_of(path: &Path) -> FileFormat {
    let name = path.to_string_lossy();
    let endings = [FileFormat::CsvGz, FileFormat::Csv, FileFormat::Parquet];
    endings.into_iter().find(|format| name.ends_with(format.extension())).unwrap()
}

fn schema_of(path: &Path) -> Result<FileSchema, Unreadable> {
    let bytes = std::fs::read(path).unwrap();
    let format = format_of(path);
    match format {
        FileFormat::Parquet => parquet_footer::parse(&bytes, bytes.len() as u64),
        FileFormat::Csv | FileFormat::CsvGz => {
            let head = &bytes[..bytes.len().min(65_536)];
            csv_header::parse(head, format == FileFormat::CsvGz)
        }
    }
}

fn input(dataset: &str, month: &str, file: &str, format: FileFormat) -> ValidateInput {
    let source = serde_json::json!({"kind": "http", "url": format!("https://tlc/{file}")});
    let unit = serde_json::json!({
        "dataset": dataset, "month": month, "source": source, "reason": "new",
    });
    ValidateInput {
        execution: String::new(),
        unit: serde_json::from_value(unit).unwrap(),
        manifest: shared::event::Manifest {
            location: S3Uri::new("raw", format!("raw/{dataset}/month={month}/0/")),
            key: format!("raw/{dataset}/month={month}/0/{file}"),
            file: file.to_owned(),
            bytes: 1,
            fingerprint: "f".repeat(64),
            etag: "\"e\"".to_owned(),
            format,
            lines: (format != FileFormat::Parquet).then_some(3),
            unchanged: false,
            source: None,
        },
    }
}

fn config() -> Config {
    Config {
        database: "nyctaxidb".to_owned(),
        raw_bucket: "raw".to_owned(),
        lake_bucket: "lake".to_owned(),
    }
}

/// Validates the file at `path` as `dataset` and `month`, or as its name says.
fn validated(path: &Path, dataset: &str, month: &str) -> Result<Validation, Problem> {
    let file = path.file_name().unwrap().to_string_lossy();
    let input = input(dataset, month, &file, format_of(path));
    validate(&config(), &input, &schema_of(path)?, "0123456789ab")
}

/// `green_tripdata_2024-01.parquet` → green, 2024-01.
fn by_name(file: &str) -> Option<(&str, &str)> {
    let (dataset, rest) = file.split_once("_tripdata_")?;
    let month = rest.split('.').next()?;
    month.parse::<shared::month::Month>().ok()?;
    Some((dataset, month))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    files.sort();
    files
}

/// Every CSV era: all headers of the TLC map, and no column of theirs is lost.
#[test]
fn every_csv_header_of_the_tlc_maps() {
    let heads = files(&Path::new(REAL_FILES).join("csv_heads"));
    for path in &heads {
        let file = path.file_name().unwrap().to_str().unwrap();
        let (dataset, month) = by_name(file).unwrap();
        let validation = validated(path, dataset, month).unwrap_or_else(|e| panic!("{file}: {e}"));
        assert!(validation.drift.unknown.is_empty(), "{file}: {:?}", validation.drift);
        assert!(validation.drift.retyped.is_empty(), "{file}: {:?}", validation.drift);
    }
    println!("{} CSV headers of the TLC", heads.len());
}

/// Every month file in the folder maps; the sums of rows are those of the fact sheet.
#[test]
fn every_month_of_the_tlc_maps() {
    let mut checked = 0;
    for path in files(Path::new(REAL_FILES)) {
        let file = path.file_name().unwrap().to_str().unwrap();
        let Some((dataset, month)) = by_name(file) else { continue };
        let validation = validated(&path, dataset, month).unwrap_or_else(|e| panic!("{file}: {e}"));
        println!("{file}: {} rows, {:?}", validation.rows_in, validation.drift);
        if let Ok(folder) = std::env::var("SQL_DUMP") {
            let text = serde_json::to_string(&validation).unwrap();
            std::fs::write(Path::new(&folder).join(format!("{file}.json")), text).unwrap();
        }
        checked += 1;
    }
    println!("{checked} month files of the TLC");
}
