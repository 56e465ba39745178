//! Mathematics.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Float32Array, Float64Array, Int64Array,
    PrimitiveArray,
};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::common::Result;

use super::call::Call;
use super::cast::rescale;
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
    Function::new("round", round_types, |call| rounded(call, Rounding::Half)),
    Function::new("truncate", truncate_types, |call| rounded(call, Rounding::Down)),
    Function::new(
        "ceiling",
        |given| whole_types("ceiling", given),
        |call| rounded(call, Rounding::Ceiling),
    ),
    Function::new(
        "ceil",
        |given| whole_types("ceil", given),
        |call| rounded(call, Rounding::Ceiling),
    ),
    Function::new(
        "floor",
        |given| whole_types("floor", given),
        |call| rounded(call, Rounding::Floor),
    ),
    Function::new(
        "width_bucket",
        |given| exactly("width_bucket", given, &[DOUBLE, DOUBLE, DOUBLE, LONG], LONG),
        width_bucket,
    ),
    Function::volatile("random", random_types, random),
    Function::volatile("rand", random_types, random),
];

fn doubles(call: &Call, body: fn(f64) -> f64) -> Result<ArrayRef> {
    let found: Float64Array = call.doubles(0)?.iter().map(|value| value.map(body)).collect();
    Ok(Arc::new(found))
}

fn pairs(call: &Call, body: fn(f64, f64) -> f64) -> Result<ArrayRef> {
    let (left, right) = (call.doubles(0)?, call.doubles(1)?);
    let found: Float64Array = left
        .iter()
        .zip(&right)
        .map(|(left, right)| left.zip(right).map(|(left, right)| body(left, right)))
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

fn kept(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
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

fn round_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Decimal(precision, scale)] => {
            let digits = (*precision as i8 - scale + i8::from(*scale > 0)).clamp(1, 38);
            Ok(Plan::given(given, TrinoType::Decimal(digits as u8, 0)))
        }
        [TrinoType::Decimal(precision, scale), digits]
            if digits.is_numeric() || *digits == TrinoType::Unknown =>
        {
            let kind = TrinoType::Decimal((*precision + 1).min(38), *scale);
            Ok(Plan::new(vec![given[0].clone(), LONG], kind))
        }
        [kind, digits]
            if kind.is_numeric() && (digits.is_numeric() || *digits == TrinoType::Unknown) =>
        {
            Ok(Plan::new(vec![kind.clone(), LONG], kind.clone()))
        }
        [TrinoType::Unknown, _] => Ok(Plan::new(vec![DOUBLE, LONG], DOUBLE)),
        _ => kept("round", given),
    }
}

fn truncate_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Decimal(precision, scale)] => Ok(Plan::given(
            given,
            TrinoType::Decimal((*precision as i8 - scale).clamp(1, 38) as u8, 0),
        )),
        [TrinoType::Decimal(..), digits] if digits.is_numeric() => {
            Ok(Plan::new(vec![given[0].clone(), LONG], given[0].clone()))
        }
        [TrinoType::Real] => Ok(Plan::given(given, TrinoType::Real)),
        [TrinoType::Real, digits] if digits.is_numeric() => {
            Ok(Plan::new(vec![TrinoType::Real, LONG], TrinoType::Real))
        }
        [_] => exactly("truncate", given, &[DOUBLE], DOUBLE),
        _ => exactly("truncate", given, &[DOUBLE, LONG], DOUBLE),
    }
}

fn whole_types(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Decimal(precision, scale)] => {
            let digits = (*precision as i8 - scale + i8::from(*scale > 0)).clamp(1, 38);
            Ok(Plan::given(given, TrinoType::Decimal(digits as u8, 0)))
        }
        _ => kept(name, given),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Rounding {
    /// To the nearest, halves away from zero.
    Half,
    Down,
    Ceiling,
    Floor,
}

fn rounded(call: &Call, rounding: Rounding) -> Result<ArrayRef> {
    let array = call.array(0)?;
    let digits =
        if call.count() > 1 { call.longs(1)? } else { Int64Array::from_value(0, call.rows) };
    match array.data_type() {
        DataType::Float64 => {
            let found: Float64Array = array
                .as_primitive::<Float64Type>()
                .iter()
                .zip(&digits)
                .map(|(value, digits)| {
                    value.zip(digits).map(|(value, digits)| round_double(value, digits, rounding))
                })
                .collect();
            Ok(Arc::new(found))
        }
        DataType::Float32 => {
            let found: Float32Array = array
                .as_primitive::<Float32Type>()
                .iter()
                .zip(&digits)
                .map(|(value, digits)| {
                    value.zip(digits).map(|(value, digits)| {
                        round_double(f64::from(value), digits, rounding) as f32
                    })
                })
                .collect();
            Ok(Arc::new(found))
        }
        DataType::Decimal128(_, scale) => round_decimals(&array, *scale, &digits, call, rounding),
        _ if call.count() < 2 => Ok(array),
        DataType::Int64 => {
            let found: Int64Array =
                whole_digits(array.as_primitive::<Int64Type>().iter(), &digits)?;
            Ok(Arc::new(found))
        }
        _ => {
            let longs = datafusion::arrow::compute::cast(&array, &DataType::Int64)?;
            let found = whole_digits(longs.as_primitive::<Int64Type>().iter(), &digits)?;
            Ok(datafusion::arrow::compute::cast(&found, array.data_type())?)
        }
    }
}

