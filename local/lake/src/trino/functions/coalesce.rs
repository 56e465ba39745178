//! `coalesce`: DataFusion's, with Trino's common type of times.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::functions::core::coalesce::CoalesceFunc;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::conditional::common;
use crate::sql::{Failure, TrinoType, field_of};

#[derive(Debug, PartialEq, Eq, Hash)]
struct Coalesce(CoalesceFunc);

pub(in crate::trino) fn coalesce() -> Arc<ScalarUDF> {
    Arc::new(ScalarUDF::new_from_impl(Coalesce(CoalesceFunc::new())))
}

/// The first of values that is not NULL.
pub(in crate::trino) fn coalesced(values: Vec<Expr>) -> Expr {
    static COALESCE: LazyLock<Arc<ScalarUDF>> = LazyLock::new(coalesce);
    Expr::ScalarFunction(ScalarFunction::new_udf(COALESCE.clone(), values))
}

/// The common type of times, `None` where there are none among the arguments.
fn common_time(kinds: &[TrinoType]) -> Result<Option<TrinoType>, Failure> {
    if !kinds.iter().any(TrinoType::holds_time) {
        return Ok(None);
    }
    common(kinds).map(Some).ok_or_else(|| {
        let shown: Vec<String> = kinds.iter().map(ToString::to_string).collect();
        Failure::type_mismatch(format!(
            "All COALESCE operands must be the same type: {}",
            shown.join(", ")
        ))
    })
}

impl ScalarUDFImpl for Coalesce {
    fn name(&self) -> &'static str {
        "coalesce"
    }

    fn signature(&self) -> &Signature {
        self.0.signature()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let kinds: Vec<TrinoType> = given.iter().map(TrinoType::of_arrow).collect();
        match common_time(&kinds)? {
            // Cast by `temporal`, once types are analyzed.
            Some(_) => Ok(given.to_vec()),
            None => self.0.coerce_types(given),
        }
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.0.return_type(given)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let kinds: Vec<TrinoType> =
            arguments.arg_fields.iter().map(|field| TrinoType::of_field(field)).collect();
        match common_time(&kinds)? {
            Some(kind) => Ok(Arc::new(field_of("coalesce", &kind))),
            None => self.0.return_field_from_args(arguments),
        }
    }

    fn simplify(&self, given: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.0.simplify(given, info)
    }

    fn conditional_arguments<'a>(
        &self,
        given: &'a [Expr],
    ) -> Option<(Vec<&'a Expr>, Vec<&'a Expr>)> {
        self.0.conditional_arguments(given)
    }

    fn short_circuits(&self) -> bool {
        true
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        self.0.invoke_with_args(arguments)
    }
}
