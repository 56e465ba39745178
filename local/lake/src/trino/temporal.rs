//! Dates, times and timestamps side by side: of different types they become one, and with
//! zones they are told apart by their instants alone.
//!
//! DataFusion knows nothing of either: bytes of two widths are two types to it, and bytes that
//! differ in their zone are two values.

mod common_type;
mod instants;

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, ScalarUDF};
use datafusion::optimizer::AnalyzerRule;

use super::functions::{common, instant_type};
use crate::moment::Zone;
use crate::sql::{Failure, TrinoType};

/// The functions that values are made comparable with.
#[derive(Clone, Debug)]
pub(super) struct Temporal {
    cast: Arc<ScalarUDF>,
    instant: Arc<ScalarUDF>,
    /// The session's zone is UTC.
    utc: bool,
}

fn kind_of(expr: &Expr, schema: &DFSchema) -> Result<TrinoType> {
    Ok(TrinoType::of_field(&expr.to_field(schema)?.1))
}

impl Temporal {
    /// `None` when the functions are not among those of a session.
    pub fn new(scalar: &[Arc<ScalarUDF>], zone: Zone) -> Option<Self> {
        let named = |name: &str| scalar.iter().find(|function| function.name() == name).cloned();
        Some(Self { cast: named("$cast")?, instant: named("$instant")?, utc: zone == Zone::UTC })
    }

    /// An expression as another type.
    fn cast(&self, expr: Expr, from: &TrinoType, to: &TrinoType) -> Expr {
        if from == to || *from == TrinoType::Unknown {
            return expr;
        }
        let kind = Expr::Literal(ScalarValue::Utf8(Some(to.to_string())), None);
        Expr::ScalarFunction(ScalarFunction::new_udf(self.cast.clone(), vec![expr, kind]))
    }

    /// What a value is told apart from others by.
    fn instant(&self, expr: Expr, kind: &TrinoType) -> Expr {
        match instant_type(kind) {
            Some(_) => {
                Expr::ScalarFunction(ScalarFunction::new_udf(self.instant.clone(), vec![expr]))
            }
            None => expr,
        }
    }

    /// An expression as what it is compared by, beside values whose common type is `common`.
    fn comparable(&self, expr: Expr, from: &TrinoType, common: &TrinoType) -> Expr {
        // Arrow's own type, which is fast, holds all of the shorter ones.
        let common = match common {
            TrinoType::Timestamp(precision) => TrinoType::Timestamp((*precision).max(3)),
            TrinoType::TimestampWithZone(precision) => {
                TrinoType::TimestampWithZone((*precision).max(3))
            }
            other => other.clone(),
        };
        match instant_type(&common) {
            // In UTC a timestamp shows its instant.
            Some(instant)
                if self.utc && matches!(from, TrinoType::Date | TrinoType::Timestamp(_)) =>
            {
                self.cast(expr, from, &instant)
            }
            Some(_) if *from == TrinoType::Unknown => expr,
            _ => self.instant(self.cast(expr, from, &common), &common),
        }
    }

    /// Two sides of a comparison as what they are compared by, if one of them is temporal.
    pub fn compared(
        &self,
        (left, left_kind): (Expr, &TrinoType),
        (right, right_kind): (Expr, &TrinoType),
    ) -> (Expr, Expr) {
        if !left_kind.holds_time() && !right_kind.holds_time() {
            return (left, right);
        }
        let Some(common) = common(&[left_kind.clone(), right_kind.clone()]) else {
            return (left, right);
        };
        (self.comparable(left, left_kind, &common), self.comparable(right, right_kind, &common))
    }

    fn node(&self, node: LogicalPlan) -> Result<LogicalPlan> {
        let schema = merge_schema(&node.inputs());
        let names = NamePreserver::new(&node);
        let node = node
            .map_expressions(|expr| {
                let name = names.save(&expr);
                let found = expr.transform_up(|expr| self.expression(expr, &schema))?;
                Ok(found.update_data(|expr| name.restore(expr)))
            })?
            .data;
        let node = self.one_type(node)?;
        self.by_instants(node, &schema)?.recompute_schema()
    }
}

impl AnalyzerRule for Temporal {
    fn name(&self) -> &'static str {
        "temporal"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(|node| self.node(node).map(Transformed::yes))
            .map(|transformed| transformed.data)
    }
}

/// Refuses arrays, maps and rows of values with zones where values are told apart by their bytes.
fn refuse_parts(kind: &TrinoType) -> Result<(), Failure> {
    if kind.holds_zone() && instant_type(kind).is_none() {
        return Err(Failure::not_supported(
            "comparing arrays, maps and rows of values with time zones is not supported here",
        ));
    }
    Ok(())
}

fn no_common(what: &str, kinds: &[TrinoType]) -> Failure {
    let shown: Vec<String> = kinds.iter().map(ToString::to_string).collect();
    Failure::type_mismatch(format!(
        "{what} must be the same type or coercible to a common type: {}",
        shown.join(", ")
    ))
}
