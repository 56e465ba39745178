//! The tables of a table's metadata: `"t$files"` and its like.
//! Source: user guide, querying-iceberg-table-metadata.md; Trino's Iceberg connector, "Metadata tables".

mod partitions;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Int32Array, Int64Array, ListArray, MapArray, RecordBatch,
    StringArray, StructArray, new_null_array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::Result;
use iceberg::{Content, ManifestFile, Primitive, TableMetadata, Value};

use super::snapshot_files::{LiveFile, SnapshotFiles, manifests};
use super::table::IcebergTable;
use crate::moment::{Moment, Zone, of_moments};
use crate::sql::{Failure, TrinoType, field_of};
use crate::store::Store;

/// What stands behind the `$`.
pub(crate) const KINDS: [&str; 6] =
    ["files", "history", "manifests", "partitions", "refs", "snapshots"];

/// Columns with their types.
type Columns = Vec<(&'static str, TrinoType, ArrayRef)>;

/// One of the tables of metadata, of the table's current state.
pub(crate) fn metadata_table(
    store: &Store,
    table: &IcebergTable,
    kind: &str,
) -> Result<Arc<dyn TableProvider>> {
    let metadata = table.metadata.as_ref();
    let live = || SnapshotFiles::of(store, metadata.current_snapshot());
    let columns = match kind {
        "history" => history(metadata)?,
        "snapshots" => snapshots(metadata)?,
        "refs" => refs(metadata),
        "manifests" => {
            let listed = metadata.current_snapshot().map(|snapshot| manifests(store, snapshot));
            manifest_rows(metadata, &listed.transpose()?.unwrap_or_default())?
        }
        "files" => files(metadata, &live()?)?,
        _ => partitions::columns(metadata, &live()?)?,
    };
    let fields: Vec<_> = columns.iter().map(|(name, kind, _)| field_of(name, kind)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
    let batch = RecordBatch::try_new(schema.clone(), arrays)?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
}

fn longs(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

fn ints(values: impl Iterator<Item = i32>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<Int32Array>())
}

fn texts(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

/// Milliseconds as `timestamp(3) with time zone`.
fn times(millis: impl Iterator<Item = i64>) -> Result<ArrayRef> {
    let moments = millis.map(|millis| Ok::<_, Failure>(Some(Moment::of_millis(millis, Zone::UTC))));
    of_moments(moments, &TrinoType::TimestampWithZone(3))
}

fn varchar() -> TrinoType {
    TrinoType::Varchar(None)
}

fn row(fields: Vec<(&str, TrinoType)>) -> TrinoType {
    TrinoType::Row(fields.into_iter().map(|(name, kind)| (Some(name.to_owned()), kind)).collect())
}

fn map(key: TrinoType, value: TrinoType) -> TrinoType {
    TrinoType::Map(Box::new(key), Box::new(value))
}

fn internal(kind: &TrinoType) -> Failure {
    Failure::new("GENERIC_INTERNAL_ERROR", format!("no array of the type {kind}"))
}

/// A column of maps: how many entries each has, and all entries.
fn maps(
    kind: &TrinoType,
    lengths: Vec<usize>,
    keys: ArrayRef,
    values: ArrayRef,
) -> Result<ArrayRef> {
    let DataType::Map(entries, sorted) = kind.to_arrow() else { return Err(internal(kind).into()) };
    let DataType::Struct(fields) = entries.data_type() else { return Err(internal(kind).into()) };
    let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(MapArray::try_new(entries, offsets, pairs, None, sorted)?))
}

/// A column of arrays; where `present` is false they are NULL.
fn lists(
    kind: &TrinoType,
    lengths: Vec<usize>,
    present: Vec<bool>,
    items: ArrayRef,
) -> Result<ArrayRef> {
    let DataType::List(item) = kind.to_arrow() else { return Err(internal(kind).into()) };
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(item, offsets, items, Some(NullBuffer::from(present)))?))
}

/// A column of rows.
fn rows(kind: &TrinoType, columns: Vec<ArrayRef>, count: usize) -> Result<ArrayRef> {
    let DataType::Struct(fields) = kind.to_arrow() else { return Err(internal(kind).into()) };
    Ok(Arc::new(StructArray::try_new_with_length(fields, columns, None, count)?))
}

fn history(metadata: &TableMetadata) -> Result<Columns> {
    let log = &metadata.snapshot_log;
    let current = metadata.current_snapshot_id.into_iter();
    let ancestors: HashSet<i64> =
        current.flat_map(|id| metadata.ancestors(id)).map(|snapshot| snapshot.id).collect();
    let parent = |id: i64| metadata.snapshot(id).and_then(|snapshot| snapshot.parent_id);
    let is_ancestor: BooleanArray =
        log.iter().map(|entry| Some(ancestors.contains(&entry.of))).collect();
    Ok(vec![
        (
            "made_current_at",
            TrinoType::TimestampWithZone(3),
            times(log.iter().map(|entry| entry.timestamp_ms))?,
        ),
        ("snapshot_id", TrinoType::Bigint, longs(log.iter().map(|entry| Some(entry.of)))),
        ("parent_id", TrinoType::Bigint, longs(log.iter().map(|entry| parent(entry.of)))),
        ("is_current_ancestor", TrinoType::Boolean, Arc::new(is_ancestor)),
    ])
}

