//! `max_by(x, y)` and `min_by(x, y)`: the x beside the greatest or least y.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, make_comparator};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};

use crate::sql::Failure;

pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    [("max_by", true), ("min_by", false)]
        .into_iter()
        .map(|(name, greatest)| {
            let signature = Signature::user_defined(Volatility::Immutable);
            Arc::new(AggregateUDF::new_from_impl(ByExtreme { name, greatest, signature }))
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ByExtreme {
    name: &'static str,
    greatest: bool,
    signature: Signature,
}

impl AggregateUDFImpl for ByExtreme {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [_, _] => Ok(given.to_vec()),
            [_, _, _] => Err(Failure::not_supported(format!("{} with a count", self.name)).into()),
            _ => Err(Failure::new(
                "FUNCTION_NOT_FOUND",
                format!("Unexpected parameters for function {}", self.name),
            )
            .into()),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        Ok(given.first().cloned().unwrap_or(DataType::Null))
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let kind = |at: usize| {
            arguments.expr_fields.get(at).map_or(DataType::Null, |field| field.data_type().clone())
        };
        Ok(Box::new(Best {
            value: ScalarValue::try_from(&kind(0))?,
            key: ScalarValue::try_from(&kind(1))?,
            greatest: self.greatest,
        }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(arguments
            .input_fields
            .iter()
            .zip(["value", "key"])
            .map(|(field, part)| {
                Arc::new(Field::new(
                    format!("{}[{part}]", arguments.name),
                    field.data_type().clone(),
                    true,
                ))
            })
            .collect())
    }
}

#[derive(Debug)]
struct Best {
    value: ScalarValue,
    key: ScalarValue,
    greatest: bool,
}

impl Accumulator for Best {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let (values, keys) = (&columns[0], &columns[1]);
        // Keys of no type are NULL, and their array does not say so.
        if keys.data_type() == &DataType::Null {
            return Ok(());
        }
        let is_better = |order: Ordering| if self.greatest { order.is_gt() } else { order.is_lt() };
        let order = make_comparator(keys, keys, SortOptions::default())?;
        let present = (0..keys.len()).filter(|row| !keys.is_null(*row));
        let best = present.reduce(|best, row| if is_better(order(row, best)) { row } else { best });
        let Some(best) = best else { return Ok(()) };
        let key = ScalarValue::try_from_array(keys, best)?;
        if self.key.is_null() || key.partial_cmp(&self.key).is_some_and(is_better) {
            self.value = ScalarValue::try_from_array(values, best)?;
            self.key = key;
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.value.clone(), self.key.clone()])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.value.clone())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.value.size() + self.key.size()
    }
}
