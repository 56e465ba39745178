//! Groups by keys that lie close to each other or are few: passengers, years, whole miles, codes, days, boroughs.
//!
//! DataFusion numbers groups by a hash of their keys and a comparison of each of them, for every row. Where keys are whole
//! numbers, dates, booleans or texts, the first of the two stages of an aggregation is done here instead, with numbers found
//! by address (`kernels::Groups`). As soon as keys turn out not to be dense, or texts not to be few, DataFusion's own stage
//! takes the rest of the rows.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::{ExecutionPlan, InputOrderMode};

mod exec;
mod key;
mod table;

use exec::DenseGroupsExec;

/// Puts [`DenseGroupsExec`] in the place of first stages whose keys may be dense.
#[derive(Debug)]
pub(super) struct DenseGroups;

impl PhysicalOptimizerRule for DenseGroups {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let replaced = plan.transform_up(|node| {
            Ok(match node.downcast_ref::<AggregateExec>().filter(|stage| may_be_dense(stage)) {
                Some(stage) => {
                    let dense = DenseGroupsExec::instead_of(stage.clone());
                    Transformed::yes(Arc::new(dense) as Arc<dyn ExecutionPlan>)
                }
                None => Transformed::no(node),
            })
        });
        replaced.map(|transformed| transformed.data)
    }

    fn name(&self) -> &'static str {
        "dense_groups"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn may_be_dense(stage: &AggregateExec) -> bool {
    let by = stage.group_expr();
    let input = stage.input().schema();
    *stage.mode() == AggregateMode::Partial
        && *stage.input_order_mode() == InputOrderMode::Linear
        && stage.limit_options().is_none()
        && stage.dynamic_expressions_produced().is_empty()
        && by.is_single()
        && !by.is_empty()
        && by
            .expr()
            .iter()
            .all(|(expr, _)| expr.data_type(&input).is_ok_and(|kind| key::may_be_dense(&kind)))
        && stage.aggr_expr().iter().all(|function| by_groups(function))
}

/// Whether states are kept by the numbers of groups, whatever order rows come in.
fn by_groups(function: &AggregateFunctionExpr) -> bool {
    function.order_bys().is_empty()
        && !function.is_distinct()
        && function.groups_accumulator_supported()
}
