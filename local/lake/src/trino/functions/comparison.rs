//! `= < <=` where Arrow's kernels order otherwise than Trino: numbers that may be NaN,
//! `char`, arrays, maps and rows.
//!
//! Between a floating column and a number they become plain comparisons while the query
//! is planned, so that files are pruned and joins are hashed as for any other type.

use std::cmp::Ordering;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray};
use datafusion::arrow::compute::kernels::arity::unary;
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, FieldRef, Float32Type, Float64Type,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, Operator, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, binary_expr, lit,
};

use super::call::Call;
use super::cast::{OnFailure, cast_array};
use super::conditional::wider;
use super::equality::same;
use super::function::{Function, Plan, planned_signature, unexpected};
use super::order::{Nan, order};
use crate::moment::told_apart;
use crate::sql::{Failure, TrinoType, field_of};

/// Helpers of the comparisons, plain functions.
pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("$is_number", number_types, is_number),
    Function::new("$zero", |given| Ok(Plan::given(given, given[0].clone())), zero),
    Function::new("$listed", |given| Ok(Plan::given(given, given[0].clone())), nobodys),
];

static IS_NUMBER: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::new_from_impl(FUNCTIONS[0].clone())));
static ZERO: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::new_from_impl(FUNCTIONS[1].clone())));

static LISTED: LazyLock<Arc<ScalarUDF>> =
    LazyLock::new(|| Arc::new(ScalarUDF::new_from_impl(FUNCTIONS[2].clone())));

/// NaNs that no value is: looked up by their bits, they are never found.
const NOBODYS: (f32, f64) = (f32::from_bits(0x7fc0_6e6f), f64::from_bits(0x7ff8_0000_6e6f_6e65));

/// A double of a list, where values are looked up by their bits.
pub(in crate::trino) fn listed(item: Expr) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(LISTED.clone(), vec![item]))
}

/// A double whose zero has no sign.
pub(in crate::trino) fn zeroed(value: Expr) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(ZERO.clone(), vec![value]))
}

pub(super) fn functions() -> Vec<Arc<ScalarUDF>> {
    [
        Comparison { name: "$equals", kind: Kind::Equal },
        Comparison { name: "$less", kind: Kind::Less },
        Comparison { name: "$less_or_equal", kind: Kind::LessOrEqual },
    ]
    .into_iter()
    .map(|comparison| Arc::new(ScalarUDF::new_from_impl(comparison)))
    .collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Equal,
    Less,
    LessOrEqual,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Comparison {
    name: &'static str,
    kind: Kind,
}

fn is_floating(kind: &DataType) -> bool {
    matches!(kind, DataType::Float32 | DataType::Float64)
}

impl Comparison {
    /// Of a `char` and a `varchar` it is the `char`.
    fn common(&self, left: &TrinoType, right: &TrinoType) -> Result<TrinoType, Failure> {
        if let (TrinoType::Char(_), TrinoType::Varchar(_)) = (left, right) {
            return Ok(left.clone());
        }
        wider(left, right).ok_or_else(|| {
            unexpected(self.name, &[left.clone(), right.clone()], "two values of one type")
        })
    }

    fn holds(&self, order: Option<Ordering>) -> bool {
        match self.kind {
            Kind::Equal => order == Some(Ordering::Equal),
            Kind::Less => order == Some(Ordering::Less),
            Kind::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        }
    }

    fn floats<T: ArrowPrimitiveType>(
        &self,
        left: &PrimitiveArray<T>,
        right: &PrimitiveArray<T>,
    ) -> Result<BooleanArray>
    where
        T::Native: PartialOrd,
    {
        let nulls = datafusion::arrow::buffer::NullBuffer::union(left.nulls(), right.nulls());
        let pairs = left.values().iter().zip(right.values().iter());
        let values = pairs.map(|(left, right)| self.holds(left.partial_cmp(right))).collect();
        Ok(BooleanArray::new(values, nulls))
    }

    fn compared(
        &self,
        left: &ArrayRef,
        right: &ArrayRef,
        kind: &TrinoType,
    ) -> Result<BooleanArray> {
        match (left.data_type(), kind) {
            (DataType::Float64, _) => {
                self.floats(left.as_primitive::<Float64Type>(), right.as_primitive())
            }
            (DataType::Float32, _) => {
                self.floats(left.as_primitive::<Float32Type>(), right.as_primitive())
            }
            (DataType::Utf8, TrinoType::Char(_)) => {
                let (left, right) = (left.as_string::<i32>(), right.as_string::<i32>());
                Ok(left
                    .iter()
                    .zip(right)
                    .map(|(left, right)| {
                        let (left, right) = left.zip(right)?;
                        Some(self.holds(Some(order_padded(left, right))))
                    })
                    .collect())
            }
            _ => (0..left.len())
                .map(|row| {
                    if self.kind == Kind::Equal {
                        return same(left.as_ref(), row, right.as_ref(), row);
                    }
                    if left.is_null(row) || right.is_null(row) {
                        return Ok(None);
                    }
                    let order = order(left.as_ref(), row, right.as_ref(), row, Nan::Last)?;
                    Ok(Some(self.holds(Some(order))))
                })
                .collect(),
        }
    }
}

/// The order of two `char` values: the shorter one goes on with blanks.
pub(super) fn order_padded(left: &str, right: &str) -> Ordering {
    let length = left.len().max(right.len());
    let padded = |text: &'_ str| {
        let blanks = length - text.len();
        text.bytes().chain(std::iter::repeat_n(b' ', blanks)).collect::<Vec<u8>>()
    };
    padded(left).cmp(&padded(right))
}

