//! A scalar function as DataFusion knows it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayData, ArrayRef, make_array};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility,
};

use super::call::{Call, first};
use crate::sql::{Failure, TrinoType, field_of};

/// What a function makes of argument types: those it wants, and what it returns.
pub(in crate::trino) struct Plan {
    pub arguments: Vec<TrinoType>,
    pub result: TrinoType,
}

impl Plan {
    pub fn new(arguments: Vec<TrinoType>, result: TrinoType) -> Self {
        Self { arguments, result }
    }

    /// The arguments as they are.
    pub fn given(arguments: &[TrinoType], result: TrinoType) -> Self {
        Self { arguments: arguments.to_vec(), result }
    }
}

pub(in crate::trino) type Planner = fn(&[TrinoType]) -> Result<Plan, Failure>;
pub(in crate::trino) type Body = fn(&Call) -> Result<ArrayRef>;

#[derive(Clone)]
pub(in crate::trino) struct Function {
    pub name: &'static str,
    pub plan: Planner,
    pub body: Body,
    signature: SignatureKind,
}

#[derive(Clone, Copy, PartialEq)]
enum SignatureKind {
    Immutable,
    Volatile,
}

impl Function {
    pub const fn new(name: &'static str, plan: Planner, body: Body) -> Self {
        Self { name, plan, body, signature: SignatureKind::Immutable }
    }

    /// A function with another value each time.
    pub const fn volatile(name: &'static str, plan: Planner, body: Body) -> Self {
        Self { name, plan, body, signature: SignatureKind::Volatile }
    }
}

/// The refusal of argument types, in Trino's words.
pub(in crate::trino) fn unexpected(name: &str, given: &[TrinoType], expected: &str) -> Failure {
    let given: Vec<String> = given.iter().map(ToString::to_string).collect();
    Failure::new(
        "FUNCTION_NOT_FOUND",
        format!(
            "Unexpected parameters ({}) for function {name}. Expected: {expected}",
            given.join(", ")
        ),
    )
}

/// Checks the arguments against one list of wanted types, coercing where Trino does.
pub(in crate::trino) fn exactly(
    name: &str,
    given: &[TrinoType],
    wanted: &[TrinoType],
    result: TrinoType,
) -> Result<Plan, Failure> {
    if given.len() == wanted.len()
        && given.iter().zip(wanted).all(|(given, wanted)| coerces(given, wanted))
    {
        return Ok(Plan::new(wanted.to_vec(), result));
    }
    let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    Err(unexpected(name, given, &format!("{name}({})", wanted.join(", "))))
}

/// Whether Trino turns a value of one type into the other without a cast.
pub(in crate::trino) fn coerces(from: &TrinoType, to: &TrinoType) -> bool {
    use TrinoType::{
        Array, Bigint, Char, Date, Decimal, Double, Integer, Map, Real, Row, Smallint, Time,
        TimeWithZone, Timestamp, TimestampWithZone, Tinyint, Unknown, Varchar,
    };
    if from == to {
        return true;
    }
    match (from, to) {
        (Unknown, _)
        | (Tinyint, Smallint | Integer | Bigint)
        | (Smallint, Integer | Bigint)
        | (Integer, Bigint)
        | (Tinyint | Smallint | Integer | Bigint | Decimal(..), Real | Double | Decimal(..))
        | (Real, Double)
        | (Varchar(_) | Char(_), Varchar(_))
        | (Varchar(_), Char(_))
        | (Date, Timestamp(_) | TimestampWithZone(_)) => true,
        (Timestamp(from), Timestamp(to) | TimestampWithZone(to))
        | (TimestampWithZone(from), TimestampWithZone(to))
        | (Time(from), Time(to) | TimeWithZone(to))
        | (TimeWithZone(from), TimeWithZone(to)) => from <= to,
        (Array(from), Array(to)) => coerces(from, to),
        (Map(key, value), Map(to_key, to_value)) => {
            coerces(key, to_key) && coerces(value, to_value)
        }
        (Row(from), Row(to)) => {
            from.len() == to.len() && from.iter().zip(to).all(|(from, to)| coerces(&from.1, &to.1))
        }
        _ => false,
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

static IMMUTABLE: std::sync::LazyLock<Signature> =
    std::sync::LazyLock::new(|| Signature::user_defined(Volatility::Immutable));
static VOLATILE: std::sync::LazyLock<Signature> =
    std::sync::LazyLock::new(|| Signature::user_defined(Volatility::Volatile));

/// The signature of functions that plan their own types.
pub(in crate::trino) fn planned_signature() -> &'static Signature {
    &IMMUTABLE
}

/// An array under the type its function declares: bodies do not know the metadata of nested fields.
fn conforming(array: ArrayRef, declared: &DataType) -> Result<ArrayRef> {
    let found = array.data_type();
    if !found.is_nested() || found == declared || !found.equals_datatype(declared) {
        return Ok(array);
    }
    Ok(make_array(retyped(array.to_data(), declared)?))
}

fn retyped(data: ArrayData, declared: &DataType) -> Result<ArrayData> {
    let children: Vec<&DataType> = match declared {
        DataType::List(item) | DataType::Map(item, _) => vec![item.data_type()],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        _ => return Ok(data),
    };
    let children = data
        .child_data()
        .iter()
        .zip(children)
        .map(|(child, declared)| retyped(child.clone(), declared))
        .collect::<Result<Vec<_>>>()?;
    Ok(data.into_builder().data_type(declared.clone()).child_data(children).build()?)
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        match self.signature {
            SignatureKind::Immutable => &IMMUTABLE,
            SignatureKind::Volatile => &VOLATILE,
        }
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let kinds: Vec<TrinoType> = given.iter().map(TrinoType::of_arrow).collect();
        // What the function does not take is told by its field, in Trino's words.
        let Ok(plan) = (self.plan)(&kinds) else { return Ok(given.to_vec()) };
        let wanted = plan.arguments.iter().zip(&kinds).zip(given);
        Ok(wanted
            .map(|((wanted, kind), given)| {
                // Arrow casts no bytes: `temporal` has done so, once types are analyzed.
                if wanted.holds_time() && kind.holds_time() {
                    given.clone()
                } else {
                    wanted.to_arrow()
                }
            })
            .collect())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let given: Vec<TrinoType> = given.iter().map(TrinoType::of_arrow).collect();
        Ok((self.plan)(&given)?.result.to_arrow())
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let given: Vec<TrinoType> =
            arguments.arg_fields.iter().map(|field| TrinoType::of_field(field)).collect();
        Ok(Arc::new(field_of(self.name, &(self.plan)(&given)?.result)))
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let call = Call::new(&arguments);
        let scalar = call.is_scalar() && self.signature == SignatureKind::Immutable;
        let array = conforming((self.body)(&call)?, arguments.return_field.data_type())?;
        if scalar {
            return Ok(ColumnarValue::Scalar(first(&array)?));
        }
        Ok(ColumnarValue::Array(array))
    }
}
