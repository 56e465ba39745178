//! Plans brought to the columns their place asks for.

use datafusion::common::{Column, DFSchema, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

/// The columns of a schema, with their relations.
pub(super) fn columns(schema: &DFSchema) -> Vec<Column> {
    schema.columns()
}

/// The same columns as expressions.
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
        .zip(columns(schema))
        .map(|(expr, column)| match &expr {
            Expr::Column(own) if *own == column => expr,
            _ => expr.alias_qualified(column.relation, column.name),
        })
        .collect()
}
