//! Trino's functions, by Trino's names, in place of DataFusion's homonyms.
//!
//! A function says which argument types it wants and what it returns
//! ([`Function::plan`]) and computes one array from others ([`Function::body`]).
//! One function or family a file.

mod call;
mod cast;
mod function;

mod address;
mod aggregate;
mod arithmetic;
mod array;
mod bits;
mod bytes;
mod char_text;
mod coalesce;
mod comparison;
mod conditional;
mod data_size;
mod date_arithmetic;
mod date_format;
mod date_parts;
mod digest;
mod equality;
mod hash;
mod interval;
mod iso8601;
pub(super) mod json;
mod lambda;
mod language;
mod map;
mod math;
mod milliseconds;
mod multimap;
mod now;
mod order;
mod pattern;
mod probability;
mod rounding;
mod row;
mod string;
mod text_format;
mod text_join;
mod text_likeness;
mod text_split;
mod time_zone;
mod url;
mod vector;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF};

pub(super) use function::Function;

pub(super) use aggregate::with_numbers_first;
pub(super) use arithmetic::operator_name;
pub(super) use cast::{OnFailure, cast_array, literal_type};
pub(super) use coalesce::coalesced;
pub(super) use comparison::{listed, zeroed};
pub(super) use conditional::common;
pub(super) use function::{coerces, unexpected};
pub(super) use interval::interval_literal;
pub(super) use json::value_to_json;
pub(super) use now::now;
pub(super) use time_zone::instant_type;

/// Every scalar function by its own name.
pub(super) fn scalar() -> Vec<Arc<ScalarUDF>> {
    let families: [&[Function]; 30] = [
        address::FUNCTIONS,
        arithmetic::FUNCTIONS,
        bits::FUNCTIONS,
        bytes::FUNCTIONS,
        comparison::FUNCTIONS,
        conditional::FUNCTIONS,
        data_size::FUNCTIONS,
        date_arithmetic::FUNCTIONS,
        date_format::FUNCTIONS,
        date_parts::FUNCTIONS,
        digest::FUNCTIONS,
        hash::FUNCTIONS,
        interval::FUNCTIONS,
        iso8601::FUNCTIONS,
        json::FUNCTIONS,
        language::FUNCTIONS,
        map::FUNCTIONS,
        math::FUNCTIONS,
        multimap::FUNCTIONS,
        pattern::FUNCTIONS,
        probability::FUNCTIONS,
        rounding::FUNCTIONS,
        string::FUNCTIONS,
        text_format::FUNCTIONS,
        text_join::FUNCTIONS,
        text_likeness::FUNCTIONS,
        text_split::FUNCTIONS,
        time_zone::FUNCTIONS,
        url::FUNCTIONS,
        vector::FUNCTIONS,
    ];
    let mut found: Vec<Arc<ScalarUDF>> = families
        .into_iter()
        .chain(array::FUNCTIONS.iter().copied())
        .flatten()
        .map(|function| Arc::new(ScalarUDF::new_from_impl(function.clone())))
        .collect();
    found.extend(cast::functions());
    found.extend(json::functions());
    found.extend(comparison::functions());
    found.extend(row::functions());
    found.push(char_text::function());
    found.push(coalesce::coalesce());
    found
}

/// Functions that take lambdas.
pub(super) fn higher_order() -> Vec<Arc<HigherOrderUDF>> {
    lambda::functions()
}

/// Aggregates DataFusion lacks.
pub(super) fn aggregate() -> Vec<Arc<AggregateUDF>> {
    aggregate::functions()
}
