//! Keys as 64-bit numbers, and back.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use kernels::Keys;

/// Dates by way of their days, as which they are cast.
fn by_way(kind: &DataType) -> DataType {
    if *kind == DataType::Date32 { DataType::Int32 } else { DataType::Int64 }
}

/// Signed integers, dates and booleans as numbers.
pub(super) fn to_numbers(values: &ArrayRef) -> Result<Int64Array> {
    let days = cast(values, &by_way(values.data_type()))?;
    Ok(cast(&days, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

/// Numbers as what they were.
pub(super) fn from_numbers(keys: Keys, kind: &DataType) -> Result<ArrayRef> {
    let numbers: ArrayRef = Arc::new(Int64Array::from(keys));
    Ok(cast(&cast(&numbers, &by_way(kind))?, kind)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        Array, ArrayRef, BooleanArray, Date32Array, Int8Array, Int64Array,
    };

    use super::{from_numbers, to_numbers};

    #[test]
    fn keys_come_back_as_what_they_were() {
        let arrays: [ArrayRef; 4] = [
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
            Arc::new(Date32Array::from(vec![Some(-1), None, Some(i32::MAX)])),
            Arc::new(Int8Array::from(vec![Some(i8::MIN), None, Some(i8::MAX)])),
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)])),
        ];
        for array in arrays {
            let keys = to_numbers(&array).unwrap().iter().collect();
            assert_eq!(&from_numbers(keys, array.data_type()).unwrap(), &array);
        }
    }
}
