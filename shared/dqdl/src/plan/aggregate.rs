//! Rules about one aggregate of the table.

use super::{Formula, Judge, Metric, Obstacle, Planned, Planner, filter, numeric};
use crate::rule_type::RuleType;
use crate::ruleset::Check;
use crate::table::{Column, ColumnKind};

impl Planner<'_> {
    pub(super) fn aggregate(&mut self, check: &Check) -> Planned {
        let filter = filter(check, &self.sources.primary);
        let filter = filter.as_deref();
        if check.rule_type == RuleType::RowCount {
            let metric = Metric {
                name: "Dataset.*.RowCount".to_owned(),
                formula: Formula::Measure(self.rows_where(filter)),
            };
            return Ok((vec![metric], Judge::Number(numeric(check))));
        }
        let column = self.column(check.parameter(0))?;
        let metric = |name: &str, formula| Metric {
            name: format!("Column.{}.{name}", column.name),
            formula,
        };
        let metric = match check.rule_type {
            RuleType::Completeness | RuleType::IsComplete => {
                metric("Completeness", self.completeness(&column, filter))
            }
            RuleType::DistinctValuesCount => {
                metric("DistinctValuesCount", self.distinct(&column, filter))
            }
            RuleType::ColumnCorrelation => {
                let other = self.column(check.parameter(1))?;
                let (first, second) = (number(&column)?, number(&other)?);
                let aggregate = filtered(format!("CORR({first}, {second})"), filter);
                let formula = Formula::Measure(self.scans.measure(aggregate));
                Metric {
                    name: format!("Multicolumn.{},{}.ColumnCorrelation", column.name, other.name),
                    formula,
                }
            }
            kind => {
                let function = match kind {
                    RuleType::Mean => "AVG",
                    RuleType::Sum => "SUM",
                    RuleType::StandardDeviation => "STDDEV_POP",
                    _ => "VAR_POP",
                };
                let aggregate = filtered(format!("{function}({})", number(&column)?), filter);
                metric(&kind.to_string(), Formula::Measure(self.scans.measure(aggregate)))
            }
        };
        let judge = if check.rule_type == RuleType::IsComplete {
            Judge::AllOne
        } else {
            Judge::Number(numeric(check))
        };
        Ok((vec![metric], judge))
    }

    pub(super) fn rows_where(&mut self, filter: Option<&str>) -> String {
        self.scans.measure(filtered("COUNT(*)".to_owned(), filter))
    }

    pub(super) fn completeness(&mut self, column: &Column, filter: Option<&str>) -> Formula {
        let part = self.values_of_groups(column, filter).unwrap_or_else(|| {
            self.scans.measure(filtered(format!("COUNT({})", column.sql()), filter))
        });
        Formula::Share { part, whole: self.rows_where(filter) }
    }

    fn distinct(&mut self, column: &Column, filter: Option<&str>) -> Formula {
        let values =
            self.scans.measure(filtered(format!("COUNT(DISTINCT {})", column.sql()), filter));
        let is_null = format!("{} IS NULL", column.sql());
        let nulls = self.rows_where(Some(&super::both(&is_null, filter)));
        Formula::Distinct { values, nulls }
    }
}

/// An aggregate over the rows that a filter chooses.
pub(super) fn filtered(aggregate: String, filter: Option<&str>) -> String {
    match filter {
        None => aggregate,
        Some(filter) => format!("{aggregate} FILTER (WHERE {filter})"),
    }
}

fn number(column: &Column) -> Result<String, Obstacle> {
    match column.kind {
        ColumnKind::Whole | ColumnKind::Real => Ok(column.double()),
        _ => Err(Obstacle::Fails(format!(
            "{} is of type {} and no number",
            column.name, column.type_name
        ))),
    }
}
