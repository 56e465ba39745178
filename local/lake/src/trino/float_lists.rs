//! `x IN (a, b)` of doubles: zeros of both signs are equal, and NaN equals nothing.

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DFSchemaRef};
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan};
use datafusion::optimizer::AnalyzerRule;

use super::functions::{listed, zeroed};

/// DataFusion looks values of lists up by their bits.
#[derive(Debug)]
pub(super) struct FloatLists;

impl AnalyzerRule for FloatLists {
    fn name(&self) -> &'static str {
        "float_lists"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| {
            let mut scope = DFSchema::empty();
            for input in node.inputs() {
                let schema: &DFSchemaRef = input.schema();
                scope.merge(schema);
            }
            let names = NamePreserver::new(&node);
            node.map_expressions(|expr| {
                let name = names.save(&expr);
                let changed = expr.transform_up(|part| match part {
                    Expr::InList(list) => Ok(by_bits(list, &scope)),
                    other => Ok(Transformed::no(other)),
                })?;
                Ok(if changed.transformed {
                    changed.update_data(|expr| name.restore(expr))
                } else {
                    changed
                })
            })
        })
        .map(|transformed| transformed.data)
    }
}

fn by_bits(list: InList, scope: &DFSchema) -> Transformed<Expr> {
    let floating = |expr: &Expr| expr.get_type(scope).is_ok_and(|kind| kind.is_floating());
    if !floating(&list.expr) {
        return Transformed::no(Expr::InList(list));
    }
    let items = list
        .list
        .into_iter()
        .map(|item| if floating(&item) { listed(item) } else { item })
        .collect();
    let value = Box::new(zeroed(*list.expr));
    Transformed::yes(Expr::InList(InList::new(value, items, list.negated)))
}
