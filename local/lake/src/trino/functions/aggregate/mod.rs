//! Aggregates DataFusion lacks.

mod by_extreme;
mod into_map;

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

/// All of them.
pub(in crate::trino) fn functions() -> Vec<Arc<AggregateUDF>> {
    let mut found = by_extreme::functions();
    found.extend(into_map::functions());
    found
}