fn whole_digits(
    values: impl Iterator<Item = Option<i64>>,
    digits: &Int64Array,
) -> Result<Int64Array> {
    Ok(values
        .zip(digits)
        .map(|(value, digits)| {
            let (value, digits) = value.zip(digits)?;
            if digits >= 0 {
                return Some(value);
            }
            let power = u32::try_from(-digits).ok().and_then(|power| 10_i64.checked_pow(power));
            Some(power.map_or(0, |power| {
                let half = value % power;
                let down = value - half;
                if half.unsigned_abs() >= power.unsigned_abs().div_ceil(2) {
                    down.saturating_add(power * value.signum())
                } else {
                    down
                }
            }))
        })
        .collect())
}

fn round_double(value: f64, digits: i64, rounding: Rounding) -> f64 {
    if !value.is_finite() {
        return value;
    }
    let apply = |value: f64| match rounding {
        Rounding::Half => value.round(),
        Rounding::Down => value.trunc(),
        Rounding::Ceiling => value.ceil(),
        Rounding::Floor => value.floor(),
    };
    if digits == 0 {
        return apply(value);
    }
    if rounding == Rounding::Down {
        // Through the shortest text, as BigDecimal.valueOf does.
        let text = format!("{value}");
        let scale = i32::try_from(digits.clamp(-38, 38)).unwrap_or(38);
        return truncated_text(&text, scale).parse().unwrap_or(value);
    }
    let factor = 10_f64.powi(i32::try_from(digits.clamp(-400, 400)).unwrap_or(400));
    let scaled = value * factor;
    if scaled.is_finite() && factor != 0.0 {
        return scaled.round() / factor;
    }
    if digits > 0 { value } else { 0.0 }
}

fn truncated_text(text: &str, scale: i32) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if scale >= 0 {
        let kept = fraction.len().min(usize::try_from(scale).unwrap_or(0));
        return format!("{whole}.{}0", &fraction[..kept]);
    }
    let drop = usize::try_from(-scale).unwrap_or(0);
    let digits = whole.trim_start_matches('-');
    if drop >= digits.len() {
        return "0".to_owned();
    }
    let sign = if whole.starts_with('-') { "-" } else { "" };
    format!("{sign}{}{}", &digits[..digits.len() - drop], "0".repeat(drop))
}

fn round_decimals(
    array: &ArrayRef,
    scale: i8,
    digits: &Int64Array,
    call: &Call,
    rounding: Rounding,
) -> Result<ArrayRef> {
    let DataType::Decimal128(precision, result_scale) = call.result else {
        return Err(Failure::type_mismatch("a decimal rounds to a decimal").into());
    };
    let scale = i32::from(scale);
    let found: Decimal128Array = array
        .as_primitive::<Decimal128Type>()
        .iter()
        .zip(digits)
        .map(|(value, digits)| {
            let (value, digits) = value.zip(digits)?;
            let to = i32::try_from(digits.clamp(-38, 38)).unwrap_or(0);
            if to >= scale {
                return rescale(value, scale, i32::from(result_scale));
            }
            let unit = u32::try_from(scale - to).ok().and_then(|power| 10_i128.checked_pow(power));
            let Some(unit) = unit else { return Some(0) };
            let (down, rest) = (value / unit, value % unit);
            let up = match rounding {
                Rounding::Half => rest.abs() >= unit - rest.abs(),
                Rounding::Down => false,
                Rounding::Ceiling => rest > 0,
                Rounding::Floor => rest < 0,
            };
            let rounded = if up { down + value.signum() } else { down };
            rescale(rounded, to, i32::from(result_scale))
        })
        .collect();
    Ok(Arc::new(found.with_precision_and_scale(precision, result_scale)?))
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
        if !low.is_finite() || !high.is_finite() {
            return Err(Failure::invalid_argument("first bound must be finite").into());
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

fn random_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [] => Ok(Plan::new(Vec::new(), DOUBLE)),
        [kind] if kind.is_numeric() => Ok(Plan::new(vec![LONG], LONG)),
        [low, high] if low.is_numeric() && high.is_numeric() => {
            Ok(Plan::new(vec![LONG, LONG], LONG))
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
    let (low, high) = if call.count() == 1 {
        (Int64Array::from_value(0, call.rows), call.longs(0)?)
    } else {
        (call.longs(0)?, call.longs(1)?)
    };
    call.each_long(|row| {
        let (low, high) = (low.value(row), high.value(row));
        if high <= low {
            return Err(Failure::invalid_argument("bound must be positive").into());
        }
        Ok(Some(low + ((high - low) as f64 * fraction()) as i64))
    })
}
