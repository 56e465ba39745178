//! Regular expressions in Java's notation.

mod compiled;

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use datafusion::common::Result;

use super::call::{Call, item_field};
use super::function::{Function, Plan, exactly};
use crate::sql::{Failure, TrinoType};

pub(super) use compiled::Patterns;
use compiled::{Match, Pattern};

const TEXT: TrinoType = TrinoType::Varchar(None);
const LONG: TrinoType = TrinoType::Bigint;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "regexp_like",
        |given| exactly("regexp_like", given, &[TEXT, TEXT], TrinoType::Boolean),
        like,
    ),
    Function::new(
        "regexp_count",
        |given| exactly("regexp_count", given, &[TEXT, TEXT], LONG),
        count,
    ),
    Function::new("regexp_extract", |given| with_group("regexp_extract", given, TEXT), extract),
    Function::new(
        "regexp_extract_all",
        |given| with_group("regexp_extract_all", given, TrinoType::Array(Box::new(TEXT))),
        extract_all,
    ),
    Function::new("regexp_replace", replace_types, replace),
    Function::new(
        "regexp_split",
        |given| exactly("regexp_split", given, &[TEXT, TEXT], TrinoType::Array(Box::new(TEXT))),
        split,
    ),
    Function::new("regexp_position", position_types, position),
];

fn with_group(name: &str, given: &[TrinoType], result: TrinoType) -> Result<Plan, Failure> {
    match given.len() {
        2 => exactly(name, given, &[TEXT, TEXT], result),
        _ => exactly(name, given, &[TEXT, TEXT, LONG], result),
    }
}

fn replace_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given.len() {
        2 => exactly("regexp_replace", given, &[TEXT, TEXT], TEXT),
        _ => exactly("regexp_replace", given, &[TEXT, TEXT, TEXT], TEXT),
    }
}

fn position_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given.len() {
        2 => exactly("regexp_position", given, &[TEXT, TEXT], TrinoType::Integer),
        3 => exactly("regexp_position", given, &[TEXT, TEXT, LONG], TrinoType::Integer),
        _ => exactly("regexp_position", given, &[TEXT, TEXT, LONG, LONG], TrinoType::Integer),
    }
}

fn like(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let mut compiled = Patterns::default();
    call.each_boolean(|row| {
        Ok(Some(compiled.get(patterns.value(row))?.is_match(texts.value(row))?))
    })
}

fn count(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let mut compiled = Patterns::default();
    call.each_long(|row| {
        let regex = compiled.get(patterns.value(row))?;
        Ok(i64::try_from(regex.matches(texts.value(row))?.len()).ok())
    })
}

/// The group asked for, 0 being the whole match.
fn group(regex: &Pattern, wanted: i64) -> Result<usize, Failure> {
    let last = regex.group_count();
    usize::try_from(wanted).ok().filter(|wanted| *wanted <= last).ok_or_else(|| {
        if wanted < 0 {
            Failure::invalid_argument("Group cannot be negative")
        } else {
            Failure::invalid_argument(format!(
                "Pattern has {last} groups. Cannot access group {wanted}"
            ))
        }
    })
}

fn extract(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let groups = if call.count() > 2 { Some(call.longs(2)?) } else { None };
    let mut compiled = Patterns::default();
    call.each_text(|row| {
        let regex = compiled.get(patterns.value(row))?;
        let wanted = group(regex, groups.as_ref().map_or(0, |groups| groups.value(row)))?;
        let found = regex.match_at(texts.value(row), 0)?;
        Ok(found.and_then(|found| found.group(wanted).map(str::to_owned)))
    })
}

fn texts_lists(
    call: &Call,
    mut each: impl FnMut(usize, &mut StringBuilder) -> Result<()>,
) -> Result<ArrayRef> {
    let arrays = call.arrays()?;
    let mut found = ListBuilder::new(StringBuilder::new()).with_field(item_field(&call.result));
    for row in 0..call.rows {
        let present = Call::present(&arrays, row);
        if present {
            each(row, found.values())?;
        }
        found.append(present);
    }
    Ok(Arc::new(found.finish()))
}

fn extract_all(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let groups = if call.count() > 2 { Some(call.longs(2)?) } else { None };
    let mut compiled = Patterns::default();
    texts_lists(call, |row, out| {
        let regex = compiled.get(patterns.value(row))?;
        let wanted = group(regex, groups.as_ref().map_or(0, |groups| groups.value(row)))?;
        for found in regex.matches(texts.value(row))? {
            out.append_option(found.group(wanted));
        }
        Ok(())
    })
}

