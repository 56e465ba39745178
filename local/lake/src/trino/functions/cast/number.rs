//! Between numbers: whole, decimal, floating, and booleans.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "casts between numbers lose digits, as Trino's do; ranges are checked before"
)]

use std::sync::Arc;

use datafusion::arrow;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, PrimitiveArray,
    PrimitiveBuilder,
};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, DecimalType, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type,
};
use datafusion::common::Result;

use super::OnFailure;
use super::from_text::parse_decimal;
use crate::sql::{Failure, TrinoType};

/// A number of any type.
#[derive(Clone, Copy)]
enum Number {
    Whole(i64),
    Double(f64),
    Real(f32),
    Decimal(i128, i8),
}

pub(super) fn cast(
    array: &ArrayRef,
    from: &TrinoType,
    to: &TrinoType,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    if let Some(found) = at_once(array, from, to) {
        return Ok(found);
    }
    let number = |row: usize| -> Number {
        match from {
            TrinoType::Boolean => Number::Whole(i64::from(array.as_boolean().value(row))),
            TrinoType::Tinyint => Number::Whole(array.as_primitive::<Int8Type>().value(row).into()),
            TrinoType::Smallint => {
                Number::Whole(array.as_primitive::<Int16Type>().value(row).into())
            }
            TrinoType::Integer => {
                Number::Whole(array.as_primitive::<Int32Type>().value(row).into())
            }
            TrinoType::Bigint => Number::Whole(array.as_primitive::<Int64Type>().value(row)),
            TrinoType::Real => Number::Real(array.as_primitive::<Float32Type>().value(row)),
            TrinoType::Double => Number::Double(array.as_primitive::<Float64Type>().value(row)),
            TrinoType::Decimal(_, scale) => {
                Number::Decimal(array.as_primitive::<Decimal128Type>().value(row), *scale)
            }
            _ => Number::Whole(0),
        }
    };
    let rows = array.len();
    let present = |row: usize| (!array.is_null(row)).then(|| number(row));
    Ok(match to {
        TrinoType::Boolean => {
            let found: BooleanArray = (0..rows)
                .map(|row| {
                    present(row).map(|number| match number {
                        Number::Whole(value) => value != 0,
                        Number::Double(value) => value != 0.0,
                        Number::Real(value) => value != 0.0,
                        Number::Decimal(value, _) => value != 0,
                    })
                })
                .collect();
            Arc::new(found)
        }
        TrinoType::Tinyint => whole::<Int8Type>(rows, present, to, on_failure)?,
        TrinoType::Smallint => whole::<Int16Type>(rows, present, to, on_failure)?,
        TrinoType::Integer => whole::<Int32Type>(rows, present, to, on_failure)?,
        TrinoType::Bigint => whole::<Int64Type>(rows, present, to, on_failure)?,
        TrinoType::Double => {
            let found: PrimitiveArray<Float64Type> =
                (0..rows).map(|row| present(row).map(to_double)).collect();
            Arc::new(found)
        }
        TrinoType::Real => {
            let found: PrimitiveArray<Float32Type> = (0..rows)
                .map(|row| {
                    present(row).map(|number| match number {
                        Number::Real(value) => value,
                        Number::Whole(value) => value as f32,
                        other => to_double(other) as f32,
                    })
                })
                .collect();
            Arc::new(found)
        }
        TrinoType::Decimal(precision, scale) => {
            decimals(rows, present, *precision, *scale, from, on_failure)?
        }
        other => {
            return Err(Failure::type_mismatch(format!("Cannot cast {from} to {other}")).into());
        }
    })
}

fn to_double(number: Number) -> f64 {
    match number {
        Number::Whole(value) => value as f64,
        Number::Double(value) => value,
        Number::Real(value) => f64::from(value),
        Number::Decimal(value, 0) => value as f64,
        // Both are exact, and so their quotient is the nearest double.
        Number::Decimal(value, scale @ 1..=22) if value.unsigned_abs() < 1 << 53 => {
            value as f64 / 10_f64.powi(scale.into())
        }
        // Through the text, which is exact where a division is not.
        Number::Decimal(value, scale) => format!("{value}e-{scale}")
            .parse()
            .unwrap_or_else(|_| value as f64 / 10_f64.powi(scale.into())),
    }
}

