//! What is asked of a finished query, and the verdict.

use std::collections::BTreeMap;

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
    /// A run's audit: is every row of the file accounted for, and are the rules kept?
    Audit {
        dataset: DatasetName,
        month: Month,
        file: String,
        rows_in: u64,
        /// Who takes the run as it is, though it fails rules.
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

/// How the rules of a data set were kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// 0 to 100: a rule that is kept counts 1, a warning 0.5, a failure 0.
    pub score: f64,
    /// The worst of all outcomes.
    pub outcome: Outcome,
    /// None where a version before rules has judged.
    #[serde(default)]
    pub rules: Vec<RuleResult>,
    /// What the ruleset's analyzers have measured, by the names that Glue has for metrics.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gathered: BTreeMap<String, f64>,
    /// Who had the run loaded though it fails rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
}

/// What became of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleResult {
    pub name: String,
    /// Its text in DQDL, without labels.
    pub rule: String,
    pub outcome: Outcome,
    /// What was measured, by the names that Glue has for metrics.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// Why it is not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Pass,
    Warn,
    Fail,
}
