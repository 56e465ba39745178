//! The audit of a run: is every row of the file accounted for, and what are the rows like?

use std::collections::BTreeMap;

use dqdl::{Body, History, Measures, Plan, Rule, RuleType, Verdict};
use shared::dataset::{Level, level_of, name_of};
use shared::error::ErrorName;
use shared::event::{AuditVerdict, Outcome, Quality, RuleCount, RuleResult};

use crate::result::{QueryResult, ResultError};

/// What the audit has counted and measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    pub loaded: u64,
    /// Rejected rows by rule.
    pub rejected: BTreeMap<String, u64>,
    /// The measures over the loaded rows; none when nothing is loaded.
    pub measures: Measures,
}

/// Why a run is not loaded.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
pub enum AuditProblem {
    #[error(
        "rows are not conserved: the file has {rows_in}, the run has {loaded} loaded and {rejected} rejected"
    )]
    RowsNotConserved { rows_in: u64, loaded: u64, rejected: u64 },
    #[error("{}", describe(failed, rejected))]
    RuleFailed { failed: Vec<RuleResult>, rejected: Vec<RuleCount> },
}

impl AuditProblem {
    pub fn name(&self) -> ErrorName {
        match self {
            Self::RowsNotConserved { .. } => ErrorName::AuditRowsNotConserved,
            Self::RuleFailed { .. } => ErrorName::DataQualityRuleFailed,
        }
    }
}

fn describe(failed: &[RuleResult], rejected: &[RuleCount]) -> String {
    let failed = failed.iter().map(|rule| {
        let reason = rule.reason.as_deref().unwrap_or("it is not kept");
        format!("{}: {reason} ({})", rule.name, rule.rule)
    });
    let rejected: Vec<_> =
        rejected.iter().map(|count| format!("{} {}", count.rule, count.rows)).collect();
    let rejected =
        (!rejected.is_empty()).then(|| format!("rejected rows: {}", rejected.join(", ")));
    failed.chain(rejected).collect::<Vec<_>>().join("; ")
}

/// Whether the statement has measured what the rules of now ask for. While a new version is deployed, a run may come by
/// whose statement the version before has written.
pub fn measured(plan: &Plan, result: &QueryResult) -> Result<(), ResultError> {
    let missing = plan.scans.names().find(|name| result.column(name).is_err());
    missing.map_or(Ok(()), |name| Err(ResultError::OtherRules { column: name.to_owned() }))
}

/// Reads the audit's result: a row for each outcome and rule.
pub fn counts(result: &QueryResult) -> Result<Counts, ResultError> {
    let (outcome, rule) = (result.column("outcome")?, result.column("rule")?);
    let row_count = result.column("row_count")?;
    let mut counts = Counts::default();
    for row in 0..result.rows.len() {
        let rows = result.count(row, row_count)?;
        if result.text(row, outcome) == Some("loaded") {
            counts.loaded += rows;
            for (column, described) in result.columns.iter().enumerate() {
                if ![outcome, rule, row_count].contains(&column)
                    && let Some(value) = result.number(row, column)?
                {
                    counts.measures.insert(described.name.clone(), value);
                }
            }
        } else {
            let rule = result.text(row, rule).unwrap_or("unknown").to_owned();
            *counts.rejected.entry(rule).or_default() += rows;
        }
    }
    Ok(counts)
}

/// Whether every row of a file of `rows_in` rows is accounted for.
pub fn account(counts: &Counts, rows_in: u64) -> Result<(), AuditProblem> {
    let (loaded, rejected) = (counts.loaded, counts.rejected.values().sum());
    if loaded + rejected == rows_in {
        return Ok(());
    }
    Err(AuditProblem::RowsNotConserved { rows_in, loaded, rejected })
}

/// A run, and what is known beside its audit.
#[derive(Clone, Debug)]
pub struct Audited<'a> {
    /// The rules that hold for its month, and the plan of them.
    pub rules: &'a [Rule],
    pub plan: &'a Plan,
    pub rows_in: u64,
    pub bytes_scanned: u64,
    /// What was measured of the months before.
    pub history: &'a History,
    /// Who takes the run as it is, though it fails rules.
    pub approved_by: Option<String>,
}

