//! `round`, `truncate`, `ceiling`, `floor`: halves go away from zero.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "precisions are at most 38"
)]

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, Float32Array, Float64Array, Int64Array,
};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float32Type, Float64Type, Int64Type};
use datafusion::common::Result;

use super::call::Call;
use super::cast::{pow10, rescale};
use super::function::{Function, Plan, exactly};
use super::math::kept;
use crate::sql::{Failure, TrinoType};

const DOUBLE: TrinoType = TrinoType::Double;
const LONG: TrinoType = TrinoType::Bigint;

pub(super) const FUNCTIONS: &[Function] = &[
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
];

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
    if let (1, Some(doubles)) = (call.count(), array.as_primitive_opt::<Float64Type>()) {
        // The commonest: whole rows at once.
        let plain: Option<Float64Array> = match rounding {
            Rounding::Floor => Some(Float64Array::new(
                kernels::floor(doubles.values()).into(),
                doubles.nulls().cloned(),
            )),
            Rounding::Ceiling => Some(doubles.unary(f64::ceil)),
            _ => None,
        };
        if let Some(plain) = plain {
            return Ok(Arc::new(plain));
        }
    }
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
            let strict = CastOptions { safe: false, ..CastOptions::default() };
            cast_with_options(&found, array.data_type(), &strict).map_err(|_| overflow().into())
        }
    }
}

fn overflow() -> Failure {
    Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", "numerical overflow")
}

fn whole_digits(
    values: impl Iterator<Item = Option<i64>>,
    digits: &Int64Array,
) -> Result<Int64Array> {
    let round = |value: i64, digits: i64| -> Option<i64> {
        if digits >= 0 {
            return Some(value);
        }
        let power = 10_i64.checked_pow(u32::try_from(digits.unsigned_abs()).ok()?)?;
        let rest = value % power;
        let down = value - rest;
        if rest.unsigned_abs() >= power.unsigned_abs().div_ceil(2) {
            down.checked_add(power * value.signum())
        } else {
            Some(down)
        }
    };
    values
        .zip(digits)
        .map(|pair| match pair {
            (Some(value), Some(digits)) => {
                round(value, digits).map(Some).ok_or_else(|| overflow().into())
            }
            _ => Ok(None),
        })
        .collect()
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
    let limit = pow10(u32::from(precision)).unwrap_or(i128::MAX);
    let round = |value: i128, digits: i64| -> Option<i128> {
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
    };
    let found = array
        .as_primitive::<Decimal128Type>()
        .iter()
        .zip(digits)
        .map(|pair| match pair {
            (Some(value), Some(digits)) => round(value, digits)
                .filter(|value| value.abs() < limit)
                .map(Some)
                .ok_or_else(|| Failure::new("NUMERIC_VALUE_OUT_OF_RANGE", "decimal overflow")),
            _ => Ok(None),
        })
        .collect::<Result<Decimal128Array, Failure>>()?;
    Ok(Arc::new(found.with_precision_and_scale(precision, result_scale)?))
}