fn snapshots(metadata: &TableMetadata) -> Result<Columns> {
    let all = &metadata.snapshots;
    let summaries = map(varchar(), varchar());
    let shown = |(name, _): &(&String, &String)| name.as_str() != "operation";
    let entries = || all.iter().flat_map(|snapshot| snapshot.summary.iter().filter(shown));
    let lengths = all.iter().map(|snapshot| snapshot.summary.iter().filter(shown).count());
    let summary = maps(
        &summaries,
        lengths.collect(),
        texts(entries().map(|(name, _)| Some(name.clone()))),
        texts(entries().map(|(_, value)| Some(value.clone()))),
    )?;
    let operations = all.iter().map(|snapshot| snapshot.operation().map(str::to_owned));
    Ok(vec![
        (
            "committed_at",
            TrinoType::TimestampWithZone(3),
            times(all.iter().map(|snapshot| snapshot.timestamp_ms))?,
        ),
        ("snapshot_id", TrinoType::Bigint, longs(all.iter().map(|snapshot| Some(snapshot.id)))),
        ("parent_id", TrinoType::Bigint, longs(all.iter().map(|snapshot| snapshot.parent_id))),
        ("operation", varchar(), texts(operations)),
        (
            "manifest_list",
            varchar(),
            texts(all.iter().map(|snapshot| Some(snapshot.manifest_list.clone()))),
        ),
        ("summary", summaries, summary),
    ])
}

fn refs(metadata: &TableMetadata) -> Columns {
    let all: Vec<_> = metadata.refs.iter().collect();
    let least = all
        .iter()
        .map(|(_, found)| found.min_snapshots_to_keep.and_then(|count| i32::try_from(count).ok()));
    vec![
        ("name", varchar(), texts(all.iter().map(|(name, _)| Some((*name).clone())))),
        ("type", varchar(), texts(all.iter().map(|(_, found)| Some(found.kind.to_uppercase())))),
        (
            "snapshot_id",
            TrinoType::Bigint,
            longs(all.iter().map(|(_, found)| Some(found.snapshot_id))),
        ),
        (
            "max_reference_age_in_ms",
            TrinoType::Bigint,
            longs(all.iter().map(|(_, found)| found.max_ref_age_ms)),
        ),
        ("min_snapshots_to_keep", TrinoType::Integer, Arc::new(least.collect::<Int32Array>())),
        (
            "max_snapshot_age_in_ms",
            TrinoType::Bigint,
            longs(all.iter().map(|(_, found)| found.max_snapshot_age_ms)),
        ),
    ]
}

/// The types of the columns that a manifest's partitions are made of.
fn sources(metadata: &TableMetadata, spec_id: i32) -> Vec<Primitive> {
    let Some(spec) = metadata.spec(spec_id) else { return Vec::new() };
    let mut newest =
        std::iter::once(metadata.current_schema()).chain(metadata.schemas.iter().rev());
    newest.find_map(|schema| spec.sources(schema).ok()).unwrap_or_default()
}

fn manifest_rows(metadata: &TableMetadata, all: &[ManifestFile]) -> Result<Columns> {
    let summary = row(vec![
        ("contains_null", TrinoType::Boolean),
        ("contains_nan", TrinoType::Boolean),
        ("lower_bound", varchar()),
        ("upper_bound", varchar()),
    ]);
    let summaries = TrinoType::Array(Box::new(summary.clone()));
    let parts: Vec<_> = all
        .iter()
        .flat_map(|listed| {
            let sources = sources(metadata, listed.spec_id);
            let spec = metadata.spec(listed.spec_id);
            listed.partitions.iter().enumerate().map(move |(at, part)| {
                let field = spec.and_then(|spec| spec.fields.get(at));
                let kind = field.zip(sources.get(at).copied());
                let text = |bound: &Option<Vec<u8>>| {
                    let (field, source) = kind?;
                    let kind = field.transform.result(source);
                    let value = Value::from_bytes(bound.as_deref()?, kind).ok()?;
                    Some(field.transform.text(Some(&value), source))
                };
                (part, text(&part.lower_bound), text(&part.upper_bound))
            })
        })
        .collect();
    let nulls: BooleanArray = parts.iter().map(|(part, ..)| Some(part.contains_null)).collect();
    let nans: BooleanArray = parts.iter().map(|(part, ..)| part.contains_nan).collect();
    let items = rows(
        &summary,
        vec![
            Arc::new(nulls),
            Arc::new(nans),
            texts(parts.iter().map(|(_, lower, _)| lower.clone())),
            texts(parts.iter().map(|(_, _, upper)| upper.clone())),
        ],
        parts.len(),
    )?;
    let lengths = all.iter().map(|listed| listed.partitions.len()).collect();
    let partitions = lists(&summaries, lengths, vec![true; all.len()], items)?;
    let long = |of: fn(&ManifestFile) -> i64| longs(all.iter().map(move |listed| Some(of(listed))));
    let int = |of: fn(&ManifestFile) -> i32| ints(all.iter().map(of));
    Ok(vec![
        ("path", varchar(), texts(all.iter().map(|listed| Some(listed.path.clone())))),
        ("length", TrinoType::Bigint, long(|listed| listed.length)),
        ("partition_spec_id", TrinoType::Integer, int(|listed| listed.spec_id)),
        ("added_snapshot_id", TrinoType::Bigint, long(|listed| listed.added_snapshot_id)),
        ("added_data_files_count", TrinoType::Integer, int(|listed| listed.added_files)),
        ("added_rows_count", TrinoType::Bigint, long(|listed| listed.added_rows)),
        ("existing_data_files_count", TrinoType::Integer, int(|listed| listed.existing_files)),
        ("existing_rows_count", TrinoType::Bigint, long(|listed| listed.existing_rows)),
        ("deleted_data_files_count", TrinoType::Integer, int(|listed| listed.deleted_files)),
        ("deleted_rows_count", TrinoType::Bigint, long(|listed| listed.deleted_rows)),
        ("partition_summaries", summaries, partitions),
    ])
}

