//! SQL's values within paths: what literals, variables and computations give, and what
//! a JSON scalar is to an operator.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "numbers are compared and computed in floating types where one of them has one"
)]

use std::cmp::Ordering;

use datafusion::common::ScalarValue;

use super::error::PathError;
use super::tree::Operation;
use crate::sql::{Failure, TrinoType, write_double, write_real};
use crate::trino::functions::arithmetic;
use crate::trino::functions::cast::{OnFailure, cast_array, decimal_text, parse_decimal, rescale};
use crate::trino::functions::conditional::wider;
use crate::trino::functions::json::document::{Json, is_fraction};

#[derive(Clone, Debug, PartialEq)]
pub(in crate::trino::functions::json) enum Value {
    Boolean(bool),
    Text(String),
    Tinyint(i8),
    Smallint(i16),
    Integer(i32),
    Bigint(i64),
    /// Unscaled, with precision and scale.
    Decimal(i128, u8, i8),
    Real(f32),
    Double(f64),
    /// A date or time.
    Moment(TrinoType, ScalarValue),
}

impl Value {
    /// The number a path's literal means.
    pub fn literal(text: &str) -> Option<Self> {
        if text.contains(['e', 'E']) {
            return text.parse().ok().map(Self::Double);
        }
        if let Some((whole, fraction)) = text.split_once('.') {
            let scale = i8::try_from(fraction.len()).ok()?;
            let digits = whole.trim_start_matches('0').len() + fraction.len();
            let precision = u8::try_from(digits.max(1)).ok().filter(|digits| *digits <= 38)?;
            return parse_decimal(text, precision, scale)
                .map(|value| Self::Decimal(value, precision, scale));
        }
        Self::whole(text)
    }

    fn whole(text: &str) -> Option<Self> {
        text.parse().map(Self::Integer).or_else(|_| text.parse().map(Self::Bigint)).ok()
    }

    /// The value of a JSON scalar; `None` of null, arrays and objects.
    pub fn of_json(json: &Json) -> Result<Option<Self>, PathError> {
        Ok(match json {
            Json::Boolean(value) => Some(Self::Boolean(*value)),
            Json::Text(text) => Some(Self::Text(text.clone())),
            Json::Number(number) if is_fraction(number) => number.parse().ok().map(Self::Double),
            Json::Number(number) => Some(Self::whole(number).ok_or_else(|| {
                PathError::new(format!("cannot convert {number} to Trino value (value too big)"))
            })?),
            Json::Null | Json::Array(_) | Json::Object(_) => None,
        })
    }

    /// A value of a type that paths know; `None` of NULL and of other types.
    pub fn of_scalar(kind: &TrinoType, value: &ScalarValue) -> Option<Self> {
        Some(match (kind, value) {
            (TrinoType::Char(length), value) => {
                let text = value.try_as_str().flatten()?;
                Self::Text(format!("{text:<width$}", width = *length as usize))
            }
            (TrinoType::Varchar(_), value) => Self::Text(value.try_as_str().flatten()?.to_owned()),
            (_, ScalarValue::Boolean(value)) => Self::Boolean((*value)?),
            (_, ScalarValue::Int8(value)) => Self::Tinyint((*value)?),
            (_, ScalarValue::Int16(value)) => Self::Smallint((*value)?),
            (_, ScalarValue::Int32(value)) => Self::Integer((*value)?),
            (_, ScalarValue::Int64(value)) => Self::Bigint((*value)?),
            (_, ScalarValue::Float32(value)) => Self::Real((*value)?),
            (_, ScalarValue::Float64(value)) => Self::Double((*value)?),
            (_, ScalarValue::Decimal128(value, precision, scale)) => {
                Self::Decimal((*value)?, *precision, *scale)
            }
            (kind, value) if is_moment(kind) && !value.is_null() => {
                Self::Moment(kind.clone(), value.clone())
            }
            _ => return None,
        })
    }

    pub fn kind(&self) -> TrinoType {
        match self {
            Self::Boolean(_) => TrinoType::Boolean,
            Self::Text(_) => TrinoType::Varchar(None),
            Self::Tinyint(_) => TrinoType::Tinyint,
            Self::Smallint(_) => TrinoType::Smallint,
            Self::Integer(_) => TrinoType::Integer,
            Self::Bigint(_) => TrinoType::Bigint,
            Self::Decimal(_, precision, scale) => TrinoType::Decimal(*precision, *scale),
            Self::Real(_) => TrinoType::Real,
            Self::Double(_) => TrinoType::Double,
            Self::Moment(kind, _) => kind.clone(),
        }
    }

    pub fn into_scalar(self) -> ScalarValue {
        match self {
            Self::Boolean(value) => ScalarValue::Boolean(Some(value)),
            Self::Text(text) => ScalarValue::Utf8(Some(text)),
            Self::Tinyint(value) => ScalarValue::Int8(Some(value)),
            Self::Smallint(value) => ScalarValue::Int16(Some(value)),
            Self::Integer(value) => ScalarValue::Int32(Some(value)),
            Self::Bigint(value) => ScalarValue::Int64(Some(value)),
            Self::Decimal(value, precision, scale) => {
                ScalarValue::Decimal128(Some(value), precision, scale)
            }
            Self::Real(value) => ScalarValue::Float32(Some(value)),
            Self::Double(value) => ScalarValue::Float64(Some(value)),
            Self::Moment(_, value) => value,
        }
    }

