//! Keys as 64-bit numbers, and back.

use std::sync::Arc;

use datafusion::arrow::array::{Array as _, ArrayRef, AsArray, Int64Array, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use kernels::{Keys, Texts};

/// Whether a key's values may be dense.
pub(super) fn may_be_dense(kind: &DataType) -> bool {
    kind.is_signed_integer()
        || matches!(kind, DataType::Date32 | DataType::Boolean | DataType::Utf8)
}

/// What makes one key's values numbers.
pub(super) enum Numbering {
    /// Signed integers, dates and booleans are some.
    Plain,
    Texts(Texts),
}

impl Numbering {
    pub fn of(kind: &DataType) -> Self {
        match kind {
            DataType::Utf8 => Self::Texts(Texts::default()),
            _ => Self::Plain,
        }
    }

    /// `None` where there are too many different texts.
    pub fn number(&mut self, values: &ArrayRef) -> Result<Option<Int64Array>> {
        let Self::Texts(known) = self else {
            let days = cast(values, &by_way(values.data_type()))?;
            let numbers = cast(&days, &DataType::Int64)?;
            return Ok(Some(numbers.as_primitive::<Int64Type>().clone()));
        };
        let texts = values.as_string::<i32>();
        let mut numbers = Vec::with_capacity(texts.len());
        let few =
            known.number(texts.value_offsets(), texts.value_data(), texts.nulls(), &mut numbers);
        Ok(few.then(|| Int64Array::new(numbers.into(), texts.nulls().cloned())))
    }

    /// Numbers as what they were.
    pub fn values(&self, keys: Keys, kind: &DataType) -> Result<ArrayRef> {
        match self {
            Self::Plain => {
                let numbers: ArrayRef = Arc::new(Int64Array::from(keys));
                Ok(cast(&cast(&numbers, &by_way(kind))?, kind)?)
            }
            Self::Texts(known) => {
                let texts = keys.into_iter().map(|key| known.text(key?));
                Ok(Arc::new(texts.collect::<StringArray>()))
            }
        }
    }

    /// What it takes, in bytes.
    pub fn size(&self) -> usize {
        match self {
            Self::Plain => 0,
            Self::Texts(known) => known.size(),
        }
    }
}

/// Dates by way of their days, as which they are cast.
fn by_way(kind: &DataType) -> DataType {
    if *kind == DataType::Date32 { DataType::Int32 } else { DataType::Int64 }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{
        Array, ArrayRef, BooleanArray, Date32Array, Int8Array, Int64Array, StringArray,
    };

    use super::{Numbering, may_be_dense};

    #[test]
    fn keys_come_back_as_what_they_were() {
        let arrays: [ArrayRef; 5] = [
            Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])),
            Arc::new(Date32Array::from(vec![Some(-1), None, Some(i32::MAX)])),
            Arc::new(Int8Array::from(vec![Some(i8::MIN), None, Some(i8::MAX)])),
            Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)])),
            Arc::new(StringArray::from(vec![Some(""), None, Some("Upper East Side")])),
        ];
        for array in arrays {
            assert!(may_be_dense(array.data_type()));
            let mut numbering = Numbering::of(array.data_type());
            // Of a part of an array too.
            for array in [array.clone(), array.slice(1, 2)] {
                let keys = numbering.number(&array).unwrap().unwrap().iter().collect();
                assert_eq!(&numbering.values(keys, array.data_type()).unwrap(), &array);
            }
        }
    }
}
