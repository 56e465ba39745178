//! Functions on text. Places are counted in characters, from one.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BinaryArray, Int64Array, StringBuilder};
use datafusion::common::Result;

use super::call::Call;
use super::function::{Function, Plan, exactly};
use crate::sql::{Failure, TrinoType};

const TEXT: TrinoType = TrinoType::Varchar(None);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "upper",
        |given| exactly("upper", given, &[TEXT], TEXT),
        |call| each(call, str::to_uppercase),
    ),
    Function::new(
        "lower",
        |given| exactly("lower", given, &[TEXT], TEXT),
        |call| each(call, str::to_lowercase),
    ),
    Function::new("reverse", reverse_types, reverse),
    Function::new("length", length_types, length),
    Function::new("substr", |given| substr_types("substr", given), substr),
    Function::new("substring", |given| substr_types("substring", given), substr),
    Function::new("trim", |given| trim_types("trim", given), |call| trim(call, true, true)),
    Function::new("ltrim", |given| trim_types("ltrim", given), |call| trim(call, true, false)),
    Function::new("rtrim", |given| trim_types("rtrim", given), |call| trim(call, false, true)),
    Function::new("replace", replace_types, replace),
    Function::new("strpos", strpos_types, strpos),
    Function::new("lpad", |given| pad_types("lpad", given), |call| pad(call, true)),
    Function::new("rpad", |given| pad_types("rpad", given), |call| pad(call, false)),
    Function::new(
        "starts_with",
        |given| exactly("starts_with", given, &[TEXT, TEXT], TrinoType::Boolean),
        |call| test(call, |a, b| a.starts_with(b)),
    ),
    Function::new("chr", |given| exactly("chr", given, &[TrinoType::Bigint], TEXT), chr),
    Function::new(
        "codepoint",
        |given| exactly("codepoint", given, &[TEXT], TrinoType::Integer),
        codepoint,
    ),
    Function::new(
        "translate",
        |given| exactly("translate", given, &[TEXT, TEXT, TEXT], TEXT),
        translate,
    ),
];

fn each(call: &Call, change: impl Fn(&str) -> String) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_text(|row| Ok(Some(change(texts.value(row)))))
}

fn test(call: &Call, holds: impl Fn(&str, &str) -> bool) -> Result<ArrayRef> {
    let (left, right) = (call.texts(0)?, call.texts(1)?);
    call.each_boolean(|row| Ok(Some(holds(left.value(row), right.value(row)))))
}

fn reverse_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Array(_) | TrinoType::Varbinary] => Ok(Plan::given(given, given[0].clone())),
        _ => exactly("reverse", given, &[TEXT], TEXT),
    }
}

fn reverse(call: &Call) -> Result<ArrayRef> {
    match call.kind(0) {
        TrinoType::Array(_) => super::array::reversed(call),
        TrinoType::Varbinary => {
            let bytes = call.bytes(0)?;
            call.each_bytes(|row| Ok(Some(bytes.value(row).iter().rev().copied().collect())))
        }
        _ => each(call, |text| text.chars().rev().collect()),
    }
}

fn length_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given {
        [TrinoType::Varbinary] => Ok(Plan::given(given, TrinoType::Bigint)),
        _ => exactly("length", given, &[TEXT], TrinoType::Bigint),
    }
}

fn count(length: usize) -> Option<i64> {
    i64::try_from(length).ok()
}

fn length(call: &Call) -> Result<ArrayRef> {
    if *call.kind(0) == TrinoType::Varbinary {
        let bytes = call.bytes(0)?;
        return call.each_long(|row| Ok(count(bytes.value(row).len())));
    }
    let texts = call.texts(0)?;
    if texts.is_ascii() {
        let places = texts.offsets();
        let lengths = places.windows(2).map(|ends| i64::from(ends[1] - ends[0])).collect();
        return Ok(Arc::new(Int64Array::new(lengths, texts.nulls().cloned())));
    }
    call.each_long(|row| Ok(count(texts.value(row).chars().count())))
}

fn substr_types(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    let (first, result) = match given.first() {
        Some(TrinoType::Varbinary) => (TrinoType::Varbinary, TrinoType::Varbinary),
        _ => (TEXT, TEXT),
    };
    match given.len() {
        2 => exactly(name, given, &[first, TrinoType::Bigint], result),
        _ => exactly(name, given, &[first, TrinoType::Bigint, TrinoType::Bigint], result),
    }
}

