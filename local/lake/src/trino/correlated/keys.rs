//! Which correlated subqueries Trino takes: under a LIMIT or inside EXISTS with groups, only those
//! whose rows belong to an outer row by equality.

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Aggregate, Expr, ExprSchemable, LogicalPlan, Operator};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;

use super::domain::Domain;
use super::free;
use super::native::conjuncts;

/// Whether rows belong to a row of the domain by `column = outer value` alone.
pub(super) fn are_plain(plan: &LogicalPlan, domain: &Domain) -> Result<bool> {
    Ok(keys(plan, domain)?.is_some())
}

/// Whether also the groups below are of such columns' rows.
pub(super) fn are_plain_and_grouped(plan: &LogicalPlan, domain: &Domain) -> Result<bool> {
    let Some(keys) = keys(plan, domain)? else { return Ok(false) };
    let mut grouped = true;
    plan.apply(|node| {
        if let LogicalPlan::Aggregate(aggregate) = node
            && !aggregate.group_expr.is_empty()
        {
            let has = |key: &String| {
                aggregate
                    .group_expr
                    .iter()
                    .any(|expr| matches!(expr, Expr::Column(column) if column.name == *key))
            };
            grouped = grouped && keys.iter().all(has);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(grouped)
}

/// The columns that equal outer values; `None` when an outer value is compared in another way.
fn keys(plan: &LogicalPlan, domain: &Domain) -> Result<Option<Vec<String>>> {
    let mut keys = Some(Vec::new());
    plan.apply(|node| {
        if let LogicalPlan::Filter(filter) = node {
            let mut conditions = Vec::new();
            conjuncts(&filter.predicate, &mut conditions);
            for condition in conditions {
                if !domain.sees(&free::of_expr(condition, filter.input.schema())?)
                    || is_outer(condition)
                {
                    continue;
                }
                match (key(condition, &filter.input)?, &mut keys) {
                    (Some(name), Some(keys)) => keys.push(name),
                    _ => keys = None,
                }
            }
        }
        Ok(if keys.is_some() { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    Ok(keys)
}

/// Whether an expression has no column of the subquery's own.
fn is_outer(expr: &Expr) -> bool {
    expr.column_refs().is_empty() && !super::has_subquery(expr)
}

/// The column of `column = outer value`, where the column's values stay different in the type they
/// are compared in.
fn key(condition: &Expr, input: &LogicalPlan) -> Result<Option<String>> {
    let Expr::BinaryExpr(compared) = condition else { return Ok(None) };
    let (own, outer) = match (compared.left.as_ref(), compared.right.as_ref()) {
        (own, outer) if is_outer(outer) => (own, outer),
        (outer, own) if is_outer(outer) => (own, outer),
        _ => return Ok(None),
    };
    let (own, cast) = match own {
        Expr::Cast(cast) => (cast.expr.as_ref(), Some(cast.field.data_type().clone())),
        other => (other, None),
    };
    let Expr::Column(column) = own else { return Ok(None) };
    let from = own.get_type(input.schema())?;
    let to = match cast {
        Some(to) => to,
        None => outer.get_type(input.schema())?,
    };
    let kept = compared.op == Operator::Eq && stays_different(&from, &to);
    Ok(kept.then(|| column.name.clone()))
}

/// Whether different values of a type are different ones of the other, or of the type both become.
fn stays_different(from: &DataType, to: &DataType) -> bool {
    !matches!(
        (from, to),
        (DataType::Int64 | DataType::Decimal128(..), DataType::Float64 | DataType::Float32)
            | (DataType::Int32, DataType::Float32)
    )
}

/// Whether a plan is one row without conditions: over others, Trino has no outer columns in what is
/// selected.
pub(super) fn is_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::EmptyRelation(empty) => empty.produce_one_row,
        LogicalPlan::Values(values) => values.values.len() == 1,
        LogicalPlan::Projection(projection) => is_one_row(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_one_row(&alias.input),
        LogicalPlan::Subquery(subquery) => is_one_row(&subquery.subquery),
        LogicalPlan::Sort(sort) => is_one_row(&sort.input),
        LogicalPlan::Limit(limit) => is_one_row(&limit.input),
        LogicalPlan::Unnest(unnest) => is_one_row(&unnest.input),
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Filter(filter) => is_true(&filter.predicate) && is_one_row(&filter.input),
        LogicalPlan::Join(join) => {
            join.filter.is_none() && is_one_row(&join.left) && is_one_row(&join.right)
        }
        _ => false,
    }
}

/// Whether a condition of constants holds.
fn is_true(condition: &Expr) -> bool {
    let simplifier = ExprSimplifier::new(SimplifyContext::default());
    matches!(
        simplifier.simplify(condition.clone()),
        Ok(Expr::Literal(ScalarValue::Boolean(Some(true)), _))
    )
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
