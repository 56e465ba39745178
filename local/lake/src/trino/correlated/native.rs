//! The subqueries that DataFusion itself joins, and joins well.

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, JoinType, LogicalPlan, Operator};

use super::{free, has_subquery};

/// Whether a condition of a filter may stay as it is: `EXISTS` and `IN` that become semi joins.
pub(super) fn is_semi_join(condition: &Expr) -> Result<bool> {
    let (subquery, negated) = match condition {
        Expr::Exists(exists) => (&exists.subquery, exists.negated),
        Expr::InSubquery(within) if !has_subquery(&within.expr) => {
            (&within.subquery, within.negated)
        }
        _ => return Ok(false),
    };
    if free::of_plan(&subquery.subquery)?.is_empty() {
        return Ok(true);
    }
    let anti_join_of_nulls = negated && matches!(condition, Expr::InSubquery(_));
    Ok(!anti_join_of_nulls && is_simple(&subquery.subquery)?)
}

/// Whether a scalar subquery may stay as it is in a projection or filter.
pub(super) fn is_scalar(expr: &Expr) -> Result<bool> {
    let Expr::ScalarSubquery(subquery) = expr else { return Ok(false) };
    Ok(free::of_plan(&subquery.subquery)?.is_empty())
}

/// Tables under filters of comparisons, joined and shown as they are.
fn is_simple(plan: &LogicalPlan) -> Result<bool> {
    let mut simple = true;
    plan.apply(|node| {
        simple = match node {
            LogicalPlan::TableScan(_) => true,
            LogicalPlan::Projection(projection) => !projection.expr.iter().any(asks),
            LogicalPlan::SubqueryAlias(alias) => {
                matches!(alias.input.as_ref(), LogicalPlan::TableScan(_))
            }
            LogicalPlan::Filter(filter) => {
                let mut conditions = Vec::new();
                conjuncts(&filter.predicate, &mut conditions);
                conditions.into_iter().all(|condition| !asks(condition) || is_key(condition))
            }
            LogicalPlan::Join(join) => {
                join.join_type == JoinType::Inner
                    && !free::is_lateral(&join.right)
                    && !join.filter.as_ref().is_some_and(asks)
            }
            _ => false,
        };
        Ok(if simple { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(simple)
}

/// Whether an expression holds an outer column, outside of its subqueries.
pub(super) fn looks_around(expr: &Expr) -> bool {
    expr.exists(|part| Ok(matches!(part, Expr::OuterReferenceColumn(..)))).unwrap_or(true)
}

fn asks(expr: &Expr) -> bool {
    has_subquery(expr) || looks_around(expr)
}

/// An outer column that equals one of the subquery's.
fn is_key(condition: &Expr) -> bool {
    let Expr::BinaryExpr(compared) = condition else { return false };
    compared.op == Operator::Eq
        && matches!(
            (compared.left.as_ref(), compared.right.as_ref()),
            (Expr::Column(_), Expr::OuterReferenceColumn(..))
                | (Expr::OuterReferenceColumn(..), Expr::Column(_))
        )
}

/// The conditions that all must hold.
pub(super) fn conjuncts<'a>(expr: &'a Expr, found: &mut Vec<&'a Expr>) {
    match expr {
        Expr::BinaryExpr(both) if both.op == Operator::And => {
            conjuncts(&both.left, found);
            conjuncts(&both.right, found);
        }
        other => found.push(other),
    }
}
