//! The ledger: what is loaded, and the only truth about it.
//!
//! One object a commit, `ledger/<dataset>/<seq, 8 digits>.json`. Each holds the whole head in
//! `live`, so that the newest object alone is the state. `load` alone writes here.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::dataset::DatasetName;
use crate::error::{ErrorName, NamedError};
use crate::event::Source;
use crate::month::Month;
use crate::run::{Run, RunKey};
use crate::storage::{StorageError, read_object};

/// The parameter of a published view that names the entry it shows.
pub const SHOWN: &str = "ledger_seq";

/// One commit, and the state after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// 1 for the first.
    pub seq: u64,
    pub committed_at: Timestamp,
    pub execution: String,
    pub entry: LiveRun,
    /// The live run of every month.
    pub live: BTreeMap<Month, LiveRun>,
}

/// A committed run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveRun {
    pub dataset: DatasetName,
    pub month: Month,
    pub run_key: RunKey,
    pub run: Run,
    pub fingerprint: String,
    pub source: Source,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_rejected: u64,
    pub contract_version: String,
    /// Who had it loaded though it fails expectations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("ledger entry {key} is not readable: {source}")]
    Unreadable { key: String, source: serde_json::Error },
}

impl NamedError for LedgerError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Storage(error) => error.name(),
            Self::Unreadable { .. } => ErrorName::ConfigInvalid,
        }
    }
}

/// The key of entry `seq` in the lake bucket.
pub fn key(dataset: DatasetName, seq: u64) -> String {
    format!("{}{seq:08}.json", folder(dataset))
}

fn folder(dataset: DatasetName) -> String {
    format!("ledger/{dataset}/")
}

/// The newest entry, or none before the first commit. `known` is an entry already seen: the
/// listing starts there. S3 lists keys in order, 1,000 at a time, and right after a write
/// (Amazon S3 user guide, "strong read-after-write consistency").
pub async fn head(
    s3: &Client,
    lake_bucket: &str,
    dataset: DatasetName,
    known: Option<u64>,
) -> Result<Option<Entry>, LedgerError> {
    let start = known.filter(|seq| *seq > 0).map(|seq| key(dataset, seq - 1));
    let mut pages = s3
        .list_objects_v2()
        .bucket(lake_bucket)
        .prefix(folder(dataset))
        .set_start_after(start)
        .into_paginator()
        .send();
    let mut newest = None;
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| StorageError::of(&folder(dataset), error))?;
        if let Some(key) = page.contents().last().and_then(|object| object.key()) {
            newest = Some(key.to_owned());
        }
    }
    match newest {
        None => Ok(None),
        Some(key) => read(s3, lake_bucket, &key).await,
    }
}

/// Entry `seq`, or none when nobody has written it.
pub async fn entry(
    s3: &Client,
    lake_bucket: &str,
    dataset: DatasetName,
    seq: u64,
) -> Result<Option<Entry>, LedgerError> {
    read(s3, lake_bucket, &key(dataset, seq)).await
}

async fn read(s3: &Client, bucket: &str, key: &str) -> Result<Option<Entry>, LedgerError> {
    let Some(bytes) = read_object(s3, bucket, key).await? else { return Ok(None) };
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|source| LedgerError::Unreadable { key: key.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_as_it_was_written() {
        let run = serde_json::json!({
            "dataset": "green", "month": "2024-01", "run_key": "k", "run": "r", "fingerprint": "f",
            "source": {"kind": "http", "url": "https://tlc/green_tripdata_2024-01.parquet",
                       "last_modified": "2024-03-01T00:00:00Z"},
            "rows_in": 3, "rows_out": 2, "rows_rejected": 1, "contract_version": "1",
        });
        let text = serde_json::json!({
            "seq": 1, "committed_at": "2026-11-22T02:00:00Z", "execution": "e",
            "entry": run, "live": {"2024-01": run},
        });
        let entry: Entry = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(serde_json::to_value(&entry).unwrap(), text);
        assert_eq!(key(entry.entry.dataset, entry.seq), "ledger/green/00000001.json");
    }
}
