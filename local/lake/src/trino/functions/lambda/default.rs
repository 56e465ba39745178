//! `json_value` with defaults: each is evaluated for the rows that need it alone.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, NullArray, UInt32Array};
use datafusion::arrow::compute::interleave;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int8Type};
use datafusion::common::Result;
use datafusion::logical_expr::LambdaArgument;

use super::evaluate;
use crate::sql::Failure;
use crate::trino::functions::json::{EMPTY, FAILED};

/// The type of the value within an outcome.
pub(super) fn result(outcome: &FieldRef) -> Result<(DataType, HashMap<String, String>)> {
    match outcome.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => {
            Ok((fields[0].data_type().clone(), fields[0].metadata().clone()))
        }
        _ => Err(Failure::type_mismatch("an outcome is a row").into()),
    }
}

fn defaults(lambda: &LambdaArgument, rows: Vec<u32>) -> Result<ArrayRef> {
    let count = rows.len();
    evaluate(lambda, &[Arc::new(NullArray::new(count))], &UInt32Array::from(rows), count)
}

/// Puts the defaults in where there is nothing and where something failed. A default for
/// nothing that fails itself is a failure, raised where `rethrows` says so.
pub(super) fn run(
    outcome: &ArrayRef,
    rethrows: &ArrayRef,
    on_empty: &LambdaArgument,
    on_error: &LambdaArgument,
) -> Result<ArrayRef> {
    let parts = outcome.as_struct();
    let values = parts.column(0).clone();
    let outcomes = parts.column(1).as_primitive::<Int8Type>();
    let rows_of = |wanted: i8| -> Vec<u32> {
        (0..)
            .zip(outcomes.values())
            .filter(|(_, outcome)| **outcome == wanted)
            .map(|(row, _)| row)
            .collect()
    };
    let (empty, mut failed) = (rows_of(EMPTY), rows_of(FAILED));
    let mut arrays = vec![values];
    let mut places: Vec<(usize, usize)> = (0..outcome.len()).map(|row| (0, row)).collect();
    let mut place = |rows: &[u32], arrays: &mut Vec<ArrayRef>, array: ArrayRef| {
        for (at, row) in rows.iter().enumerate() {
            places[*row as usize] = (arrays.len(), at);
        }
        arrays.push(array);
    };
    if !empty.is_empty() {
        match defaults(on_empty, empty.clone()) {
            Ok(array) => place(&empty, &mut arrays, array),
            // One by one where one of them fails.
            Err(_) => {
                for row in empty {
                    match defaults(on_empty, vec![row]) {
                        Ok(array) => place(&[row], &mut arrays, array),
                        Err(error) if rethrows.as_boolean().value(row as usize) => {
                            return Err(error);
                        }
                        Err(_) => failed.push(row),
                    }
                }
            }
        }
    }
    if !failed.is_empty() {
        let array = defaults(on_error, failed.clone())?;
        place(&failed, &mut arrays, array);
    }
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(interleave(&arrays, &places)?)
}
