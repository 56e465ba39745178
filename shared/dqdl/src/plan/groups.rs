//! Rules about how often values occur. They are counted by a scan that groups.

use super::{Formula, Judge, Metric, Planned, Planner, filter, numeric};
use crate::rule_type::RuleType;
use crate::ruleset::{Body, Check, Rule};
use crate::table::Column;

impl Planner<'_> {
    /// Notes which single columns the scan of a rule groups.
    pub(super) fn note_groups(&mut self, rule: &Rule) {
        match &rule.body {
            Body::Composite { rules, .. } => rules.iter().for_each(|rule| self.note_groups(rule)),
            Body::Check(check) => {
                if let (true, [only]) = (is_of_groups(check.rule_type), &check.parameters[..])
                    && let Ok(column) = self.column(&only.value)
                {
                    let filter = filter(check, &self.sources.primary);
                    self.grouped.insert((column.name, filter));
                }
            }
        }
    }

    /// How many values a column has, where its values are grouped anyway: its completeness needs no second reading.
    pub(super) fn values_of_groups(
        &mut self,
        column: &Column,
        filter: Option<&str>,
    ) -> Option<String> {
        let known = (column.name.clone(), filter.map(str::to_owned));
        self.grouped.contains(&known).then(|| {
            let body = grouped(&self.sources.primary.from, std::slice::from_ref(column), filter);
            let [values] = self.scans.scan(body, ["COALESCE(SUM(\"n\"), 0)".to_owned()]);
            values
        })
    }

    pub(super) fn groups(&mut self, check: &Check) -> Planned {
        let columns: Vec<Column> = check
            .parameters
            .iter()
            .map(|parameter| self.column(&parameter.value))
            .collect::<Result<_, _>>()?;
        let filter = filter(check, &self.sources.primary);
        let body = grouped(&self.sources.primary.from, &columns, filter.as_deref());
        let names: Vec<_> = columns.iter().map(|column| column.name.as_str()).collect();
        let entity = if columns.len() == 1 { "Column" } else { "Multicolumn" };
        let metric = |name: &str, formula| Metric {
            name: format!("{entity}.{}.{name}", names.join(",")),
            formula,
        };
        let rows = || "SUM(\"n\")".to_owned();
        let once = || "COUNT(*) FILTER (WHERE \"n\" = 1)".to_owned();
        let metrics = match check.rule_type {
            RuleType::UniqueValueRatio => {
                let [part, whole] = self.scans.scan(body, [once(), "COUNT(*)".to_owned()]);
                vec![metric("UniqueValueRatio", Formula::Share { part, whole })]
            }
            RuleType::Entropy => {
                let weighted = "SUM(\"n\" * LN(CAST(\"n\" AS double)))".to_owned();
                let [rows, weighted] = self.scans.scan(body, [rows(), weighted]);
                vec![metric("Entropy", Formula::Entropy { rows, weighted })]
            }
            kind => {
                let [part, whole] = self.scans.scan(body, [once(), rows()]);
                let mut metrics = vec![metric("Uniqueness", Formula::Share { part, whole })];
                if kind == RuleType::IsPrimaryKey {
                    metrics.extend(columns.iter().map(|column| Metric {
                        name: format!("Column.{}.Completeness", column.name),
                        formula: self.completeness(column, filter.as_deref()),
                    }));
                }
                metrics
            }
        };
        let judge = match check.rule_type {
            RuleType::IsUnique | RuleType::IsPrimaryKey => Judge::AllOne,
            _ => Judge::Number(numeric(check)),
        };
        Ok((metrics, judge))
    }
}

pub(super) fn is_of_groups(kind: RuleType) -> bool {
    matches!(
        kind,
        RuleType::Uniqueness
            | RuleType::IsUnique
            | RuleType::UniqueValueRatio
            | RuleType::Entropy
            | RuleType::IsPrimaryKey
    )
}

/// The groups with their rows, `n`. Rows without any value are none.
fn grouped(from: &str, columns: &[Column], filter: Option<&str>) -> String {
    let names: Vec<_> = columns.iter().map(Column::sql).collect();
    let present =
        names.iter().map(|name| format!("{name} IS NOT NULL")).collect::<Vec<_>>().join(" OR ");
    let present = super::both(&present, filter);
    let names = names.join(", ");
    format!("(SELECT COUNT(*) AS \"n\" FROM {from} WHERE {present} GROUP BY {names})")
}
