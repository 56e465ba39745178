//! Functions that Trino's tests install for themselves.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, HigherOrderFunctionArgs, HigherOrderReturnFieldArgs, HigherOrderSignature,
    HigherOrderUDF, HigherOrderUDFImpl, LambdaParametersProgress, ReturnFieldArgs,
    ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, ValueOrLambda, Volatility,
};
use datafusion::scalar::ScalarValue;

use crate::Lake;
use crate::sql::TrinoType;

/// A lake whose queries may call them.
pub(super) fn installed(mut lake: Lake) -> Lake {
    let scalar = ["null_function", "vl", "cast_varchar_to_integer", "cast_any_to_varchar"]
        .into_iter()
        .map(|name| {
            let signature = Signature::user_defined(Volatility::Immutable);
            Arc::new(ScalarUDF::new_from_impl(Simple { name, signature }))
        });
    let signature = HigherOrderSignature::user_defined(Volatility::Immutable);
    let apply = Arc::new(HigherOrderUDF::new_from_impl(Apply { signature }));
    lake.engine = lake.engine.extended(scalar.collect(), vec![apply]);
    lake
}

/// `apply(value, value -> …)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Apply {
    signature: HigherOrderSignature,
}

impl HigherOrderUDFImpl for Apply {
    fn name(&self) -> &'static str {
        "apply"
    }

    fn signature(&self) -> &HigherOrderSignature {
        &self.signature
    }

    fn coerce_value_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given.to_vec())
    }

    fn lambda_parameters(
        &self,
        _: usize,
        given: &[ValueOrLambda<FieldRef, Option<FieldRef>>],
    ) -> Result<LambdaParametersProgress> {
        let value = given.iter().find_map(|argument| match argument {
            ValueOrLambda::Value(field) => Some(field.clone()),
            ValueOrLambda::Lambda(_) => None,
        });
        Ok(LambdaParametersProgress::Complete(vec![value.into_iter().collect()]))
    }

    fn return_field_from_args(&self, arguments: HigherOrderReturnFieldArgs) -> Result<FieldRef> {
        let lambda = arguments.arg_fields.iter().find_map(|argument| match argument {
            ValueOrLambda::Lambda(field) => Some(field.clone()),
            ValueOrLambda::Value(_) => None,
        });
        Ok(lambda.unwrap_or_else(|| Arc::new(Field::new("apply", DataType::Null, true))))
    }

    fn invoke_with_args(&self, arguments: HigherOrderFunctionArgs) -> Result<ColumnarValue> {
        let rows = arguments.number_rows;
        let [ValueOrLambda::Value(value), ValueOrLambda::Lambda(lambda)] =
            arguments.args.as_slice()
        else {
            return Err(datafusion::error::DataFusionError::Plan("apply".to_owned()));
        };
        let value = value.to_array(rows)?;
        lambda.evaluate(&[&|| Ok(value.clone())], |captured| Ok(captured.to_vec()))
    }
}

/// Functions of values alone.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Simple {
    name: &'static str,
    signature: Signature,
}

impl ScalarUDFImpl for Simple {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given.to_vec())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(match self.name {
            "null_function" => DataType::Null,
            "vl" => DataType::Int64,
            "cast_varchar_to_integer" => DataType::Int32,
            _ => DataType::Utf8,
        })
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let kinds: Vec<DataType> =
            arguments.arg_fields.iter().map(|field| field.data_type().clone()).collect();
        Ok(Arc::new(Field::new(self.name, self.return_type(&kinds)?, true)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        use datafusion::arrow::compute::cast;
        let length = arguments.arg_fields.first().map(|field| TrinoType::of_field(field));
        Ok(match (self.name, length) {
            ("null_function", _) => ColumnarValue::Scalar(ScalarValue::Null),
            ("vl", Some(TrinoType::Varchar(Some(length)))) => {
                ColumnarValue::Scalar(ScalarValue::Int64(Some(length.into())))
            }
            _ => {
                let value = arguments.args[0].to_array(arguments.number_rows)?;
                ColumnarValue::Array(cast(&value, arguments.return_field.data_type())?)
            }
        })
    }
}
