//! `$text(value)`: a `char` as the text patterns see, other values as they are.

use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature,
};

use super::call::Call;
use super::function::planned_signature;
use crate::sql::{Failure, TrinoType, field_of};

pub(super) fn function() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(CharText))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct CharText;

impl ScalarUDFImpl for CharText {
    fn name(&self) -> &'static str {
        "$text"
    }

    fn signature(&self) -> &Signature {
        planned_signature()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given.to_vec())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        given.first().cloned().ok_or_else(|| Failure::type_mismatch("a value").into())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(match TrinoType::of_field(&arguments.arg_fields[0]) {
            TrinoType::Char(length) => {
                Arc::new(field_of(self.name(), &TrinoType::Varchar(Some(length))))
            }
            _ => arguments.arg_fields[0].clone(),
        })
    }

    fn simplify(
        &self,
        mut arguments: Vec<Expr>,
        info: &SimplifyContext,
    ) -> Result<ExprSimplifyResult> {
        let (_, field) = arguments[0].to_field(info.schema().as_ref())?;
        if matches!(TrinoType::of_field(&field), TrinoType::Char(_)) {
            return Ok(ExprSimplifyResult::Original(arguments));
        }
        Ok(ExprSimplifyResult::Simplified(arguments.swap_remove(0)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let call = Call::new(&arguments);
        let found = call.array(0)?;
        if call.is_scalar() && !found.is_empty() {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?));
        }
        Ok(ColumnarValue::Array(found))
    }
}
