//! The events on the arrows of the state machine, one struct each.
//!
//! All are JSON in snake case; unknown fields are passed over, so that an older function can read
//! what a newer state machine sends. Whatever is optional on the wire is an `Option` here.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::dataset::DatasetName;
use crate::month::Month;
use crate::run::{Run, RunKey};
use crate::s3_uri::S3Uri;

mod check;
mod failure;
mod load;
mod plan;

pub use check::{
    AuditVerdict, CheckInput, CheckOutput, CheckedQuery, Outcome, Quality, RuleCount, RuleResult,
    TablesVerdict,
};
pub use failure::{Decision, HandleErrorInput, HandleErrorOutput};
pub use load::{
    Garbage, LoadAction, LoadInput, LoadResult, LoadStatus, LoadedMonth, Summary, Totals,
};
pub use plan::{
    Arrival, Choice, Ignored, InputError, Months, NotPublished, Plan, PlanInput, Selection,
    Unchanged,
};

/// One month's file to load: an item of the `LoadMonths` map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    pub dataset: DatasetName,
    pub month: Month,
    pub source: Source,
    pub reason: Reason,
    /// The run that was live when the plan saw this file at the source: the file is newer than
    /// that run, whatever its date says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Run>,
}

/// Why a unit is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The ledger has no such month.
    New,
    /// The source has another file than the ledger's.
    Changed,
    /// The input says `force`: it is loaded although nothing has changed.
    Forced,
}

/// Where the file of a unit comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// A file of the TLC's site; what its answer to HEAD said.
    Http {
        url: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        etag: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_modified: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
    },
    /// An object that has arrived under `arrivals/`.
    S3 {
        bucket: String,
        key: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        etag: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_modified: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<u64>,
    },
}

impl Source {
    /// The file's own name: what stands after the last slash.
    pub fn file_name(&self) -> &str {
        let (Self::Http { url: path, .. } | Self::S3 { key: path, .. }) = self;
        path.rsplit('/').next().unwrap_or(path)
    }

    /// When the source says the file was made: its order among the files of a month.
    pub fn last_modified(&self) -> Option<Timestamp> {
        let (Self::Http { last_modified, .. } | Self::S3 { last_modified, .. }) = self;
        *last_modified
    }

    pub fn etag(&self) -> Option<&str> {
        let (Self::Http { etag, .. } | Self::S3 { etag, .. }) = self;
        etag.as_deref()
    }

    /// Its size in bytes, where the source says so.
    pub fn bytes(&self) -> Option<u64> {
        let (Self::Http { bytes, .. } | Self::S3 { bytes, .. }) = self;
        *bytes
    }
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileFormat {
    #[serde(rename = "parquet")]
    Parquet,
    #[serde(rename = "csv")]
    Csv,
    #[serde(rename = "csv.gz")]
    CsvGz,
}

impl FileFormat {
    pub const ALL: [Self; 3] = [Self::Parquet, Self::Csv, Self::CsvGz];

    /// The file name's ending, without the dot.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::CsvGz => "csv.gz",
        }
    }
}

impl std::str::FromStr for FileFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|format| format.extension() == text)
            .ok_or_else(|| format!("expected parquet, csv or csv.gz, found {text:?}"))
    }
}

/// What `extract` is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "one value an invocation")]
pub enum ExtractInput {
    /// Which months are to be loaded?
    Plan {
        #[serde(default)]
        execution: String,
        /// The input of the execution as it came: mostly a [`PlanInput`], but an event that is
        /// not ours must be passed over with a reason, not refused.
        input: serde_json::Value,
    },
    /// Copy this file to the raw bucket.
    Fetch {
        #[serde(default)]
        execution: String,
        unit: Unit,
        /// 1 at first; the state machine counts.
        #[serde(default = "first_attempt")]
        attempt: u32,
        /// What an earlier attempt fetched: not fetched again while its copy is there.
        #[serde(default)]
        manifest: Option<Manifest>,
    },
}

const fn first_attempt() -> u32 {
    1
}

/// What `extract` has fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The folder that holds this file and nothing else: the raw table's location.
    pub location: S3Uri,
    /// The file's key in the raw bucket.
    pub key: String,
    /// The file's name at its source.
    pub file: String,
    pub bytes: u64,
    /// SHA-256 of the file's bytes, 64 hexadecimal digits.
    pub fingerprint: String,
    /// The raw copy's own `ETag`, quotes included.
    pub etag: String,
    pub format: FileFormat,
    /// Lines that are not blank, the header apart; of CSV only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
    /// The ledger's live run already holds this content under the present contract.
    pub unchanged: bool,
    /// The source as it was when the file was fetched, which may be later than the plan. The
    /// ledger records this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
}

/// What `validate` is asked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ValidateInput {
    #[serde(default)]
    pub execution: String,
    pub unit: Unit,
    pub manifest: Manifest,
}

/// How the file is converted: a run, its tables and its statements.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validation {
    pub run: Run,
    pub run_key: RunKey,
    pub contract_version: String,
    /// Rows of the file: its footer's, or its lines.
    pub rows_in: u64,
    pub raw_table: String,
    pub stage_table: String,
    /// Where the run's Parquet files go.
    pub location: S3Uri,
    pub sql: RunStatements,
    pub drift: Drift,
}

/// The three statements of a run, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStatements {
    /// Hive DDL: the table over the file as it came.
    pub create_raw: String,
    /// CTAS: canonical columns, row rules, two outcomes.
    pub convert: String,
    /// SELECT: rows by outcome and rule, with the measures of the rules.
    pub audit: String,
}

/// How the file differs from the contract, without breaking it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// Optional columns that files of this month should have.
    pub missing_optional: Vec<String>,
    /// Columns the contract does not know; they are not loaded.
    pub unknown: Vec<String>,
    /// Columns that are converted, because their type is not the contract's.
    pub retyped: Vec<Retyped>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retyped {
    pub column: String,
    pub from: String,
    pub to: String,
}

/// A statement and the table or view it makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableStatement {
    pub table: String,
    pub sql: String,
}
