//! `EXCEPT ALL` and `INTERSECT ALL`: a row as often as its counts on both sides say.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, JoinType, NullEquality, Result};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::{
    Distinct, Expr, ExprFunctionExt, Join, LogicalPlan, LogicalPlanBuilder,
};
use datafusion::optimizer::AnalyzerRule;

const PLACE: &str = "$place";

/// DataFusion plans both as semi joins, which know whether a row is on the other side and not how
/// often. Equal rows are numbered on both sides here, and the numbers compared too.
#[derive(Debug)]
pub(super) struct Multiset;

impl AnalyzerRule for Multiset {
    fn name(&self) -> &'static str {
        "multiset"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| match &node {
            LogicalPlan::Join(join) if is_all(join) => Ok(Transformed::yes(numbered(join)?)),
            _ => Ok(Transformed::no(node)),
        })
        .map(|transformed| transformed.data)
    }
}

/// Whether a join is one of the two: no query writes such a join, and of distinct rows it needs no
/// numbers.
fn is_all(join: &Join) -> bool {
    matches!(join.join_type, JoinType::LeftAnti | JoinType::LeftSemi)
        && join.null_equality == NullEquality::NullEqualsNull
        && join.filter.is_none()
        && join.on.len() == join.left.schema().fields().len()
        && !matches!(join.left.as_ref(), LogicalPlan::Distinct(Distinct::All(_)))
}

fn numbered(join: &Join) -> Result<LogicalPlan> {
    let (ones, twos): (Vec<Expr>, Vec<Expr>) = join.on.iter().cloned().unzip();
    let left = with_places(&join.left, ones)?;
    let right = with_places(&join.right, twos)?;
    let mut on = join.on.clone();
    let place = || Expr::Column(Column::from_name(PLACE));
    on.push((place(), place()));
    let columns: Vec<Expr> = join.left.schema().columns().into_iter().map(Expr::Column).collect();
    let found = LogicalPlan::Join(Join {
        left: Arc::new(left),
        right: Arc::new(right),
        on,
        ..join.clone()
    })
    .recompute_schema()?;
    LogicalPlanBuilder::from(found).project(columns)?.build()
}

/// The rows with their numbers among equal ones.
fn with_places(rows: &LogicalPlan, equal: Vec<Expr>) -> Result<LogicalPlan> {
    let place = row_number().partition_by(equal).build()?;
    LogicalPlanBuilder::from(rows.clone()).window([place.alias(PLACE)])?.build()
}
