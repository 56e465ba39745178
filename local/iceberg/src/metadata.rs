//! A table's metadata: one JSON file for each state of the table.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use serde_json::{Map, Value as Json, json};

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

#[derive(Clone, Debug, PartialEq)]
pub struct TableMetadata {
    pub format_version: i32,
    pub table_uuid: String,
    /// The table's folder.
    pub location: String,
    pub last_sequence_number: i64,
    /// Since 1970-01-01 00:00:00 UTC, in milliseconds.
    pub last_updated_ms: i64,
    pub last_column_id: i32,
    pub schemas: Vec<Schema>,
    pub current_schema_id: i32,
    pub partition_specs: Vec<PartitionSpec>,
    pub default_spec_id: i32,
    pub last_partition_id: i32,
    pub properties: BTreeMap<String, String>,
    pub current_snapshot_id: Option<i64>,
    pub snapshots: Vec<Snapshot>,
    /// The snapshots that have been current, in order.
    pub snapshot_log: Vec<LogEntry<i64>>,
    /// The metadata files before this one, in order.
    pub metadata_log: Vec<LogEntry<String>>,
    pub refs: BTreeMap<String, SnapshotRef>,
    pub default_sort_order_id: i32,
    sort_orders: Vec<Json>,
    rest: Map<String, Json>,
}

/// Something with the time it came, in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry<T> {
    pub timestamp_ms: i64,
    pub of: T,
}

impl TableMetadata {
    /// A new table of version 2 without rows. Columns have their final ids.
    pub fn new(
        table_uuid: String,
        location: String,
        schema: Schema,
        spec: PartitionSpec,
        properties: BTreeMap<String, String>,
        now_ms: i64,
    ) -> Self {
        let last_partition_id =
            spec.fields.iter().map(|field| field.field_id).max().unwrap_or(FIRST_FIELD_ID - 1);
        Self {
            format_version: 2,
            table_uuid,
            location,
            last_sequence_number: 0,
            last_updated_ms: now_ms,
            last_column_id: schema.greatest_id(),
            current_schema_id: schema.id,
            schemas: vec![schema],
            default_spec_id: spec.id,
            partition_specs: vec![spec],
            last_partition_id,
            properties,
            current_snapshot_id: None,
            snapshots: Vec::new(),
            snapshot_log: Vec::new(),
            metadata_log: Vec::new(),
            refs: BTreeMap::new(),
            default_sort_order_id: 0,
            sort_orders: vec![json!({"order-id": 0, "fields": []})],
            rest: Map::new(),
        }
    }

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

    /// The bytes of the metadata file.
    pub fn write(&self) -> Vec<u8> {
        let mut json = json!({
            "format-version": self.format_version,
            "table-uuid": self.table_uuid,
            "location": self.location,
            "last-sequence-number": self.last_sequence_number,
            "last-updated-ms": self.last_updated_ms,
            "last-column-id": self.last_column_id,
            "current-schema-id": self.current_schema_id,
            "schemas": self.schemas.iter().map(Schema::write).collect::<Vec<_>>(),
            "default-spec-id": self.default_spec_id,
            "partition-specs": self.partition_specs.iter().map(PartitionSpec::write).collect::<Vec<_>>(),
            "last-partition-id": self.last_partition_id,
            "default-sort-order-id": self.default_sort_order_id,
            "sort-orders": self.sort_orders,
            "properties": self.properties,
            "current-snapshot-id": self.current_snapshot_id.unwrap_or(-1),
            "refs": self.refs.iter().map(|(name, of)| (name.clone(), of.write())).collect::<Map<_, _>>(),
            "snapshots": self.snapshots.iter().map(Snapshot::write).collect::<Vec<_>>(),
            "snapshot-log": self.snapshot_log.iter().map(|entry| json!({
                "timestamp-ms": entry.timestamp_ms, "snapshot-id": entry.of,
            })).collect::<Vec<_>>(),
            "metadata-log": self.metadata_log.iter().map(|entry| json!({
                "timestamp-ms": entry.timestamp_ms, "metadata-file": entry.of,
            })).collect::<Vec<_>>(),
        });
        if let Some(members) = json.as_object_mut() {
            members.extend(self.rest.clone());
        }
        json.to_string().into_bytes()
    }

