//! Subqueries that look at the row around them, and `LATERAL`: joins.
//!
//! A subquery is evaluated once for all rows around it: over its *domain*, the distinct
//! values of the columns it looks at (Neumann and Kemper, "Unnesting Arbitrary Queries").
//! [`dependent`] carries the domain through the subquery, operator by operator; [`site`]
//! joins what comes out to the rows around. The few shapes that DataFusion turns into semi
//! joins by itself stay with it ([`native`]).

mod dependent;
mod domain;
mod free;
mod join;
mod keys;
mod native;
mod shape;
mod single;
mod site;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, Subquery};
use datafusion::optimizer::AnalyzerRule;

/// Runs before types are coerced, after [`super::unnest::UnnestJoin`].
#[derive(Debug)]
pub(super) struct Correlated;

impl AnalyzerRule for Correlated {
    fn name(&self) -> &'static str {
        "correlated"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        if has_subqueries(&plan)? { resolved(plan) } else { Ok(plan) }
    }
}

/// The plan with its subqueries joined, from the outermost in.
fn resolved(plan: LogicalPlan) -> Result<LogicalPlan> {
    let plan = match plan {
        LogicalPlan::Subquery(Subquery { subquery, .. }) => {
            return resolved(subquery.as_ref().clone());
        }
        LogicalPlan::Join(ref join) => match join::lateral(join)? {
            Some(joined) => joined,
            None => site::resolved(plan)?,
        },
        plan => site::resolved(plan)?,
    };
    let plan = plan.map_children(|child| resolved(child).map(Transformed::yes))?.data;
    plan.map_subqueries(|inner| match inner {
        LogicalPlan::Subquery(inner) => Ok(Transformed::yes(LogicalPlan::Subquery(Subquery {
            subquery: resolved(inner.subquery.as_ref().clone())?.into(),
            ..inner
        }))),
        other => resolved(other).map(Transformed::yes),
    })?
    .data
    .recompute_schema()
}

fn has_subqueries(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply(|node| {
        if matches!(node, LogicalPlan::Subquery(_)) {
            found = true;
        }
        node.apply_expressions(|expr| {
            found = found || has_subquery(expr);
            Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// The plan inside a subquery expression.
fn inside(expr: &Expr) -> Option<&Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery) => Some(subquery),
        Expr::Exists(exists) => Some(&exists.subquery),
        Expr::InSubquery(within) => Some(&within.subquery),
        Expr::SetComparison(comparison) => Some(&comparison.subquery),
        _ => None,
    }
}

fn has_subquery(expr: &Expr) -> bool {
    expr.exists(|part| Ok(inside(part).is_some())).unwrap_or(false)
}
