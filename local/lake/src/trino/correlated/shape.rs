//! Plans brought to the columns their place asks for.

use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

/// The columns of a schema as expressions.
pub(super) fn exprs(schema: &DFSchema) -> impl Iterator<Item = Expr> {
    schema.columns().into_iter().map(Expr::Column)
}

/// A plan that shows these expressions.
pub(super) fn projected(
    plan: LogicalPlan,
    shown: impl IntoIterator<Item = Expr>,
) -> Result<LogicalPlan> {
    LogicalPlanBuilder::from(plan).project(shown)?.build()
}

/// Expressions under the names of a schema's columns.
pub(super) fn named(exprs: impl IntoIterator<Item = Expr>, schema: &DFSchema) -> Vec<Expr> {
    exprs
        .into_iter()
        .zip(schema.columns())
        .map(|(expr, column)| match &expr {
            Expr::Column(own) if *own == column => expr,
            _ => expr.alias_qualified(column.relation, column.name),
        })
        .collect()
}