    /// The value as JSON; `None` of dates and times.
    pub fn into_json(self) -> Option<Json> {
        Some(match self {
            Self::Boolean(value) => Json::Boolean(value),
            Self::Text(text) => Json::Text(text),
            Self::Tinyint(value) => Json::Number(value.to_string()),
            Self::Smallint(value) => Json::Number(value.to_string()),
            Self::Integer(value) => Json::Number(value.to_string()),
            Self::Bigint(value) => Json::Number(value.to_string()),
            Self::Decimal(value, _, scale) => Json::Number(decimal_text(value, scale)),
            Self::Real(value) => floating(value.is_finite(), |text| write_real(value, text)),
            Self::Double(value) => floating(value.is_finite(), |text| write_double(value, text)),
            Self::Moment(..) => return None,
        })
    }

    /// What `type()` calls it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Boolean(_) => "boolean",
            Self::Text(_) => "string",
            Self::Moment(TrinoType::Date, _) => "date",
            Self::Moment(TrinoType::Time(_), _) => "time without time zone",
            Self::Moment(TrinoType::Timestamp(_), _) => "timestamp without time zone",
            Self::Moment(..) => "timestamp with time zone",
            _ => "number",
        }
    }

    fn unscaled(&self) -> Option<(i128, i8)> {
        match self {
            Self::Tinyint(value) => Some((i128::from(*value), 0)),
            Self::Smallint(value) => Some((i128::from(*value), 0)),
            Self::Integer(value) => Some((i128::from(*value), 0)),
            Self::Bigint(value) => Some((i128::from(*value), 0)),
            Self::Decimal(value, _, scale) => Some((*value, *scale)),
            _ => None,
        }
    }

    pub fn is_number(&self) -> bool {
        matches!(self, Self::Real(_) | Self::Double(_)) || self.unscaled().is_some()
    }

    fn as_double(&self) -> Option<f64> {
        match self {
            Self::Double(value) => Some(*value),
            Self::Real(value) => Some(f64::from(*value)),
            Self::Decimal(value, _, scale) => decimal_text(*value, *scale).parse().ok(),
            other => other.unscaled().map(|(value, _)| value as f64),
        }
    }

    fn not(&self, expected: &str) -> PathError {
        PathError::item_type(expected, &self.kind().to_string())
    }

    pub fn negated(self) -> Result<Self, PathError> {
        let overflow = |value: &dyn std::fmt::Display, kind: &str| {
            PathError::new(format!("{kind} negation overflow: {value}"))
        };
        Ok(match self {
            Self::Tinyint(value) => {
                Self::Tinyint(value.checked_neg().ok_or_else(|| overflow(&value, "tinyint"))?)
            }
            Self::Smallint(value) => {
                Self::Smallint(value.checked_neg().ok_or_else(|| overflow(&value, "smallint"))?)
            }
            Self::Integer(value) => {
                Self::Integer(value.checked_neg().ok_or_else(|| overflow(&value, "integer"))?)
            }
            Self::Bigint(value) => {
                Self::Bigint(value.checked_neg().ok_or_else(|| overflow(&value, "bigint"))?)
            }
            Self::Decimal(value, precision, scale) => Self::Decimal(-value, precision, scale),
            Self::Real(value) => Self::Real(-value),
            Self::Double(value) => Self::Double(-value),
            other => return Err(other.not("NUMBER")),
        })
    }

    pub fn absolute(self) -> Result<Self, PathError> {
        match self {
            Self::Real(value) => Ok(Self::Real(value.abs())),
            Self::Double(value) => Ok(Self::Double(value.abs())),
            other => match other.unscaled() {
                Some((value, _)) if value >= 0 => Ok(other),
                _ => other.negated(),
            },
        }
    }

    /// The least whole number not below it, or the greatest not above it.
    pub fn rounded(self, up: bool) -> Result<Self, PathError> {
        Ok(match self {
            Self::Real(value) => Self::Real(if up { value.ceil() } else { value.floor() }),
            Self::Double(value) => Self::Double(if up { value.ceil() } else { value.floor() }),
            Self::Decimal(value, precision, scale) => {
                let one = u32::try_from(scale).ok().and_then(|scale| 10_i128.checked_pow(scale));
                let one = one.ok_or_else(|| PathError::new("Decimal overflow".to_owned()))?;
                let floor = value.div_euclid(one);
                let found = if up && value.rem_euclid(one) != 0 { floor + 1 } else { floor };
                let whole = precision - scale.unsigned_abs() + scale.unsigned_abs().min(1);
                Self::Decimal(found, whole.clamp(1, 38), 0)
            }
            other if other.is_number() => other,
            other => return Err(other.not("NUMBER")),
        })
    }

    pub fn double(self) -> Result<Self, PathError> {
        if let Self::Text(text) = &self {
            let found = self.cast(&TrinoType::Double, OnFailure::Fail);
            return found.map_err(|_| PathError::new(format!("Cannot cast '{text}' to DOUBLE")));
        }
        self.as_double().map(Self::Double).ok_or_else(|| self.not("NUMBER or TEXT"))
    }

    /// The place in an array a number means.
    pub fn place(&self) -> Result<i64, PathError> {
        if !self.is_number() {
            return Err(self.not("NUMBER"));
        }
        match self.cast(&TrinoType::Bigint, OnFailure::Fail) {
            Ok(Self::Bigint(place)) => Ok(place),
            Ok(_) => Err(self.not("NUMBER")),
            Err(failure) => Err(PathError::new(failure.message)),
        }
    }

    fn cast(&self, to: &TrinoType, on_failure: OnFailure) -> Result<Self, Failure> {
        let refused = || Failure::type_mismatch(format!("Cannot cast {} to {to}", self.kind()));
        let array = self.clone().into_scalar().to_array().map_err(|_| refused())?;
        let found = cast_array(&array, &self.kind(), to, on_failure)
            .map_err(|error| super::error::failure_of(error, refused))?;
        let value = ScalarValue::try_from_array(&found, 0).map_err(|_| refused())?;
        Self::of_scalar(to, &value).ok_or_else(refused)
    }

    /// An operator between two values, with Trino's types of numbers.
    pub(super) fn compute(
        operation: Operation,
        left: Self,
        right: Self,
    ) -> Result<Self, PathError> {
        let (name, noun) = match operation {
            Operation::Add => ("$add", "ADD"),
            Operation::Subtract => ("$subtract", "SUBTRACT"),
            Operation::Multiply => ("$multiply", "MULTIPLY"),
            Operation::Divide => ("$divide", "DIVIDE"),
            Operation::Modulus => ("$modulus", "MODULUS"),
        };
        let (left_kind, right_kind) = (left.kind(), right.kind());
        let invalid = || {
            PathError::new(format!(
                "invalid operand types to {noun} operator ({left_kind}, {right_kind})"
            ))
        };
        if !left.is_number() || !right.is_number() {
            return Err(invalid());
        }
        let (left, right) = (left.into_scalar(), right.into_scalar());
        let (kind, found) = arithmetic::apply(name, (&left_kind, &left), (&right_kind, &right))
            .map_err(|error| {
                let unknown = || Failure::new("GENERIC_INTERNAL_ERROR", "arithmetic failed");
                PathError::new(super::error::failure_of(error, unknown).message)
            })?;
        Self::of_scalar(&kind, &found).ok_or_else(invalid)
    }

    /// How two values stand to each other: in no order where one of them is not a number.
    pub(super) fn compare(&self, other: &Self) -> Result<Option<Ordering>, Incomparable> {
        match (self, other) {
            (Self::Boolean(left), Self::Boolean(right)) => Ok(Some(left.cmp(right))),
            (Self::Text(left), Self::Text(right)) => Ok(Some(left.cmp(right))),
            (Self::Moment(left, a), Self::Moment(right, b)) if left == right => {
                Ok(a.partial_cmp(b))
            }
            (Self::Moment(left, a), Self::Moment(right, b)) => {
                let common = wider(left, right).ok_or(Incomparable)?;
                let cast = |kind: &TrinoType, value: &ScalarValue| {
                    let array = value.to_array().ok()?;
                    let array = cast_array(&array, kind, &common, OnFailure::Fail).ok()?;
                    ScalarValue::try_from_array(&array, 0).ok()
                };
                let (a, b) = cast(left, a).zip(cast(right, b)).ok_or(Incomparable)?;
                Ok(a.partial_cmp(&b))
            }
            (left, right) => compare_numbers(left, right),
        }
    }
}