fn split(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let mut compiled = Patterns::default();
    texts_lists(call, |row, out| {
        let text = texts.value(row);
        let mut last = 0;
        for found in compiled.get(patterns.value(row))?.matches(text)? {
            let range = found.range();
            out.append_value(&text[last..range.start]);
            last = range.end;
        }
        out.append_value(&text[last..]);
        Ok(())
    })
}

/// Replaces all matches; `$1` and `${name}` are groups, `\` takes the next as it is.
fn replace(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let replacements = if call.count() > 2 { Some(call.texts(2)?) } else { None };
    let mut compiled = Patterns::default();
    call.each_text(|row| {
        let regex = compiled.get(patterns.value(row))?;
        let text = texts.value(row);
        let replacement = replacements.as_ref().map_or("", |replacements| replacements.value(row));
        let mut found = String::new();
        let mut last = 0;
        for one in regex.matches(text)? {
            let whole = one.range();
            found.push_str(&text[last..whole.start]);
            expand(replacement, &one, regex, &mut found)?;
            last = whole.end;
        }
        found.push_str(&text[last..]);
        Ok(Some(found))
    })
}

fn expand(
    replacement: &str,
    found: &Match<'_>,
    regex: &Pattern,
    out: &mut String,
) -> Result<(), Failure> {
    let illegal = |why: &str| {
        Failure::invalid_argument(format!("Illegal replacement sequence: {replacement}: {why}"))
    };
    let mut rest = replacement;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let next =
                    rest.chars().next().ok_or_else(|| illegal("nothing after the backslash"))?;
                out.push(next);
                rest = &rest[next.len_utf8()..];
            }
            '$' => {
                if let Some(named) = rest.strip_prefix('{') {
                    let end = named.find('}').ok_or_else(|| illegal("no closing brace"))?;
                    let name = &named[..end];
                    let group = regex.named(name).ok_or_else(|| illegal("unknown group"))?;
                    out.push_str(found.group(group).unwrap_or(""));
                    rest = &named[end + 1..];
                    continue;
                }
                // As many digits as name a group.
                let mut group: Option<usize> = None;
                while let Some(digit) = rest.chars().next().and_then(|c| c.to_digit(10)) {
                    let longer = group.unwrap_or(0) * 10 + digit as usize;
                    if group.is_some() && longer > regex.group_count() {
                        break;
                    }
                    group = Some(longer);
                    rest = &rest[1..];
                }
                let group = group.ok_or_else(|| illegal("no group after the dollar sign"))?;
                if group > regex.group_count() {
                    return Err(illegal("unknown group"));
                }
                out.push_str(found.group(group).unwrap_or(""));
            }
            other => out.push(other),
        }
    }
    Ok(())
}

/// The place of a match, from one; -1 where there is none.
fn position(call: &Call) -> Result<ArrayRef> {
    let (texts, patterns) = (call.texts(0)?, call.texts(1)?);
    let starts = if call.count() > 2 { Some(call.longs(2)?) } else { None };
    let instances = if call.count() > 3 { Some(call.longs(3)?) } else { None };
    let mut compiled = Patterns::default();
    let longs = call.each_long(|row| {
        let text = texts.value(row);
        let start = starts.as_ref().map_or(1, |starts| starts.value(row));
        let instance = instances.as_ref().map_or(1, |instances| instances.value(row));
        if start < 1 {
            return Err(Failure::invalid_argument("start position cannot be smaller than 1").into());
        }
        if instance < 1 {
            return Err(Failure::invalid_argument("occurrence cannot be smaller than 1").into());
        }
        let regex = compiled.get(patterns.value(row))?;
        let skipped = usize::try_from(start - 1).unwrap_or(usize::MAX);
        let Some(from) = text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(skipped)
        else {
            return Ok(Some(-1));
        };
        if from == text.len() && !text.is_empty() {
            return Ok(Some(-1));
        }
        let nth = usize::try_from(instance - 1).unwrap_or(usize::MAX);
        let found = regex.matches(&text[from..])?.into_iter().nth(nth);
        Ok(Some(found.map_or(-1, |found| {
            i64::try_from(text[..from + found.range().start].chars().count() + 1).unwrap_or(-1)
        })))
    })?;
    Ok(datafusion::arrow::compute::cast(&longs, &datafusion::arrow::datatypes::DataType::Int32)?)
}
