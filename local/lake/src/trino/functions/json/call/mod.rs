//! The JSON functions with clauses of their own: `json_exists`, `json_value`, `json_query`,
//! `json_object` and `json_array`.
//!
//! Trino reads JSON here from texts and bytes, never from its type JSON.

mod clauses;
mod construct;
mod encoding;
mod query;
mod rows;
mod value;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::document::Json;
use crate::sql::{Failure, TrinoType, field_of};
use crate::trino::functions::cast::type_named;
use crate::trino::functions::function::planned_signature;

pub(in crate::trino) use clauses::{
    Behavior, ConstructorClauses, Format, Passed, PathClauses, Quotes, Wrapper, written,
};
pub(in crate::trino::functions) use value::{EMPTY, FAILED};

/// Every one of them, under the names the reader calls them by.
pub(in crate::trino::functions) fn functions() -> Vec<Arc<ScalarUDF>> {
    [
        ("$json_exists", Kind::Exists),
        ("$json_value", Kind::Value),
        ("$json_outcome", Kind::Outcome),
        ("$json_query", Kind::Query),
        ("$json_object", Kind::Object),
        ("$json_array", Kind::Array),
    ]
    .into_iter()
    .map(|(name, kind)| Arc::new(ScalarUDF::new_from_impl(JsonCall { name, kind })))
    .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Exists,
    Value,
    /// `json_value` before its defaults: a row of the value and what became of it.
    Outcome,
    Query,
    Object,
    Array,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct JsonCall {
    name: &'static str,
    kind: Kind,
}

/// The clauses of a call, which are its first argument.
enum Clauses {
    Path(PathClauses),
    Constructor(ConstructorClauses),
}

impl JsonCall {
    fn clauses(&self, first: Option<&ScalarValue>) -> Result<Clauses, Failure> {
        let text = first.and_then(|value| value.try_as_str().flatten());
        Ok(match self.kind {
            Kind::Object | Kind::Array => Clauses::Constructor(clauses::read(text)?),
            _ => Clauses::Path(clauses::read(text)?),
        })
    }
}

impl Clauses {
    fn returned(&self) -> Result<TrinoType, Failure> {
        let returning = match self {
            Self::Path(clauses) => &clauses.returning,
            Self::Constructor(clauses) => &clauses.returning,
        };
        returning.as_ref().map_or(Ok(TrinoType::Varchar(None)), |text| type_named(text))
    }
}

impl ScalarUDFImpl for JsonCall {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        planned_signature()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        Ok(given.iter().map(|kind| TrinoType::of_arrow(kind).to_arrow()).collect())
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Err(Failure::type_mismatch("a JSON function is planned from its clauses").into())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let clauses = self.clauses(arguments.scalar_arguments.first().copied().flatten())?;
        let kinds: Vec<TrinoType> =
            arguments.arg_fields[1..].iter().map(|field| TrinoType::of_field(field)).collect();
        let returned = clauses.returned()?;
        match &clauses {
            Clauses::Path(clauses) => {
                rows::planned(clauses, &kinds)?;
                match self.kind {
                    Kind::Value | Kind::Outcome => value::check_returned(&returned)?,
                    Kind::Query => {
                        query::check_clauses(clauses)?;
                        encoding::check_output(&returned, clauses.output)?;
                    }
                    Kind::Exists | Kind::Object | Kind::Array => {}
                }
            }
            Clauses::Constructor(clauses) => {
                construct::planned(clauses, self.kind == Kind::Object, &kinds)?;
                encoding::check_output(&returned, clauses.output)?;
            }
        }
        Ok(Arc::new(match self.kind {
            Kind::Exists => field_of(self.name, &TrinoType::Boolean),
            Kind::Outcome => {
                let parts =
                    [field_of("value", &returned), field_of("outcome", &TrinoType::Tinyint)];
                Field::new(self.name, DataType::Struct(parts.into_iter().collect()), true)
            }
            _ => field_of(self.name, &returned),
        }))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let first = match arguments.args.first() {
            Some(ColumnarValue::Scalar(value)) => Some(value),
            _ => None,
        };
        let clauses = self.clauses(first)?;
        let returned = clauses.returned()?;
        let array = match (&clauses, self.kind) {
            (Clauses::Path(clauses), Kind::Exists) => query::exists(clauses, &arguments)?,
            (Clauses::Path(clauses), Kind::Value) => value::values(clauses, &arguments, &returned)?,
            (Clauses::Path(clauses), Kind::Outcome) => {
                value::outcomes(clauses, &arguments, &returned)?
            }
            (Clauses::Path(clauses), _) => query::query(clauses, &arguments, &returned)?,
            (Clauses::Constructor(clauses), Kind::Object) => {
                construct::object(clauses, &arguments, &returned)?
            }
            (Clauses::Constructor(clauses), _) => construct::array(clauses, &arguments, &returned)?,
        };
        rows::answer(array, &arguments)
    }
}