    /// The ids that files without ids take for their columns, by the columns' names.
    ///
    /// Source: the specification, "Name Mapping Serialization". Parts of columns are left out.
    pub fn names_of_columns(&self) -> BTreeMap<String, i32> {
        let text = self.properties.get("schema.name-mapping.default");
        let json = text.and_then(|text| serde_json::from_str::<Json>(text).ok());
        let mut found = BTreeMap::new();
        for column in json.iter().filter_map(Json::as_array).flatten() {
            let id = column.get("field-id").and_then(Json::as_i64);
            let Some(id) = id.and_then(|id| i32::try_from(id).ok()) else { continue };
            let names = column.get("names").and_then(Json::as_array);
            let names = names.into_iter().flatten().filter_map(Json::as_str);
            found.extend(names.map(|name| (name.to_owned(), id)));
        }
        found
    }

    pub fn current_schema(&self) -> &Schema {
        self.schema(self.current_schema_id).expect("the current schema was checked to be there")
    }

    pub fn schema(&self, id: i32) -> Option<&Schema> {
        self.schemas.iter().find(|schema| schema.id == id)
    }

    pub fn default_spec(&self) -> &PartitionSpec {
        self.spec(self.default_spec_id).expect("the default specification was checked to be there")
    }

    pub fn spec(&self, id: i32) -> Option<&PartitionSpec> {
        self.partition_specs.iter().find(|spec| spec.id == id)
    }

    pub fn snapshot(&self, id: i64) -> Option<&Snapshot> {
        self.snapshots.iter().find(|snapshot| snapshot.id == id)
    }

    pub fn current_snapshot(&self) -> Option<&Snapshot> {
        self.current_snapshot_id.and_then(|id| self.snapshot(id))
    }

    /// The snapshot that was current at a time.
    pub fn snapshot_at(&self, timestamp_ms: i64) -> Option<&Snapshot> {
        let entry =
            self.snapshot_log.iter().rev().find(|entry| entry.timestamp_ms <= timestamp_ms)?;
        self.snapshot(entry.of)
    }

    /// A snapshot and those it was made of, the newest first.
    pub fn ancestors(&self, id: i64) -> impl Iterator<Item = &Snapshot> {
        // Each snapshot once: parents of a broken file may run in a circle.
        let mut left = self.snapshots.len();
        std::iter::successors(self.snapshot(id), move |snapshot| {
            left = left.checked_sub(1)?;
            snapshot.parent_id.and_then(|parent| self.snapshot(parent))
        })
    }

    /// Makes a new snapshot the current one.
    pub fn add_snapshot(&mut self, snapshot: Snapshot) {
        self.last_sequence_number = self.last_sequence_number.max(snapshot.sequence_number);
        self.last_updated_ms = snapshot.timestamp_ms;
        self.current_snapshot_id = Some(snapshot.id);
        self.snapshot_log.push(LogEntry { timestamp_ms: snapshot.timestamp_ms, of: snapshot.id });
        let main = SnapshotRef::branch(snapshot.id);
        self.refs
            .entry(MAIN_BRANCH.to_owned())
            .and_modify(|found| found.snapshot_id = snapshot.id)
            .or_insert(main);
        self.snapshots.push(snapshot);
    }

    /// Makes a schema the current one; one that is the same as an earlier takes its id.
    pub fn set_schema(&mut self, mut schema: Schema) {
        self.last_column_id = self.last_column_id.max(schema.greatest_id());
        let same = self.schemas.iter().find(|known| {
            known.fields == schema.fields
                && known.identifier_field_ids == schema.identifier_field_ids
        });
        if let Some(known) = same {
            self.current_schema_id = known.id;
            return;
        }
        schema.id = self.schemas.iter().map(|known| known.id).max().map_or(0, |id| id + 1);
        self.current_schema_id = schema.id;
        self.schemas.push(schema);
    }

    /// Forgets snapshots, with all that names them.
    pub fn remove_snapshots(&mut self, ids: &BTreeSet<i64>) {
        self.snapshots.retain(|snapshot| !ids.contains(&snapshot.id));
        self.refs.retain(|_, found| !ids.contains(&found.snapshot_id));
        // History before a gap cannot be told any more.
        let gap = self.snapshot_log.iter().rposition(|entry| ids.contains(&entry.of));
        if let Some(gap) = gap {
            self.snapshot_log.drain(..=gap);
        }
        for name in ["statistics", "partition-statistics"] {
            if let Some(Json::Array(files)) = self.rest.get_mut(name) {
                files.retain(|file| {
                    file.get("snapshot-id")
                        .and_then(Json::as_i64)
                        .is_none_or(|id| !ids.contains(&id))
                });
            }
        }
    }

