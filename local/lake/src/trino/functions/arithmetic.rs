//! `+ - * / %` as Trino computes them: checked, and decimals by Trino's rules.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Decimal128Array};
use datafusion::arrow::compute::kernels::numeric;
use datafusion::arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::arrow::error::ArrowError;
use datafusion::common::{Result, ScalarValue};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::call::Call;
use super::cast::{OnFailure, cast_array, pow10, rescale};
use super::function::{Function, Plan};
use crate::sql::{Failure, TrinoType};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("$add", |given| plan(Operation::Add, given), |call| run(Operation::Add, call)),
    Function::new(
        "$subtract",
        |given| plan(Operation::Subtract, given),
        |call| run(Operation::Subtract, call),
    ),
    Function::new(
        "$multiply",
        |given| plan(Operation::Multiply, given),
        |call| run(Operation::Multiply, call),
    ),
    Function::new(
        "$divide",
        |given| plan(Operation::Divide, given),
        |call| run(Operation::Divide, call),
    ),
    Function::new(
        "$modulus",
        |given| plan(Operation::Modulus, given),
        |call| run(Operation::Modulus, call),
    ),
    Function::new(
        "mod",
        |given| plan(Operation::Modulus, given),
        |call| run(Operation::Modulus, call),
    ),
];

/// The function behind an operator on numbers.
pub(in crate::trino) fn operator_name(operator: &BinaryOperator) -> Option<&'static str> {
    Some(match operator {
        BinaryOperator::Plus => "$add",
        BinaryOperator::Minus => "$subtract",
        BinaryOperator::Multiply => "$multiply",
        BinaryOperator::Divide => "$divide",
        BinaryOperator::Modulo => "$modulus",
        _ => return None,
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulus,
}

impl Operation {
    fn symbol(self) -> char {
        match self {
            Self::Add => '+',
            Self::Subtract => '-',
            Self::Multiply => '*',
            Self::Divide => '/',
            Self::Modulus => '%',
        }
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Add => "addition",
            Self::Subtract => "subtraction",
            Self::Multiply => "multiplication",
            Self::Divide | Self::Modulus => "division",
        }
    }
}

/// A whole number as the decimal it becomes beside a decimal.
fn as_decimal(kind: &TrinoType) -> Option<(i32, i32)> {
    Some(match kind {
        TrinoType::Tinyint => (3, 0),
        TrinoType::Smallint => (5, 0),
        TrinoType::Integer => (10, 0),
        TrinoType::Bigint => (19, 0),
        TrinoType::Decimal(precision, scale) => (i32::from(*precision), i32::from(*scale)),
        TrinoType::Unknown => (1, 0),
        _ => return None,
    })
}

fn rank(kind: &TrinoType) -> Option<u8> {
    Some(match kind {
        TrinoType::Unknown => 0,
        TrinoType::Tinyint => 1,
        TrinoType::Smallint => 2,
        TrinoType::Integer => 3,
        TrinoType::Bigint => 4,
        TrinoType::Decimal(..) => 5,
        TrinoType::Real => 6,
        TrinoType::Double => 7,
        _ => return None,
    })
}

fn plan(operation: Operation, given: &[TrinoType]) -> Result<Plan, Failure> {
    let mismatch = || {
        let shown: Vec<String> = given.iter().map(ToString::to_string).collect();
        Failure::type_mismatch(format!(
            "Cannot apply operator: {}",
            shown.join(&format!(" {} ", operation.symbol()))
        ))
    };
    let [left, right] = given else { return Err(mismatch()) };
    let (left_rank, right_rank) =
        (rank(left).ok_or_else(mismatch)?, rank(right).ok_or_else(mismatch)?);
    let wider = if left_rank >= right_rank { left } else { right };
    match wider {
        TrinoType::Unknown => Ok(Plan::new(vec![TrinoType::Integer; 2], TrinoType::Integer)),
        TrinoType::Decimal(..) => {
            let (p1, s1) = as_decimal(left).ok_or_else(mismatch)?;
            let (p2, s2) = as_decimal(right).ok_or_else(mismatch)?;
            let (precision, scale) = decimal_result(operation, (p1, s1), (p2, s2));
            let kind = |precision: i32, scale: i32| {
                TrinoType::Decimal(
                    u8::try_from(precision.clamp(1, 38)).unwrap_or(38),
                    i8::try_from(scale.clamp(0, 38)).unwrap_or(0),
                )
            };
            if scale > 38 {
                return Err(Failure::not_supported(
                    "DECIMAL scale must be in range [0, precision]",
                ));
            }
            Ok(Plan::new(vec![kind(p1, s1), kind(p2, s2)], kind(precision, scale)))
        }
        wider => Ok(Plan::new(vec![wider.clone(), wider.clone()], wider.clone())),
    }
}

