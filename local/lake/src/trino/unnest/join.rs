//! `FROM t CROSS JOIN UNNEST(t.a)`: a join whose right side looks at the left one
//! becomes an unnesting of the left one's rows.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{
    Column, DFSchema, NullHandling, Result, ScalarValue, TableReference, UnnestOptions,
};
use datafusion::logical_expr::{Expr, Join, JoinType, LogicalPlan, LogicalPlanBuilder};
use datafusion::optimizer::AnalyzerRule;

/// Runs before types are coerced, on the plan as the query was written.
#[derive(Debug)]
pub(in crate::trino) struct UnnestJoin;

impl AnalyzerRule for UnnestJoin {
    fn name(&self) -> &'static str {
        "unnest_join"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| {
            let LogicalPlan::Join(join) = &node else { return Ok(Transformed::no(node)) };
            match rerooted(join)? {
                Some(plan) => Ok(Transformed::yes(plan)),
                None => Ok(Transformed::no(node)),
            }
        })
        .map(|transformed| transformed.data)
    }
}

/// The join as one chain over its left side, if it is such a join.
fn rerooted(join: &Join) -> Result<Option<LogicalPlan>> {
    if !matches!(join.join_type, JoinType::Inner | JoinType::Left) || !join.on.is_empty() {
        return Ok(None);
    }
    let always = join.filter.as_ref().is_none_or(is_true);
    if join.join_type == JoinType::Left && !always {
        return Ok(None);
    }
    let Some((right, alias)) = lateral(&join.right) else { return Ok(None) };
    if !is_chain(right) || !unnests(right) {
        return Ok(None);
    }
    let null_handling = match join.join_type {
        JoinType::Left => NullHandling::PreserveAndExpandEmpty,
        _ => NullHandling::Drop,
    };
    let left: Vec<Column> = join.left.schema().columns();
    let mut plan = grafted(right, &join.left, &left, &null_handling)?;
    if let Some(alias) = alias {
        plan = renamed(plan, &left, &alias)?;
    }
    match &join.filter {
        Some(filter) if !always => {
            LogicalPlanBuilder::from(plan).filter(filter.clone())?.build().map(Some)
        }
        _ => Ok(Some(plan)),
    }
}

fn is_true(filter: &Expr) -> bool {
    matches!(filter, Expr::Literal(ScalarValue::Boolean(Some(true)), _))
}

/// The subquery of a lateral right side, and its alias.
fn lateral(right: &LogicalPlan) -> Option<(&LogicalPlan, Option<TableReference>)> {
    match right {
        LogicalPlan::Subquery(subquery) => Some((&subquery.subquery, None)),
        LogicalPlan::SubqueryAlias(alias) => match alias.input.as_ref() {
            LogicalPlan::Subquery(subquery) => {
                Some((&subquery.subquery, Some(alias.alias.clone())))
            }
            _ => None,
        },
        _ => None,
    }
}

/// Whether a plan is projections, aliases and an unnesting over one empty row.
fn is_chain(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::EmptyRelation(empty) => empty.produce_one_row,
        LogicalPlan::Projection(projection) => is_chain(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_chain(&alias.input),
        LogicalPlan::Unnest(unnest) => is_chain(&unnest.input),
        _ => false,
    }
}

fn unnests(chain: &LogicalPlan) -> bool {
    matches!(chain, LogicalPlan::Unnest(_)) || chain.inputs().into_iter().any(unnests)
}

/// The chain over the left side, whose columns go through every step.
fn grafted(
    plan: &LogicalPlan,
    root: &Arc<LogicalPlan>,
    left: &[Column],
    null_handling: &NullHandling,
) -> Result<LogicalPlan> {
    match plan {
        LogicalPlan::Projection(projection) => {
            let input = grafted(&projection.input, root, left, null_handling)?;
            let columns = left
                .iter()
                .cloned()
                .map(Expr::Column)
                .map(Ok)
                .chain(projection.expr.iter().cloned().map(|expr| inner(expr, root.schema())))
                .collect::<Result<Vec<_>>>()?;
            LogicalPlanBuilder::from(input).project(columns)?.build()
        }
        LogicalPlan::Unnest(unnest) => {
            let input = grafted(&unnest.input, root, left, null_handling)?;
            let options = UnnestOptions { null_handling: *null_handling, ..unnest.options.clone() };
            LogicalPlanBuilder::from(input)
                .unnest_columns_with_options(unnest.exec_columns.clone(), options)?
                .build()
        }
        LogicalPlan::SubqueryAlias(alias) => {
            renamed(grafted(&alias.input, root, left, null_handling)?, left, &alias.alias)
        }
        _ => Ok(root.as_ref().clone()),
    }
}

/// References to the left side's row are columns now; those to queries around stay.
fn inner(expr: Expr, left: &DFSchema) -> Result<Expr> {
    expr.transform(|node| {
        Ok(match node {
            Expr::OuterReferenceColumn(_, column) if left.has_column(&column) => {
                Transformed::yes(Expr::Column(column))
            }
            other => Transformed::no(other),
        })
    })
    .map(|transformed| transformed.data)
}

/// The columns after the left ones under an alias.
fn renamed(plan: LogicalPlan, left: &[Column], alias: &TableReference) -> Result<LogicalPlan> {
    let columns: Vec<Expr> = plan
        .schema()
        .columns()
        .into_iter()
        .enumerate()
        .map(|(at, column)| {
            if at < left.len() {
                return Expr::Column(column);
            }
            let name = column.name.clone();
            Expr::Column(column).alias_qualified(Some(alias.clone()), name)
        })
        .collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}
