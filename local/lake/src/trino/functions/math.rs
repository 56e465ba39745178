//! Mathematics.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::unnecessary_wraps,
    clippy::float_cmp,
    reason = "Trino's conversions lose digits too; bodies share one signature"
)]

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Float64Array, Int64Array, PrimitiveArray,
};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::common::Result;

use super::call::Call;
use super::function::{Function, Plan, exactly, unexpected};
use crate::sql::{Failure, TrinoType};

const DOUBLE: TrinoType = TrinoType::Double;
const LONG: TrinoType = TrinoType::Bigint;

macro_rules! of_double {
    ($name:literal, $body:expr) => {
        Function::new(
            $name,
            |given| exactly($name, given, &[DOUBLE], DOUBLE),
            |call| doubles(call, $body),
        )
    };
}

macro_rules! test_double {
    ($name:literal, $body:expr) => {
        Function::new(
            $name,
            |given| exactly($name, given, &[DOUBLE], TrinoType::Boolean),
            |call| tested(call, $body),
        )
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    of_double!("sqrt", f64::sqrt),
    of_double!("cbrt", f64::cbrt),
    of_double!("exp", f64::exp),
    of_double!("ln", f64::ln),
    of_double!("log2", f64::log2),
    of_double!("log10", f64::log10),
    of_double!("sin", f64::sin),
    of_double!("cos", f64::cos),
    of_double!("tan", f64::tan),
    of_double!("asin", f64::asin),
    of_double!("acos", f64::acos),
    of_double!("atan", f64::atan),
    of_double!("sinh", f64::sinh),
    of_double!("cosh", f64::cosh),
    of_double!("tanh", f64::tanh),
    of_double!("degrees", f64::to_degrees),
    of_double!("radians", f64::to_radians),
    test_double!("is_nan", f64::is_nan),
    test_double!("is_finite", f64::is_finite),
    test_double!("is_infinite", f64::is_infinite),
    Function::new(
        "pi",
        |given| exactly("pi", given, &[], DOUBLE),
        |call| constant(call, std::f64::consts::PI),
    ),
    Function::new(
        "e",
        |given| exactly("e", given, &[], DOUBLE),
        |call| constant(call, std::f64::consts::E),
    ),
    Function::new(
        "nan",
        |given| exactly("nan", given, &[], DOUBLE),
        |call| constant(call, f64::NAN),
    ),
    Function::new(
        "infinity",
        |given| exactly("infinity", given, &[], DOUBLE),
        |call| constant(call, f64::INFINITY),
    ),
    Function::new(
        "power",
        |given| exactly("power", given, &[DOUBLE, DOUBLE], DOUBLE),
        |call| pairs(call, f64::powf),
    ),
    Function::new(
        "pow",
        |given| exactly("pow", given, &[DOUBLE, DOUBLE], DOUBLE),
        |call| pairs(call, f64::powf),
    ),
    Function::new(
        "atan2",
        |given| exactly("atan2", given, &[DOUBLE, DOUBLE], DOUBLE),
        |call| pairs(call, f64::atan2),
    ),
    Function::new(
        "log",
        |given| exactly("log", given, &[DOUBLE, DOUBLE], DOUBLE),
        |call| pairs(call, |base, value| value.ln() / base.ln()),
    ),
    Function::new("abs", |given| kept("abs", given), abs),
    Function::new("sign", sign_types, sign),
    Function::new("width_bucket", width_bucket_types, |call| {
        if call.count() == 2 { bin_of(call) } else { width_bucket(call) }
    }),
    Function::volatile("random", random_types, random),
    Function::volatile("rand", random_types, random),
];

/// NaN without a sign, which would put it before all numbers.
fn canonical(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value }
}

fn doubles(call: &Call, body: fn(f64) -> f64) -> Result<ArrayRef> {
    let found: Float64Array = call.doubles(0)?.unary(|value| canonical(body(value)));
    Ok(Arc::new(found))
}

fn pairs(call: &Call, body: fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let (left, right) = (call.doubles(0)?, call.doubles(1)?);
    let found: Float64Array = left
        .iter()
        .zip(&right)
        .map(|(left, right)| left.zip(right).map(|(left, right)| canonical(body(left, right))))
        .collect();
    Ok(Arc::new(found))
}

