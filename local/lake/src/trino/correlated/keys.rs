//! Which correlated subqueries Trino takes: under a LIMIT or inside EXISTS with groups, only those
//! whose rows belong to an outer row by equality.

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, Operator};

use super::domain::Domain;
use super::free;
use super::native::conjuncts;

/// Whether rows belong to a row of the domain by `column = outer column` alone, both of one type, and
/// groups are of such a column's rows.
pub(super) fn are_plain(plan: &LogicalPlan, domain: &Domain) -> Result<bool> {
    let mut plain = true;
    let mut keys: Vec<String> = Vec::new();
    let mut groups: Vec<Vec<String>> = Vec::new();
    plan.apply(|node| {
        match node {
            LogicalPlan::Filter(filter) => {
                let mut conditions = Vec::new();
                conjuncts(&filter.predicate, &mut conditions);
                for condition in conditions {
                    if !domain.sees(&free::of_expr(condition, filter.input.schema())?) {
                        continue;
                    }
                    match key(condition, &filter.input)? {
                        Some(name) => keys.push(name),
                        None => plain = false,
                    }
                }
            }
            LogicalPlan::Aggregate(aggregate) => groups.push(
                aggregate
                    .group_expr
                    .iter()
                    .filter_map(|expr| match expr {
                        Expr::Column(column) => Some(column.name.clone()),
                        _ => None,
                    })
                    .collect(),
            ),
            _ => {}
        }
        Ok(if plain { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    let grouped = groups
        .iter()
        .all(|names| names.is_empty() || keys.iter().all(|key| names.contains(key)));
    Ok(plain && grouped)
}

/// The column of `column = outer column`, both of one type.
fn key(condition: &Expr, input: &LogicalPlan) -> Result<Option<String>> {
    let Expr::BinaryExpr(compared) = condition else { return Ok(None) };
    let (own, outer) = match (compared.left.as_ref(), compared.right.as_ref()) {
        (own, Expr::OuterReferenceColumn(field, _))
        | (Expr::OuterReferenceColumn(field, _), own) => (own, field),
        _ => return Ok(None),
    };
    let Expr::Column(column) = own else { return Ok(None) };
    let same = own.get_type(input.schema())? == *outer.data_type();
    Ok((compared.op == Operator::Eq && same).then(|| column.name.clone()))
}

/// Whether a plan's rows are groups.
pub(super) fn has_groups(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(aggregate) => !aggregate.group_expr.is_empty(),
        LogicalPlan::Projection(projection) => has_groups(&projection.input),
        LogicalPlan::Filter(filter) => has_groups(&filter.input),
        LogicalPlan::SubqueryAlias(alias) => has_groups(&alias.input),
        LogicalPlan::Subquery(subquery) => has_groups(&subquery.subquery),
        _ => false,
    }
}

/// Whether an aggregate with a FILTER is of an unnesting's rows.
pub(super) fn is_filtered_unnest(aggregate: &Aggregate) -> bool {
    fn unnests(plan: &LogicalPlan) -> bool {
        match plan {
            LogicalPlan::Unnest(_) => true,
            LogicalPlan::Projection(projection) => unnests(&projection.input),
            LogicalPlan::SubqueryAlias(alias) => unnests(&alias.input),
            LogicalPlan::Subquery(subquery) => unnests(&subquery.subquery),
            _ => false,
        }
    }
    let filtered = |expr: &Expr| matches!(expr, Expr::AggregateFunction(function) if function.params.filter.is_some());
    aggregate.aggr_expr.iter().any(filtered) && unnests(&aggregate.input)
}
