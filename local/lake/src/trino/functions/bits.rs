//! Bits of whole numbers, and numbers in other bases.

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;

use super::call::Call;
use super::function::{Function, Plan, coerces, exactly};
use crate::sql::{Failure, TrinoType};

const LONG: TrinoType = TrinoType::Bigint;
const TEXT: TrinoType = TrinoType::Varchar(None);

macro_rules! pair {
    ($name:literal, $body:expr) => {
        Function::new(
            $name,
            |given| exactly($name, given, &[LONG, LONG], LONG),
            |call| pairs(call, $body),
        )
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    pair!("bitwise_and", |a, b| a & b),
    pair!("bitwise_or", |a, b| a | b),
    pair!("bitwise_xor", |a, b| a ^ b),
    Function::new(
        "bitwise_left_shift",
        |given| shift_types("bitwise_left_shift", given),
        |call| shifted(call, shift_left),
    ),
    Function::new(
        "bitwise_right_shift",
        |given| shift_types("bitwise_right_shift", given),
        |call| shifted(call, shift_right),
    ),
    Function::new(
        "bitwise_right_shift_arithmetic",
        |given| shift_types("bitwise_right_shift_arithmetic", given),
        |call| shifted(call, shift_right_arithmetic),
    ),
    Function::new("bitwise_not", |given| exactly("bitwise_not", given, &[LONG], LONG), not),
    Function::new("bit_count", |given| exactly("bit_count", given, &[LONG, LONG], LONG), bit_count),
    Function::new("from_base", |given| exactly("from_base", given, &[TEXT, LONG], LONG), from_base),
    Function::new("to_base", |given| exactly("to_base", given, &[LONG, LONG], TEXT), to_base),
];

fn pairs(call: &Call, body: fn(i64, i64) -> i64) -> Result<ArrayRef> {
    let (left, right) = (call.longs(0)?, call.longs(1)?);
    call.each_long(|row| Ok(Some(body(left.value(row), right.value(row)))))
}

/// A whole number of any width keeps its type.
fn shift_types(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [
            kind @ (TrinoType::Tinyint
            | TrinoType::Smallint
            | TrinoType::Integer
            | TrinoType::Bigint),
            by,
        ] if coerces(by, &LONG) => Ok(Plan::new(vec![kind.clone(), LONG], kind.clone())),
        _ => exactly(name, given, &[LONG, LONG], LONG),
    }
}

fn shifted(call: &Call, body: fn(i64, i64, u32) -> i64) -> Result<ArrayRef> {
    let width = match call.result {
        DataType::Int8 => 8,
        DataType::Int16 => 16,
        DataType::Int32 => 32,
        _ => 64,
    };
    let values = cast(&call.array(0)?, &DataType::Int64)?;
    let (values, shifts) = (values.as_primitive::<Int64Type>(), call.longs(1)?);
    let found = call.each_long(|row| {
        Ok(Some(signed(body(values.value(row), shifts.value(row), width), width)))
    })?;
    Ok(cast(&found, &call.result)?)
}

/// The low `width` bits as a number with a sign.
fn signed(value: i64, width: u32) -> i64 {
    value << (64 - width) >> (64 - width)
}

/// The low `width` bits as a number without one.
fn unsigned(value: i64, width: u32) -> u64 {
    value.cast_unsigned() << (64 - width) >> (64 - width)
}

/// Java's shift looks at the low bits of a negative distance.
fn distance(by: i64) -> Option<u32> {
    if by < 0 { u32::try_from(by & 63).ok() } else { u32::try_from(by).ok() }
}

fn shift_left(value: i64, by: i64, width: u32) -> i64 {
    distance(by).filter(|by| *by < width).map_or(0, |by| value << by)
}

fn shift_right(value: i64, by: i64, width: u32) -> i64 {
    let found = distance(by).filter(|by| *by < width).map_or(0, |by| unsigned(value, width) >> by);
    found.cast_signed()
}

fn shift_right_arithmetic(value: i64, by: i64, width: u32) -> i64 {
    let sign = if value < 0 { -1 } else { 0 };
    distance(by).filter(|by| *by < width).map_or(sign, |by| value >> by)
}

fn not(call: &Call) -> Result<ArrayRef> {
    let values = call.longs(0)?;
    call.each_long(|row| Ok(Some(!values.value(row))))
}

fn bit_count(call: &Call) -> Result<ArrayRef> {
    let (values, widths) = (call.longs(0)?, call.longs(1)?);
    call.each_long(|row| {
        let (value, width) = (values.value(row), widths.value(row));
        if !(2..=64).contains(&width) {
            return Err(Failure::invalid_argument(format!(
                "Bits specified in bit_count must be between 2 and 64, got {width}"
            ))
            .into());
        }
        let (least, most) = if width == 64 { (i64::MIN, i64::MAX) } else { (-(1 << (width - 1)), (1 << (width - 1)) - 1) };
        if !(least..=most).contains(&value) {
            return Err(Failure::invalid_argument(format!(
                "Number must be representable with the bits specified. {value} cannot be represented with {width} bits"
            ))
            .into());
        }
        let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
        Ok(Some(i64::from((value.cast_unsigned() & mask).count_ones())))
    })
}

fn radix(radix: i64) -> Result<u32, Failure> {
    u32::try_from(radix)
        .ok()
        .filter(|radix| (2..=36).contains(radix))
        .ok_or_else(|| Failure::invalid_argument("Radix must be between 2 and 36"))
}

fn from_base(call: &Call) -> Result<ArrayRef> {
    let (texts, bases) = (call.texts(0)?, call.longs(1)?);
    call.each_long(|row| {
        let base = radix(bases.value(row))?;
        let text = texts.value(row);
        i64::from_str_radix(text, base).map(Some).map_err(|_| {
            Failure::invalid_argument(format!("Not a valid base-{base} number: {text}")).into()
        })
    })
}

fn to_base(call: &Call) -> Result<ArrayRef> {
    let (values, bases) = (call.longs(0)?, call.longs(1)?);
    call.each_text(|row| {
        let base = u64::from(radix(bases.value(row))?);
        let value = values.value(row);
        let mut rest = value.unsigned_abs();
        let mut digits = Vec::new();
        loop {
            digits.push(
                u32::try_from(rest % base)
                    .ok()
                    .and_then(|digit| char::from_digit(digit, 36))
                    .unwrap_or('0'),
            );
            rest /= base;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            digits.push('-');
        }
        Ok(Some(digits.into_iter().rev().collect()))
    })
}