/// The range of a substring; `None` when it is empty. A negative start counts from
/// the end, zero is nowhere.
fn range(length: usize, start: i64, wanted: Option<i64>) -> Option<(usize, usize)> {
    let length = i64::try_from(length).ok()?;
    let start = match start {
        0 => return None,
        start if start > 0 => start - 1,
        start => length.checked_add(start).filter(|start| *start >= 0)?,
    };
    if start >= length || wanted.is_some_and(|wanted| wanted <= 0) {
        return None;
    }
    let end = wanted.map_or(length, |wanted| start.saturating_add(wanted).min(length));
    Some((usize::try_from(start).ok()?, usize::try_from(end).ok()?))
}

fn substr(call: &Call) -> Result<ArrayRef> {
    let starts = call.longs(1)?;
    let lengths = if call.count() > 2 { Some(call.longs(2)?) } else { None };
    let wanted = |row: usize| lengths.as_ref().map(|lengths| lengths.value(row));
    if *call.kind(0) == TrinoType::Varbinary {
        let bytes = call.bytes(0)?;
        return call.each_bytes(|row| {
            let bytes = bytes.value(row);
            let part = range(bytes.len(), starts.value(row), wanted(row))
                .map(|(start, end)| bytes[start..end].to_vec());
            Ok(Some(part.unwrap_or_default()))
        });
    }
    let texts = call.texts(0)?;
    call.each_text(|row| {
        let text = texts.value(row);
        if text.is_ascii() {
            let part = range(text.len(), starts.value(row), wanted(row))
                .map(|(start, end)| text[start..end].to_owned());
            return Ok(Some(part.unwrap_or_default()));
        }
        let part = range(text.chars().count(), starts.value(row), wanted(row));
        Ok(Some(part.map_or_else(String::new, |(start, end)| {
            text.chars().skip(start).take(end - start).collect()
        })))
    })
}

fn trim_types(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    match given.len() {
        1 => exactly(name, given, &[TEXT], TEXT),
        _ => exactly(name, given, &[TEXT, TEXT], TEXT),
    }
}

fn trim(call: &Call, left: bool, right: bool) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let sets = if call.count() > 1 { Some(call.texts(1)?) } else { None };
    let arrays = call.arrays()?;
    let mut found = StringBuilder::with_capacity(call.rows, texts.value_data().len());
    for row in 0..call.rows {
        if !Call::present(&arrays, row) {
            found.append_null();
            continue;
        }
        let mut text = texts.value(row);
        let drop = |c: char| match &sets {
            Some(sets) => sets.value(row).contains(c),
            None => c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}'),
        };
        if left {
            text = text.trim_start_matches(drop);
        }
        if right {
            text = text.trim_end_matches(drop);
        }
        found.append_value(text);
    }
    Ok(std::sync::Arc::new(found.finish()))
}

fn replace_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given.len() {
        2 => exactly("replace", given, &[TEXT, TEXT], TEXT),
        _ => exactly("replace", given, &[TEXT, TEXT, TEXT], TEXT),
    }
}

fn replace(call: &Call) -> Result<ArrayRef> {
    let (texts, old) = (call.texts(0)?, call.texts(1)?);
    let new = if call.count() > 2 { Some(call.texts(2)?) } else { None };
    call.each_text(|row| {
        let (text, old) = (texts.value(row), old.value(row));
        Ok(Some(text.replace(old, new.as_ref().map_or("", |new| new.value(row)))))
    })
}

fn strpos_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given.len() {
        2 => exactly("strpos", given, &[TEXT, TEXT], TrinoType::Bigint),
        _ => exactly("strpos", given, &[TEXT, TEXT, TrinoType::Bigint], TrinoType::Bigint),
    }
}

/// The place of an instance of a text in another; from the end when it is negative.
fn strpos(call: &Call) -> Result<ArrayRef> {
    let (texts, parts) = (call.texts(0)?, call.texts(1)?);
    let instances = if call.count() > 2 { Some(call.longs(2)?) } else { None };
    call.each_long(|row| {
        let (text, part) = (texts.value(row), parts.value(row));
        let instance = instances.as_ref().map_or(1, |instances| instances.value(row));
        if instance == 0 {
            return Err(Failure::invalid_argument(
                "'instance' must be a positive or negative number.",
            )
            .into());
        }
        if part.is_empty() {
            return Ok(Some(1));
        }
        let skipped = usize::try_from(instance.unsigned_abs() - 1).unwrap_or(usize::MAX);
        let starts =
            text.char_indices().map(|(at, _)| at).filter(|at| text[*at..].starts_with(part));
        let found = if instance > 0 {
            starts.clone().nth(skipped)
        } else {
            starts.collect::<Vec<_>>().into_iter().rev().nth(skipped)
        };
        Ok(count(found.map_or(0, |at| text[..at].chars().count() + 1)))
    })
}

