//! The parts of rows: `r.field`, `r[1]`; and `[]` of arrays and maps.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::kernels::nullif::nullif;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::array::SUBSCRIPT;
use super::call::first;
use super::function::planned_signature;
use crate::sql::{Failure, TrinoType, field_of};

pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    ["$field", "$subscript"]
        .into_iter()
        .map(|name| Arc::new(ScalarUDF::new_from_impl(PartOfRow { name })))
        .collect()
}

/// `$field(row, 'name')`, and `$subscript(row, 1)`, which takes arrays and maps as well.
#[derive(Debug, PartialEq, Eq, Hash)]
struct PartOfRow {
    name: &'static str,
}

/// The place of a row's field that a name or a number tells.
fn place(
    fields: &[(Option<String>, TrinoType)],
    part: Option<&ScalarValue>,
) -> Result<usize, Failure> {
    let Some(part) = part else {
        return Err(Failure::type_mismatch(
            "Subscript expression on ROW requires a constant index",
        ));
    };
    if let Some(name) = part.try_as_str().flatten() {
        return fields
            .iter()
            .position(|(known, _)| {
                known.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(name))
            })
            .ok_or_else(|| {
                Failure::new("COLUMN_NOT_FOUND", format!("Column '{name}' cannot be resolved"))
            });
    }
    let index = match part {
        ScalarValue::Int64(Some(index)) => *index,
        ScalarValue::Int32(Some(index)) => i64::from(*index),
        _ => {
            return Err(Failure::type_mismatch(
                "Subscript expression on ROW requires integer index",
            ));
        }
    };
    if index <= 0 {
        return Err(Failure::invalid_argument(format!(
            "Invalid subscript index: {index}. ROW indices start at 1"
        )));
    }
    usize::try_from(index - 1).ok().filter(|place| *place < fields.len()).ok_or_else(|| {
        Failure::invalid_argument(format!(
            "Subscript index out of bounds: {index}, max value is {}",
            fields.len()
        ))
    })
}

impl ScalarUDFImpl for PartOfRow {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        planned_signature()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [DataType::Struct(_), ..] => Ok(given.to_vec()),
            [_, _, place @ ..] if self.name == "$subscript" => {
                let mut wanted = SUBSCRIPT.coerce_types(&given[..2])?;
                wanted.extend_from_slice(place);
                Ok(wanted)
            }
            _ => Err(Failure::type_mismatch("only rows have fields").into()),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        SUBSCRIPT.return_type(given)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let row = TrinoType::of_field(&arguments.arg_fields[0]);
        let TrinoType::Row(fields) = row else {
            return SUBSCRIPT.return_field_from_args(ReturnFieldArgs {
                arg_fields: &arguments.arg_fields[..2],
                scalar_arguments: &arguments.scalar_arguments[..2],
            });
        };
        let place = place(&fields, arguments.scalar_arguments.last().copied().flatten())?;
        Ok(Arc::new(field_of(self.name, &fields[place].1)))
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let TrinoType::Row(fields) = TrinoType::of_field(&arguments.arg_fields[0]) else {
            arguments.args.truncate(2);
            arguments.arg_fields.truncate(2);
            return SUBSCRIPT.invoke_with_args(arguments);
        };
        let part = match arguments.args.last() {
            Some(ColumnarValue::Scalar(part)) => Some(part),
            _ => None,
        };
        let place = place(&fields, part)?;
        let field = |row: &ArrayRef| -> Result<ArrayRef> {
            let column = row.as_struct().column(place);
            // A field of a row that is NULL is NULL.
            match row.nulls() {
                Some(nulls) if nulls.null_count() > 0 => {
                    let missing = datafusion::arrow::array::BooleanArray::new(!nulls.inner(), None);
                    Ok(nullif(column, &missing)?)
                }
                _ => Ok(column.clone()),
            }
        };
        match &arguments.args[0] {
            ColumnarValue::Scalar(row) => {
                let found = field(&row.to_array()?)?;
                Ok(ColumnarValue::Scalar(first(&found)?))
            }
            ColumnarValue::Array(row) => Ok(ColumnarValue::Array(field(row)?)),
        }
    }
}
