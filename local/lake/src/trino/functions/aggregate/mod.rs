//! Aggregates DataFusion lacks.

mod by_extreme;
mod checksum;
mod extreme;
mod into_map;
mod moments;

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

pub(in crate::trino) use extreme::with_numbers_first;

/// All of them.
pub(in crate::trino) fn functions() -> Vec<Arc<AggregateUDF>> {
    let mut found = by_extreme::functions();
    found.extend(into_map::functions());
    found.extend(moments::functions());
    found.push(checksum::function());
    found
}
