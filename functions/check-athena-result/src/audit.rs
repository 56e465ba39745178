//! The audit of a run: is every row of the file accounted for, and what are the rows like?

use std::collections::BTreeMap;

use shared::dataset::{Dataset, DatasetName, ExpectedShare, Share};
use shared::error::ErrorName;
use shared::event::{AuditVerdict, Expectation, Measured, Outcome, Quality, RuleCount};

use crate::result::{QueryResult, ResultError};

/// What the audit has counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub loaded: u64,
    /// Rejected rows by rule.
    pub rejected: BTreeMap<String, u64>,
    /// Loaded rows that count against an expectation, by its name.
    pub against: BTreeMap<String, u64>,
}

/// Why a run is not loaded.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum AuditProblem {
    #[error(
        "rows are not conserved: the file has {rows_in}, the run has {loaded} loaded and {rejected} rejected"
    )]
    RowsNotConserved { rows_in: u64, loaded: u64, rejected: u64 },
    #[error("{}", describe(.0))]
    RuleFailed(Vec<Expectation>),
}

impl AuditProblem {
    pub fn name(&self) -> ErrorName {
        match self {
            Self::RowsNotConserved { .. } => ErrorName::AuditRowsNotConserved,
            Self::RuleFailed(_) => ErrorName::DataQualityRuleFailed,
        }
    }
}

fn describe(failed: &[Expectation]) -> String {
    let texts = failed.iter().map(|expectation| {
        let Measured { share, fail_above, .. } = expectation.measured;
        let (share, limit) = (share * 100.0, fail_above.unwrap_or_default() * 100.0);
        format!("{}: {share:.2} % of the rows, at most {limit} % are accepted", expectation.name)
    });
    texts.collect::<Vec<_>>().join("; ")
}

/// Reads the audit's result: a row for each outcome and rule.
pub fn counts(dataset: DatasetName, result: &QueryResult) -> Result<Counts, ResultError> {
    let contract = Dataset::named(dataset);
    let (outcome, rule) = (result.column("outcome")?, result.column("rule")?);
    let row_count = result.column("row_count")?;
    let mut counts = Counts::default();
    for row in 0..result.rows.len() {
        let rows = result.count(row, row_count)?;
        if result.text(row, outcome) == Some("loaded") {
            counts.loaded += rows;
            for expectation in &contract.expectations {
                // What the statement does not measure it has left out for a reason.
                if let Ok(column) = result.column(&expectation.name) {
                    let against = result.count(row, column)?;
                    *counts.against.entry(expectation.name.clone()).or_default() += against;
                }
            }
        } else {
            let rule = result.text(row, rule).unwrap_or("unknown").to_owned();
            *counts.rejected.entry(rule).or_default() += rows;
        }
    }
    Ok(counts)
}

/// The verdict on a run of a file with `rows_in` rows. Failed expectations are passed over where somebody has approved
/// of the run; rows that are not accounted for never are.
pub fn verdict(
    dataset: DatasetName,
    counts: &Counts,
    rows_in: u64,
    bytes_scanned: u64,
    approved_by: Option<String>,
) -> Result<AuditVerdict, AuditProblem> {
    let rejected: u64 = counts.rejected.values().sum();
    if counts.loaded + rejected != rows_in {
        let loaded = counts.loaded;
        return Err(AuditProblem::RowsNotConserved { rows_in, loaded, rejected });
    }
    let contract = Dataset::named(dataset);
    let measured = contract.expectations.iter().filter_map(|e| measure(e, counts, rejected));
    let mut quality = quality(measured.collect());
    if quality.outcome == Outcome::Fail && approved_by.is_some() {
        quality.approved_by = approved_by;
    } else if quality.outcome == Outcome::Fail {
        let mut failed = quality.expectations;
        failed.retain(|expectation| expectation.outcome == Outcome::Fail);
        return Err(AuditProblem::RuleFailed(failed));
    }
    let mut rejected_by_rule: Vec<_> = counts
        .rejected
        .iter()
        .map(|(rule, rows)| RuleCount { rule: rule.clone(), rows: *rows })
        .collect();
    rejected_by_rule.sort_by_key(|count| std::cmp::Reverse(count.rows));
    Ok(AuditVerdict {
        rows_in,
        rows_out: counts.loaded,
        rows_rejected: rejected,
        rejected_by_rule,
        quality,
        bytes_scanned,
    })
}

/// The share of rows against an expectation; none when it was not measured.
fn measure(expected: &ExpectedShare, counts: &Counts, rejected: u64) -> Option<Expectation> {
    let share = match expected.share {
        Share::Rejected => share_of(rejected, counts.loaded + rejected),
        Share::Empty { .. }
        | Share::Negative { .. }
        | Share::Zero { .. }
        | Share::OutOfMonth { .. } => {
            let against = counts.against.get(&expected.name);
            if against.is_none() && counts.loaded > 0 {
                return None;
            }
            share_of(against.copied().unwrap_or_default(), counts.loaded)
        }
    };
    let above = |limit: Option<f64>| limit.is_some_and(|limit| share > limit);
    let outcome = match (above(expected.fail_above), above(expected.warn_above)) {
        (true, _) => Outcome::Fail,
        (false, true) => Outcome::Warn,
        (false, false) => Outcome::Pass,
    };
    let measured =
        Measured { share, warn_above: expected.warn_above, fail_above: expected.fail_above };
    Some(Expectation { name: expected.name.clone(), outcome, measured })
}

