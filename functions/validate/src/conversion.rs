//! The conversion: one CTAS from the raw table to Parquet with canonical columns, each row with
//! its outcome.

use shared::sql::{Name, Sql, Text, sql};

use crate::file_schema::Layout;
use crate::plan::{OVERFLOW_FIELDS, RunPlan};
use crate::row_rule::{Verdict, overflow_name, verdicts};
use crate::value::{raw_name, values};

/// The CTAS. Every step names what the one before it has computed, so that no value is computed
/// twice: `source` the file's rows, `typed` canonical values, `judged` the rule each row breaks.
///
/// The partition column stands last (Athena user guide, "CREATE TABLE AS").
pub fn convert(plan: &RunPlan<'_>) -> Sql {
    let values = values(plan);
    let verdicts = verdicts(plan, &values);
    let typed = values.iter().map(|v| sql("{} AS {}", &[&v.sql(), &Name(&v.column.name)]));
    let typed = typed.chain(raw_names(plan));
    let canonical = values.iter().map(|value| sql("{}", &[&Name(&value.column.name)]));
    sql(
        "CREATE TABLE {}\n\
         WITH (format = 'PARQUET', write_compression = 'ZSTD', external_location = {}, \
         partitioned_by = ARRAY['outcome']) AS\n\
         WITH source AS (\n  {}\n),\n\
         typed AS (\n  SELECT\n  {}\n  FROM source\n),\n\
         judged AS (\n  SELECT *, {} AS \"rule\"\n  FROM typed\n)\n\
         SELECT {},\n  \
         CAST({} AS varchar) AS \"file\",\n  \
         \"rule\",\n  \
         {} AS \"reason\",\n  \
         CASE WHEN \"rule\" IS NOT NULL THEN {} END AS \"raw\",\n  \
         CAST(CASE WHEN \"rule\" IS NULL THEN 'loaded' ELSE 'rejected' END AS varchar) AS \"outcome\"\n\
         FROM judged",
        &[
            &plan.table(&plan.stage_table),
            &Text(&plan.target.to_string()),
            &source(plan),
            &Sql::join(typed, ",\n  "),
            &rule(&verdicts),
            &Sql::join(canonical, ", "),
            &Text(plan.file),
            &reason(&verdicts),
            &line(plan),
        ],
    )
}

/// The raw table's rows under names of their own, without the blank lines of CSV.
fn source(plan: &RunPlan<'_>) -> Sql {
    let columns = plan.raw_columns().into_iter().map(|column| match column.index {
        Some(index) => sql("{} AS {}", &[&Name(&column.name), &raw_name(index)]),
        None => sql("{}", &[&Name(&column.name)]),
    });
    let rows = match plan.schema.layout {
        Layout::Named => sql("", &[]),
        Layout::Positional => sql(" WHERE NOT (\"c0\" = '' AND \"c1\" IS NULL)", &[]),
    };
    let columns = Sql::join(columns, ", ");
    sql("SELECT {} FROM {}{}", &[&columns, &plan.table(&plan.raw_table), &rows])
}

fn raw_names(plan: &RunPlan<'_>) -> Vec<Sql> {
    let columns = plan.raw_columns().into_iter();
    columns
        .map(|column| match column.index {
            Some(index) => raw_name(index),
            None => sql("{}", &[&Name(&column.name)]),
        })
        .collect()
}

/// The first rule that a row breaks, or NULL.
fn rule(verdicts: &[Verdict<'_>]) -> Sql {
    let cases = verdicts
        .iter()
        .map(|verdict| sql("WHEN {} THEN {}", &[&verdict.broken, &Text(verdict.rule)]));
    choose(cases, verdicts, "CASE\n    {} END")
}

fn reason(verdicts: &[Verdict<'_>]) -> Sql {
    let cases = verdicts
        .iter()
        .map(|verdict| sql("WHEN {} THEN {}", &[&Text(verdict.rule), &verdict.reason]));
    choose(cases, verdicts, "CASE \"rule\"\n    {} END")
}

fn choose(
    cases: impl Iterator<Item = Sql>,
    verdicts: &[Verdict<'_>],
    template: &'static str,
) -> Sql {
    match verdicts {
        [] => sql("CAST(NULL AS varchar)", &[]),
        _ => sql("CAST({} AS varchar)", &[&sql(template, &[&Sql::join(cases, "\n    ")])]),
    }
}

/// A row's values as they came, joined by commas: of CSV as many as the row had.
fn line(plan: &RunPlan<'_>) -> Sql {
    let fields = plan.raw_columns().into_iter().filter_map(|column| column.index);
    let fields = fields.enumerate().map(|(place, index)| match (plan.schema.layout, place) {
        (_, 0) => sql("COALESCE(CAST({} AS varchar), '')", &[&raw_name(index)]),
        (Layout::Named, _) => sql("',' || COALESCE(CAST({} AS varchar), '')", &[&raw_name(index)]),
        (Layout::Positional, _) => sql("COALESCE(',' || {}, '')", &[&raw_name(index)]),
    });
    let overflow = match plan.schema.layout {
        Layout::Named => 0,
        Layout::Positional => OVERFLOW_FIELDS,
    };
    let overflow =
        (0..overflow).map(|number| sql("COALESCE(',' || {}, '')", &[&overflow_name(number)]));
    Sql::join(fields.chain(overflow), " || ")
}