impl ScalarUDFImpl for Comparison {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        planned_signature()
    }

    /// Nested values come as they are: their parts are cast by place, not by name.
    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let [left, right] = given else {
            return Err(unexpected(self.name, &[], "two values").into());
        };
        if left.is_nested() && right.is_nested() {
            return Ok(given.to_vec());
        }
        let common = self.common(&TrinoType::of_arrow(left), &TrinoType::of_arrow(right))?;
        Ok(vec![common.to_arrow(); 2])
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn return_field_from_args(&self, _: ReturnFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(field_of(self.name, &TrinoType::Boolean)))
    }

    fn simplify(
        &self,
        mut arguments: Vec<Expr>,
        info: &SimplifyContext,
    ) -> Result<ExprSimplifyResult> {
        let kind = info.get_data_type(&arguments[0])?;
        if !is_floating(&kind)
            || info.get_data_type(&arguments[1])? != kind
            || arguments.iter().any(Expr::is_volatile)
        {
            return Ok(ExprSimplifyResult::Original(arguments));
        }
        let (Some(right), Some(left)) = (arguments.pop(), arguments.pop()) else {
            return Ok(ExprSimplifyResult::Original(arguments));
        };
        Ok(match plain(self.kind, &left, &right) {
            Some(plain) => ExprSimplifyResult::Simplified(plain),
            None => ExprSimplifyResult::Original(vec![left, right]),
        })
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let call = Call::new(&arguments);
        let (left, right) = (call.kind(0), call.kind(1));
        let common = self.common(left, right)?;
        let part = |at: usize| -> Result<ArrayRef> {
            let array = call.array(at)?;
            if array.data_type().is_nested() {
                let array = cast_array(&array, call.kind(at), &common, OnFailure::Fail)?;
                return Ok(told_apart(&array));
            }
            Ok(array)
        };
        let found = self.compared(&part(0)?, &part(1)?, &common)?;
        if call.is_scalar() {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&found, 0)?));
        }
        Ok(ColumnarValue::Array(Arc::new(found)))
    }
}

/// A number that is one to every comparison: its value, `None` for NaN.
fn finite(expr: &Expr) -> Option<f64> {
    let value = match expr {
        Expr::Literal(ScalarValue::Float64(value), _) => (*value)?,
        Expr::Literal(ScalarValue::Float32(value), _) => f64::from((*value)?),
        _ => return None,
    };
    value.is_finite().then_some(value)
}

/// A zero of a literal's type.
fn zero_like(literal: &Expr, negative: bool) -> Expr {
    let single = matches!(literal, Expr::Literal(ScalarValue::Float32(_), _));
    lit(match (single, negative) {
        (true, true) => ScalarValue::Float32(Some(-0.0)),
        (true, false) => ScalarValue::Float32(Some(0.0)),
        (false, true) => ScalarValue::Float64(Some(-0.0)),
        (false, false) => ScalarValue::Float64(Some(0.0)),
    })
}

