//! `greatest`, `least`, `$like`, `typeof`, and what fails on purpose.
#![expect(clippy::unnecessary_wraps, reason = "bodies share one signature")]

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, StringArray, StringBuilder,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::interleave;
use datafusion::arrow::compute::kernels::cmp;
use datafusion::arrow::datatypes::Float64Type;
use datafusion::common::Result;

use super::call::Call;
use super::cast::{OnFailure, cast_in_zone};
use super::function::{Function, Plan, coerces, exactly, unexpected};
use super::order::{Nan, order};
use crate::sql::{Failure, TrinoType, write_value};

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "greatest",
        |given| same("greatest", given),
        |call| extreme(call, Ordering::Greater),
    ),
    Function::new("least", |given| same("least", given), |call| extreme(call, Ordering::Less)),
    Function::new("nullif", nullif_types, nullif),
    Function::new("$like", like_types, like),
    Function::new("$distinct_key", |given| Ok(Plan::given(given, key_type(given))), distinct_key),
    Function::new("typeof", |given| Ok(Plan::given(given, TrinoType::Varchar(None))), type_of),
    Function::volatile(
        "fail",
        |given| exactly("fail", given, &[TrinoType::Varchar(None)], TrinoType::Unknown),
        fail,
    ),
];

/// The one type all of them become.
pub(in crate::trino) fn common(given: &[TrinoType]) -> Option<TrinoType> {
    given.iter().try_fold(TrinoType::Unknown, |found, kind| wider(&found, kind))
}

/// The type both become: Trino's common super type.
pub(in crate::trino) fn wider(left: &TrinoType, right: &TrinoType) -> Option<TrinoType> {
    match (left, right) {
        (TrinoType::Decimal(p1, s1), TrinoType::Decimal(p2, s2)) => {
            let scale = (*s1).max(*s2);
            let whole = (i16::from(*p1) - i16::from(*s1)).max(i16::from(*p2) - i16::from(*s2));
            let precision = (whole + i16::from(scale)).min(38);
            Some(TrinoType::Decimal(u8::try_from(precision).ok()?, scale))
        }
        (TrinoType::Decimal(..), whole) | (whole, TrinoType::Decimal(..))
            if matches!(
                whole,
                TrinoType::Tinyint | TrinoType::Smallint | TrinoType::Integer | TrinoType::Bigint
            ) =>
        {
            let digits = match whole {
                TrinoType::Tinyint => 3,
                TrinoType::Smallint => 5,
                TrinoType::Integer => 10,
                _ => 19,
            };
            let decimal = if matches!(left, TrinoType::Decimal(..)) { left } else { right };
            wider(decimal, &TrinoType::Decimal(digits, 0))
        }
        (TrinoType::Varchar(a), TrinoType::Varchar(b)) => {
            Some(TrinoType::Varchar(a.zip(*b).map(|(a, b)| a.max(b))))
        }
        (TrinoType::Char(a), TrinoType::Char(b)) => Some(TrinoType::Char(*a.max(b))),
        (TrinoType::Timestamp(a), TrinoType::TimestampWithZone(b))
        | (TrinoType::TimestampWithZone(a), TrinoType::Timestamp(b)) => {
            Some(TrinoType::TimestampWithZone(*a.max(b)))
        }
        (TrinoType::Time(a), TrinoType::TimeWithZone(b))
        | (TrinoType::TimeWithZone(a), TrinoType::Time(b)) => {
            Some(TrinoType::TimeWithZone(*a.max(b)))
        }
        (TrinoType::Array(a), TrinoType::Array(b)) => {
            Some(TrinoType::Array(Box::new(wider(a, b)?)))
        }
        (TrinoType::Map(k1, v1), TrinoType::Map(k2, v2)) => {
            Some(TrinoType::Map(Box::new(wider(k1, k2)?), Box::new(wider(v1, v2)?)))
        }
        (TrinoType::Row(a), TrinoType::Row(b)) if a.len() == b.len() => {
            let fields: Option<Vec<_>> =
                a.iter().zip(b).map(|(a, b)| Some((a.0.clone(), wider(&a.1, &b.1)?))).collect();
            fields.map(TrinoType::Row)
        }
        (a, b) if coerces(a, b) => Some(b.clone()),
        (a, b) if coerces(b, a) => Some(a.clone()),
        _ => None,
    }
}

fn same(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match common(given) {
        Some(kind) if !given.is_empty() => Ok(Plan::new(vec![kind.clone(); given.len()], kind)),
        _ => Err(unexpected(name, given, &format!("{name}(E, E, ...)"))),
    }
}

/// NULL as soon as one of them is; NaN only where there is no number.
fn extreme(call: &Call, wanted: Ordering) -> Result<ArrayRef> {
    let arrays = call.arrays()?;
    let nan = if wanted == Ordering::Greater { Nan::First } else { Nan::Last };
    let place = |row: usize| -> Result<(usize, usize)> {
        if let Some(null) = arrays.iter().position(|array| array.is_null(row)) {
            return Ok((null, row));
        }
        let mut best = 0;
        for at in 1..arrays.len() {
            let (one, other) = (arrays[at].as_ref(), arrays[best].as_ref());
            if order(one, row, other, row, nan)? == wanted {
                best = at;
            }
        }
        Ok((best, row))
    };
    let places = (0..call.rows).map(place).collect::<Result<Vec<_>>>()?;
    let parts: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(interleave(&parts, &places)?)
}