fn whole<T: ArrowPrimitiveType>(
    rows: usize,
    present: impl Fn(usize) -> Option<Number>,
    to: &TrinoType,
    on_failure: OnFailure,
) -> Result<ArrayRef>
where
    T::Native: TryFrom<i64>,
{
    let mut found = PrimitiveBuilder::<T>::with_capacity(rows);
    for row in 0..rows {
        let Some(number) = present(row) else {
            found.append_null();
            continue;
        };
        let value = to_long(number).and_then(|value| {
            T::Native::try_from(value).map_err(|_| {
                Failure::new("INVALID_CAST_ARGUMENT", format!("Out of range for {to}: {value}"))
            })
        });
        found.append_option(on_failure.settle(value)?);
    }
    Ok(Arc::new(found.finish()))
}

/// All rows at once, where that comes to the same; `None` where it does not, or where one of them does not fit.
fn at_once(array: &ArrayRef, from: &TrinoType, to: &TrinoType) -> Option<ArrayRef> {
    let target = match (from, to) {
        (TrinoType::Double, TrinoType::Bigint) => {
            return doubles_to_longs(array).map(|found| Arc::new(found) as ArrayRef);
        }
        (TrinoType::Double, TrinoType::Decimal(precision, scale)) => {
            return doubles_to_decimals(array, *precision, *scale);
        }
        (from, TrinoType::Double) if is_whole(from) || *from == TrinoType::Real => {
            DataType::Float64
        }
        (from, TrinoType::Real) if is_whole(from) => DataType::Float32,
        (from, TrinoType::Bigint) if is_whole(from) => DataType::Int64,
        (from, TrinoType::Integer) if is_whole(from) => DataType::Int32,
        (from, TrinoType::Decimal(precision, scale)) if is_whole(from) => {
            DataType::Decimal128(*precision, *scale)
        }
        _ => return None,
    };
    let found = arrow::compute::cast(array, &target).ok()?;
    (found.null_count() == array.null_count()).then_some(found)
}

fn is_whole(kind: &TrinoType) -> bool {
    use TrinoType::{Bigint, Integer, Smallint, Tinyint};
    matches!(kind, Tinyint | Smallint | Integer | Bigint)
}

/// Doubles as whole numbers, all at once; `None` where one of them is none, or too large.
fn doubles_to_longs(array: &ArrayRef) -> Option<Int64Array> {
    let doubles = array.as_primitive_opt::<Float64Type>()?;
    let longs = kernels::rounded(doubles.values())?;
    Some(Int64Array::new(longs.into(), doubles.nulls().cloned()))
}

/// Doubles as decimals; `None` where one of them is close to a half, or does not fit.
fn doubles_to_decimals(array: &ArrayRef, precision: u8, scale: i8) -> Option<ArrayRef> {
    // Powers of ten up to this one are doubles.
    let scale = Some(scale).filter(|scale| (0..=22).contains(scale))?;
    let doubles = array.as_primitive_opt::<Float64Type>()?;
    let decimals = kernels::decimals(doubles.values(), 10_f64.powi(scale.into()))?;
    let limit = pow10(precision.into())?;
    let fit = decimals.iter().all(|value| -limit < *value && *value < limit);
    let found = Decimal128Array::new(decimals.into(), doubles.nulls().cloned());
    let found = found.with_precision_and_scale(precision, scale).ok()?;
    fit.then(|| Arc::new(found) as ArrayRef)
}

/// Halves go away from zero.
fn to_long(number: Number) -> Result<i64, Failure> {
    let floating = |value: f64| {
        let rounded = value.round();
        if rounded.is_finite()
            && (-9.223_372_036_854_776e18..9.223_372_036_854_776e18).contains(&rounded)
        {
            Ok(rounded as i64)
        } else {
            let mut text = String::new();
            crate::sql::write_double(value, &mut text);
            Err(Failure::new("INVALID_CAST_ARGUMENT", format!("Unable to cast {text} to bigint")))
        }
    };
    match number {
        Number::Whole(value) => Ok(value),
        Number::Double(value) => floating(value),
        Number::Real(value) => floating(f64::from(value)),
        Number::Decimal(value, scale) => rescale(value, scale.into(), 0)
            .and_then(|value| i64::try_from(value).ok())
            .ok_or_else(|| {
                Failure::new("INVALID_CAST_ARGUMENT", format!("Cannot cast '{value}' to BIGINT"))
            }),
    }
}