#[expect(clippy::cast_precision_loss, reason = "a month has far fewer than 2^53 rows")]
fn share_of(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// 100 when every expectation is met; a warning costs half of what a failure costs.
fn quality(expectations: Vec<Expectation>) -> Quality {
    let points = |expectation: &Expectation| match expectation.outcome {
        Outcome::Pass => 1.0,
        Outcome::Warn => 0.5,
        Outcome::Fail => 0.0,
    };
    let total: f64 = expectations.iter().map(points).sum();
    #[expect(clippy::cast_precision_loss, reason = "a contract has a handful of expectations")]
    let score = if expectations.is_empty() {
        100.0
    } else {
        (total / expectations.len() as f64 * 1000.0).round() / 10.0
    };
    let outcome = expectations.iter().map(|e| e.outcome).max().unwrap_or(Outcome::Pass);
    Quality { score, outcome, expectations, approved_by: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::Column;

    fn green() -> DatasetName {
        "green".parse().unwrap()
    }

    fn result(columns: &[&str], rows: &[&[Option<&str>]]) -> QueryResult {
        let column =
            |name: &&str| Column { name: (*name).to_owned(), athena_type: "bigint".to_owned() };
        let cells = |row: &&[Option<&str>]| row.iter().map(|c| c.map(str::to_owned)).collect();
        QueryResult {
            columns: columns.iter().map(column).collect(),
            rows: rows.iter().map(cells).collect(),
            bytes_scanned: 7,
        }
    }

    #[test]
    fn reads_rows_by_outcome_and_rule() {
        let columns = ["outcome", "rule", "row_count", "out_of_month"];
        let audit = result(
            &columns,
            &[
                &[Some("loaded"), None, Some("46411"), Some("19")],
                &[Some("rejected"), Some("dropoff_before_pickup"), Some("210"), Some("0")],
                &[Some("rejected"), Some("ragged_row"), Some("3"), None],
            ],
        );
        let counts = counts(green(), &audit).unwrap();
        let verdict = verdict(green(), &counts, 46_624, 7, None).unwrap();
        assert_eq!((verdict.rows_out, verdict.rows_rejected), (46_411, 213));
        assert_eq!(verdict.rejected_by_rule[0].rule, "dropoff_before_pickup");
        assert_eq!(verdict.rejected_by_rule[0].rows, 210);
        let names: Vec<_> = verdict.quality.expectations.iter().map(|e| e.name.as_str()).collect();
        assert_eq!(names, ["rejected", "out_of_month"]);
        assert_eq!(verdict.quality.outcome, Outcome::Pass);
        assert!((verdict.quality.score - 100.0).abs() < f64::EPSILON);
    }

    #[test]
    fn refuses_another_result() {
        let audit = result(&["outcome", "rule"], &[]);
        let error = counts(green(), &audit).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected a column row_count in the result, found outcome, rule"
        );
        let audit =
            result(&["outcome", "rule", "row_count"], &[&[Some("loaded"), None, Some("many")]]);
        assert!(counts(green(), &audit).unwrap_err().to_string().contains("\"many\""));
    }

    #[test]
    fn judges_rows_and_expectations() {
        let check = |loaded, rejected, empty, rows_in, expected: Result<(Outcome, f64), &str>| {
            let counts = Counts {
                loaded,
                rejected: BTreeMap::from([("ragged_row".to_owned(), rejected)]),
                against: BTreeMap::from([("empty_total_amount".to_owned(), empty)]),
            };
            let found = verdict(green(), &counts, rows_in, 0, None);
            let found = found.map(|v| (v.quality.outcome, v.quality.score));
            let found = found.map_err(|problem| problem.to_string());
            assert_eq!(found, expected.map_err(str::to_owned));
        };
        check(10, 0, 0, 10, Ok((Outcome::Pass, 100.0)));
        check(10, 1, 0, 11, Ok((Outcome::Warn, 75.0)));
        check(10, 0, 1, 10, Ok((Outcome::Warn, 75.0)));
        let lost = "rows are not conserved: the file has 12, the run has 10 loaded and 1 rejected";
        check(10, 1, 0, 12, Err(lost));
        let lost = "rows are not conserved: the file has 3, the run has 0 loaded and 0 rejected";
        check(0, 0, 0, 3, Err(lost));
        let failed = "rejected: 66.67 % of the rows, at most 50 % are accepted";
        check(1, 2, 0, 3, Err(failed));
        check(0, 3, 0, 3, Err("rejected: 100.00 % of the rows, at most 50 % are accepted"));
    }
}
