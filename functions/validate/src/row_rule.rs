//! What a row must satisfy to be loaded, as SQL over canonical values.

use shared::dataset::{Check, ColumnType, RAGGED_ROW, RowRule, UNPARSABLE_VALUE};
use shared::month::Month;
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

/// The rules of the contract that this file can break, after those that hold for every file; the
/// first one that a row breaks is the row's.
pub fn verdicts<'a>(plan: &'a RunPlan<'_>, values: &[Value<'_>]) -> Vec<Verdict<'a>> {
    let mut verdicts = Vec::new();
    verdicts.extend(ragged(plan));
    verdicts.extend(unparsable(values));
    for rule in &plan.dataset.rules {
        let is_there = |name: &str| values.iter().any(|v| v.column.name == name && v.is_there());
        if rule.check.columns().into_iter().all(is_there) {
            verdicts.push(of_contract(rule, plan.month));
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

fn of_contract(rule: &RowRule, month: Month) -> Verdict<'_> {
    let (broken, reason) = match &rule.check {
        Check::Present { column } => (
            sql("{} IS NULL", &[&Name(column)]),
            sql("{}", &[&Text(&format!("{column} is empty"))]),
        ),
        Check::NotNegative { column } => (
            sql("{} < 0", &[&Name(column)]),
            sql(
                "{} || CAST({} AS varchar) || ' is negative'",
                &[&Text(&format!("{column} ")), &Name(column)],
            ),
        ),
        Check::NotBefore { column, other } => (
            not_before(column, other, month),
            sql(
                "{} || CAST({} AS varchar) || {} || CAST({} AS varchar)",
                &[
                    &Text(&format!("{column} ")),
                    &Name(column),
                    &Text(&format!(" is before {other} ")),
                    &Name(other),
                ],
            ),
        ),
    };
    Verdict { rule: &rule.name, broken, reason }
}

/// In the hour that the clocks show twice, a trip may end before it began.
fn not_before(column: &str, other: &str, month: Month) -> Sql {
    let before = sql("{} < {}", &[&Name(column), &Name(other)]);
    let Some((from, to)) = month.repeated_hour() else { return before };
    let moment = |time: jiff::civil::DateTime| {
        sql("TIMESTAMP {}", &[&Text(&time.strftime("%Y-%m-%d %H:%M:%S").to_string())])
    };
    let (from, to) = (moment(from), moment(to));
    let inside = |name: &str| sql("{} >= {} AND {} < {}", &[&Name(name), &from, &Name(name), &to]);
    sql("{} AND NOT ({} AND {})", &[&before, &inside(column), &inside(other)])
}
