//! Verdicts: a plan's measures are in, and each rule is judged.

use std::collections::BTreeMap;

use crate::condition::{Comparison, Operator};
use crate::evaluate;
use crate::number::Number;
use crate::plan::{Formula, Judge, Metric, Plan, PlannedRule, Test};
use crate::ruleset::Connective;

/// What was measured: each measure by its name. A measure that is NULL is not there.
pub type Measures = BTreeMap<String, f64>;

/// What metrics were before, by name, the oldest first.
pub type History = BTreeMap<String, Vec<f64>>;

/// What became of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub passed: bool,
    /// Why not, or what is notable though it passed.
    pub reason: Option<String>,
    /// The metrics that could be measured.
    pub metrics: Vec<(String, f64)>,
}

/// Outliers are told from this many earlier values on.
const LEAST_HISTORY: usize = 3;

/// A value is unusual when it is farther from its history's mean than this many standard deviations.
const USUAL_DEVIATIONS: f64 = 3.0;

impl Plan {
    /// The verdicts, in the rules' order.
    pub fn judge(&self, measures: &Measures, history: &History) -> Vec<Verdict> {
        self.rules.iter().map(|rule| rule.judge(measures, history)).collect()
    }

    /// The metrics of the analyzers.
    pub fn gathered(&self, measures: &Measures) -> Vec<(String, f64)> {
        values(&self.gathered, measures)
    }
}

fn values(metrics: &[Metric], measures: &Measures) -> Vec<(String, f64)> {
    metrics
        .iter()
        .filter_map(|metric| Some((metric.name.clone(), metric.formula.value(measures)?)))
        .collect()
}

impl Formula {
    /// Its value; none when a measure is NULL, or it divides by 0.
    pub fn value(&self, measures: &Measures) -> Option<f64> {
        let measure = |name: &String| measures.get(name).copied();
        let value = match self {
            Self::Known(value) => *value,
            Self::Measure(name) => measure(name)?,
            Self::Share { part, whole } => measure(part)? / measure(whole)?,
            Self::Quotient { first, second } => match (measure(first)?, measure(second)?) {
                (0.0, 0.0) => 1.0,
                (_, 0.0) => 0.0,
                (first, second) => first / second,
            },
            Self::Distinct { values, nulls } => measure(values)? + measure(nulls)?.min(1.0),
            Self::Entropy { rows, weighted } => {
                let rows = measure(rows)?;
                rows.ln() - measure(weighted)? / rows
            }
        };
        (!value.is_nan()).then_some(value)
    }
}

impl PlannedRule {
    fn judge(&self, measures: &Measures, history: &History) -> Verdict {
        match &self.test {
            Test::Single { metrics, judge } => {
                let found = values(metrics, measures);
                let (passed, reason) = judge.decide(metrics, measures, history);
                Verdict { passed, reason, metrics: found }
            }
            Test::Composite { connective, rules } => {
                let verdicts: Vec<_> =
                    rules.iter().map(|rule| rule.judge(measures, history)).collect();
                let passed = match connective {
                    Connective::And => verdicts.iter().all(|verdict| verdict.passed),
                    Connective::Or => verdicts.iter().any(|verdict| verdict.passed),
                };
                let reasons: Vec<_> =
                    verdicts.iter().filter_map(|verdict| verdict.reason.clone()).collect();
                let reason = (!reasons.is_empty() && !passed).then(|| reasons.join("; "));
                let mut metrics: Vec<(String, f64)> = Vec::new();
                for metric in verdicts.into_iter().flat_map(|verdict| verdict.metrics) {
                    if !metrics.contains(&metric) {
                        metrics.push(metric);
                    }
                }
                Verdict { passed, reason, metrics }
            }
        }
    }
}

const NO_ROWS: &str = "there are no rows to measure";

impl Judge {
    fn decide(
        &self,
        metrics: &[Metric],
        measures: &Measures,
        history: &History,
    ) -> (bool, Option<String>) {
        let value =
            |index: usize| metrics.get(index).and_then(|metric| metric.formula.value(measures));
        let before = |index: usize| {
            metrics
                .get(index)
                .and_then(|metric| history.get(&metric.name))
                .map(Vec::as_slice)
                .unwrap_or_default()
        };
        match self {
            Self::Known { passed, reason } => (*passed, reason.clone()),
            Self::Number(comparison) => match value(0) {
                None => (false, Some(NO_ROWS.to_owned())),
                Some(value) => against(value, comparison, before(0)),
            },
            Self::Share { threshold, of_none } => match (value(0), threshold) {
                (None, _) => (*of_none, Some(NO_ROWS.to_owned())),
                (Some(share), Some(threshold)) => against(share, threshold, before(0)),
                (Some(share), None) => {
                    let passed = share >= 1.0;
                    (passed, (!passed).then(|| format!("{} of the rows pass", percent(share))))
                }
            },
            Self::Extremes(comparison) => {
                let (Some(smallest), Some(largest)) = (value(0), value(1)) else {
                    return (false, Some(NO_ROWS.to_owned()));
                };
                let complete = metrics.len() < 3 || value(2).is_some_and(|share| share >= 1.0);
                if !complete {
                    let missing =
                        value(2).map_or_else(|| "some".to_owned(), |share| percent(1.0 - share));
                    return (false, Some(format!("{missing} of the rows have no value")));
                }
                extremes(smallest, largest, comparison, before(0))
            }
            Self::AllOne => {
                let short =
                    metrics.iter().find_map(|metric| match metric.formula.value(measures) {
                        None => Some(NO_ROWS.to_owned()),
                        Some(share) if share < 1.0 => {
                            Some(format!("{} is {}, not 1", metric.name, plain(share)))
                        }
                        Some(_) => None,
                    });
                (short.is_none(), short)
            }
            Self::Usual => match value(0) {
                None => (false, Some(NO_ROWS.to_owned())),
                Some(value) => usual(value, before(0)),
            },
        }
    }
}

fn against(value: f64, comparison: &Comparison<Number>, history: &[f64]) -> (bool, Option<String>) {
    match comparison.holds(value, history) {
        Ok(true) => (true, None),
        Ok(false) => (false, Some(format!("{} is not {comparison}", plain(value)))),
        Err(reason) => (false, Some(reason)),
    }
}

/// Both ends where both count, else the end that decides.
fn extremes(
    smallest: f64,
    largest: f64,
    comparison: &Comparison<Number>,
    history: &[f64],
) -> (bool, Option<String>) {
    let ends: &[f64] = match comparison.operator {
        Operator::Greater | Operator::GreaterOrEqual => &[smallest],
        Operator::Less | Operator::LessOrEqual => &[largest],
        _ => &[smallest, largest],
    };
    let failed =
        ends.iter().map(|end| against(*end, comparison, history)).find(|(passed, _)| !passed);
    failed.unwrap_or((true, None))
}

fn usual(value: f64, history: &[f64]) -> (bool, Option<String>) {
    if history.len() < LEAST_HISTORY {
        return (true, Some(format!("{} earlier values are too few to tell", history.len())));
    }
    let (mean, deviation) = (evaluate::mean(history), evaluate::deviation(history));
    let passed = (value - mean).abs() <= USUAL_DEVIATIONS * deviation;
    let reason =
        format!("{} is unusual: it was {} ± {}", plain(value), plain(mean), plain(deviation));
    (passed, (!passed).then_some(reason))
}

fn percent(share: f64) -> String {
    format!("{} %", plain(share * 100.0))
}

/// With at most six digits behind the point.
fn plain(value: f64) -> String {
    let text = format!("{value:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
