//! `FETCH FIRST n ROWS WITH TIES`: also the rows that sort as the last of them does.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result, ScalarValue};
use datafusion::functions_window::expr_fn::rank;
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, Limit, LogicalPlan, LogicalPlanBuilder, Sort, SortExpr, lit,
};
use datafusion::optimizer::AnalyzerRule;

use crate::sql::Failure;

/// What is sorted by last where ties are asked for; the rewriter puts it there.
pub(super) const MARK: &str = "$with ties";
const RANK: &str = "$rank";

/// Runs before correlated subqueries are looked at.
#[derive(Debug)]
pub(super) struct Ties;

impl AnalyzerRule for Ties {
    fn name(&self) -> &'static str {
        "ties"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| {
            let LogicalPlan::Limit(limit) = &node else { return Ok(Transformed::no(node)) };
            match with_ties(limit)? {
                Some(found) => Ok(Transformed::yes(found)),
                None => Ok(Transformed::no(node)),
            }
        })
        .map(|transformed| transformed.data)
    }
}

fn with_ties(limit: &Limit) -> Result<Option<LogicalPlan>> {
    // What is sorted by may be no column of the result.
    if let LogicalPlan::Projection(projection) = limit.input.as_ref() {
        let below = Limit { input: projection.input.clone(), ..limit.clone() };
        return match with_ties(&below)? {
            Some(found) => {
                LogicalPlanBuilder::from(found).project(projection.expr.clone())?.build().map(Some)
            }
            None => Ok(None),
        };
    }
    let LogicalPlan::Sort(sort) = limit.input.as_ref() else { return Ok(None) };
    let Some((mark, keys)) = sort.expr.split_last() else { return Ok(None) };
    if !is_mark(&mark.expr) {
        return Ok(None);
    }
    let number = |expr: &Option<Box<Expr>>| match expr.as_deref() {
        None | Some(Expr::Literal(ScalarValue::Int64(None), _)) => Ok(0),
        Some(Expr::Literal(ScalarValue::Int64(Some(number)), _)) => {
            Ok(u64::try_from(*number).unwrap_or(0))
        }
        Some(_) => Err(Failure::not_supported("WITH TIES of a computed number of rows")),
    };
    if asks_around(&sort.input)? {
        return Err(Failure::not_supported("Given correlated subquery is not supported").into());
    }
    if number(&limit.skip)? > 0 {
        return Err(Failure::not_supported("WITH TIES after OFFSET").into());
    }
    ranked(sort, keys, number(&limit.fetch)?).map(Some)
}

/// Whether rows are filtered by a column of a query around.
fn asks_around(plan: &LogicalPlan) -> Result<bool> {
    plan.exists(|node| match node {
        LogicalPlan::Filter(filter) => {
            filter.predicate.exists(|part| Ok(matches!(part, Expr::OuterReferenceColumn(..))))
        }
        _ => Ok(false),
    })
}

fn is_mark(expr: &Expr) -> bool {
    match expr {
        Expr::Literal(value, _) => value.try_as_str().flatten() == Some(MARK),
        _ => false,
    }
}

fn ranked(sort: &Sort, keys: &[SortExpr], rows: u64) -> Result<LogicalPlan> {
    let columns: Vec<Expr> = sort.input.schema().columns().into_iter().map(Expr::Column).collect();
    let place = rank().order_by(keys.to_vec()).build()?.alias(RANK);
    let kept = LogicalPlanBuilder::from(sort.input.clone())
        .window([place])?
        .filter(Expr::Column(Column::from_name(RANK)).lt_eq(lit(rows)))?
        .project(columns)?
        .build()?;
    Ok(LogicalPlan::Sort(Sort { expr: keys.to_vec(), input: Arc::new(kept), fetch: None }))
}
