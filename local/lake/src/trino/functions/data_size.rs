//! `parse_data_size('2.3MB')`: bytes as a decimal.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Decimal128Array};
use datafusion::common::Result;

use super::call::Call;
use super::cast::parse_decimal;
use super::function::{Function, exactly};
use crate::sql::{Failure, TrinoType};

const RESULT: TrinoType = TrinoType::Decimal(38, 0);

pub(super) const FUNCTIONS: &[Function] = &[Function::new(
    "parse_data_size",
    |given| exactly("parse_data_size", given, &[TrinoType::Varchar(None)], RESULT),
    parse_data_size,
)];

/// How many times 1024 a unit is multiplied.
fn power(unit: &str) -> Option<u32> {
    ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
        .into_iter()
        .zip(0..)
        .find_map(|(name, power)| (name == unit).then_some(power))
}

/// What a fraction of a unit leaves over is dropped.
fn bytes(text: &str) -> Result<i128, Failure> {
    let refused = || Failure::invalid_argument(format!("Invalid data size: '{text}'"));
    let digits = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number, unit) = text.split_at(digits);
    let scale = number.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let scale = i8::try_from(scale).ok().filter(|scale| *scale <= 18).ok_or_else(refused)?;
    let value = parse_decimal(number, 38, scale).ok_or_else(refused)?;
    let unit = 1024_i128.pow(power(unit).ok_or_else(refused)?);
    let ten = 10_i128.pow(u32::try_from(scale).unwrap_or(0));
    value
        .checked_mul(unit)
        .map(|bytes| bytes / ten)
        .filter(|bytes| *bytes < 10_i128.pow(38))
        .ok_or_else(|| {
            let exact = value.checked_mul(unit).map(|bytes| format!(" ('{}B')", bytes / ten));
            Failure::new(
                "NUMERIC_VALUE_OUT_OF_RANGE",
                format!("Value out of range: '{text}'{}", exact.unwrap_or_default()),
            )
        })
}

fn parse_data_size(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let found = texts
        .iter()
        .map(|text| text.map(bytes).transpose())
        .collect::<Result<Decimal128Array, Failure>>()?;
    Ok(Arc::new(found.with_precision_and_scale(38, 0)?))
}
