//! Trino's functions, by Trino's names, in place of DataFusion's homonyms.
//!
//! A function says which argument types it wants and what it returns
//! ([`Function::plan`]) and computes one array from others ([`Function::body`]).
//! One function or family a file.

mod call;
mod cast;
mod function;

mod arithmetic;
mod json;
mod lambda;
mod time_zone;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF};

use function::Function;

pub(super) use arithmetic::operator_name;
pub(super) use cast::{OnFailure, cast_array};
pub(super) use function::coerces;
pub(super) use json::{from_json, value_to_json};

/// Every scalar function by its own name.
pub(super) fn scalar() -> Vec<Arc<ScalarUDF>> {
    let families: [&[Function]; 3] = [
        arithmetic::FUNCTIONS,
        json::FUNCTIONS,
        time_zone::FUNCTIONS,
    ];
    let mut found: Vec<Arc<ScalarUDF>> = families
        .into_iter()
        .flatten()
        .map(|function| Arc::new(ScalarUDF::new_from_impl(function.clone())))
        .collect();
    found.extend(cast::functions());
    found
}

/// Functions that take lambdas.
pub(super) fn higher_order() -> Vec<Arc<HigherOrderUDF>> {
    lambda::functions()
}

/// Aggregates DataFusion lacks.
pub(super) fn aggregate() -> Vec<Arc<AggregateUDF>> {
    Vec::new()
}