/// Trino's precision and scale of a result (its decimal operators' documentation).
fn decimal_result(operation: Operation, (p1, s1): (i32, i32), (p2, s2): (i32, i32)) -> (i32, i32) {
    let scale = s1.max(s2);
    match operation {
        Operation::Add | Operation::Subtract => ((p1 - s1).max(p2 - s2) + scale + 1, scale),
        Operation::Multiply => (p1 + p2, s1 + s2),
        Operation::Divide => (p1 + s2 + (s2 - s1).max(0), scale),
        Operation::Modulus => ((p1 - s1).min(p2 - s2) + scale, scale),
    }
}

fn run(operation: Operation, call: &Call) -> Result<ArrayRef> {
    compute(operation, &call.array(0)?, &call.array(1)?, &call.result)
}

/// One operation on two values, given by its function's name.
pub(super) fn apply(
    name: &str,
    (left_kind, left): (&TrinoType, &ScalarValue),
    (right_kind, right): (&TrinoType, &ScalarValue),
) -> Result<(TrinoType, ScalarValue)> {
    let operation = match name {
        "$add" => Operation::Add,
        "$subtract" => Operation::Subtract,
        "$multiply" => Operation::Multiply,
        "$divide" => Operation::Divide,
        _ => Operation::Modulus,
    };
    let plan = plan(operation, &[left_kind.clone(), right_kind.clone()])?;
    let cast = |value: &ScalarValue, from: &TrinoType, to: &TrinoType| {
        cast_array(&value.to_array()?, from, to, OnFailure::Fail)
    };
    let left = cast(left, left_kind, &plan.arguments[0])?;
    let right = cast(right, right_kind, &plan.arguments[1])?;
    let found = compute(operation, &left, &right, &plan.result.to_arrow())?;
    Ok((plan.result, ScalarValue::try_from_array(&found, 0)?))
}

fn compute(
    operation: Operation,
    left: &ArrayRef,
    right: &ArrayRef,
    result: &DataType,
) -> Result<ArrayRef> {
    if let DataType::Decimal128(precision, scale) = *result {
        return decimals(operation, left.as_primitive(), right.as_primitive(), precision, scale);
    }
    let found = match operation {
        Operation::Add => numeric::add(left, right),
        Operation::Subtract => numeric::sub(left, right),
        Operation::Multiply => numeric::mul(left, right),
        Operation::Divide => numeric::div(left, right).map(nan_without_sign),
        Operation::Modulus => remainder(left, right).map(nan_without_sign),
    };
    found.map_err(|error| failure(operation, left, right, &error).into())
}

/// Processors give 0 / 0 a sign, which would put it before all numbers.
fn nan_without_sign(found: ArrayRef) -> ArrayRef {
    if let Some(doubles) = found.as_primitive_opt::<Float64Type>() {
        let plain = |value: f64| if value.is_nan() { f64::NAN } else { value };
        return Arc::new(doubles.unary::<_, Float64Type>(plain));
    }
    match found.as_primitive_opt::<Float32Type>() {
        Some(reals) => {
            let plain = |value: f32| if value.is_nan() { f32::NAN } else { value };
            Arc::new(reals.unary::<_, Float32Type>(plain))
        }
        None => found,
    }
}

/// `%`; the least whole number by -1 is 0, no overflow.
fn remainder(left: &ArrayRef, right: &ArrayRef) -> std::result::Result<ArrayRef, ArrowError> {
    if matches!(left.data_type(), DataType::Float32 | DataType::Float64) {
        return numeric::rem(left, right);
    }
    match numeric::rem(left, right) {
        Err(ArrowError::ArithmeticOverflow(_)) => {
            use datafusion::arrow::compute::kernels::arity::try_binary;
            macro_rules! remainder_of {
                ($kind:ty) => {
                    try_binary::<_, _, _, $kind>(
                        left.as_primitive::<$kind>(),
                        right.as_primitive::<$kind>(),
                        |a, b| {
                            if b == 0 {
                                Err(ArrowError::DivideByZero)
                            } else {
                                Ok(a.wrapping_rem(b))
                            }
                        },
                    )
                    .map(|found| Arc::new(found) as ArrayRef)
                };
            }
            match left.data_type() {
                DataType::Int8 => remainder_of!(Int8Type),
                DataType::Int16 => remainder_of!(Int16Type),
                DataType::Int32 => remainder_of!(Int32Type),
                _ => remainder_of!(Int64Type),
            }
        }
        other => other,
    }
}

