//! `now()`: one instant for all of a query.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::call::session_zone;
use super::function::planned_signature;
use crate::moment::{Moment, of_moments};
use crate::sql::{Failure, TrinoType, field_of};

const RESULT: TrinoType = TrinoType::TimestampWithZone(3);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Now {
    /// Milliseconds since the epoch.
    millis: i64,
}

/// `now()` of a query that begins now.
pub(in crate::trino) fn now() -> Arc<ScalarUDF> {
    let millis = crate::clock::now().as_millisecond();
    Arc::new(ScalarUDF::new_from_impl(Now { millis }))
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &'static str {
        "now"
    }

    fn signature(&self) -> &Signature {
        planned_signature()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if given.is_empty() {
            return Ok(Vec::new());
        }
        Err(Failure::new("FUNCTION_NOT_FOUND", "Unexpected parameters for function now").into())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(RESULT.to_arrow())
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(field_of("now", &RESULT)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let moment = Moment::of_millis(self.millis, session_zone(&arguments.config_options));
        let array = of_moments::<Failure>(std::iter::once(Ok(Some(moment))), &RESULT)?;
        Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&array, 0)?))
    }
}