fn tested(call: &Call, body: fn(f64) -> bool) -> Result<ArrayRef> {
    let values = call.doubles(0)?;
    call.each_boolean(|row| Ok(Some(body(values.value(row)))))
}

fn constant(call: &Call, value: f64) -> Result<ArrayRef> {
    Ok(Arc::new(Float64Array::from_value(value, call.rows)))
}

pub(super) fn kept(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [kind] if kind.is_numeric() => Ok(Plan::given(given, kind.clone())),
        [TrinoType::Unknown] => Ok(Plan::new(vec![DOUBLE], DOUBLE)),
        _ => Err(unexpected(name, given, &format!("{name}(number)"))),
    }
}

fn overflow(kind: &TrinoType) -> Failure {
    let (name, least) = match kind {
        TrinoType::Tinyint => ("-128", "TINYINT"),
        TrinoType::Smallint => ("-32768", "SMALLINT"),
        TrinoType::Integer => ("-2147483648", "INTEGER"),
        _ => ("-9223372036854775808", "BIGINT"),
    };
    Failure::new(
        "NUMERIC_VALUE_OUT_OF_RANGE",
        format!("Value {name} is out of range for abs({})", least.to_lowercase()),
    )
}

macro_rules! each_whole {
    ($array:expr, $kind:ty, $body:expr) => {{
        let found: PrimitiveArray<$kind> = $array
            .as_primitive::<$kind>()
            .iter()
            .map(|value| value.map($body).transpose())
            .collect::<Result<_, Failure>>()?;
        Ok(Arc::new(found) as ArrayRef)
    }};
}

fn abs(call: &Call) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let kind = call.kind(0).clone();
    match array.data_type() {
        DataType::Int8 => {
            each_whole!(array, Int8Type, |v: i8| v.checked_abs().ok_or_else(|| overflow(&kind)))
        }
        DataType::Int16 => {
            each_whole!(array, Int16Type, |v: i16| v.checked_abs().ok_or_else(|| overflow(&kind)))
        }
        DataType::Int32 => {
            each_whole!(array, Int32Type, |v: i32| v.checked_abs().ok_or_else(|| overflow(&kind)))
        }
        DataType::Int64 => {
            each_whole!(array, Int64Type, |v: i64| v.checked_abs().ok_or_else(|| overflow(&kind)))
        }
        DataType::Float32 => each_whole!(array, Float32Type, |v: f32| Ok(v.abs())),
        DataType::Decimal128(precision, scale) => {
            let found: Decimal128Array = array.as_primitive::<Decimal128Type>().unary(i128::abs);
            Ok(Arc::new(found.with_precision_and_scale(*precision, *scale)?))
        }
        _ => each_whole!(array, Float64Type, |v: f64| Ok(v.abs())),
    }
}

fn sign_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Decimal(..)] => Ok(Plan::given(given, TrinoType::Decimal(1, 0))),
        _ => kept("sign", given),
    }
}

fn sign(call: &Call) -> Result<ArrayRef> {
    let array = call.array(0)?;
    match array.data_type() {
        DataType::Int8 => each_whole!(array, Int8Type, |v: i8| Ok(v.signum())),
        DataType::Int16 => each_whole!(array, Int16Type, |v: i16| Ok(v.signum())),
        DataType::Int32 => each_whole!(array, Int32Type, |v: i32| Ok(v.signum())),
        DataType::Int64 => each_whole!(array, Int64Type, |v: i64| Ok(v.signum())),
        DataType::Float32 => {
            each_whole!(array, Float32Type, |v: f32| Ok(if v == 0.0 || v.is_nan() {
                v
            } else {
                v.signum()
            }))
        }
        DataType::Decimal128(..) => {
            let found: Decimal128Array = array.as_primitive::<Decimal128Type>().unary(i128::signum);
            Ok(Arc::new(found.with_precision_and_scale(1, 0)?))
        }
        _ => each_whole!(array, Float64Type, |v: f64| Ok(if v == 0.0 || v.is_nan() {
            v
        } else {
            v.signum()
        })),
    }
}

