//! What a row must satisfy to be loaded, as SQL over canonical values.

use dqdl::{RuleType, Table};
use shared::dataset::{ColumnType, RAGGED_ROW, RowRule, UNPARSABLE_VALUE};
use shared::sql::{Name, Sql, Text, sql};

use crate::file_schema::Layout;
use crate::plan::{OVERFLOW_FIELDS, RunPlan};
use crate::value::{LONGEST_TEXT, Value, raw_name};

/// When a row breaks a rule, and what is said about it.
pub struct Verdict<'a> {
    pub rule: &'a str,
    pub broken: Sql,
    pub reason: Sql,
}

/// The rules of the ruleset that this file can break, after those that hold for every file; the
/// first one that a row breaks is the row's.
pub fn verdicts<'a>(plan: &'a RunPlan<'_>, values: &[Value<'_>]) -> Vec<Verdict<'a>> {
    let mut verdicts = Vec::new();
    verdicts.extend(ragged(plan));
    verdicts.extend(unparsable(values));
    let table = plan.dataset.rule_table(String::new(), plan.month);
    let is_there = |name: &str| values.iter().any(|v| v.column.name == name && v.is_there());
    for rule in plan.dataset.row_rules(plan.month) {
        let columns = dqdl::row::columns(rule.check, &table);
        if columns.iter().all(|column| is_there(&column.name)) {
            verdicts.push(of_ruleset(rule, &table, plan));
        }
    }
    verdicts
}

/// The name that the fields beyond the header have inside the conversion.
pub fn overflow_name(number: usize) -> Sql {
    sql("{}", &[&Name(&format!("x{number}"))])
}

/// A row's last field is missing, or one beyond the header is not empty. The last that is looked at
/// must not even be there: what would follow it is not seen.
fn ragged(plan: &RunPlan<'_>) -> Option<Verdict<'static>> {
    if plan.schema.layout == Layout::Named {
        return None;
    }
    let width = plan.schema.columns.len();
    let short = sql("{} IS NULL", &[&raw_name(width - 1)]);
    let last = OVERFLOW_FIELDS - 1;
    let more = (0..last).map(|number| sql("TRIM({}) <> ''", &[&overflow_name(number)]));
    let too_many = sql("{} IS NOT NULL", &[&overflow_name(last)]);
    let more = Sql::join(more.chain([too_many]), " OR ");
    let reason = sql(
        "CASE WHEN {} THEN 'fewer than {} fields' ELSE 'more than {} fields' END",
        &[&short, &width, &width],
    );
    Some(Verdict { rule: RAGGED_ROW, broken: sql("{} OR {}", &[&short, &more]), reason })
}

fn unparsable(values: &[Value<'_>]) -> Option<Verdict<'static>> {
    let bad: Vec<_> = values.iter().filter_map(|v| Some((v, v.unparsable()?))).collect();
    if bad.is_empty() {
        return None;
    }
    let broken = Sql::join(bad.iter().map(|(_, broken)| broken.clone()), "\n      OR ");
    let reasons = bad.iter().map(|(value, broken)| {
        let expected = match value.column.column_type {
            ColumnType::Text => format!("text in UTF-8 of at most {LONGEST_TEXT} characters"),
            other => format!("a {}", other.hive()),
        };
        let what = format!("{} is not {expected}: ", value.column.name);
        sql("WHEN {} THEN {} || {}", &[broken, &Text(&what), &value.found()])
    });
    let reason = sql("CASE\n      {} END", &[&Sql::join(reasons, "\n      ")]);
    Some(Verdict { rule: UNPARSABLE_VALUE, broken, reason })
}

/// A rule of the ruleset: what breaks it, and what was found.
fn of_ruleset<'a>(rule: RowRule<'a>, table: &Table, plan: &RunPlan<'_>) -> Verdict<'a> {
    let broken = dqdl::row::broken(rule.check, table, plan.now);
    let broken = broken.and_then(Result::ok).expect("a test makes SQL of every row rule");
    let found = dqdl::row::columns(rule.check, table).into_iter().map(|column| {
        let (name, value) = (Text(&column.name), Name(&column.name));
        sql("{} || COALESCE(' ' || CAST({} AS varchar), ' is empty')", &[&name, &value])
    });
    let found = Sql::join(found, " || ', ' || ");
    let reason = match &rule.check.condition {
        Some(condition) if rule.check.rule_type != RuleType::RowCount => {
            sql("{} || {}", &[&found, &Text(&format!("; expected {condition}"))])
        }
        _ => found,
    };
    Verdict { rule: rule.name, broken: Sql::of_rules(broken), reason }
}
