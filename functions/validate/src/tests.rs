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

fn now() -> jiff::civil::DateTime {
    jiff::civil::date(2026, 11, 26).at(2, 0, 0, 0)
}

/// Validates the file at `path` as `dataset` and `month`, or as its name says.
fn validated(path: &Path, dataset: &str, month: &str) -> Result<Validation, Problem> {
    let file = path.file_name().unwrap().to_string_lossy();
    let input = input(dataset, month, &file, format_of(path));
    validate(&config(), &input, &schema_of(path)?, "0123456789ab", now())
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
        checked += 1;
    }
    println!("{checked} month files of the TLC");
}

/// Every era of CSV files, on machines without the TLC's files too.
#[test]
fn every_known_csv_header_maps() {
    let mut checked = 0;
    for line in include_str!("../testdata/csv_headers.txt").lines() {
        let fields: Vec<_> = line.splitn(4, '\t').collect();
        let [dataset, first, last, header] = fields[..] else { continue };
        for month in [first, last] {
            let schema = csv_header::parse(format!("{header}\r\n").as_bytes(), false).unwrap();
            let input = input(dataset, month, "file.csv", FileFormat::Csv);
            let validation = validate(&config(), &input, &schema, "0123456789ab", now());
            let drift = validation.unwrap_or_else(|error| panic!("{line}: {error}")).drift;
            assert!(drift.unknown.is_empty(), "{line}: {drift:?}");
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
}

/// Every era of Parquet files, with the drift it is known for.
#[test]
fn every_known_parquet_schema_maps() {
    let mut checked = 0;
    for line in include_str!("../testdata/parquet_schemas.txt").lines() {
        let fields: Vec<_> = line.split('\t').collect();
        let [dataset, month, columns, expected] = fields[..] else { continue };
        let columns = columns.split(' ').map(|column| {
            let (name, file_type) = column.split_once(':').unwrap();
            FileColumn { name: name.to_owned(), file_type: file_type_of(file_type) }
        });
        let schema = FileSchema {
            layout: file_schema::Layout::Named,
            columns: columns.collect(),
            rows: Some(1),
        };
        let input = input(dataset, month, "file.parquet", FileFormat::Parquet);
        let validation = validate(&config(), &input, &schema, "0123456789ab", now());
        let drift = validation.unwrap_or_else(|error| panic!("{line}: {error}")).drift;
        let retyped = drift.retyped.into_iter().map(|retyped| retyped.column).collect();
        let kinds =
            [("retyped", retyped), ("unknown", drift.unknown), ("missing", drift.missing_optional)];
        let kinds = kinds.into_iter().filter(|(_, names)| !names.is_empty());
        let found: Vec<_> =
            kinds.flat_map(|(kind, names)| [vec![kind.to_owned()], names].concat()).collect();
        assert_eq!(found.join(" "), expected, "{dataset} {month}");
        checked += 1;
    }
    assert_eq!(checked, 12);
}

fn file_type_of(name: &str) -> FileType {
    let types = [FileType::Int, FileType::Bigint, FileType::Double, FileType::Text, FileType::Null];
    let types = types.into_iter().chain([FileType::Timestamp { utc: false }]);
    types.into_iter().find(|file_type| file_type.describe() == name).unwrap()
}

/// Files of other origins: what is made of each is decided by the contract, not by chance.
#[test]
fn files_of_other_origins() {
    let check = |file: &str, dataset: &str, month: &str, expected: Result<u64, &str>| {
        let path = Path::new(REAL_FILES).join(file);
        if !path.exists() {
            return 0;
        }
        let found = validated(&path, dataset, month).map(|validation| validation.rows_in);
        let found = found.map_err(|problem| problem.column().unwrap_or_default());
        assert_eq!(found, expected.map_err(str::to_owned), "{file}");
        1
    };
    let renamed = Err("ratecodeid, pulocationid, dolocationid");
    let checked = [
        check("green_tripdata_2020-04.parquet", "green", "2020-04", Ok(35_612)),
        check("green_tripdata_2021-01.parquet", "green", "2021-01", Ok(73_908)),
        check("green_tripdata_2025-11.parquet", "green", "2025-11", Ok(46_912)),
        check(
            "green_tripdata_2025-11.parquet",
            "yellow",
            "2025-11",
            Err("tpep_pickup_datetime, tpep_dropoff_datetime"),
        ),
        check("yellow_tripdata_sample_2020-01.csv", "yellow", "2020-01", renamed),
        check("yellow_sample_narendar.parquet", "yellow", "2025-01", Ok(10_000)),
        check("yellow_sample_narendar.csv", "yellow", "2025-01", Ok(3)),
        check("yellow_2016-03_sample_latlon.csv", "yellow", "2016-03", Ok(3)),
        check("taxi_zone_lookup_2020.csv", "zones", "current", Ok(3)),
        check("taxi_zone_lookup_trim.csv", "zones", "current", Ok(3)),
        check("taxi_zone_lookup.parquet", "zones", "current", Ok(265)),
    ];
    println!("{} files of other origins", checked.iter().sum::<u32>());
}

fn statements(dataset: &str, month: &str, schema: &FileSchema) -> String {
    let file = format!("{dataset}_tripdata_{month}.it's");
    let input = input(dataset, month, &file, FileFormat::Csv);
    let sql = validate(&config(), &input, schema, "0123456789ab", now()).unwrap().sql;
    let key = key_of(&sql.create_raw);
    [sql.create_raw, sql.convert, sql.audit].join("\n\n").replace(&key, "KEY")
}

/// The run key's digits, which change with every contract.
fn key_of(create_raw: &str) -> String {
    let (_, rest) = create_raw.split_once("`raw_").unwrap();
    rest[..16].to_owned()
}

#[test]
fn statements_of_a_csv_file_of_2009() {
    let header = b"vendor_name,Trip_Pickup_DateTime,Trip_Dropoff_DateTime,Passenger_Count,\
        Trip_Distance,Start_Lon,Start_Lat,Rate_Code,store_and_forward,End_Lon,End_Lat,\
        Payment_Type,Fare_Amt,surcharge,mta_tax,Tip_Amt,Tolls_Amt,Total_Amt\n";
    let schema = csv_header::parse(header, false).unwrap();
    insta::assert_snapshot!(statements("yellow", "2009-11", &schema));
}

#[test]
fn statements_of_two_base_columns() {
    let header = b"\"Pickup_DateTime\",\"DropOff_datetime\",\"PUlocationID\",\"DOlocationID\",\
        \"SR_Flag\",\"Dispatching_base_number\",\"Dispatching_base_num\"\r\n";
    let schema = csv_header::parse(header, false).unwrap();
    insta::assert_snapshot!(statements("fhv", "2018-01", &schema));
}

#[test]
fn statements_of_a_parquet_file_of_2023() {
    let column = |(name, file_type): (&str, FileType)| FileColumn { name: name.into(), file_type };
    let timestamp = || FileType::Timestamp { utc: false };
    let columns = [
        ("VendorID", FileType::Bigint),
        ("lpep_pickup_datetime", timestamp()),
        ("lpep_dropoff_datetime", timestamp()),
        ("store_and_fwd_flag", FileType::Text),
        ("RatecodeID", FileType::Double),
        ("PULocationID", FileType::Int),
        ("DOLocationID", FileType::Bigint),
        ("passenger_count", FileType::Double),
        ("trip_distance", FileType::Double),
        ("fare_amount", FileType::Double),
        ("extra", FileType::Double),
        ("mta_tax", FileType::Double),
        ("tip_amount", FileType::Double),
        ("tolls_amount", FileType::Double),
        ("ehail_fee", FileType::Null),
        ("improvement_surcharge", FileType::Double),
        ("total_amount", FileType::Double),
        ("payment_type", FileType::Double),
        ("trip_type", FileType::Double),
        ("congestion_surcharge", FileType::Double),
        ("__index_level_0__", FileType::Bigint),
    ];
    let schema = FileSchema {
        layout: file_schema::Layout::Named,
        columns: columns.into_iter().map(column).collect(),
        rows: Some(68_211),
    };
    insta::assert_snapshot!(statements("green", "2023-01", &schema));
}

#[test]
fn refuses_files_by_name_of_the_error() {
    let check = |schema: &FileSchema, lines, expected: ErrorName| {
        let mut input = input("zones", "current", "taxi_zone_lookup.csv", FileFormat::Csv);
        input.manifest.lines = lines;
        let problem = validate(&config(), &input, schema, "0123456789ab", now()).unwrap_err();
        assert_eq!(refuse(&input, problem).name(), expected);
    };
    let parse = |header: &[u8]| csv_header::parse(header, false).unwrap();
    let zones = parse(b"LocationID,Borough,Zone,service_zone");
    check(&zones, Some(0), ErrorName::DataEmpty);
    check(&zones, None, ErrorName::InputInvalid);
    check(&parse(b"LocationID,Zone"), Some(3), ErrorName::SchemaMissingColumn);
    check(&parse(b"LocationID,Borough,Zone,zone"), Some(3), ErrorName::SchemaUnreadable);
}
