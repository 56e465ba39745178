//! The audit: what the conversion has written, measured.

use shared::dataset::audit_statement;
use shared::sql::Sql;

use crate::plan::RunPlan;

/// The SELECT over the stage table: a row for each outcome and rule with its rows, and the measures of the data set's
/// rules. It has as many rows as rules, and reads only the columns it measures.
pub fn audit(plan: &RunPlan<'_>) -> Sql {
    let staged = plan.table(&plan.stage_table);
    let (_, quality) = plan.dataset.quality_plan(plan.month, staged.as_str(), plan.now);
    Sql::of_rules(audit_statement(&quality.scans, staged.as_str()))
}
