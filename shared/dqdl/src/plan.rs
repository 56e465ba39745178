//! A ruleset made ready for a table: what must be measured, in as few scans as possible, and how each rule is judged.
//!
//! All that aggregates can say of one table is one scan. Uniqueness is a scan for each set of columns, a reference a scan
//! for each rule that has one, and SQL of a rule's own is its own.

use std::collections::BTreeSet;

use crate::number::Number;
use crate::problem::{Place, Problem};
use crate::rule_type::RuleType;
use crate::ruleset::{Body, Check, Connective, Label, Parameter, Rule, Ruleset};
use crate::table::{Sources, Table};

mod aggregate;
mod columns;
mod groups;
mod own_sql;
mod reference;
mod rows;
mod scans;

pub use scans::{Scan, Scans};

use crate::condition::Comparison;

/// A ruleset, ready to be run over one table.
#[derive(Clone, Debug)]
pub struct Plan {
    pub rules: Vec<PlannedRule>,
    /// What analyzers gather, beside the metrics of the rules.
    pub gathered: Vec<Metric>,
    pub scans: Scans,
}

#[derive(Clone, Debug)]
pub struct PlannedRule {
    /// Its canonical text.
    pub text: String,
    pub place: Place,
    pub labels: Vec<Label>,
    pub test: Test,
}

/// How a rule is judged.
#[derive(Clone, Debug)]
pub enum Test {
    Single { metrics: Vec<Metric>, judge: Judge },
    Composite { connective: Connective, rules: Vec<PlannedRule> },
}

/// A number with the name that Glue has for it: `Column.fare_amount.Mean`.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub name: String,
    pub formula: Formula,
}

/// How a metric is made of measures, which go by their names. A measure that is NULL gives none.
#[derive(Clone, Debug, PartialEq)]
pub enum Formula {
    Known(f64),
    Measure(String),
    Share {
        part: String,
        whole: String,
    },
    /// Where both are 0 it is 1.
    Quotient {
        first: String,
        second: String,
    },
    /// Distinct values, NULL being one of them.
    Distinct {
        values: String,
        nulls: String,
    },
    /// ln N − Σ n ln n ÷ N.
    Entropy {
        rows: String,
        weighted: String,
    },
}

/// What decides.
#[derive(Clone, Debug, PartialEq)]
pub enum Judge {
    /// It needs no data.
    Known { passed: bool, reason: Option<String> },
    /// The first metric is held against it.
    Number(Comparison<Number>),
    /// All rows pass, or as many as the threshold says; over no rows the answer is `of_none`.
    Share { threshold: Option<Comparison<Number>>, of_none: bool },
    /// The smallest and the largest value are held against it, the first two metrics in this order; the third, a
    /// completeness, must be 1 where there is one.
    Extremes(Comparison<Number>),
    /// Every metric is 1.
    AllOne,
    /// The first metric is no outlier of its history.
    Usual,
}

impl Plan {
    /// Makes `ruleset` ready for a table.
    ///
    /// # Errors
    /// All rules that cannot be run, each with what it would need.
    pub fn new(ruleset: &Ruleset, sources: &Sources) -> Result<Self, Vec<Problem>> {
        let mut planner =
            Planner { sources, scans: Scans::over(&sources.primary), grouped: BTreeSet::new() };
        ruleset.rules.iter().for_each(|rule| planner.note_groups(rule));
        let (mut rules, mut gathered, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        for rule in &ruleset.rules {
            match planner.rule(rule) {
                Ok(rule) => rules.push(rule),
                Err(found) => problems.extend(found),
            }
        }
        for analyzer in &ruleset.analyzers {
            match planner.gather(analyzer.rule_type, &analyzer.parameters) {
                Ok(metrics) => gathered.extend(metrics),
                Err(message) => problems.push(Problem { place: analyzer.place, message }),
            }
        }
        if problems.is_empty() {
            Ok(Self { rules, gathered, scans: planner.scans })
        } else {
            Err(problems)
        }
    }
}

/// Why a rule is not planned.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Obstacle {
    /// It can never be run here.
    Unsupported(String),
    /// It is run, and fails: a column is missing or of a type that has no such metric.
    Fails(String),
}

type Planned = Result<(Vec<Metric>, Judge), Obstacle>;

struct Planner<'a> {
    sources: &'a Sources,
    scans: Scans,
    /// The columns whose values are grouped anyway, with the filter on their rows.
    grouped: BTreeSet<(String, Option<String>)>,
}