fn width_bucket(call: &Call) -> Result<ArrayRef> {
    let (values, lows, highs, counts) =
        (call.doubles(0)?, call.doubles(1)?, call.doubles(2)?, call.longs(3)?);
    call.each_long(|row| {
        let (value, low, high, count) =
            (values.value(row), lows.value(row), highs.value(row), counts.value(row));
        if count <= 0 {
            return Err(Failure::invalid_argument("bucketCount must be greater than 0").into());
        }
        if value.is_nan() {
            return Err(Failure::invalid_argument("operand must not be NaN").into());
        }
        if !low.is_finite() {
            return Err(Failure::invalid_argument("first bound must be finite").into());
        }
        if !high.is_finite() {
            return Err(Failure::invalid_argument("second bound must be finite").into());
        }
        if low == high {
            return Err(Failure::invalid_argument("bounds cannot equal each other").into());
        }
        let (least, most) = if low < high { (low, high) } else { (high, low) };
        let place = if value < least {
            0
        } else if value >= most {
            count + 1
        } else {
            (count as f64 * (value - least) / (most - least)) as i64 + 1
        };
        Ok(Some(if low < high { place } else { count - place + 1 }))
    })
}

fn width_bucket_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given.len() {
        2 => exactly("width_bucket", given, &[DOUBLE, TrinoType::Array(Box::new(DOUBLE))], LONG),
        _ => exactly("width_bucket", given, &[DOUBLE, DOUBLE, DOUBLE, LONG], LONG),
    }
}

/// How many of the ascending bounds an operand has passed.
fn bin_of(call: &Call) -> Result<ArrayRef> {
    let (operands, bins) = (call.doubles(0)?, call.lists(1)?);
    call.each_long(|row| {
        let bins = bins.value(row);
        let bins = bins.as_primitive::<Float64Type>().values();
        let operand = operands.value(row);
        let refused = |why: String| Err(Failure::invalid_argument(why).into());
        if bins.is_empty() {
            return refused("Bins cannot be an empty array".to_owned());
        }
        if operand.is_nan() {
            return refused("Operand cannot be NaN".to_owned());
        }
        // The search looks only at what lies on its way, and so do its checks.
        let (mut low, mut high) = (0, bins.len());
        while low < high {
            if bins[low] > bins[high - 1] {
                return refused("Bin values are not sorted in ascending order".to_owned());
            }
            let middle = low.midpoint(high);
            if !bins[middle].is_finite() {
                let mut shown = String::new();
                crate::sql::write_double(bins[middle], &mut shown);
                return refused(format!("Bin value must be finite, got {shown}"));
            }
            if operand < bins[middle] {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(i64::try_from(low).ok())
    })
}

/// Whole numbers keep their type.
fn random_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    let whole = |kind: &TrinoType| {
        matches!(
            kind,
            TrinoType::Tinyint | TrinoType::Smallint | TrinoType::Integer | TrinoType::Bigint
        )
    };
    match given {
        [] => Ok(Plan::new(Vec::new(), DOUBLE)),
        [_] | [_, _] if given.iter().all(whole) => {
            let kind = super::conditional::common(given).unwrap_or(LONG);
            Ok(Plan::new(vec![kind.clone(); given.len()], kind))
        }
        _ => Err(unexpected("random", given, "random(), random(n), random(m, n)")),
    }
}

fn random(call: &Call) -> Result<ArrayRef> {
    // 53 random bits a value, from the system's generator behind UUIDs.
    let fraction = || (uuid::Uuid::new_v4().as_u128() >> 75) as f64 / (1_u64 << 53) as f64;
    if call.count() == 0 {
        let found: Float64Array = (0..call.rows).map(|_| Some(fraction())).collect();
        return Ok(Arc::new(found));
    }
    let long = |at: usize| -> Result<Int64Array> {
        let array = datafusion::arrow::compute::cast(&call.array(at)?, &DataType::Int64)?;
        Ok(array.as_primitive::<Int64Type>().clone())
    };
    let (low, high) = if call.count() == 1 {
        (Int64Array::from_value(0, call.rows), long(0)?)
    } else {
        (long(0)?, long(1)?)
    };
    let found = call.each_long(|row| {
        let (low, high) = (low.value(row), high.value(row));
        if high <= low {
            return Err(Failure::invalid_argument(if call.count() == 1 {
                "bound must be positive"
            } else {
                "start value must be less than stop value"
            })
            .into());
        }
        let width = i128::from(high) - i128::from(low);
        let place = (width as f64 * fraction()) as i128;
        Ok(i64::try_from(i128::from(low) + place.min(width - 1)).ok())
    })?;
    Ok(datafusion::arrow::compute::cast(&found, &call.result)?)
}
