//! A metadata file's members, of both versions.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::{Value as Json, json};

use super::{LogEntry, TableMetadata};
use crate::json::Object;
use crate::partition::FIRST_FIELD_ID;
use crate::{FormatError, MAIN_BRANCH, PartitionSpec, Schema, Snapshot, SnapshotRef};

/// Most bytes packed metadata may unpack to.
const LARGEST: u64 = 256 * 1024 * 1024;

/// The greatest version that is read.
const NEWEST_READ: i32 = 2;

/// The members this crate gives a meaning; all others are kept as they are.
const KNOWN: [&str; 21] = [
    "format-version",
    "table-uuid",
    "location",
    "last-sequence-number",
    "last-updated-ms",
    "last-column-id",
    "schema",
    "schemas",
    "current-schema-id",
    "partition-spec",
    "partition-specs",
    "default-spec-id",
    "last-partition-id",
    "properties",
    "current-snapshot-id",
    "snapshots",
    "snapshot-log",
    "metadata-log",
    "sort-orders",
    "default-sort-order-id",
    "refs",
];

impl TableMetadata {
    /// Reads a metadata file.
    ///
    /// Errors: `Malformed`; `Unsupported` for versions after 2.
    pub fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        let unpacked = unpacked(bytes)?;
        let bytes = unpacked.as_deref().unwrap_or(bytes);
        let json: Json = serde_json::from_slice(bytes)
            .map_err(|error| FormatError::malformed("metadata", "JSON", error.to_string()))?;
        let object = Object::of(&json, "metadata")?;
        let format_version = object.int("format-version")?;
        if !(1..=NEWEST_READ).contains(&format_version) {
            return Err(FormatError::unsupported(format!(
                "format version {format_version} of Iceberg tables"
            )));
        }
        let (schemas, current_schema_id) = schemas(&object)?;
        let (partition_specs, default_spec_id) = specs(&object)?;
        let greatest = partition_specs.iter().flat_map(|spec| &spec.fields);
        let greatest = greatest.map(|field| field.field_id).max().unwrap_or(FIRST_FIELD_ID - 1);
        let snapshots: Vec<Snapshot> =
            object.items("snapshots")?.iter().map(Snapshot::read).collect::<Result<_, _>>()?;
        // Old writers say -1 where there is none.
        let current_snapshot_id =
            object.optional_long("current-snapshot-id")?.filter(|id| *id != -1);
        let rest = object.members.iter().filter(|(name, _)| !KNOWN.contains(&name.as_str()));
        let found = Self {
            format_version,
            table_uuid: object.optional_text("table-uuid")?.unwrap_or_default(),
            location: object.text("location")?,
            last_sequence_number: object.optional_long("last-sequence-number")?.unwrap_or(0),
            last_updated_ms: object.long("last-updated-ms")?,
            last_column_id: object.int("last-column-id")?,
            last_partition_id: object.optional_int("last-partition-id")?.unwrap_or(greatest),
            properties: object.texts("properties")?,
            refs: refs(&object, current_snapshot_id)?,
            snapshot_log: log(&object, "snapshot-log", |entry| entry.long("snapshot-id"))?,
            metadata_log: log(&object, "metadata-log", |entry| entry.text("metadata-file"))?,
            default_sort_order_id: object.optional_int("default-sort-order-id")?.unwrap_or(0),
            sort_orders: match object.items("sort-orders")? {
                [] => vec![json!({"order-id": 0, "fields": []})],
                orders => orders.to_vec(),
            },
            rest: rest.map(|(name, member)| (name.clone(), member.clone())).collect(),
            schemas,
            current_schema_id,
            partition_specs,
            default_spec_id,
            current_snapshot_id,
            snapshots,
        };
        found.check()?;
        Ok(found)
    }

    /// What the others name is there.
    fn check(&self) -> Result<(), FormatError> {
        let missing = |what: &str, id: i64| {
            Err(FormatError::malformed("metadata", format!("the {what} {id}"), "none"))
        };
        if self.schemas.iter().all(|schema| schema.id != self.current_schema_id) {
            return missing("schema", i64::from(self.current_schema_id));
        }
        if self.partition_specs.iter().all(|spec| spec.id != self.default_spec_id) {
            return missing("partition specification", i64::from(self.default_spec_id));
        }
        match self.current_snapshot_id {
            Some(id) if self.snapshot(id).is_none() => missing("snapshot", id),
            _ => Ok(()),
        }
    }
}

/// Metadata may be packed by gzip; `None` where it is not.
fn unpacked(bytes: &[u8]) -> Result<Option<Vec<u8>>, FormatError> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(None);
    }
    let mut out = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(bytes).take(LARGEST + 1);
    let read = reader.read_to_end(&mut out);
    read.map_err(|error| FormatError::malformed("metadata", "gzip", error.to_string()))?;
    if out.len() as u64 > LARGEST {
        return Err(FormatError::unsupported(format!("metadata of over {LARGEST} bytes")));
    }
    Ok(Some(out))
}

fn schemas(object: &Object<'_>) -> Result<(Vec<Schema>, i32), FormatError> {
    let listed = object.items("schemas")?;
    if listed.is_empty() {
        let only = Schema::read(object.required("schema")?)?;
        let id = only.id;
        return Ok((vec![only], id));
    }
    let schemas = listed.iter().map(Schema::read).collect::<Result<Vec<_>, _>>()?;
    Ok((schemas, object.int("current-schema-id")?))
}

fn specs(object: &Object<'_>) -> Result<(Vec<PartitionSpec>, i32), FormatError> {
    let listed = object.items("partition-specs")?;
    if listed.is_empty() {
        let fields = PartitionSpec::read_fields(object.items("partition-spec")?)?;
        return Ok((vec![PartitionSpec { id: 0, fields }], 0));
    }
    let specs = listed.iter().map(PartitionSpec::read).collect::<Result<Vec<_>, _>>()?;
    Ok((specs, object.int("default-spec-id")?))
}

fn refs(
    object: &Object<'_>,
    current: Option<i64>,
) -> Result<BTreeMap<String, SnapshotRef>, FormatError> {
    let mut found = BTreeMap::new();
    if let Some(refs) = object.get("refs") {
        for (name, of) in Object::of(refs, "refs")?.members {
            found.insert(name.clone(), SnapshotRef::read(of)?);
        }
    }
    if let Some(current) = current {
        found.entry(MAIN_BRANCH.to_owned()).or_insert_with(|| SnapshotRef::branch(current));
    }
    Ok(found)
}

fn log<T>(
    object: &Object<'_>,
    name: &str,
    of: impl Fn(&Object<'_>) -> Result<T, FormatError>,
) -> Result<Vec<LogEntry<T>>, FormatError> {
    object
        .items(name)?
        .iter()
        .map(|entry| {
            let entry = Object::of(entry, "log")?;
            Ok(LogEntry { timestamp_ms: entry.long("timestamp-ms")?, of: of(&entry)? })
        })
        .collect()
}