impl Planner<'_> {
    fn rule(&mut self, rule: &Rule) -> Result<PlannedRule, Vec<Problem>> {
        let test = match &rule.body {
            Body::Check(check) => {
                self.check(check).map_err(|message| vec![Problem { place: rule.place, message }])?
            }
            Body::Composite { connective, rules } => {
                let (mut planned, mut problems) = (Vec::new(), Vec::new());
                for rule in rules {
                    match self.rule(rule) {
                        Ok(rule) => planned.push(rule),
                        Err(found) => problems.extend(found),
                    }
                }
                if !problems.is_empty() {
                    return Err(problems);
                }
                Test::Composite { connective: *connective, rules: planned }
            }
        };
        Ok(PlannedRule {
            text: rule.to_string(),
            place: rule.place,
            labels: rule.labels.clone(),
            test,
        })
    }

    fn check(&mut self, check: &Check) -> Result<Test, String> {
        match self.test(check) {
            Ok((metrics, judge)) => Ok(Test::Single { metrics, judge }),
            Err(Obstacle::Unsupported(reason)) => Err(format!("{}: {reason}", check.rule_type)),
            Err(Obstacle::Fails(reason)) => Ok(Test::Single {
                metrics: Vec::new(),
                judge: Judge::Known { passed: false, reason: Some(reason) },
            }),
        }
    }

    fn test(&mut self, check: &Check) -> Planned {
        match check.rule_type {
            RuleType::RowCount
            | RuleType::Completeness
            | RuleType::IsComplete
            | RuleType::Mean
            | RuleType::Sum
            | RuleType::StandardDeviation
            | RuleType::Variance
            | RuleType::ColumnCorrelation
            | RuleType::DistinctValuesCount => self.aggregate(check),
            RuleType::ColumnCount
            | RuleType::ColumnExists
            | RuleType::ColumnNamesMatchPattern
            | RuleType::SchemaMatch => self.columns(check),
            RuleType::Uniqueness
            | RuleType::IsUnique
            | RuleType::UniqueValueRatio
            | RuleType::Entropy
            | RuleType::IsPrimaryKey => self.groups(check),
            RuleType::ColumnLength
            | RuleType::ColumnValues
            | RuleType::ColumnDataType
            | RuleType::DataFreshness => self.rows(check),
            RuleType::CustomSql => self.own_sql(check),
            RuleType::RowCountMatch
            | RuleType::ReferentialIntegrity
            | RuleType::DatasetMatch
            | RuleType::AggregateMatch => self.reference(check),
            RuleType::DetectAnomalies => self.anomalies(check),
            RuleType::FileMatch
            | RuleType::FileUniqueness
            | RuleType::FileFreshness
            | RuleType::FileSize => {
                Err(Obstacle::Unsupported("it is about files, and only a table is here".to_owned()))
            }
            RuleType::AllStatistics => {
                Err(Obstacle::Unsupported("it stands among Analyzers only".to_owned()))
            }
        }
    }

    /// `DetectAnomalies "RowCount"`, `DetectAnomalies of Completeness of "colA"`: any metric that is a single number.
    fn anomalies(&mut self, check: &Check) -> Planned {
        let name = check.parameter(0);
        let rule_type =
            name.parse().map_err(|_| Obstacle::Unsupported(format!("{name} is no metric")))?;
        let metrics =
            self.gather(rule_type, &check.parameters[1..]).map_err(Obstacle::Unsupported)?;
        match metrics.len() {
            1 => Ok((metrics, Judge::Usual)),
            count => Err(Obstacle::Unsupported(format!(
                "{name} is {count} metrics, and one is asked for"
            ))),
        }
    }

    /// The metrics of a rule type, without a condition.
    fn gather(
        &mut self,
        rule_type: RuleType,
        parameters: &[Parameter],
    ) -> Result<Vec<Metric>, String> {
        let check = |rule_type, parameters: &[Parameter]| Check {
            rule_type,
            parameters: parameters.to_vec(),
            condition: None,
            filter: None,
            threshold: None,
            tags: Vec::new(),
        };
        let kinds: Vec<(RuleType, Vec<Parameter>)> = match rule_type {
            RuleType::AllStatistics => self.all_statistics(parameters),
            _ => vec![(rule_type, parameters.to_vec())],
        };
        let mut metrics = Vec::new();
        for (kind, parameters) in kinds {
            match self.test(&check(kind, &parameters)) {
                Ok((found, _)) => metrics.extend(found),
                Err(Obstacle::Unsupported(reason) | Obstacle::Fails(reason)) => {
                    return Err(format!("{kind}: {reason}"));
                }
            }
        }
        Ok(metrics)
    }

    /// What there is to say about a column, or about all (`AllColumns`).
    fn all_statistics(&self, parameters: &[Parameter]) -> Vec<(RuleType, Vec<Parameter>)> {
        let named =
            parameters.first().map(|parameter| parameter.value.as_str()).unwrap_or_default();
        let chosen = self
            .sources
            .primary
            .columns
            .iter()
            .filter(|column| named == "AllColumns" || column.name == named);
        chosen
            .flat_map(|column| {
                let parameter = Parameter {
                    connector: None,
                    written: format!("\"{}\"", column.name),
                    value: column.name.clone(),
                };
                let numbers = [RuleType::Mean, RuleType::StandardDeviation, RuleType::Sum];
                let numbers = numbers.into_iter().filter(|_| column.is_number());
                [RuleType::Completeness, RuleType::DistinctValuesCount]
                    .into_iter()
                    .chain(numbers)
                    .map(move |kind| (kind, vec![parameter.clone()]))
            })
            .collect()
    }

    fn column(&self, name: &str) -> Result<crate::table::Column, Obstacle> {
        let found = self.sources.primary.column(name).cloned();
        found.ok_or_else(|| Obstacle::Fails(format!("there is no column {name}")))
    }

    fn reference_table(&self, alias: &str) -> Result<&Table, Obstacle> {
        self.sources.references.get(alias).ok_or_else(|| {
            Obstacle::Unsupported(format!("it needs the data source {alias}, which is not given"))
        })
    }
}

/// The condition on a number. Analyzers have none, and are not judged.
fn numeric(check: &Check) -> Comparison<Number> {
    match &check.condition {
        Some(crate::condition::Condition::Number(comparison)) => comparison.clone(),
        _ => Comparison {
            operator: crate::condition::Operator::NotEqual,
            operands: vec![Number::Literal("0".to_owned())],
        },
    }
}

fn filter(check: &Check, table: &Table) -> Option<String> {
    check.filter.as_deref().map(|filter| crate::sql::authored(filter, &table.constants))
}

fn both(one: &str, other: Option<&str>) -> String {
    match other {
        None => one.to_owned(),
        Some(other) => format!("({other}) AND ({one})"),
    }
}
