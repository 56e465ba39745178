//! One evaluation of a function: its arguments as arrays of the types it planned.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float64Array, Int64Array, ListArray,
    MapArray, StringArray, StringBuilder,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Float64Type, Int64Type};
use datafusion::common::config::ConfigOptions;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

use super::cast::pad;
use crate::moment::Zone;
use crate::sql::TrinoType;

pub(in crate::trino) struct Call {
    values: Vec<ColumnarValue>,
    pub rows: usize,
    pub result: DataType,
    types: Vec<TrinoType>,
    /// The session's.
    pub zone: Zone,
    scalar: bool,
}

/// The zone of a session.
pub(in crate::trino) fn session_zone(options: &ConfigOptions) -> Zone {
    options.execution.time_zone.as_deref().and_then(Zone::parse).unwrap_or(Zone::UTC)
}

impl Call {
    pub fn new(arguments: &ScalarFunctionArgs) -> Self {
        let scalar = !arguments.args.is_empty()
            && arguments.args.iter().all(|value| matches!(value, ColumnarValue::Scalar(_)));
        Self {
            values: arguments.args.clone(),
            rows: if scalar { 1 } else { arguments.number_rows },
            result: arguments.return_field.data_type().clone(),
            types: arguments.arg_fields.iter().map(|field| TrinoType::of_field(field)).collect(),
            zone: session_zone(&arguments.config_options),
            scalar,
        }
    }

    /// Whether every argument is one value for all rows.
    pub fn is_scalar(&self) -> bool {
        self.scalar
    }

    pub fn count(&self) -> usize {
        self.values.len()
    }

    pub fn kind(&self, at: usize) -> &TrinoType {
        &self.types[at]
    }

    pub fn array(&self, at: usize) -> Result<ArrayRef> {
        let array = self.values[at].to_array(self.rows)?;
        Ok(match &self.types[at] {
            // Values of `char` are kept without the blanks that fill them up.
            TrinoType::Char(length) if array.data_type() == &DataType::Utf8 => pad(&array, *length),
            _ => array,
        })
    }

    pub fn arrays(&self) -> Result<Vec<ArrayRef>> {
        (0..self.count()).map(|at| self.array(at)).collect()
    }

    /// An argument that is one value for all rows.
    pub fn scalar(&self, at: usize) -> Option<&ScalarValue> {
        match self.values.get(at)? {
            ColumnarValue::Scalar(value) => Some(value),
            ColumnarValue::Array(_) => None,
        }
    }

    /// The text of an argument that is one text for all rows.
    pub fn constant_text(&self, at: usize) -> Option<&str> {
        self.scalar(at)?.try_as_str().flatten()
    }

    pub fn texts(&self, at: usize) -> Result<StringArray> {
        Ok(self.array(at)?.as_string::<i32>().clone())
    }

    pub fn longs(&self, at: usize) -> Result<Int64Array> {
        Ok(self.array(at)?.as_primitive::<Int64Type>().clone())
    }

    pub fn doubles(&self, at: usize) -> Result<Float64Array> {
        Ok(self.array(at)?.as_primitive::<Float64Type>().clone())
    }

    pub fn bytes(&self, at: usize) -> Result<BinaryArray> {
        Ok(self.array(at)?.as_binary::<i32>().clone())
    }

    pub fn lists(&self, at: usize) -> Result<ListArray> {
        Ok(self.array(at)?.as_list::<i32>().clone())
    }

    pub fn maps(&self, at: usize) -> Result<MapArray> {
        Ok(self.array(at)?.as_map().clone())
    }

    /// Whether no argument is NULL in a row.
    pub fn present(arrays: &[ArrayRef], row: usize) -> bool {
        arrays.iter().all(|array| !array.is_null(row) && array.data_type() != &DataType::Null)
    }

    /// Tells of a row whether no argument is NULL in it.
    fn all_present(&self) -> Result<impl Fn(usize) -> bool + use<>> {
        let nulls = self.arrays()?.iter().fold(None, |nulls, array| {
            NullBuffer::union(nulls.as_ref(), array.logical_nulls().as_ref())
        });
        Ok(move |row| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)))
    }

    /// A text from each row where no argument is NULL.
    pub fn each_text(
        &self,
        mut text: impl FnMut(usize) -> Result<Option<String>>,
    ) -> Result<ArrayRef> {
        let present = self.all_present()?;
        let mut found = StringBuilder::with_capacity(self.rows, self.rows * 8);
        for row in 0..self.rows {
            if present(row) {
                found.append_option(text(row)?);
            } else {
                found.append_null();
            }
        }
        Ok(Arc::new(found.finish()))
    }

    /// A number from each row where no argument is NULL.
    pub fn each_long(
        &self,
        mut number: impl FnMut(usize) -> Result<Option<i64>>,
    ) -> Result<ArrayRef> {
        let present = self.all_present()?;
        let found: Int64Array = (0..self.rows)
            .map(|row| if present(row) { number(row) } else { Ok(None) })
            .collect::<Result<_>>()?;
        Ok(Arc::new(found))
    }

    pub fn each_boolean(
        &self,
        mut test: impl FnMut(usize) -> Result<Option<bool>>,
    ) -> Result<ArrayRef> {
        let present = self.all_present()?;
        let found: BooleanArray = (0..self.rows)
            .map(|row| if present(row) { test(row) } else { Ok(None) })
            .collect::<Result<_>>()?;
        Ok(Arc::new(found))
    }

    /// Bytes from each row where no argument is NULL.
    pub fn each_bytes(
        &self,
        mut bytes: impl FnMut(usize) -> Result<Option<Vec<u8>>>,
    ) -> Result<ArrayRef> {
        let present = self.all_present()?;
        let found: Vec<Option<Vec<u8>>> = (0..self.rows)
            .map(|row| if present(row) { bytes(row) } else { Ok(None) })
            .collect::<Result<_>>()?;
        Ok(Arc::new(BinaryArray::from_iter(found)))
    }
}

/// The first value of an array. A list keeps what its items' field says of their type.
pub(in crate::trino) fn first(array: &ArrayRef) -> Result<ScalarValue> {
    match array.as_list_opt::<i32>() {
        Some(list) => Ok(ScalarValue::List(Arc::new(list.slice(0, 1)))),
        None => ScalarValue::try_from_array(array, 0),
    }
}

/// The field of the items of a list type.
pub(in crate::trino) fn item_field(list: &DataType) -> Arc<Field> {
    match list {
        DataType::List(item) => item.clone(),
        other => Arc::new(Field::new("item", other.clone(), true)),
    }
}
