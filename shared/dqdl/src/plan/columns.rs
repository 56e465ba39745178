//! Rules about the columns, which no row is needed for.

use super::{Formula, Judge, Metric, Obstacle, Planned, Planner, numeric};
use crate::rule_type::RuleType;
use crate::ruleset::Check;

impl Planner<'_> {
    #[expect(clippy::cast_precision_loss, reason = "a table has some columns")]
    pub(super) fn columns(&mut self, check: &Check) -> Planned {
        let columns = &self.sources.primary.columns;
        let known = |name: String, value| vec![Metric { name, formula: Formula::Known(value) }];
        match check.rule_type {
            RuleType::ColumnCount => {
                let metrics = known("Dataset.*.ColumnCount".to_owned(), columns.len() as f64);
                Ok((metrics, Judge::Number(numeric(check))))
            }
            RuleType::ColumnExists => {
                let name = check.parameter(0);
                let exists = self.sources.primary.column(name).is_some();
                let reason = (!exists).then(|| format!("there is no column {name}"));
                Ok((
                    known(format!("Column.{name}.ColumnExists"), f64::from(u8::from(exists))),
                    Judge::Known { passed: exists, reason },
                ))
            }
            RuleType::ColumnNamesMatchPattern => {
                let pattern = check.parameter(0);
                let regex = regex_lite::Regex::new(pattern).map_err(|error| {
                    Obstacle::Unsupported(format!("{pattern:?} is no pattern: {error}"))
                })?;
                let others: Vec<_> = columns
                    .iter()
                    .map(|column| column.name.as_str())
                    .filter(|name| !regex.is_match(name))
                    .collect();
                let share = (columns.len() - others.len()) as f64 / columns.len() as f64;
                let reason = (!others.is_empty())
                    .then(|| format!("these do not match: {}", others.join(", ")));
                let metrics = known("Dataset.*.ColumnNamesPatternMatchRatio".to_owned(), share);
                Ok((metrics, Judge::Known { passed: others.is_empty(), reason }))
            }
            _ => {
                let alias = check.parameter(0);
                let reference = self.reference_table(alias)?;
                let same = |column: &&crate::table::Column| {
                    let other = reference.columns.iter().find(|other| other.name == column.name);
                    other.is_some_and(|other| other.type_name == column.type_name)
                };
                let share = if columns.len() == reference.columns.len() && !columns.is_empty() {
                    columns.iter().filter(same).count() as f64 / columns.len() as f64
                } else {
                    0.0
                };
                Ok((
                    known(format!("Dataset.{alias}.SchemaMatch"), share),
                    Judge::Number(numeric(check)),
                ))
            }
        }
    }
}
