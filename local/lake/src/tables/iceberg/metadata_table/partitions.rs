//! `"t$partitions"`: what the files of each partition hold, taken together.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use datafusion::common::Result;
use iceberg::{Primitive, TableMetadata, Type, Value};

use super::{Columns, longs, row, rows, sources};
use crate::sql::TrinoType;
use crate::tables::iceberg::arrays::engine_values;
use crate::tables::iceberg::columns::trino_type;
use crate::tables::iceberg::snapshot_files::{LiveFile, SnapshotFiles};

/// The files of a partition taken together.
#[derive(Default)]
struct Partition {
    records: i64,
    files: i64,
    size: i64,
    columns: BTreeMap<i32, ColumnSummary>,
}

#[derive(Default)]
struct ColumnSummary {
    least: Option<Value>,
    greatest: Option<Value>,
    nulls: Option<i64>,
    nans: Option<i64>,
}

impl Partition {
    fn add(&mut self, live: &LiveFile, kinds: &[(String, i32, Primitive)]) {
        let file = &live.file;
        self.records += file.record_count;
        self.files += 1;
        self.size += file.file_size_in_bytes;
        for (_, id, kind) in kinds {
            let column = self.columns.entry(*id).or_default();
            let value = |bounds: &BTreeMap<i32, Vec<u8>>| {
                bounds.get(id).and_then(|bytes| Value::from_bytes(bytes, *kind).ok())
            };
            let keep = |known: &mut Option<Value>, found: Option<Value>, wanted: Ordering| {
                let better = match (&known, &found) {
                    (Some(known), Some(found)) => found.compare(known) == Some(wanted),
                    (None, Some(_)) => true,
                    (_, None) => false,
                };
                if better {
                    *known = found;
                }
            };
            keep(&mut column.least, value(&file.lower_bounds), Ordering::Less);
            keep(&mut column.greatest, value(&file.upper_bounds), Ordering::Greater);
            let count = |known: &mut Option<i64>, found: Option<&i64>| {
                if let Some(found) = found {
                    *known = Some(known.unwrap_or(0) + found);
                }
            };
            count(&mut column.nulls, file.null_value_counts.get(id));
            count(&mut column.nans, file.nan_value_counts.get(id));
        }
    }
}

/// Partitions of the current specification; those of earlier ones have other columns.
pub(super) fn columns(metadata: &TableMetadata, live: &SnapshotFiles) -> Result<Columns> {
    let spec = metadata.default_spec();
    let schema = metadata.current_schema();
    let kinds: Vec<(String, i32, Primitive)> = schema
        .fields
        .iter()
        .filter_map(|field| Some((field.name.to_lowercase(), field.id, field.kind.primitive()?)))
        .collect();
    let mut found: Vec<(Vec<Option<Value>>, Partition)> = Vec::new();
    for file in live.data.iter().filter(|file| file.spec_id == spec.id) {
        let key = &file.file.partition;
        let place = found.iter().position(|(known, _)| known == key).unwrap_or_else(|| {
            found.push((key.clone(), Partition::default()));
            found.len() - 1
        });
        found[place].1.add(file, &kinds);
    }
    let mut columns = Columns::new();
    if !spec.fields.is_empty() {
        let sources = sources(metadata, spec.id);
        let parts = spec.fields.iter().zip(&sources).enumerate().map(|(at, (field, source))| {
            let kind = field.transform.result(*source);
            let values = found.iter().map(|(key, _)| key.get(at).cloned().flatten());
            let trino = trino_type(&Type::Primitive(kind))?;
            Ok((field.name.to_lowercase(), trino, engine_values(values, kind)?))
        });
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let kind = row(parts.iter().map(|(name, kind, _)| (name.as_str(), kind.clone())).collect());
        let arrays = parts.into_iter().map(|(_, _, array)| array).collect();
        columns.push(("partition", kind.clone(), rows(&kind, arrays, found.len())?));
    }
    let long = |of: fn(&Partition) -> i64| longs(found.iter().map(move |(_, part)| Some(of(part))));
    columns.push(("record_count", TrinoType::Bigint, long(|part| part.records)));
    columns.push(("file_count", TrinoType::Bigint, long(|part| part.files)));
    columns.push(("total_size", TrinoType::Bigint, long(|part| part.size)));
    let data = kinds.iter().map(|(name, id, kind)| {
        let trino = trino_type(&Type::Primitive(*kind))?;
        let of = |part: &Partition| {
            part.columns
                .get(id)
                .map(|c| (c.least.clone(), c.greatest.clone(), c.nulls, c.nans))
                .unwrap_or_default()
        };
        let summary = row(vec![
            ("min", trino.clone()),
            ("max", trino),
            ("null_count", TrinoType::Bigint),
            ("nan_count", TrinoType::Bigint),
        ]);
        let arrays = vec![
            engine_values(found.iter().map(|(_, part)| of(part).0), *kind)?,
            engine_values(found.iter().map(|(_, part)| of(part).1), *kind)?,
            longs(found.iter().map(|(_, part)| of(part).2)),
            longs(found.iter().map(|(_, part)| of(part).3)),
        ];
        let array = rows(&summary, arrays, found.len())?;
        Ok((name.clone(), summary, array))
    });
    let data = data.collect::<Result<Vec<_>>>()?;
    let kind = row(data.iter().map(|(name, kind, _)| (name.as_str(), kind.clone())).collect());
    let arrays = data.into_iter().map(|(_, _, array)| array).collect();
    columns.push(("data", kind.clone(), rows(&kind, arrays, found.len())?));
    Ok(columns)
}
