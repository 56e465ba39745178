//! Conditions that ask chance are asked once for each row they are written for.
//!
//! DataFusion pushes a condition that names no column of an aggregation or an `UNNEST` below it, where there are other rows.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, Result};
use datafusion::logical_expr::utils::{conjunction, split_conjunction_owned};
use datafusion::logical_expr::{Expr, Filter, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::AnalyzerRule;

/// The answer of chance, beside a row.
const CHANCE: &str = "$chance";

#[derive(Debug)]
pub(super) struct Chance;

impl AnalyzerRule for Chance {
    fn name(&self) -> &'static str {
        "chance"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| match node {
            LogicalPlan::Filter(filter) if filter.predicate.is_volatile() => {
                Ok(Transformed::yes(in_place(filter)?))
            }
            other => Ok(Transformed::no(other)),
        })
        .map(|transformed| transformed.data)
    }
}

/// Asks in a projection, which nothing volatile is pushed through.
fn in_place(filter: Filter) -> Result<LogicalPlan> {
    let columns: Vec<Expr> =
        filter.input.schema().columns().into_iter().map(Expr::Column).collect();
    let (asking, plain): (Vec<Expr>, Vec<Expr>) =
        split_conjunction_owned(filter.predicate).into_iter().partition(Expr::is_volatile);
    let mut rows = LogicalPlanBuilder::from(Arc::unwrap_or_clone(filter.input));
    if let Some(plain) = conjunction(plain) {
        rows = rows.filter(plain)?;
    }
    let Some(asking) = conjunction(asking) else { return rows.build() };
    let mut asked = columns.clone();
    asked.push(asking.alias(CHANCE));
    rows.project(asked)?
        .filter(Expr::Column(Column::new_unqualified(CHANCE)))?
        .project(columns)?
        .build()
}
