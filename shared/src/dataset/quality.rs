//! What is expected of a data set's rows: its ruleset in DQDL, `shared/datasets/<name>.dqdl`.
//!
//! The rules are judged over what is loaded of a month. Row rules decide before, row by row, what is not loaded.

use dqdl::plan::Scans;
use dqdl::{Body, Check, Column, Plan, Rule, Ruleset, Sources, Table};
use jiff::civil::DateTime;

use super::Dataset;
use crate::month::Month;

/// The whole file after conversion, as rules name it.
const STAGED: &str = "staged";

/// The file's month, a column of the published view.
const MONTH: &str = "month";

/// What a failed rule means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Warning,
    /// The month is refused.
    Failure,
}

/// A rule for single rows: a row that breaks it goes to quarantine.
#[derive(Clone, Copy, Debug)]
pub struct RowRule<'a> {
    pub name: &'a str,
    pub check: &'a Check,
}

/// The name that reports have for a rule: its label `name`, or its text.
pub fn name_of(rule: &Rule) -> String {
    rule.label("name").map_or_else(|| rule.to_string(), str::to_owned)
}

/// Failure only where the label says so.
pub fn level_of(rule: &Rule) -> Level {
    match rule.label("level") {
        Some("failure") => Level::Failure,
        _ => Level::Warning,
    }
}

/// Whether the labels `since` and `until` leave the month in.
fn holds_in(rule: &Rule, month: Month) -> bool {
    let label = |key| rule.label(key).and_then(|text| text.parse::<Month>().ok());
    label("since").is_none_or(|since| month >= since)
        && label("until").is_none_or(|until| month <= until)
}

impl Dataset {
    /// The rules that hold for a month.
    fn ruleset_in(&self, month: Month) -> Ruleset {
        let mut ruleset = self.ruleset.clone();
        ruleset.rules.retain(|rule| holds_in(rule, month));
        ruleset
    }

    /// The rules for single rows, in the order of their verdicts.
    pub fn row_rules(&self, month: Month) -> impl Iterator<Item = RowRule<'_>> {
        let rules = self.ruleset.rules.iter().filter(move |rule| holds_in(rule, month));
        rules.filter(|rule| rule.label("row") == Some("quarantine")).filter_map(|rule| match &rule
            .body
        {
            Body::Check(check) => Some(RowRule { name: rule.label("name")?, check }),
            Body::Composite { .. } => None,
        })
    }

    /// The data set as its rules see it; `from` stands behind FROM.
    pub fn rule_table(&self, from: String, month: Month) -> Table {
        let columns = self.columns.iter().map(|c| Column::of_type(&c.name, c.column_type.hive()));
        let columns = columns.chain([Column::of_type(MONTH, "string")]).collect();
        Table { from, columns, constants: vec![(MONTH.to_owned(), month.to_string())] }
    }

    /// The rules that hold for a month, and the plan of them: `staged` is the table of all converted rows. Its measures
    /// have the same names whatever the table and the time.
    ///
    /// # Panics
    /// Never with the rulesets as they are: a test plans them all.
    pub fn quality_plan(&self, month: Month, staged: &str, now: DateTime) -> (Vec<Rule>, Plan) {
        let loaded = format!("(SELECT * FROM {staged} WHERE \"outcome\" = 'loaded')");
        let primary = self.rule_table(loaded, month);
        let references = [(STAGED.to_owned(), self.rule_table(staged.to_owned(), month))];
        let sources = Sources { primary, references: references.into(), now };
        let ruleset = self.ruleset_in(month);
        let plan = Plan::new(&ruleset, &sources).expect("a test plans every ruleset");
        (ruleset.rules, plan)
    }
}

/// The statement that measures a plan: a row for each outcome and rule with its rows and the aggregates over them, and
/// in every row what needs a scan of its own.
pub fn audit_statement(scans: &Scans, staged: &str) -> String {
    let columns =
        ["\"outcome\"".to_owned(), "\"rule\"".to_owned(), "COUNT(*) AS \"row_count\"".to_owned()];
    let columns: Vec<_> = columns.into_iter().chain(scans.common()).collect();
    let groups =
        format!("SELECT {}\nFROM {staged}\nGROUP BY \"outcome\", \"rule\"", columns.join(",\n  "));
    let others = scans.others();
    if others.is_empty() {
        return groups;
    }
    let joined = others
        .iter()
        .enumerate()
        .map(|(index, scan)| format!("\nCROSS JOIN (\n{scan}\n) AS \"s{index}\""));
    format!("SELECT *\nFROM (\n{groups}\n) AS \"audit\"{}", joined.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::DatasetName;

    /// Every ruleset can be planned for every month, its labels are known ones, and its row rules are about rows.
    #[test]
    fn rulesets_can_be_planned() {
        let now = "2024-06-01T12:00:00".parse().unwrap();
        for name in DatasetName::all() {
            let dataset = Dataset::named(name);
            let months = match dataset.first_month {
                Month::Current => vec![Month::Current],
                first @ Month::Calendar { .. } => {
                    Month::range(first, "2030-12".parse().unwrap()).collect()
                }
            };
            for month in months {
                let (_, plan) = dataset.quality_plan(month, "staged", now);
                let columns: Vec<_> =
                    plan.rules.iter().map(|rule| format!("{:?}", rule.test)).collect();
                assert!(
                    columns.iter().all(|test| !test.contains("there is no column")),
                    "{name}: {columns:?}"
                );
                let statement = audit_statement(&plan.scans, "staged");
                assert!(statement.len() < 200_000, "{name}: {}", statement.len());
                let table = dataset.rule_table(String::new(), month);
                for rule in dataset.row_rules(month) {
                    let broken = dqdl::row::broken(rule.check, &table, now);
                    assert!(broken.is_some_and(|broken| broken.is_ok()), "{name}: {}", rule.name);
                }
            }
            let rows = dataset.ruleset.rules.iter().filter(|rule| rule.label("row").is_some());
            let single = rows.clone().filter(|rule| matches!(rule.body, Body::Check(_)));
            assert_eq!(rows.count(), single.count(), "{name}: a composed rule is about no row");
            let mut names = std::collections::HashSet::new();
            for rule in &dataset.ruleset.rules {
                assert!(names.insert(name_of(rule)), "{name}: {} twice", name_of(rule));
                for label in &rule.labels {
                    let month = || label.value.parse::<Month>().is_ok();
                    let known = match label.key.as_str() {
                        "name" => label
                            .value
                            .chars()
                            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
                        "level" => ["warning", "failure"].contains(&label.value.as_str()),
                        "row" => label.value == "quarantine" && rule.label("name").is_some(),
                        "since" | "until" => month(),
                        _ => false,
                    };
                    assert!(known, "{name}: {}={} of {rule}", label.key, label.value);
                }
            }
            assert!(dataset.ruleset.warnings.is_empty(), "{name}: {:?}", dataset.ruleset.warnings);
        }
    }
}
