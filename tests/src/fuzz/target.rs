//! What is fuzzed: functions of bytes, with promises of their own where there are some.

use extract::content::Inspector;
use lake::sql::Statement;
use serde_json::{Value, json};
use shared::dataset::{Dataset, DatasetName};
use shared::event::{FileFormat, Manifest, PlanInput, ValidateInput};
use shared::ledger::Entry;
use shared::payload::Payload;
use shared::s3_uri::S3Uri;
use validate::{csv_header, parquet_footer};

use super::{machine, seed, table_file};

pub struct Target {
    pub name: &'static str,
    /// Takes any bytes; it panics where a promise is broken.
    pub run: fn(&[u8]),
    /// Valid inputs.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

pub const TARGETS: &[Target] = &[
    Target { name: "event", run: event, seeds: seed::events },
    Target { name: "csv-header", run: header, seeds: seed::csv_files },
    Target { name: "csv-rows", run: rows, seeds: seed::csv_files },
    Target { name: "items", run: items, seeds: seed::item_files },
    Target { name: "ledger", run: ledger, seeds: seed::entries },
    Target { name: "manifest", run: manifest, seeds: seed::manifests },
    Target { name: "parquet-footer", run: footer, seeds: seed::parquet_files },
    Target { name: "definition", run: definition, seeds: seed::definitions },
    Target { name: "jsonpath", run: machine::json_path, seeds: seed::json_paths },
    Target { name: "intrinsic", run: machine::intrinsic, seeds: seed::intrinsics },
    Target { name: "jsonata", run: machine::jsonata, seeds: seed::jsonata },
    Target { name: "sql", run: sql, seeds: seed::statements },
    Target { name: "hive-type", run: hive_type, seeds: seed::hive_types },
    Target { name: "orc", run: table_file::orc, seeds: table_file::orc_files },
    Target { name: "avro", run: table_file::avro, seeds: table_file::avro_files },
    Target {
        name: "iceberg-metadata",
        run: table_file::metadata,
        seeds: table_file::metadata_files,
    },
    Target { name: "iceberg-manifest", run: table_file::manifest, seeds: table_file::manifests },
    Target {
        name: "iceberg-list",
        run: table_file::manifest_list,
        seeds: table_file::manifest_lists,
    },
    Target { name: "ruleset", run: ruleset, seeds: seed::rulesets },
];

/// An event of S3 as a function is sent it: what is an arrival is written as it was read.
fn event(bytes: &[u8]) {
    let Ok(Payload(Ok(event))) = serde_json::from_slice(bytes) else { return };
    let _ = extract::arrival::foreign(&event);
    let Ok(input) = PlanInput::try_from(event) else { return };
    assert_eq!(PlanInput::try_from(Value::from(input.clone())).as_ref(), Ok(&input));
    if let PlanInput::Arrival(arrival) = input {
        let contracts: Vec<_> = DatasetName::all().map(Dataset::named).collect();
        let bucket = arrival.bucket.clone();
        if let Ok(name) = extract::arrival::name(&arrival, &bucket, &contracts) {
            assert!(
                arrival.key.starts_with("arrivals/") && !arrival.key.contains(".."),
                "{name:?}"
            );
        }
    }
}

/// What a header says becomes statements that are statements, whatever its names are.
fn header(bytes: &[u8]) {
    for gzip in [false, true] {
        let Ok(schema) = csv_header::parse(bytes, gzip) else { continue };
        for dataset in DatasetName::all() {
            let month = Dataset::named(dataset).first_month;
            let input = validate_input(dataset.as_str(), &month.to_string());
            let config = validate::Config {
                database: "d".to_owned(),
                raw_bucket: "raw".to_owned(),
                lake_bucket: "lake".to_owned(),
            };
            let Ok(validation) = validate::validate(
                &config,
                &input,
                &schema,
                "0123456789ab",
                jiff::civil::DateTime::default(),
            ) else {
                continue;
            };
            for sql in [validation.sql.create_raw, validation.sql.convert, validation.sql.audit] {
                if let Err(error) = Statement::parse(&sql, Some(&[])) {
                    panic!("{error:?}\n{sql}");
                }
            }
        }
    }
}

fn validate_input(dataset: &str, month: &str) -> ValidateInput {
    let source = json!({"kind": "s3", "bucket": "raw", "key": "k"});
    serde_json::from_value(json!({
        "unit": {"dataset": dataset, "month": month, "source": source, "reason": "new"},
        "manifest": {"location": "s3://raw/k/", "key": "k/f", "file": "f", "bytes": 1, "lines": 3,
            "fingerprint": "f", "etag": "e", "format": "csv", "unchanged": false},
    }))
    .expect("it is the agreed form")
}

/// A file is the same file in whatever chunks it comes.
fn rows(bytes: &[u8]) {
    for format in FileFormat::ALL {
        let inspect = |size: usize| {
            let mut inspector = Inspector::new(format);
            bytes.chunks(size).try_for_each(|chunk| inspector.update(chunk))?;
            inspector.finish()
        };
        let whole = inspect(bytes.len().max(1));
        assert_eq!(inspect(7).is_ok(), whole.is_ok());
        if let (Ok(parts), Ok(whole)) = (inspect(1_000), whole) {
            assert_eq!(parts, whole);
        }
    }
}

fn items(bytes: &[u8]) {
    for kind in ["CSV", "JSON", "JSONL"] {
        for limit in [None, Some(3)] {
            let config = asl::ReaderConfig {
                input_type: Some(kind.to_owned()),
                csv_delimiter: ',',
                max_items: limit,
                ..asl::ReaderConfig::default()
            };
            let _ = asl::items::parse_items(bytes, &config);
        }
    }
}

fn ledger(bytes: &[u8]) {
    let Ok(entry) = serde_json::from_slice::<Entry>(bytes) else { return };
    let written = serde_json::to_vec(&entry).expect("an entry is JSON");
    assert_eq!(serde_json::from_slice::<Entry>(&written).ok(), Some(entry));
}

fn manifest(bytes: &[u8]) {
    let Ok(manifest) = serde_json::from_slice::<Manifest>(bytes) else { return };
    let written = serde_json::to_vec(&manifest).expect("a manifest is JSON");
    assert_eq!(serde_json::from_slice::<Manifest>(&written).ok().as_ref(), Some(&manifest));
    assert_eq!(manifest.location.to_string().parse::<S3Uri>().ok(), Some(manifest.location));
}

fn footer(bytes: &[u8]) {
    let size = bytes.len() as u64;
    let _ = parquet_footer::length(bytes, size);
    if let Ok(schema) = parquet_footer::parse(bytes, size) {
        for column in &schema.columns {
            let _ = (column.file_type.describe(), column.key());
        }
    }
}

fn definition(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for execution_type in [asl::ExecutionType::Standard, asl::ExecutionType::Express] {
        let accepted = asl::Definition::parse_as(&text, execution_type).is_ok();
        let remarks = asl::review(&text, execution_type);
        assert!(accepted || !remarks.is_empty(), "refused without a word");
    }
}

fn sql(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = lake::sql::classify(&text);
    let _ = Statement::parse(&text, None);
    if let Ok((_, statement)) = Statement::parse(&text, Some(&["1".to_owned()])) {
        let copy = statement.clone();
        let _ = format!("{copy:?}");
    }
}

fn hive_type(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(normal) = lake::hive::normalise_type(&text) {
        assert_eq!(lake::hive::normalise_type(&normal).as_ref(), Some(&normal));
    }
    let _ = lake::hive::trino_type_text(&text);
}

/// A ruleset is read or refused with a place in it; what is planned is SQL, unless its author wrote other SQL into it.
fn ruleset(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let ruleset = match dqdl::parse(&text) {
        Ok(ruleset) => ruleset,
        Err(problems) => {
            let lines = text.split('\n').count();
            assert!(!problems.is_empty(), "refused without a word");
            assert!(problems.iter().all(|problem| (1..=lines).contains(&problem.place.line)));
            return;
        }
    };
    let _ = ruleset.to_string();
    let green = Dataset::named("green".parse().expect("a data set"));
    let month = "2024-01".parse().expect("a month");
    let table = green.rule_table("\"d\".\"t\"".to_owned(), month);
    let references = [("staged".to_owned(), table.clone())].into();
    let sources =
        dqdl::Sources { primary: table, references, now: jiff::civil::DateTime::default() };
    let Ok(plan) = dqdl::Plan::new(&ruleset, &sources) else { return };
    let _ = plan.judge(&dqdl::Measures::new(), &dqdl::History::new());
    let checks = ruleset.rules.iter().flat_map(dqdl::Rule::checks);
    let mut others =
        checks.map(|check| (check.rule_type == dqdl::RuleType::CustomSql, check.filter.is_some()));
    if others.all(|(own, filter)| !own && !filter) && ruleset.analyzers.is_empty() {
        // Athena takes no longer statement.
        let statements = plan.scans.statements().into_iter().filter(|sql| sql.len() <= 262_144);
        for sql in statements {
            if let Err(error) = Statement::parse(&sql, Some(&[])) {
                panic!("{error:?}\n{sql}");
            }
        }
    }
}