/// The verdict on a run whose rows are accounted for. Failed rules are passed over where somebody has approved of it.
pub fn verdict(run: Audited<'_>, counts: &Counts) -> Result<AuditVerdict, AuditProblem> {
    let mut rejected_by_rule: Vec<_> = counts
        .rejected
        .iter()
        .filter(|(_, rows)| **rows > 0)
        .map(|(rule, rows)| RuleCount { rule: rule.clone(), rows: *rows })
        .collect();
    rejected_by_rule.sort_by_key(|count| std::cmp::Reverse(count.rows));
    let mut quality = quality(rules(&run, counts));
    quality.gathered = run.plan.gathered(&counts.measures).into_iter().collect();
    if quality.outcome == Outcome::Fail && run.approved_by.is_some() {
        quality.approved_by = run.approved_by;
    } else if quality.outcome == Outcome::Fail {
        let mut failed = quality.rules;
        failed.retain(|rule| rule.outcome == Outcome::Fail);
        return Err(AuditProblem::RuleFailed { failed, rejected: rejected_by_rule });
    }
    Ok(AuditVerdict {
        rows_in: run.rows_in,
        rows_out: counts.loaded,
        rows_rejected: counts.rejected.values().sum(),
        rejected_by_rule,
        quality,
        bytes_scanned: run.bytes_scanned,
    })
}

/// What became of each rule. A rule is left out that asks for a history there is none of yet, or for rows of which there
/// are none. Where nothing at all is loaded that alone is told.
fn rules(run: &Audited<'_>, counts: &Counts) -> Vec<RuleResult> {
    let verdicts = run.plan.judge(&counts.measures, run.history);
    let judged = run.rules.iter().zip(verdicts).filter(|(rule, verdict)| {
        let checks = rule.checks();
        if counts.loaded == 0 {
            return checks.iter().any(|check| check.rule_type == RuleType::RowCountMatch);
        }
        let needs_history = checks.iter().any(|check| check.needs_history());
        let mut metrics = verdict.metrics.iter();
        let has_history = metrics.any(|(metric, _)| run.history.contains_key(metric));
        let chooses = checks.iter().all(|check| check.filter.is_some());
        (!needs_history || has_history) && !(chooses && verdict.metrics.is_empty())
    });
    judged.map(|(rule, verdict)| result(rule, verdict)).collect()
}

fn result(rule: &Rule, verdict: Verdict) -> RuleResult {
    let outcome = match (verdict.passed, level_of(rule)) {
        (true, _) => Outcome::Pass,
        (false, Level::Warning) => Outcome::Warn,
        (false, Level::Failure) => Outcome::Fail,
    };
    // What was measured of some rows only goes by another name than what was measured of all.
    let some = match &rule.body {
        Body::Check(check) => check.filter.as_ref().map(|filter| format!(" where {filter}")),
        Body::Composite { .. } => None,
    };
    let metrics = verdict.metrics.into_iter();
    let metrics = metrics.map(|(name, value)| (name + some.as_deref().unwrap_or_default(), value));
    let text = Rule { labels: Vec::new(), ..rule.clone() }.to_string();
    let reason = verdict.reason.filter(|_| !verdict.passed);
    RuleResult { name: name_of(rule), rule: text, outcome, metrics: metrics.collect(), reason }
}

/// 100 when every rule is kept; a warning costs half of what a failure costs.
fn quality(rules: Vec<RuleResult>) -> Quality {
    let points = |rule: &RuleResult| match rule.outcome {
        Outcome::Pass => 1.0,
        Outcome::Warn => 0.5,
        Outcome::Fail => 0.0,
    };
    let total: f64 = rules.iter().map(points).sum();
    #[expect(clippy::cast_precision_loss, reason = "a ruleset has some dozens of rules")]
    let score =
        if rules.is_empty() { 100.0 } else { (total / rules.len() as f64 * 1000.0).round() / 10.0 };
    let outcome = rules.iter().map(|rule| rule.outcome).max().unwrap_or(Outcome::Pass);
    Quality { score, outcome, rules, gathered: BTreeMap::new(), approved_by: None }
}

