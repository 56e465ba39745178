//! `try(expr)`: NULL where the expression fails.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, NullArray, UInt32Array, new_null_array};
use datafusion::arrow::compute::concat;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::LambdaArgument;

use super::evaluate;

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
        found.push(one.unwrap_or_else(|_| new_null_array(result, 1)));
    }
    let parts: Vec<&dyn datafusion::arrow::array::Array> =
        found.iter().map(AsRef::as_ref).collect();
    if parts.is_empty() {
        return Ok(new_null_array(result, 0));
    }
    Ok(concat(&parts)?)
}