/// The comparison in Arrow's total order, where NaN comes last and -0 before 0.
fn plain(kind: Kind, left: &Expr, right: &Expr) -> Option<Expr> {
    let call = |function: &Arc<ScalarUDF>, arguments: Vec<Expr>| {
        Expr::ScalarFunction(ScalarFunction::new_udf(function.clone(), arguments))
    };
    let (value, number, number_right) = match (finite(left), finite(right)) {
        (None, Some(number)) => (left, number, true),
        (Some(number), None) => (right, number, false),
        (Some(_), Some(_)) => return None,
        (None, None) if kind == Kind::Equal && !constant(left) && !constant(right) => {
            let equal = binary_expr(
                call(&ZERO, vec![left.clone()]),
                Operator::Eq,
                call(&ZERO, vec![right.clone()]),
            );
            let numbers = call(&IS_NUMBER, vec![left.clone(), right.clone()]);
            return Some(equal.and(numbers));
        }
        (None, None) => return None,
    };
    let literal = if number_right { right } else { left };
    let zeros = number == 0.0;
    let operator = match (kind, number_right) {
        (Kind::Equal, _) if zeros => return None,
        (Kind::Equal, _) => return Some(binary_expr(value.clone(), Operator::Eq, literal.clone())),
        (Kind::Less, true) => Operator::Lt,
        (Kind::LessOrEqual, true) => Operator::LtEq,
        (Kind::Less, false) => Operator::Gt,
        (Kind::LessOrEqual, false) => Operator::GtEq,
    };
    let literal = match operator {
        Operator::Lt | Operator::GtEq if zeros => zero_like(literal, true),
        _ if zeros => zero_like(literal, false),
        _ => literal.clone(),
    };
    let compared = binary_expr(value.clone(), operator, literal);
    Some(compared.and(call(&IS_NUMBER, vec![value.clone()])))
}

fn constant(expr: &Expr) -> bool {
    matches!(expr, Expr::Literal(..))
}

fn number_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    Ok(Plan::given(given, TrinoType::Boolean))
}

/// Whether no argument is NaN; NULL when one is NULL.
fn is_number(call: &Call) -> Result<ArrayRef> {
    let mut found: Option<BooleanArray> = None;
    for at in 0..call.count() {
        let array = call.array(at)?;
        let numbers = match array.data_type() {
            DataType::Float32 => {
                BooleanArray::from_unary(array.as_primitive::<Float32Type>(), |v| !v.is_nan())
            }
            _ => BooleanArray::from_unary(array.as_primitive::<Float64Type>(), |v| !v.is_nan()),
        };
        found = Some(match found {
            Some(before) => {
                let nulls =
                    datafusion::arrow::buffer::NullBuffer::union(before.nulls(), numbers.nulls());
                BooleanArray::new(before.values() & numbers.values(), nulls)
            }
            None => numbers,
        });
    }
    Ok(Arc::new(found.unwrap_or_else(|| BooleanArray::from(vec![true; call.rows]))))
}

/// The number with its zero without a sign.
fn zero(call: &Call) -> Result<ArrayRef> {
    let array = call.array(0)?;
    if let Some(reals) = array.as_primitive_opt::<Float32Type>() {
        let found: PrimitiveArray<Float32Type> = unary(reals, |value: f32| value + 0.0);
        return Ok(Arc::new(found));
    }
    let doubles = array.as_primitive::<Float64Type>();
    let found: PrimitiveArray<Float64Type> = unary(doubles, |value: f64| value + 0.0);
    Ok(Arc::new(found))
}

/// Zeros without their sign, and NaN as one that is nobody's.
fn nobodys(call: &Call) -> Result<ArrayRef> {
    let array = zero(call)?;
    if let Some(reals) = array.as_primitive_opt::<Float32Type>() {
        let found: PrimitiveArray<Float32Type> =
            unary(reals, |value: f32| if value.is_nan() { NOBODYS.0 } else { value });
        return Ok(Arc::new(found));
    }
    let doubles = array.as_primitive::<Float64Type>();
    let found: PrimitiveArray<Float64Type> =
        unary(doubles, |value: f64| if value.is_nan() { NOBODYS.1 } else { value });
    Ok(Arc::new(found))
}
