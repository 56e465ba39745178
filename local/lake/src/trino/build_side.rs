//! A join keeps the rows of its right side and runs those of its left side past them, as Trino does where it knows nothing
//! of their sizes: people write the large table first. DataFusion keeps the left side, which it still does where that is
//! known to be the smaller one.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, Statistics};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec};
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};

type Rule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// DataFusion's rules, with this one before that which decides by sizes.
pub(super) fn rules() -> Vec<Rule> {
    let mut rules = PhysicalOptimizer::new().rules;
    let place = rules.iter().position(|rule| rule.name() == "join_selection");
    rules.insert(place.unwrap_or(0), Arc::new(BuildSide));
    rules
}

#[derive(Debug)]
struct BuildSide;

impl PhysicalOptimizerRule for BuildSide {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            Ok(match swapped(&node)? {
                Some(swapped) => Transformed::yes(swapped),
                None => Transformed::no(node),
            })
        })
        .map(|transformed| transformed.data)
    }

    fn name(&self) -> &'static str {
        "build_side"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn swapped(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(join) = node.downcast_ref::<HashJoinExec>() {
        let swaps = join.join_type().supports_swap() && !join.null_aware;
        return (swaps && !is_smaller(join.left(), join.right())?)
            .then(|| join.swap_inputs(*join.partition_mode()))
            .transpose();
    }
    if let Some(join) = node.downcast_ref::<NestedLoopJoinExec>() {
        return (join.join_type().supports_swap() && !is_smaller(join.left(), join.right())?)
            .then(|| join.swap_inputs())
            .transpose();
    }
    if let Some(join) = node.downcast_ref::<CrossJoinExec>() {
        return (!is_smaller(join.left(), join.right())?).then(|| join.swap_inputs()).transpose();
    }
    Ok(None)
}

/// Whether the left side is known to be the smaller one.
fn is_smaller(left: &Arc<dyn ExecutionPlan>, right: &Arc<dyn ExecutionPlan>) -> Result<bool> {
    let of = |side: &Arc<dyn ExecutionPlan>| {
        StatisticsContext::new().compute(side.as_ref(), &StatisticsArgs::new())
    };
    let (left, right) = (of(left)?, of(right)?);
    let bytes = |side: &Statistics| side.total_byte_size.get_value().copied();
    let rows = |side: &Statistics| side.num_rows.get_value().copied();
    let sizes = bytes(&left).zip(bytes(&right)).or_else(|| rows(&left).zip(rows(&right)));
    Ok(sizes.is_some_and(|(left, right)| left < right))
}
