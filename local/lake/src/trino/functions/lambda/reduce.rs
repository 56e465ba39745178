//! `reduce(array, initial, (state, item) -> …, state -> …)`.

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, UInt32Array, UInt64Array, new_null_array,
};
use datafusion::arrow::compute::{cast, interleave, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::{LambdaArgument, LambdaParametersProgress, ValueOrLambda};

use super::{Given, bounds_of, evaluate, field, item_of, value_types};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::conditional::wider;

/// The state's type: the initial value's, widened by the first lambda's result.
pub(super) fn state(initial: &DataType, folded: Option<&DataType>) -> DataType {
    let Some(folded) = folded.filter(|kind| **kind != DataType::Null) else {
        return initial.clone();
    };
    let kind = |kind: &DataType| TrinoType::of_arrow(kind);
    wider(&kind(initial), &kind(folded)).map_or_else(|| folded.clone(), |kind| kind.to_arrow())
}

/// What the lambdas get: the state and an item, and the state.
pub(super) fn parameters(
    name: &str,
    step: usize,
    given: Given<'_>,
) -> Result<LambdaParametersProgress> {
    let values = value_types(given);
    let (Some(item), Some(initial)) = (values.first().and_then(item_of), values.get(1)) else {
        return Err(Failure::new(
            "FUNCTION_NOT_FOUND",
            format!("Unexpected parameters for function {name}"),
        )
        .into());
    };
    let folded = given.iter().find_map(|argument| match argument {
        ValueOrLambda::Lambda(field) => Some(field.as_ref().map(|field| field.data_type().clone())),
        ValueOrLambda::Value(_) => None,
    });
    let state = state(initial, folded.flatten().as_ref());
    let fold = vec![field("state", &state), field("item", &item)];
    let all_known = given.iter().all(|argument| match argument {
        ValueOrLambda::Lambda(field) => field.is_some(),
        ValueOrLambda::Value(_) => true,
    });
    if step == 0 && !all_known {
        return Ok(LambdaParametersProgress::Partial(vec![Some(fold), None]));
    }
    Ok(LambdaParametersProgress::Complete(vec![fold, vec![field("state", &state)]]))
}

/// All rows take their first step together, then their second, and so on.
pub(super) fn run(
    array: &ArrayRef,
    initial: &ArrayRef,
    fold: &LambdaArgument,
    finish: &LambdaArgument,
    result: &DataType,
) -> Result<ArrayRef> {
    let list = array.as_list::<i32>();
    let bounds = bounds_of(list.offsets(), list);
    let longest = bounds.iter().map(|(start, end)| end - start).max().unwrap_or(0);
    let mut state = initial.clone();
    let kind = state.data_type().clone();
    for step in 0..longest {
        let rows: Vec<usize> =
            (0..list.len()).filter(|row| bounds[*row].1 - bounds[*row].0 > step).collect();
        let origin: UInt32Array =
            rows.iter().map(|row| u32::try_from(*row).unwrap_or(u32::MAX)).collect();
        let places: UInt64Array =
            rows.iter().map(|row| Some((bounds[*row].0 + step) as u64)).collect();
        let states = take(&state, &origin, None)?;
        let items = take(list.values(), &places, None)?;
        let folded = evaluate(fold, &[states, items], &origin, rows.len())?;
        let folded = if folded.data_type() == &kind { folded } else { cast(&folded, &kind)? };
        let mut order: Vec<(usize, usize)> = (0..list.len()).map(|row| (0, row)).collect();
        for (at, row) in rows.iter().enumerate() {
            order[*row] = (1, at);
        }
        state = interleave(&[state.as_ref(), folded.as_ref()], &order)?;
    }
    let every: UInt32Array = (0..u32::try_from(list.len()).unwrap_or(u32::MAX)).collect();
    if list.is_empty() {
        return Ok(new_null_array(result, 0));
    }
    let finished = evaluate(finish, &[state], &every, list.len())?;
    let finished = cast(&finished, result)?;
    let order: Vec<(usize, usize)> =
        (0..list.len()).map(|row| if list.is_null(row) { (1, 0) } else { (0, row) }).collect();
    let none = new_null_array(finished.data_type(), 1);
    Ok(interleave(&[finished.as_ref(), none.as_ref()], &order)?)
}
