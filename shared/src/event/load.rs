//! What `load` is asked, and what it answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AuditVerdict, Manifest, Plan, Quality, TableStatement, Unit, Validation};
use crate::dataset::DatasetName;
use crate::month::Month;

/// What `load` is asked: the field `action` says it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoadInput {
    #[serde(default)]
    pub execution: String,
    /// When the execution began: the start of `ProcessingTime`.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    #[serde(flatten)]
    pub action: LoadAction,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one value an invocation")]
pub enum LoadAction {
    /// Write the run to the ledger and publish it.
    Commit {
        unit: Unit,
        manifest: Manifest,
        validation: Validation,
        verdict: AuditVerdict,
        /// By the conversion; the audit's bytes are in its verdict.
        #[serde(default)]
        bytes_scanned: u64,
    },
    /// The ledger has this content: repeat its counts, and publish what it says.
    Touch { unit: Unit, manifest: Manifest },
    /// What has become of the plan?
    Summarise { plan: Plan },
    /// Delete what no ledger head names and no query can still read.
    Collect { datasets: Vec<DatasetName> },
}

/// What was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Garbage {
    /// Runs that were deleted whole.
    pub runs: u64,
    pub objects: u64,
    /// Raw and stage tables that failed runs left behind.
    pub tables: u64,
    pub partitions: u64,
    /// Objects, tables and partitions that would not be deleted; the next run tries again.
    pub failures: u64,
}

/// What has become of a month: the output of a map item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadResult {
    pub status: LoadStatus,
    pub dataset: DatasetName,
    pub month: Month,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_rejected: u64,
    pub run: String,
    /// The ledger entry that holds it.
    pub seq: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadStatus {
    /// This run is live now.
    Loaded,
    /// The live run has the same content.
    Unchanged,
    /// The live run is of newer input.
    Superseded,
}

/// The output of an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Planned months that are live.
    pub loads: Vec<LoadedMonth>,
    /// Planned months that are not: their map items have failed.
    pub refused: Vec<Unit>,
    pub totals: Totals,
    /// The gold views of the data sets that are published.
    pub gold: Vec<TableStatement>,
    /// Of the notification: at most 100 characters of ASCII.
    pub subject: String,
    pub message: String,
}

/// A live month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadedMonth {
    pub dataset: DatasetName,
    pub month: Month,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_rejected: u64,
    pub run: String,
    pub unchanged: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub months: u64,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_rejected: u64,
}