    /// Notes the metadata file this one comes after. Of those before at most `keep` stay; those
    /// that go are given back.
    pub fn follow(&mut self, previous: String, previous_ms: i64, keep: usize) -> Vec<String> {
        self.metadata_log.push(LogEntry { timestamp_ms: previous_ms, of: previous });
        let gone = self.metadata_log.len().saturating_sub(keep);
        self.metadata_log.drain(..gone).map(|entry| entry.of).collect()
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

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::{Field, Primitive, Transform, Type};

    fn column(id: i32, name: &str, kind: Primitive) -> Field {
        let kind = Type::Primitive(kind);
        Field { id, name: name.to_owned(), required: false, kind, doc: None }
    }

    fn snapshot(id: i64, parent_id: Option<i64>, at: i64) -> Snapshot {
        Snapshot {
            id,
            parent_id,
            sequence_number: id,
            timestamp_ms: at,
            manifest_list: format!("s3://b/t/metadata/snap-{id}.avro"),
            summary: BTreeMap::from([("operation".to_owned(), "append".to_owned())]),
            schema_id: Some(0),
        }
    }

    fn table() -> TableMetadata {
        let fields = vec![column(1, "id", Primitive::Int), column(2, "at", Primitive::Timestamp)];
        let schema = Schema { id: 0, fields, identifier_field_ids: Vec::new() };
        let spec = PartitionSpec::new(&schema, &[("at".to_owned(), Transform::Day)]).unwrap();
        TableMetadata::new(
            "uuid".to_owned(),
            "s3://b/t".to_owned(),
            schema,
            spec,
            BTreeMap::new(),
            5,
        )
    }

    #[test]
    fn what_is_written_is_read() {
        let mut table = table();
        assert_eq!(TableMetadata::read(&table.write()).unwrap(), table);
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&table.write()).unwrap();
        let packed = packer.finish().unwrap();
        assert_eq!(TableMetadata::read(&packed).unwrap(), table);
        assert!(TableMetadata::read(&packed[..20]).is_err());
        table.add_snapshot(snapshot(1, None, 10));
        table.add_snapshot(snapshot(2, Some(1), 20));
        table.add_snapshot(snapshot(3, Some(2), 30));
        table.rest.insert("statistics".to_owned(), json!([{"snapshot-id": 1}, {"snapshot-id": 3}]));
        assert_eq!(table.follow("a".to_owned(), 10, 1), Vec::<String>::new());
        assert_eq!(table.follow("b".to_owned(), 20, 1), ["a"]);
        let read = TableMetadata::read(&table.write()).unwrap();
        assert_eq!(read, table);
        assert_eq!(read.snapshot_at(19).map(|found| found.id), Some(1));
        assert_eq!(read.snapshot_at(9), None);
        assert_eq!(read.ancestors(3).map(|found| found.id).collect::<Vec<_>>(), [3, 2, 1]);
        table.remove_snapshots(&BTreeSet::from([1]));
        assert_eq!(table.snapshot_log.len(), 2);
        assert_eq!(table.rest["statistics"], json!([{"snapshot-id": 3}]));
    }

    #[test]
    fn columns_may_have_names_for_files_without_ids() {
        let mut table = table();
        assert!(table.names_of_columns().is_empty());
        let mapping = r#"[{"field-id": 1, "names": ["id", "ID"]}, {"names": ["x"]}]"#;
        table.properties.insert("schema.name-mapping.default".to_owned(), mapping.to_owned());
        let expected = [("ID".to_owned(), 1), ("id".to_owned(), 1)];
        assert_eq!(table.names_of_columns(), BTreeMap::from(expected));
    }

    #[test]
    fn tables_of_the_first_version_are_read() {
        let json = json!({
            "format-version": 1, "location": "s3://b/t", "last-updated-ms": 1, "last-column-id": 1,
            "schema": {"type": "struct", "fields": [
                {"id": 1, "name": "a", "required": false, "type": "int"}]},
            "partition-spec": [{"name": "a", "transform": "identity", "source-id": 1}],
            "current-snapshot-id": -1,
        });
        let table = TableMetadata::read(json.to_string().as_bytes()).unwrap();
        assert_eq!(table.current_snapshot_id, None);
        assert_eq!(table.default_spec().fields[0].field_id, 1_000);
        assert_eq!(table.last_partition_id, 1_000);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let third = br#"{"format-version": 3}"#;
        assert_eq!(
            TableMetadata::read(third).unwrap_err().to_string(),
            "format version 3 of Iceberg tables is not supported here"
        );
        assert!(TableMetadata::read(b"{").is_err());
        let mut broken = table();
        broken.current_snapshot_id = Some(9);
        assert_eq!(
            TableMetadata::read(&broken.write()).unwrap_err().to_string(),
            "metadata: expected the snapshot 9, found none"
        );
    }
}