fn files(metadata: &TableMetadata, live: &SnapshotFiles) -> Result<Columns> {
    let all: Vec<&LiveFile> = live.data.iter().chain(&live.deletes).collect();
    let counts = map(TrinoType::Integer, TrinoType::Bigint);
    let bounds = map(TrinoType::Integer, varchar());
    let count = |of: fn(&LiveFile) -> &BTreeMap<i32, i64>| {
        let entries = || all.iter().flat_map(|file| of(file));
        maps(
            &counts,
            all.iter().map(|file| of(file).len()).collect(),
            ints(entries().map(|(id, _)| *id)),
            longs(entries().map(|(_, count)| Some(*count))),
        )
    };
    let text = |id: i32, bytes: &[u8]| {
        let kind = metadata.current_schema().type_of(id).and_then(iceberg::Type::primitive);
        // The paths that files of deletes are about are no columns of the table.
        let kind = kind.unwrap_or(Primitive::String);
        Value::from_bytes(bytes, kind).ok().map(|value| value.text(kind))
    };
    let bound = |of: fn(&LiveFile) -> &BTreeMap<i32, Vec<u8>>| {
        let entries = || all.iter().flat_map(|file| of(file));
        maps(
            &bounds,
            all.iter().map(|file| of(file).len()).collect(),
            ints(entries().map(|(id, _)| *id)),
            texts(entries().map(|(id, bytes)| text(*id, bytes))),
        )
    };
    let content = |file: &&LiveFile| match file.file.content {
        Content::Data => 0,
        Content::PositionDeletes => 1,
        Content::EqualityDeletes => 2,
    };
    let splits = TrinoType::Array(Box::new(TrinoType::Bigint));
    let offsets = lists(
        &splits,
        all.iter().map(|file| file.file.split_offsets.len()).collect(),
        all.iter().map(|file| !file.file.split_offsets.is_empty()).collect(),
        longs(all.iter().flat_map(|file| file.file.split_offsets.iter().map(|at| Some(*at)))),
    )?;
    let ids = TrinoType::Array(Box::new(TrinoType::Integer));
    let none = new_null_array(&ids.to_arrow(), all.len());
    Ok(vec![
        ("content", TrinoType::Integer, ints(all.iter().map(content))),
        ("file_path", varchar(), texts(all.iter().map(|f| Some(f.file.file_path.clone())))),
        ("file_format", varchar(), texts(all.iter().map(|f| Some(f.file.file_format.clone())))),
        ("record_count", TrinoType::Bigint, longs(all.iter().map(|f| Some(f.file.record_count)))),
        (
            "file_size_in_bytes",
            TrinoType::Bigint,
            longs(all.iter().map(|f| Some(f.file.file_size_in_bytes))),
        ),
        ("column_sizes", counts.clone(), count(|f| &f.file.column_sizes)?),
        ("value_counts", counts.clone(), count(|f| &f.file.value_counts)?),
        ("null_value_counts", counts.clone(), count(|f| &f.file.null_value_counts)?),
        ("nan_value_counts", counts.clone(), count(|f| &f.file.nan_value_counts)?),
        ("lower_bounds", bounds.clone(), bound(|f| &f.file.lower_bounds)?),
        ("upper_bounds", bounds.clone(), bound(|f| &f.file.upper_bounds)?),
        (
            "key_metadata",
            TrinoType::Varbinary,
            Arc::new(BinaryArray::from(vec![None::<&[u8]>; all.len()])),
        ),
        ("split_offsets", splits, offsets),
        ("equality_ids", ids, none),
    ])
}