/// Which row failed, and how Trino says so.
fn failure(operation: Operation, left: &ArrayRef, right: &ArrayRef, error: &ArrowError) -> Failure {
    let kind = TrinoType::of_arrow(left.data_type());
    let long = |array: &ArrayRef, row: usize| -> i128 {
        match array.data_type() {
            DataType::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
            DataType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
            DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
            DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
            _ => 0,
        }
    };
    if matches!(error, ArrowError::DivideByZero) {
        return Failure::new("DIVISION_BY_ZERO", "Division by zero");
    }
    let (least, most): (i128, i128) = match kind {
        TrinoType::Tinyint => (i8::MIN.into(), i8::MAX.into()),
        TrinoType::Smallint => (i16::MIN.into(), i16::MAX.into()),
        TrinoType::Integer => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    };
    let rows = (0..left.len()).filter(|row| !left.is_null(*row) && !right.is_null(*row));
    for row in rows {
        let (a, b) = (long(left, row), long(right, row));
        let exact = match operation {
            Operation::Add => a + b,
            Operation::Subtract => a - b,
            Operation::Multiply => a * b,
            Operation::Divide | Operation::Modulus if b == 0 => continue,
            Operation::Divide | Operation::Modulus => a / b,
        };
        if !(least..=most).contains(&exact) {
            return Failure::new(
                "NUMERIC_VALUE_OUT_OF_RANGE",
                format!("{kind} {} overflow: {a} {} {b}", operation.noun(), operation.symbol()),
            );
        }
    }
    Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", error.to_string())
}

fn decimals(
    operation: Operation,
    left: &Decimal128Array,
    right: &Decimal128Array,
    precision: u8,
    scale: i8,
) -> Result<ArrayRef> {
    let (s1, s2, to) = (i32::from(left.scale()), i32::from(right.scale()), i32::from(scale));
    let limit = pow10(u32::from(precision)).unwrap_or(i128::MAX);
    let overflow = || Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow");
    let compute = |a: i128, b: i128| -> Result<i128, Failure> {
        let exact = match operation {
            Operation::Add => {
                rescale(a, s1, to).zip(rescale(b, s2, to)).and_then(|(a, b)| a.checked_add(b))
            }
            Operation::Subtract => {
                rescale(a, s1, to).zip(rescale(b, s2, to)).and_then(|(a, b)| a.checked_sub(b))
            }
            Operation::Multiply => a.checked_mul(b),
            Operation::Divide => {
                if b == 0 {
                    return Err(Failure::new("DIVISION_BY_ZERO", "Division by zero"));
                }
                quotient(a, b, to - s1 + s2)
            }
            Operation::Modulus => {
                if b == 0 {
                    return Err(Failure::new("DIVISION_BY_ZERO", "Division by zero"));
                }
                rescale(a, s1, to).zip(rescale(b, s2, to)).and_then(|(a, b)| a.checked_rem(b))
            }
        };
        exact.filter(|value| value.abs() < limit).ok_or_else(overflow)
    };
    let mut found = Vec::with_capacity(left.len());
    for (a, b) in left.iter().zip(right.iter()) {
        found.push(match (a, b) {
            (Some(a), Some(b)) => Some(compute(a, b)?),
            _ => None,
        });
    }
    let found: Decimal128Array = Decimal128Array::from(found);
    Ok(Arc::new(found.with_precision_and_scale(precision, scale)?))
}

/// `a / b` with `shift` more digits, halves away from zero.
fn quotient(a: i128, b: i128, shift: i32) -> Option<i128> {
    let power = pow10(u32::try_from(shift.max(0)).ok()?)?;
    let negative = (a < 0) != (b < 0);
    let divisor = b.unsigned_abs();
    // Digit by digit where the product does not fit.
    let (mut whole, mut rest) = (a.unsigned_abs() / divisor, a.unsigned_abs() % divisor);
    match rest.checked_mul(power.unsigned_abs()) {
        Some(scaled) => {
            whole = whole.checked_mul(power.unsigned_abs())?.checked_add(scaled / divisor)?;
            rest = scaled % divisor;
        }
        None => {
            for _ in 0..shift {
                rest = rest.checked_mul(10)?;
                whole = whole.checked_mul(10)?.checked_add(rest / divisor)?;
                rest %= divisor;
            }
        }
    }
    if rest >= divisor - rest {
        whole = whole.checked_add(1)?;
    }
    let whole = i128::try_from(whole).ok()?;
    Some(if negative { -whole } else { whole })
}