/// Values of types that Trino does not compare.
pub(super) struct Incomparable;

fn compare_numbers(left: &Value, right: &Value) -> Result<Option<Ordering>, Incomparable> {
    if let (Some((a, a_scale)), Some((b, b_scale))) = (left.unscaled(), right.unscaled()) {
        let scale = i32::from(a_scale.max(b_scale));
        let a = rescale(a, i32::from(a_scale), scale);
        let b = rescale(b, i32::from(b_scale), scale);
        return a.zip(b).map(|(a, b)| Some(a.cmp(&b))).ok_or(Incomparable);
    }
    let (a, b) = left.as_double().zip(right.as_double()).ok_or(Incomparable)?;
    if matches!(left, Value::Double(_)) || matches!(right, Value::Double(_)) {
        return Ok(a.partial_cmp(&b));
    }
    Ok((a as f32).partial_cmp(&(b as f32)))
}

/// A floating number as JSON; what is none is a text.
fn floating(is_finite: bool, write: impl Fn(&mut String)) -> Json {
    let mut text = String::new();
    write(&mut text);
    if is_finite { Json::Number(text) } else { Json::Text(text) }
}

pub(in crate::trino::functions::json) fn is_moment(kind: &TrinoType) -> bool {
    matches!(
        kind,
        TrinoType::Date
            | TrinoType::Time(_)
            | TrinoType::Timestamp(_)
            | TrinoType::TimestampWithZone(_)
    )
}
