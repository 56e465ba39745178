//! Rules about every single row.

use super::aggregate::filtered;
use super::{Formula, Judge, Metric, Obstacle, Planned, Planner, both, filter};
use crate::condition::{Comparison, Condition, Operator};
use crate::number::Number;
use crate::row;
use crate::rule_type::RuleType;
use crate::ruleset::Check;
use crate::table::{Column, ColumnKind};

impl Planner<'_> {
    pub(super) fn rows(&mut self, check: &Check) -> Planned {
        let column = self.column(check.parameter(0))?;
        let filter = filter(check, &self.sources.primary);
        if let (None, Some(Condition::Number(comparison))) = (&check.threshold, &check.condition)
            && let Some(planned) = self.extremes(check, &column, comparison, filter.as_deref())
        {
            return planned;
        }
        let passes = match row::passes(check, &self.sources.primary, self.sources.now) {
            Some(Ok(passes)) => passes,
            Some(Err(reason)) => return Err(unfit(check, reason)),
            None => return self.without_condition(check, &column),
        };
        let part = self.rows_where(Some(&both(&passes, filter.as_deref())));
        let whole = self.rows_where(filter.as_deref());
        let name = match check.rule_type {
            RuleType::ColumnLength => "LengthCompliance".to_owned(),
            kind => format!("{kind}.Compliance"),
        };
        let metric = Metric {
            name: format!("Column.{}.{name}", column.name),
            formula: Formula::Share { part, whole },
        };
        // Glue passes types and ages over no rows, and fails values and lengths.
        let of_none = matches!(check.rule_type, RuleType::ColumnDataType | RuleType::DataFreshness);
        Ok((vec![metric], Judge::Share { threshold: check.threshold.clone(), of_none }))
    }

    /// What the smallest and the largest value decide alone.
    fn extremes(
        &mut self,
        check: &Check,
        column: &Column,
        comparison: &Comparison<Number>,
        filter: Option<&str>,
    ) -> Option<Planned> {
        let of_lengths = check.rule_type == RuleType::ColumnLength;
        let decided = match comparison.operator {
            Operator::Greater
            | Operator::GreaterOrEqual
            | Operator::Less
            | Operator::LessOrEqual
            | Operator::Equal => true,
            Operator::Between | Operator::NotEqual => of_lengths,
            _ => false,
        };
        if !decided || comparison.operands.contains(&Number::Null) {
            return None;
        }
        let (value, smallest, largest) = match (of_lengths, column.kind) {
            (true, _) => (
                format!("COALESCE(LENGTH({}), 0)", column.text()),
                "MinimumLength",
                "MaximumLength",
            ),
            (false, ColumnKind::Whole | ColumnKind::Real | ColumnKind::Text) => {
                (column.number(), "Minimum", "Maximum")
            }
            (false, _) => {
                let reason =
                    format!("{} is of type {} and no number", column.name, column.type_name);
                return Some(Err(Obstacle::Fails(reason)));
            }
        };
        let mut metric = |function: &str, name: &str| Metric {
            name: format!("Column.{}.{name}", column.name),
            formula: Formula::Measure(
                self.scans.measure(filtered(format!("{function}({value})"), filter)),
            ),
        };
        let mut metrics = vec![metric("MIN", smallest), metric("MAX", largest)];
        if !of_lengths {
            let formula = match column.kind {
                ColumnKind::Text => {
                    let part = self.scans.measure(filtered(format!("COUNT({value})"), filter));
                    Formula::Share { part, whole: self.rows_where(filter) }
                }
                _ => self.completeness(column, filter),
            };
            metrics.push(Metric { name: format!("Column.{}.Completeness", column.name), formula });
        }
        Some(Ok((metrics, Judge::Extremes(comparison.clone()))))
    }

    /// Analyzers of these types gather the extremes.
    fn without_condition(&mut self, check: &Check, column: &Column) -> Planned {
        let any = Comparison {
            operator: Operator::GreaterOrEqual,
            operands: vec![Number::Literal("0".to_owned())],
        };
        match check.rule_type {
            RuleType::ColumnLength | RuleType::ColumnValues => {
                self.extremes(check, column, &any, None).unwrap_or_else(|| {
                    Err(Obstacle::Unsupported("it has no metric of its own".to_owned()))
                })
            }
            _ => Err(Obstacle::Unsupported("it has no metric without a condition".to_owned())),
        }
    }
}

/// A computed number is nothing this can compare rows with; a type that does not fit fails the rule.
fn unfit(check: &Check, reason: String) -> Obstacle {
    let computed = match &check.condition {
        Some(Condition::Number(comparison)) => comparison
            .operands
            .iter()
            .any(|operand| !matches!(operand, Number::Literal(_) | Number::Null)),
        _ => false,
    };
    if computed { Obstacle::Unsupported(reason) } else { Obstacle::Fails(reason) }
}
