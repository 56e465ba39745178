//! What is asked of a finished query, and the verdict.

use serde::{Deserialize, Serialize};

use super::TableStatement;
use crate::dataset::DatasetName;
use crate::month::Month;

/// A finished query, and what is to be read from it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckInput {
    #[serde(default)]
    pub execution: String,
    pub query_execution_id: String,
    #[serde(flatten)]
    pub query: CheckedQuery,
}

/// What the query was: the field `statement` says it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "statement", rename_all = "snake_case")]
pub enum CheckedQuery {
    /// `SHOW TABLES`: are the tables of these data sets there?
    Tables { datasets: Vec<DatasetName> },
    /// A run's audit: is every row of the file accounted for, and are the expectations met?
    Audit {
        dataset: DatasetName,
        month: Month,
        file: String,
        rows_in: u64,
        /// Who takes the run as it is, though it fails expectations.
        #[serde(default)]
        approved_by: Option<String>,
    },
}

/// The verdict on either.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum CheckOutput {
    Tables(TablesVerdict),
    Audit(AuditVerdict),
}

/// Which of our tables are missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablesVerdict {
    /// The missing tables, each with its DDL.
    pub missing: Vec<TableStatement>,
}

/// A run whose rows are accounted for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditVerdict {
    pub rows_in: u64,
    /// Rows that are loaded.
    pub rows_out: u64,
    pub rows_rejected: u64,
    /// Rejected rows by rule, the rule that rejected most first.
    pub rejected_by_rule: Vec<RuleCount>,
    pub quality: Quality,
    pub bytes_scanned: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleCount {
    pub rule: String,
    pub rows: u64,
}

/// How a data set's expectations were met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// 0 to 100: a met expectation counts 1, a warning 0.5, a failure 0.
    pub score: f64,
    /// The worst of all outcomes.
    pub outcome: Outcome,
    pub expectations: Vec<Expectation>,
    /// Who had the run loaded though it fails expectations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
}

/// One expectation's measure: a share of the rows, 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Expectation {
    pub name: String,
    pub outcome: Outcome,
    #[serde(flatten)]
    pub measured: Measured,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub share: f64,
    /// Above this share it is a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warn_above: Option<f64>,
    /// Above this share the month is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_above: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Pass,
    Warn,
    Fail,
}
