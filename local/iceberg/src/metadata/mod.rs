//! A table's metadata: one JSON file for each state of the table.

mod read;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json, json};

use crate::partition::FIRST_FIELD_ID;
use crate::{MAIN_BRANCH, PartitionSpec, Schema, Snapshot, SnapshotRef};

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