fn decimals(
    rows: usize,
    present: impl Fn(usize) -> Option<Number>,
    precision: u8,
    scale: i8,
    from: &TrinoType,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    let limit = pow10(u32::from(precision)).unwrap_or(i128::MAX);
    let mut found = Vec::with_capacity(rows);
    for row in 0..rows {
        let Some(number) = present(row) else {
            found.push(None);
            continue;
        };
        let value = match number {
            Number::Whole(value) => rescale(value.into(), 0, scale.into()),
            Number::Double(value) => parse_decimal(&value.to_string(), 38, scale),
            Number::Real(value) => parse_decimal(&value.to_string(), 38, scale),
            Number::Decimal(value, found) => rescale(value, found.into(), scale.into()),
        };
        let value = value.filter(|value| value.abs() < limit).ok_or_else(|| {
            let name = from.to_string();
            let name = name.split('(').next().unwrap_or_default().to_uppercase();
            let code = match from {
                TrinoType::Boolean => "NUMERIC_VALUE_OUT_OF_RANGE",
                _ => "INVALID_CAST_ARGUMENT",
            };
            Failure::new(
                code,
                format!("Cannot cast {name} '{}' to DECIMAL({precision}, {scale})", shown(number)),
            )
        });
        found.push(on_failure.settle(value)?);
    }
    Ok(Arc::new(Decimal128Array::from(found).with_precision_and_scale(precision, scale)?))
}

/// A number as a message shows it.
fn shown(number: Number) -> String {
    let double = |value: f64| {
        let mut text = String::new();
        crate::sql::write_double(value, &mut text);
        text
    };
    match number {
        Number::Whole(value) => value.to_string(),
        Number::Double(value) => double(value),
        Number::Real(value) => double(value.into()),
        Number::Decimal(value, scale) => decimal_text(value, scale),
    }
}

/// A decimal's text with all digits of its scale.
pub(in crate::trino) fn decimal_text(value: i128, scale: i8) -> String {
    Decimal128Type::format_decimal(value, 38, scale)
}

/// Ten to a power, while it fits.
pub(in crate::trino) fn pow10(power: u32) -> Option<i128> {
    10_i128.checked_pow(power)
}

/// A decimal's unscaled value at another scale, halves away from zero; `None` when it
/// does not fit.
pub(in crate::trino) fn rescale(value: i128, from: i32, to: i32) -> Option<i128> {
    if to >= from {
        return value.checked_mul(pow10(u32::try_from(to - from).ok()?)?);
    }
    let Some(divisor) = pow10(u32::try_from(from - to).ok()?) else { return Some(0) };
    let quotient = value / divisor;
    let remainder = (value % divisor).abs();
    let rounded = i128::from(remainder >= divisor - remainder);
    Some(quotient + rounded * value.signum())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array};
    use datafusion::arrow::datatypes::Decimal128Type;

    use super::{doubles_to_decimals, parse_decimal};

    #[test]
    fn what_is_near_a_decimal_is_what_its_text_says() {
        let mut random = fastrand::Rng::with_seed(4);
        let mut taken = 0;
        for _ in 0..200_000 {
            let (digits, scale) = (random.i64(-9_999_999..9_999_999), random.i8(0..6));
            // Some decimals written out, some halves between them, some anything.
            let value = match random.u8(0..3) {
                0 => digits as f64 / 10_f64.powi(scale.into()),
                1 => (digits as f64 + 0.5) / 10_f64.powi(scale.into()),
                _ => (random.f64() - 0.5) * 10_f64.powi(random.i32(-3..20)),
            };
            let array: ArrayRef = Arc::new(Float64Array::from(vec![value]));
            if let Some(found) = doubles_to_decimals(&array, 38, scale) {
                let found = found.as_primitive::<Decimal128Type>().value(0);
                assert_eq!(Some(found), parse_decimal(&value.to_string(), 38, scale), "{value:e}");
                taken += 1;
            }
        }
        assert!(taken > 50_000, "{taken}");
        let array: ArrayRef = Arc::new(Float64Array::from(vec![123.0]));
        assert!(doubles_to_decimals(&array, 2, 0).is_none(), "it has three digits");
        assert!(doubles_to_decimals(&array, 38, -1).is_none());
    }
}
