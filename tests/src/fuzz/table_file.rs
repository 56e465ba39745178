//! Files of tables, as whoever puts them under a table's location made them: read by a statement, or by their format.

use std::fs;
use std::sync::LazyLock;

use iceberg::{Manifest, ManifestContent, ManifestFile, ManifestList, TableMetadata};
use lake::Lake;
use lake::sql::QueryContext;
use lake::store::{ListQuery, Meter, PutOptions};
use tokio_util::sync::CancellationToken;

use crate::house::root;

const BUCKET: &str = "lake";

/// One for all inputs of a process.
static LAKE: LazyLock<Lake> = LazyLock::new(made);

fn made() -> Lake {
    let lake = Lake::temporary().expect("a folder");
    lake.store.create_bucket(BUCKET, "us-east-1").expect("a bucket");
    if lake.catalog.database("default").is_err() {
        done(&lake, "CREATE DATABASE default");
    }
    for (format, columns) in [
        (
            "ORC",
            "price decimal(5,2), tags array<string>, counts map<string,int>, place struct<x:int,y:string>, at timestamp",
        ),
        (
            "AVRO",
            "id int, big bigint, micros bigint, tags array<string>, counts map<string,int>, place struct<x:int,y:string>",
        ),
    ] {
        let made = format!(
            "CREATE EXTERNAL TABLE {format} ({columns}) STORED AS {format} LOCATION 's3://{BUCKET}/{format}/'"
        );
        done(&lake, &made);
    }
    lake
}

/// Runs a statement that may fail.
fn tried(lake: &Lake, statement: &str) -> Result<(), String> {
    let context = QueryContext {
        query_id: "q".to_owned(),
        database: Some("default".to_owned()),
        catalog: "AwsDataCatalog".to_owned(),
        output_location: format!("s3://{BUCKET}/results/").parse().expect("a place"),
        parameters: Vec::new(),
        enforced: false,
        scan_limit: None,
        meter: Meter::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let run = lake.run(statement, &context, CancellationToken::new());
    let ran = runtime.expect("a runtime").block_on(run);
    ran.map(drop).map_err(|error| error.to_string())
}

fn done(lake: &Lake, statement: &str) {
    tried(lake, statement).unwrap_or_else(|error| panic!("{statement}: {error}"));
}

fn read(table: &str, bytes: &[u8]) {
    let key = format!("{table}/file");
    LAKE.store.put(BUCKET, &key, bytes, PutOptions::default()).expect("an object");
    let failed = tried(&LAKE, &format!("SELECT * FROM {table}")).err();
    assert!(!failed.is_some_and(|error| error.is_empty()), "it failed without a word");
}

pub fn orc(bytes: &[u8]) {
    read("ORC", bytes);
}

pub fn avro(bytes: &[u8]) {
    read("AVRO", bytes);
}

fn fixtures(ending: &str) -> Vec<Vec<u8>> {
    let folder = fs::read_dir(root().join("local/lake/fixtures")).expect("fixtures");
    let mut paths: Vec<_> = folder.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|own| own == ending));
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("it is there")).collect()
}

pub fn orc_files() -> Vec<Vec<u8>> {
    fixtures("orc")
}

pub fn avro_files() -> Vec<Vec<u8>> {
    fixtures("avro")
}

/// What is read of a table of today's format is read again as it is written.
pub fn metadata(bytes: &[u8]) {
    let Ok(metadata) = TableMetadata::read(bytes) else { return };
    if metadata.format_version == 2 {
        TableMetadata::read(&metadata.write()).expect("what is written can be read");
    }
}

pub fn manifest(bytes: &[u8]) {
    for content in [ManifestContent::Data, ManifestContent::Deletes] {
        let listed = ManifestFile { content, ..LISTED.clone() };
        if let Ok(manifest) = Manifest::read(bytes, &listed) {
            let _ = manifest.write();
        }
    }
}

pub fn manifest_list(bytes: &[u8]) {
    if let Ok(list) = ManifestList::read(bytes) {
        ManifestList::read(&list.write(1, None, 1)).expect("what is written can be read");
    }
}

/// What a list says of a manifest.
static LISTED: LazyLock<ManifestFile> = LazyLock::new(|| {
    let lists = manifest_lists();
    let list = ManifestList::read(&lists[0]).expect("a list");
    list.manifests.into_iter().next().expect("a manifest")
});

/// Files of the metadata of a table that was changed a few times.
fn iceberg_files(belongs: fn(&str) -> bool) -> Vec<Vec<u8>> {
    let lake = made();
    for statement in [
        "CREATE TABLE ice (id int, zone string, at timestamp, price decimal(9,2), tags array<string>) \
         PARTITIONED BY (bucket(2, id), day(at), truncate(3, zone)) LOCATION 's3://lake/ice/' TBLPROPERTIES ('table_type'='ICEBERG')",
        "INSERT INTO ice VALUES (1, 'Astoria', TIMESTAMP '2024-01-01 10:00:00', 1.50, ARRAY['a']), (2, NULL, NULL, NULL, NULL)",
        "INSERT INTO ice SELECT id + 2, zone, at, price, tags FROM ice",
        "ALTER TABLE ice ADD COLUMNS (more double)",
        "DELETE FROM ice WHERE id = 1",
        "UPDATE ice SET more = 0.5 WHERE id > 2",
    ] {
        done(&lake, statement);
    }
    let query = ListQuery { prefix: "ice/metadata/", delimiter: None, after: None, max: 1_000 };
    let listed = lake.store.list(BUCKET, query).expect("a list").objects;
    let mut keys: Vec<String> = listed.into_iter().map(|object| object.key).collect();
    keys.retain(|key| belongs(key));
    keys.iter().map(|key| lake.store.read(BUCKET, key).expect("it is there").to_vec()).collect()
}

pub fn metadata_files() -> Vec<Vec<u8>> {
    iceberg_files(|key| key.ends_with(".metadata.json"))
}

pub fn manifests() -> Vec<Vec<u8>> {
    iceberg_files(|key| key.ends_with("-m0.avro"))
}

pub fn manifest_lists() -> Vec<Vec<u8>> {
    iceberg_files(|key| key.contains("/snap-"))
}
