//! What a Parquet file's row groups tell of its columns: counts and bounds.

use std::collections::BTreeMap;

use datafusion::parquet::basic::Type as Physical;
use datafusion::parquet::file::metadata::RowGroupMetaData;
use datafusion::parquet::file::statistics::Statistics;
use iceberg::{Content, DataFile, Primitive, Value};

/// Characters or bytes of the bounds of texts and bytes. Source: Iceberg's `truncate(16)`.
const LONGEST: usize = 16;

/// A file with what is known of its columns; `kinds` are the types of those that have bounds.
/// Where it lies, its size and its partition are left to the caller.
pub(super) fn metrics(groups: &[RowGroupMetaData], kinds: &BTreeMap<i32, Primitive>) -> DataFile {
    let mut file = DataFile {
        content: Content::Data,
        file_path: String::new(),
        file_format: "PARQUET".to_owned(),
        partition: Vec::new(),
        record_count: groups.iter().map(RowGroupMetaData::num_rows).sum(),
        file_size_in_bytes: 0,
        column_sizes: BTreeMap::new(),
        value_counts: BTreeMap::new(),
        null_value_counts: BTreeMap::new(),
        nan_value_counts: BTreeMap::new(),
        lower_bounds: BTreeMap::new(),
        upper_bounds: BTreeMap::new(),
        split_offsets: Vec::new(),
        equality_ids: Vec::new(),
        sort_order_id: Some(0),
    };
    let mut bounds: BTreeMap<i32, Option<(Value, Value)>> = BTreeMap::new();
    for group in groups {
        if let Some(begin) = group.columns().first() {
            let (begin, _) = begin.byte_range();
            file.split_offsets.push(i64::try_from(begin).unwrap_or(i64::MAX));
        }
        for chunk in group.columns() {
            let column = chunk.column_descr();
            let info = column.self_type().get_basic_info();
            if !info.has_id() {
                continue;
            }
            let id = info.id();
            *file.column_sizes.entry(id).or_default() += chunk.compressed_size();
            if column.max_rep_level() > 0 {
                continue;
            }
            *file.value_counts.entry(id).or_default() += chunk.num_values();
            let Some(statistics) = chunk.statistics() else { continue };
            if let Some(nulls) = statistics.null_count_opt() {
                *file.null_value_counts.entry(id).or_default() +=
                    i64::try_from(nulls).unwrap_or(i64::MAX);
            }
            let Some(kind) = kinds.get(&id) else { continue };
            if statistics.null_count_opt() == Some(chunk.num_values().unsigned_abs()) {
                continue;
            }
            let found = bounds_of(statistics, *kind);
            let known = bounds.entry(id).or_insert_with(|| found.clone());
            *known = known.take().zip(found).map(|(known, found)| wider(known, found));
        }
    }
    for (id, (lower, upper)) in bounds.into_iter().filter_map(|(id, of)| Some((id, of?))) {
        file.lower_bounds.insert(id, cut(lower).to_bytes());
        if let Some(upper) = cut_up(upper) {
            file.upper_bounds.insert(id, upper.to_bytes());
        }
    }
    file
}

fn wider(one: (Value, Value), other: (Value, Value)) -> (Value, Value) {
    let lower = if other.0.compare(&one.0).is_some_and(std::cmp::Ordering::is_lt) {
        other.0
    } else {
        one.0
    };
    let upper = if other.1.compare(&one.1).is_some_and(std::cmp::Ordering::is_gt) {
        other.1
    } else {
        one.1
    };
    (lower, upper)
}

fn bounds_of(statistics: &Statistics, kind: Primitive) -> Option<(Value, Value)> {
    let value = |bytes: &[u8]| match (kind, statistics.physical_type()) {
        // Numbers of Parquet have the lowest byte first, of Iceberg's decimals the highest.
        (Primitive::Decimal(..), Physical::INT32 | Physical::INT64) => {
            let mut bytes = bytes.to_vec();
            bytes.reverse();
            Value::from_bytes(&bytes, kind).ok()
        }
        _ => Value::from_bytes(bytes, kind).ok(),
    };
    Some((value(statistics.min_bytes_opt()?)?, value(statistics.max_bytes_opt()?)?))
}

/// A bound no greater, and no longer than is kept.
fn cut(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.chars().take(LONGEST).collect()),
        Value::Bytes(bytes) => Value::Bytes(bytes.into_iter().take(LONGEST).collect()),
        other => other,
    }
}

/// A bound no less, and no longer than is kept; `None` where there is none.
fn cut_up(value: Value) -> Option<Value> {
    match value {
        Value::String(text) if text.chars().count() > LONGEST => {
            let mut kept: Vec<char> = text.chars().take(LONGEST).collect();
            while let Some(last) = kept.pop() {
                // Surrogates are no characters.
                let next = if last == '\u{d7ff}' {
                    Some('\u{e000}')
                } else {
                    char::from_u32(u32::from(last) + 1)
                };
                if let Some(next) = next {
                    kept.push(next);
                    return Some(Value::String(kept.into_iter().collect()));
                }
            }
            None
        }
        Value::Bytes(bytes) if bytes.len() > LONGEST => {
            let mut kept: Vec<u8> = bytes.into_iter().take(LONGEST).collect();
            while let Some(last) = kept.pop() {
                if let Some(next) = last.checked_add(1) {
                    kept.push(next);
                    return Some(Value::Bytes(kept));
                }
            }
            None
        }
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_bounds_are_cut_outwards() {
        let text = |text: &str| Value::String(text.to_owned());
        assert_eq!(cut(text("abcdefghijklmnopqrst")), text("abcdefghijklmnop"));
        assert_eq!(cut_up(text("abcdefghijklmnopqrst")), Some(text("abcdefghijklmnoq")));
        assert_eq!(cut_up(text("abc")), Some(text("abc")));
        assert_eq!(cut_up(Value::Bytes(vec![255; 17])), None);
        let last = format!("{}x", "\u{10ffff}".repeat(16));
        assert_eq!(cut_up(text(&last)), None);
    }
}