#[cfg(test)]
mod tests {
    use shared::dataset::Dataset;

    use super::*;
    use crate::result::Column;

    /// The rules that hold for a month of a data set, and the plan of them.
    fn ruled(dataset: &str, month: &str) -> (Vec<Rule>, Plan) {
        let contract = Dataset::named(dataset.parse().unwrap());
        let now = "2024-06-01T12:00:00".parse().unwrap();
        contract.quality_plan(month.parse().unwrap(), "staged", now)
    }

    fn run<'a>(ruled: &'a (Vec<Rule>, Plan), rows_in: u64, history: &'a History) -> Audited<'a> {
        let (rules, plan) = ruled;
        Audited { rules, plan, rows_in, bytes_scanned: 7, history, approved_by: None }
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

    /// Measures of a lookup of 265 zones, of which so many were `staged` and so many have a `zone`.
    fn measures(plan: &Plan, staged: f64, zones: f64) -> Measures {
        let statements = plan.scans.statements().join("\n");
        let measure = |expression: &str, nth: usize| {
            let (before, _) =
                statements.match_indices(&format!("{expression} AS \"")).nth(nth).unwrap();
            let rest = &statements[before + expression.len() + 5..];
            rest[..rest.find('"').unwrap()].to_owned()
        };
        let all = plan.scans.statements().join(" ");
        let names = all
            .split("AS \"m")
            .skip(1)
            .map(|rest| format!("m{}", &rest[..rest.find('"').unwrap()]));
        let mut measures: Measures = names.map(|name| (name, 265.0)).collect();
        measures.insert(measure("MAX(COALESCE(LENGTH(\"zone\"), 0))", 0), 45.0);
        measures.insert(measure("COUNT(*)", 2), staged);
        measures.insert(measure("COUNT(\"zone\")", 0), zones);
        measures
    }

    #[test]
    fn reads_rows_by_outcome_and_rule() {
        let audit = result(
            &["outcome", "rule", "row_count", "m1", "m2"],
            &[
                &[Some("loaded"), None, Some("46411"), Some("1.5E-3"), None],
                &[
                    Some("rejected"),
                    Some("dropoff_before_pickup"),
                    Some("210"),
                    Some("9"),
                    Some("9"),
                ],
                &[Some("rejected"), Some("ragged_row"), Some("3"), None, None],
            ],
        );
        let counts = counts(&audit).unwrap();
        assert_eq!((counts.loaded, counts.rejected["dropoff_before_pickup"]), (46_411, 210));
        assert_eq!(counts.measures, Measures::from([("m1".to_owned(), 0.0015)]));
    }

    #[test]
    fn refuses_another_result() {
        let error = counts(&result(&["outcome", "rule"], &[])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "expected a column row_count in the result, found outcome, rule"
        );
        let (_, plan) = ruled("zones", "current");
        let error = measured(&plan, &result(&["outcome", "m1"], &[])).unwrap_err();
        assert_eq!(error, ResultError::OtherRules { column: "m2".to_owned() });
        let columns = ["outcome", "rule", "row_count", "m1"];
        let many = result(&columns, &[&[Some("loaded"), None, Some("many"), None]]);
        assert!(counts(&many).unwrap_err().to_string().contains("\"many\""));
        let many = result(&columns, &[&[Some("loaded"), None, Some("1"), Some("many")]]);
        assert!(counts(&many).unwrap_err().to_string().contains("\"many\""));
    }

    #[test]
    fn judges_rows_and_rules() {
        let history = History::new();
        let ruled = ruled("zones", "current");
        let check =
            |loaded, rejected, zones, rows_in, expected: Result<(Outcome, &[&str]), &str>| {
                #[expect(clippy::cast_precision_loss, reason = "few rows")]
                let staged = (loaded + rejected) as f64;
                let measures = match loaded {
                    0 => Measures::new(),
                    _ => measures(&ruled.1, staged, zones),
                };
                let rejected = BTreeMap::from([("ragged_row".to_owned(), rejected)]);
                let counts = Counts { loaded, rejected, measures };
                let found = account(&counts, rows_in)
                    .and_then(|()| verdict(run(&ruled, rows_in, &history), &counts));
                let found = found.map(|verdict| {
                    let quality = verdict.quality;
                    let kept = |rule: &&RuleResult| rule.outcome == Outcome::Pass;
                    let broken: Vec<_> = quality
                        .rules
                        .iter()
                        .filter(|rule| !kept(rule))
                        .map(|rule| rule.name.clone())
                        .collect();
                    (quality.outcome, broken)
                });
                match (found, expected) {
                    (Ok((outcome, broken)), Ok(expected)) => {
                        assert_eq!(
                            (outcome, broken.as_slice()),
                            (expected.0, &expected.1.map_to_owned()[..])
                        );
                    }
                    (Err(problem), Err(expected)) => {
                        assert!(problem.to_string().contains(expected), "{problem}");
                    }
                    (found, expected) => panic!("{found:?}, expected {expected:?}"),
                }
            };
        check(265, 0, 265.0, 265, Ok((Outcome::Pass, &[])));
        check(265, 1, 265.0, 266, Ok((Outcome::Warn, &["rejected"])));
        check(265, 0, 200.0, 265, Ok((Outcome::Warn, &["empty_zone"])));
        let lost =
            "rows are not conserved: the file has 267, the run has 265 loaded and 1 rejected";
        check(265, 1, 265.0, 267, Err(lost));
        let lost = "rows are not conserved: the file has 3, the run has 0 loaded and 0 rejected";
        check(0, 0, 0.0, 3, Err(lost));
        check(265, 735, 265.0, 1000, Err("most_rows_rejected: 0.265 is not >= 0.5 (RowCountMatch"));
        let none = "most_rows_rejected: there are no rows to measure (RowCountMatch \"staged\" >= 0.5); \
                    rejected rows: ragged_row 3";
        check(0, 3, 0.0, 3, Err(none));
    }

    /// `&["a"]` as texts of their own.
    trait MapToOwned {
        fn map_to_owned(&self) -> Vec<String>;
    }

    impl MapToOwned for &[&str] {
        fn map_to_owned(&self) -> Vec<String> {
            self.iter().map(|text| (*text).to_owned()).collect()
        }
    }

    #[test]
    fn a_month_is_compared_with_those_before() {
        let green = ruled("green", "2024-04");
        let measures = rows(&green.1, 1000.0);
        let counts = Counts { loaded: 1000, measures, ..Counts::default() };
        let rule = |history: &History| {
            rules(&run(&green, 0, history), &counts)
                .into_iter()
                .find(|rule| rule.name == "rows_as_usual")
        };
        let history =
            |rows: &[f64]| History::from([("Dataset.*.RowCount".to_owned(), rows.to_vec())]);
        assert_eq!(rule(&History::new()), None);
        assert_eq!(rule(&history(&[900.0, 1100.0])).unwrap().outcome, Outcome::Pass);
        let odd = rule(&history(&[9000.0, 11000.0, 10000.0])).unwrap();
        assert_eq!(odd.outcome, Outcome::Warn);
        assert!(odd.reason.unwrap().starts_with("1000 is not between 0.5 * avg(last(3))"));
    }

    /// The measure of the rows of a month.
    fn rows(plan: &Plan, count: f64) -> Measures {
        let common = plan.scans.common();
        let name = common.iter().find_map(|item| item.strip_prefix("COUNT(*) AS "));
        Measures::from([(name.unwrap().trim_matches('"').to_owned(), count)])
    }
}