fn pad_types(name: &str, given: &[TrinoType]) -> Result<Plan, Failure> {
    if given.first() == Some(&TrinoType::Varbinary) {
        return exactly(
            name,
            given,
            &[TrinoType::Varbinary, TrinoType::Bigint, TrinoType::Varbinary],
            TrinoType::Varbinary,
        );
    }
    exactly(name, given, &[TEXT, TrinoType::Bigint, TEXT], TEXT)
}

fn pad(call: &Call, left: bool) -> Result<ArrayRef> {
    let sizes = call.longs(1)?;
    let of_bytes = *call.kind(0) == TrinoType::Varbinary;
    let check = |size: i64, empty: bool| -> Result<usize, Failure> {
        if !(0..=i64::from(i32::MAX)).contains(&size) {
            return Err(Failure::invalid_argument(
                "Target length must be in the range [0..2147483647]",
            ));
        }
        if empty {
            let what = if of_bytes { "bytes" } else { "string" };
            return Err(Failure::invalid_argument(format!("Padding {what} must not be empty")));
        }
        usize::try_from(size).map_err(|_| {
            Failure::invalid_argument("Target length must be in the range [0..2147483647]")
        })
    };
    if of_bytes {
        let (bytes, fills): (BinaryArray, BinaryArray) = (call.bytes(0)?, call.bytes(2)?);
        return call.each_bytes(|row| {
            let (value, fill) = (bytes.value(row), fills.value(row));
            let size = check(sizes.value(row), fill.is_empty())?;
            let missing = size.saturating_sub(value.len());
            let padding = fill.iter().copied().cycle().take(missing);
            Ok(Some(if missing == 0 {
                value[..size].to_vec()
            } else if left {
                padding.chain(value.iter().copied()).collect()
            } else {
                value.iter().copied().chain(padding).collect()
            }))
        });
    }
    let (texts, fills) = (call.texts(0)?, call.texts(2)?);
    call.each_text(|row| {
        let (text, fill) = (texts.value(row), fills.value(row));
        let size = check(sizes.value(row), fill.is_empty())?;
        let length = text.chars().count();
        if length >= size {
            return Ok(Some(text.chars().take(size).collect()));
        }
        let padding = fill.chars().cycle().take(size - length);
        Ok(Some(if left {
            padding.chain(text.chars()).collect()
        } else {
            text.chars().chain(padding).collect()
        }))
    })
}

fn chr(call: &Call) -> Result<ArrayRef> {
    let codes = call.longs(0)?;
    call.each_text(|row| {
        let code = codes.value(row);
        u32::try_from(code).ok().and_then(char::from_u32).map(|c| Some(c.to_string())).ok_or_else(
            || Failure::invalid_argument(format!("Not a valid Unicode code point: {code}")).into(),
        )
    })
}

fn codepoint(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let found = texts
        .iter()
        .map(|text| {
            let Some(text) = text else { return Ok(None) };
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) => Ok(i32::try_from(u32::from(c)).ok()),
                _ => {
                    Err(Failure::invalid_argument("Input string must be a single character string"))
                }
            }
        })
        .collect::<Result<datafusion::arrow::array::Int32Array, Failure>>()?;
    Ok(std::sync::Arc::new(found))
}

fn translate(call: &Call) -> Result<ArrayRef> {
    let (texts, from, to) = (call.texts(0)?, call.texts(1)?, call.texts(2)?);
    call.each_text(|row| {
        let from: Vec<char> = from.value(row).chars().collect();
        let to: Vec<char> = to.value(row).chars().collect();
        let changed = texts.value(row).chars().filter_map(|c| {
            match from.iter().position(|known| *known == c) {
                Some(at) => to.get(at).copied(),
                None => Some(c),
            }
        });
        Ok(Some(changed.collect()))
    })
}
