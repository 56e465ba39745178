//! `checksum(x)`: of all values, whatever their order, as eight bytes.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Field, FieldRef, Float64Type, Int64Type,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};

use crate::sql::{Failure, TrinoType};
use crate::trino::functions::hash::xxhash64;

/// What a NULL adds, and each hash is multiplied by. Source: Trino's `ChecksumAggregationFunction`.
const PRIME: u64 = 0x9E37_79B1_85EB_CA87;

pub(super) fn function() -> Arc<AggregateUDF> {
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::new_from_impl(Checksum { signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Checksum {
    signature: Signature,
}

fn is_hashed(kind: &DataType) -> bool {
    match kind {
        DataType::Decimal128(precision, _) => *precision <= 18,
        kind => {
            kind.is_signed_integer()
                || matches!(
                    kind,
                    DataType::Boolean
                        | DataType::Float64
                        | DataType::Utf8
                        | DataType::Binary
                        | DataType::Date32
                        | DataType::Null
                )
        }
    }
}

impl AggregateUDFImpl for Checksum {
    fn name(&self) -> &'static str {
        "checksum"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [kind] if is_hashed(kind) => Ok(given.to_vec()),
            [kind] => {
                let kind = TrinoType::of_arrow(kind);
                Err(Failure::not_supported(format!("checksum of {kind}")).into())
            }
            _ => Err(Failure::new(
                "FUNCTION_NOT_FOUND",
                "Unexpected parameters for function checksum. Expected: checksum(T)",
            )
            .into()),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Sum { total: None }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let name = format!("{}[sum]", arguments.name);
        Ok(vec![Arc::new(Field::new(name, DataType::Int64, true))])
    }
}

/// The sum so far; `None` before the first row.
#[derive(Debug)]
struct Sum {
    total: Option<u64>,
}

impl Sum {
    fn add(&mut self, more: u64) {
        self.total = Some(self.total.unwrap_or(0).wrapping_add(more));
    }
}

/// The hash of a value that is not NULL.
fn hash(values: &dyn Array, row: usize) -> u64 {
    let long = |value: i64| xxhash64(&value.to_le_bytes());
    match values.data_type() {
        DataType::Boolean => {
            let flags: &BooleanArray = values.as_boolean();
            long(i64::from(flags.value(row)))
        }
        DataType::Utf8 => xxhash64(values.as_string::<i32>().value(row).as_bytes()),
        DataType::Binary => xxhash64(values.as_binary::<i32>().value(row)),
        DataType::Float64 => {
            let value = values.as_primitive::<Float64Type>().value(row);
            let value = if value == 0.0 { 0.0 } else { value };
            long(if value.is_nan() { f64::NAN } else { value }.to_bits().cast_signed())
        }
        DataType::Decimal128(..) => {
            let value = values.as_primitive::<Decimal128Type>().value(row);
            long(i64::try_from(value).unwrap_or(0))
        }
        _ => long(values.as_primitive::<Int64Type>().value(row)),
    }
}

impl Accumulator for Sum {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let values = match columns[0].data_type() {
            DataType::Date32 => cast(&cast(&columns[0], &DataType::Int32)?, &DataType::Int64)?,
            kind if kind.is_signed_integer() => cast(&columns[0], &DataType::Int64)?,
            _ => columns[0].clone(),
        };
        for row in 0..values.len() {
            let known = values.is_valid(row) && values.data_type() != &DataType::Null;
            self.add(if known { hash(&values, row).wrapping_mul(PRIME) } else { PRIME });
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for sum in states[0].as_primitive::<Int64Type>().iter().flatten() {
            self.add(sum.cast_unsigned());
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Int64(self.total.map(u64::cast_signed))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(self.total.map(|total| total.to_le_bytes().to_vec())))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
