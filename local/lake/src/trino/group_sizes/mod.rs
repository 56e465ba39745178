//! `SELECT count(*) FROM … GROUP BY key` where only the counts are used: how often values occur, as uniqueness asks.
//!
//! DataFusion's aggregation keeps a table of all groups with their keys and numbers them, which costs most of a scan when
//! nearly every row is a group. Here keys are dealt out to buckets by their hashes, and a bucket is counted at a time in a
//! table that fits the processor's cache. Keys of up to 64 bits are taken; all others go the general way.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;

mod buckets;
mod count;
mod exec;

use exec::GroupSizesExec;

/// Counts groups by [`GroupSizesExec`] where their keys are not asked for.
#[derive(Debug)]
pub(super) struct GroupSizes;

impl PhysicalOptimizerRule for GroupSizes {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let replaced = plan.transform_up(|node| {
            Ok(match sizes(&node) {
                Some(sizes) => Transformed::yes(Arc::new(sizes) as Arc<dyn ExecutionPlan>),
                None => Transformed::no(node),
            })
        });
        replaced.map(|transformed| transformed.data)
    }

    fn name(&self) -> &'static str {
        "group_sizes"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What takes the place of a projection onto an aggregation's counts.
fn sizes(node: &Arc<dyn ExecutionPlan>) -> Option<GroupSizesExec> {
    let projection = node.downcast_ref::<ProjectionExec>()?;
    let [only] = projection.expr() else { return None };
    // The key is column 0.
    if only.expr.downcast_ref::<Column>()?.index() != 1 {
        return None;
    }
    let whole = aggregate(projection.input())?;
    let first = match whole.mode() {
        AggregateMode::Single | AggregateMode::SinglePartitioned => whole,
        AggregateMode::Final | AggregateMode::FinalPartitioned => {
            let below = match whole.input().downcast_ref::<RepartitionExec>() {
                Some(repartition) => repartition.input(),
                None => whole.input(),
            };
            aggregate(below).filter(|first| *first.mode() == AggregateMode::Partial)?
        }
        AggregateMode::Partial | AggregateMode::PartialReduce => return None,
    };
    let [(key, _)] = first.group_expr().expr() else { return None };
    let kind = key.data_type(&first.input().schema()).ok()?;
    is_taken(&kind).then(|| GroupSizesExec::new(first.input().clone(), key.clone(), node.schema()))
}

/// An aggregation that counts the rows of groups by one key, and nothing else.
fn aggregate(plan: &Arc<dyn ExecutionPlan>) -> Option<&AggregateExec> {
    let aggregate = plan.downcast_ref::<AggregateExec>()?;
    let ([function], [None]) = (aggregate.aggr_expr(), aggregate.filter_expr()) else {
        return None;
    };
    let by = aggregate.group_expr();
    let plain = by.is_single() && by.num_group_exprs() == 1 && aggregate.limit_options().is_none();
    (plain && counts_rows(function)).then_some(aggregate)
}

/// `count(1)`: of a constant that is not NULL.
fn counts_rows(function: &AggregateFunctionExpr) -> bool {
    let constant = |argument: &Arc<dyn PhysicalExpr>| {
        argument.downcast_ref::<Literal>().is_some_and(|literal| !literal.value().is_null())
    };
    function.fun().name() == "count"
        && !function.is_distinct()
        && function.expressions().iter().all(constant)
}

/// Whether equal values, and no others, have equal bits, of which there are at most 64.
fn is_taken(kind: &DataType) -> bool {
    let moment = matches!(
        kind,
        DataType::Date32
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Timestamp(..)
    );
    kind.is_integer() || moment
}
