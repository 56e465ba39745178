//! Statements and their answers, in the text files of `cases/`.
//!
//! A case is a directive line, a statement up to `----` or a blank line, and what is
//! expected: `ok`; `query` (rows, `|` between values, NULL bare); `typed` (like query,
//! column types first); `lines` (a `.txt` result); `error TEXT` (the failure contains
//! it); `refused TEXT` (not accepted at all); `file URL` (an object's lines);
//! `fixture URL NAME` (an object with the bytes of a file of `fixtures/`).

mod canonical;
mod conformance;
mod formats;
mod groups;
mod guide;
mod iceberg;
mod manual;
mod not_athena;
mod script;
mod support;
mod tables;
mod trino_functions;

use std::path::Path;

use super::{QueryContext, QueryOutput};
use crate::{Lake, S3Url};

/// A lake with a bucket `lake`, for results and tables.
pub(super) fn lake() -> Lake {
    let lake = Lake::temporary().unwrap();
    lake.store.create_bucket("lake", "us-east-1").unwrap();
    lake.store.create_bucket("results", "us-east-1").unwrap();
    if lake.catalog.database("default").is_err() {
        lake.catalog
            .create_database(crate::catalog::DatabaseInput {
                name: "default".to_owned(),
                ..Default::default()
            })
            .unwrap();
    }
    lake
}

pub(super) fn context(id: &str) -> QueryContext {
    QueryContext {
        query_id: id.to_owned(),
        database: Some("default".to_owned()),
        catalog: "AwsDataCatalog".to_owned(),
        output_location: S3Url::new("results", "out/"),
        parameters: Vec::new(),
        enforced: false,
        scan_limit: None,
        meter: crate::store::Meter::default(),
    }
}

/// Runs a statement under a fresh id.
pub(super) async fn run(lake: &Lake, statement: &str) -> Result<QueryOutput, String> {
    let id = uuid::Uuid::new_v4().to_string();
    lake.run(statement, &context(&id), tokio_util::sync::CancellationToken::new())
        .await
        .map_err(|error| error.to_string())
}

/// The rows of a `.csv` result, NULL as `None`, the header left out.
pub(super) fn rows(lake: &Lake, output: &QueryOutput) -> Vec<Vec<Option<String>>> {
    let url: S3Url = output.output_location.parse().unwrap();
    let body = lake.store.read(url.bucket(), url.key()).unwrap();
    let mut rows = super::result_file::parse_csv(std::str::from_utf8(&body).unwrap());
    rows.remove(0);
    rows
}

/// The lines of a `.txt` result.
pub(super) fn lines(lake: &Lake, output: &QueryOutput) -> Vec<String> {
    let url: S3Url = output.output_location.parse().unwrap();
    let body = lake.store.read(url.bucket(), url.key()).unwrap();
    String::from_utf8(body.to_vec()).unwrap().lines().map(str::to_owned).collect()
}

/// A file that another program made.
pub(super) fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn cases_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut names: Vec<_> =
        std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut failures = Vec::new();
    let mut count = 0;
    for name in names {
        let text = std::fs::read_to_string(&name).unwrap();
        let (ran, failed) = runtime.block_on(script::run(&name.display().to_string(), &text));
        count += ran;
        failures.extend(failed);
    }
    assert!(count > 0, "no cases in {}", folder.display());
    assert!(
        failures.is_empty(),
        "{} of {count} cases fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