/// The first argument keeps its type; both are compared as their common one.
fn nullif_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [value, other] if wider(value, other).is_some() => Ok(Plan::given(given, value.clone())),
        [value, other] => Err(Failure::type_mismatch(format!(
            "Types are not comparable with NULLIF: {value} vs {other}"
        ))),
        _ => Err(unexpected("nullif", given, "nullif(T, T)")),
    }
}

fn nullif(call: &Call) -> Result<ArrayRef> {
    let (value, other) = (call.array(0)?, call.array(1)?);
    let common = wider(call.kind(0), call.kind(1)).unwrap_or(TrinoType::Unknown);
    let comparable = |array: &ArrayRef, at: usize| {
        cast_in_zone(array, call.kind(at), &common, OnFailure::Fail, call.zone)
    };
    let (left, right) = (comparable(&value, 0)?, comparable(&other, 1)?);
    // Arrow's kernels say otherwise of these than SQL.
    let by_value = common.holds_zone()
        || matches!(
            common,
            TrinoType::Real
                | TrinoType::Double
                | TrinoType::Unknown
                | TrinoType::Array(_)
                | TrinoType::Map(..)
                | TrinoType::Row(_)
        );
    let doubles = |array: &ArrayRef| array.as_primitive_opt::<Float64Type>().cloned();
    let equal: BooleanArray = if let (Some(left), Some(right)) = (doubles(&left), doubles(&right)) {
        let equal = kernels::equal(left.values(), right.values());
        BooleanArray::new(equal, NullBuffer::union(left.nulls(), right.nulls()))
    } else if by_value {
        (0..call.rows)
            .map(|row| super::equality::same(left.as_ref(), row, right.as_ref(), row))
            .collect::<Result<_>>()?
    } else {
        cmp::eq(&left, &right)?
    };
    Ok(datafusion::arrow::compute::nullif(&value, &equal)?)
}

fn like_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    const TEXT: TrinoType = TrinoType::Varchar(None);
    match given.len() {
        2 => exactly("like", given, &[TEXT, TEXT], TrinoType::Boolean),
        _ => exactly("like", given, &[TEXT, TEXT, TEXT], TrinoType::Boolean),
    }
}

/// One element of a pattern.
enum Part {
    Any,
    One,
    Is(char),
}

fn pattern(text: &str, escape: Option<char>) -> Result<Vec<Part>, Failure> {
    let mut parts = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if Some(c) == escape {
            match chars.next() {
                Some(next) if next == '%' || next == '_' || Some(next) == escape => {
                    parts.push(Part::Is(next));
                }
                _ => {
                    return Err(Failure::invalid_argument(
                        "Escape character must be followed by '%', '_' or the escape character itself",
                    ));
                }
            }
        } else {
            parts.push(match c {
                '%' => Part::Any,
                '_' => Part::One,
                c => Part::Is(c),
            });
        }
    }
    Ok(parts)
}

fn matches(text: &[char], parts: &[Part]) -> bool {
    let (mut at, mut part) = (0, 0);
    let mut again: Option<(usize, usize)> = None;
    while at < text.len() {
        match parts.get(part) {
            Some(Part::Any) => {
                again = Some((part + 1, at));
                part += 1;
            }
            Some(Part::One) => {
                at += 1;
                part += 1;
            }
            Some(Part::Is(c)) if *c == text[at] => {
                at += 1;
                part += 1;
            }
            _ => match again {
                Some((after, from)) => {
                    again = Some((after, from + 1));
                    part = after;
                    at = from + 1;
                }
                None => return false,
            },
        }
    }
    parts[part..].iter().all(|part| matches!(part, Part::Any))
}

fn like(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let escapes = if call.count() > 2 { Some(call.texts(2)?) } else { None };
    call.each_boolean(|row| {
        let escape = match escapes.as_ref().map(|escapes| escapes.value(row)) {
            None | Some("") => None,
            Some(escape) => {
                let mut chars = escape.chars();
                match (chars.next(), chars.next()) {
                    (Some(c), None) => Some(c),
                    _ => {
                        return Err(Failure::invalid_argument(
                            "Escape string must be a single character",
                        )
                        .into());
                    }
                }
            }
        };
        let text: Vec<char> = texts.value(row).chars().collect();
        Ok(Some(matches(&text, &pattern(patterns.value(row), escape)?)))
    })
}

/// Whole numbers, texts and bytes tell values apart as they are, others by their text.
fn key_type(given: &[TrinoType]) -> TrinoType {
    match given {
        [
            kind @ (TrinoType::Tinyint
            | TrinoType::Smallint
            | TrinoType::Integer
            | TrinoType::Bigint
            | TrinoType::Varbinary),
        ] => kind.clone(),
        _ => TrinoType::Varchar(None),
    }
}

/// What `approx_distinct` counts, of any type.
fn distinct_key(call: &Call) -> Result<ArrayRef> {
    let array = call.array(0)?;
    if array.data_type() == &call.result {
        return Ok(array);
    }
    let mut found = StringBuilder::new();
    let mut text = String::new();
    for row in 0..array.len() {
        text.clear();
        let present = write_value(array.as_ref(), row, &mut text);
        // The two zeros are one.
        let text = if text == "-0.0" { "0.0" } else { &text };
        found.append_option(present.then_some(text));
    }
    Ok(Arc::new(found.finish()))
}

fn type_of(call: &Call) -> Result<ArrayRef> {
    let name = call.kind(0).to_string();
    Ok(Arc::new(StringArray::from(vec![name; call.rows])))
}

fn fail(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let message = texts.iter().flatten().next().unwrap_or_default();
    Err(Failure::new("GENERIC_USER_ERROR", message).into())
}
