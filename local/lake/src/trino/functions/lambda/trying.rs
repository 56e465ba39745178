//! `try(expr)`: NULL where the expression fails.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, NullArray, UInt32Array, new_null_array};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result};
use datafusion::logical_expr::LambdaArgument;

use super::evaluate;
use crate::sql::QueryError;

/// What becomes NULL instead of failing. Source: Trino's `TryFunction`.
const TOLERATED: [&str; 8] = [
    "DIVISION_BY_ZERO",
    "INVALID_CAST_ARGUMENT",
    "INVALID_FUNCTION_ARGUMENT",
    "NUMERIC_VALUE_OUT_OF_RANGE",
    "JSON_INPUT_CONVERSION_ERROR",
    "PATH_EVALUATION_ERROR",
    "JSON_OUTPUT_CONVERSION_ERROR",
    "JSON_VALUE_RESULT_ERROR",
];

/// All rows at once; one by one when one of them fails.
pub(super) fn run(lambda: &LambdaArgument, rows: usize, result: &DataType) -> Result<ArrayRef> {
    let mark = |count: usize| Arc::new(NullArray::new(count)) as ArrayRef;
    let every: UInt32Array = (0..u32::try_from(rows).unwrap_or(u32::MAX)).collect();
    if let Ok(found) = evaluate(lambda, &[mark(rows)], &every, rows) {
        return Ok(found);
    }
    let mut found: Vec<ArrayRef> = Vec::with_capacity(rows);
    for row in 0..u32::try_from(rows).unwrap_or(u32::MAX) {
        let one = evaluate(lambda, &[mark(1)], &UInt32Array::from(vec![row]), 1);
        found.push(match one {
            Ok(one) => one,
            Err(error) => {
                tolerate(error)?;
                new_null_array(result, 1)
            }
        });
    }
    let parts: Vec<&dyn datafusion::arrow::array::Array> =
        found.iter().map(AsRef::as_ref).collect();
    if parts.is_empty() {
        return Ok(new_null_array(result, 0));
    }
    Ok(concat(&parts)?)
}

fn tolerate(error: DataFusionError) -> Result<()> {
    let error = Arc::new(error);
    match QueryError::from(DataFusionError::Shared(error.clone())) {
        QueryError::Trino { code, .. } if TOLERATED.contains(&code.as_str()) => Ok(()),
        _ => Err(DataFusionError::Shared(error)),
    }
}
