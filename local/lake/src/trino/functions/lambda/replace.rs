//! `regexp_replace(text, pattern, groups -> …)`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListBuilder, StringBuilder, UInt32Array};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::logical_expr::LambdaArgument;

use super::evaluate;
use crate::sql::TrinoType;
use crate::trino::functions::pattern::Patterns;

/// What the lambda gets: the groups of a match, without the match itself.
pub(super) fn groups() -> DataType {
    TrinoType::Array(Box::new(TrinoType::Varchar(None))).to_arrow()
}

/// All matches of all rows are replaced together. A replacement that is NULL makes its row's text NULL.
pub(super) fn run(
    texts: &ArrayRef,
    patterns: &ArrayRef,
    lambda: &LambdaArgument,
) -> Result<ArrayRef> {
    let (texts, patterns) = (texts.as_string::<i32>(), patterns.as_string::<i32>());
    let mut compiled = Patterns::default();
    let mut lists = ListBuilder::new(StringBuilder::new());
    let (mut origin, mut places) = (Vec::new(), Vec::new());
    for row in 0..texts.len() {
        let mut ranges = Vec::new();
        if texts.is_valid(row) && patterns.is_valid(row) {
            let regex = compiled.get(patterns.value(row))?;
            for found in regex.matches(texts.value(row))? {
                ranges.push(found.range());
                for group in found.groups() {
                    lists.values().append_option(group);
                }
                lists.append(true);
                origin.push(u32::try_from(row).unwrap_or(u32::MAX));
            }
        }
        places.push(ranges);
    }
    let count = origin.len();
    let lists: ArrayRef = Arc::new(lists.finish());
    let replacements = if count == 0 {
        None
    } else {
        let lists = datafusion::arrow::compute::cast(&lists, &groups())?;
        Some(evaluate(lambda, &[lists], &UInt32Array::from(origin), count)?)
    };
    let replacements = replacements.as_ref().map(AsArray::as_string::<i32>);
    let mut found = StringBuilder::new();
    let mut next = 0;
    for (row, ranges) in places.iter().enumerate() {
        if texts.is_null(row) || patterns.is_null(row) {
            found.append_null();
            continue;
        }
        let text = texts.value(row);
        let (mut replaced, mut last) = (Some(String::new()), 0);
        for range in ranges {
            let replacement =
                replacements.filter(|all| all.is_valid(next)).map(|all| all.value(next));
            next += 1;
            replaced = match (replaced, replacement) {
                (Some(mut so_far), Some(replacement)) => {
                    so_far.push_str(&text[last..range.start]);
                    so_far.push_str(replacement);
                    Some(so_far)
                }
                _ => None,
            };
            last = range.end;
        }
        found.append_option(replaced.map(|so_far| so_far + &text[last..]));
    }
    Ok(Arc::new(found.finish()))
}
