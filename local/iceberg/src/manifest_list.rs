//! A snapshot's list of manifests.

use serde_json::{Value as Json, json};

use crate::FormatError;
use crate::avro::{self, Datum, Record};

/// What the files of a manifest are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestContent {
    Data,
    Deletes,
}

/// A manifest as its list tells of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ManifestFile {
    pub path: String,
    /// Bytes.
    pub length: i64,
    pub spec_id: i32,
    pub content: ManifestContent,
    /// When it was added to the table.
    pub sequence_number: i64,
    /// The least of its files.
    pub min_sequence_number: i64,
    pub added_snapshot_id: i64,
    pub added_files: i32,
    pub existing_files: i32,
    pub deleted_files: i32,
    pub added_rows: i64,
    pub existing_rows: i64,
    pub deleted_rows: i64,
    /// One for each field of the partition specification.
    pub partitions: Vec<FieldSummary>,
}

/// The values of a partition's field in a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldSummary {
    pub contains_null: bool,
    pub contains_nan: Option<bool>,
    /// As [`crate::Value::to_bytes`] writes them; `None` where there is no value.
    pub lower_bound: Option<Vec<u8>>,
    pub upper_bound: Option<Vec<u8>>,
}

/// The manifests of a snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ManifestList {
    pub manifests: Vec<ManifestFile>,
}

impl ManifestList {
    pub fn read(bytes: &[u8]) -> Result<Self, FormatError> {
        let records = avro::read(bytes)?.records;
        let manifests = records.iter().map(ManifestFile::read).collect::<Result<_, _>>()?;
        Ok(Self { manifests })
    }

    /// The bytes of the list of a snapshot of version 2.
    pub fn write(&self, snapshot_id: i64, parent_id: Option<i64>, sequence_number: i64) -> Vec<u8> {
        let parent = parent_id.map_or_else(|| "null".to_owned(), |id| id.to_string());
        let header = [
            ("snapshot-id", snapshot_id.to_string()),
            ("parent-snapshot-id", parent),
            ("sequence-number", sequence_number.to_string()),
            ("format-version", "2".to_owned()),
        ];
        avro::write(&schema(), &header, self.manifests.iter().map(ManifestFile::record))
    }
}

impl ManifestFile {
    fn read(record: &Record) -> Result<Self, FormatError> {
        let content = match record.optional_long(517, "content").unwrap_or(0) {
            0 => ManifestContent::Data,
            1 => ManifestContent::Deletes,
            other => {
                return Err(FormatError::unsupported(format!("a manifest of the content {other}")));
            }
        };
        // Version 1 may leave counts out: then any may be there.
        let files = |id, name| record.int(id, name).unwrap_or(1);
        let rows = |id, name| record.optional_long(id, name).unwrap_or(0);
        Ok(Self {
            path: record.text(500, "manifest_path")?,
            length: record.long(501, "manifest_length")?,
            spec_id: record.int(502, "partition_spec_id")?,
            content,
            sequence_number: record.optional_long(515, "sequence_number").unwrap_or(0),
            min_sequence_number: record.optional_long(516, "min_sequence_number").unwrap_or(0),
            added_snapshot_id: record.optional_long(503, "added_snapshot_id").unwrap_or(0),
            added_files: files(504, "added_files_count"),
            existing_files: files(505, "existing_files_count"),
            deleted_files: files(506, "deleted_files_count"),
            added_rows: rows(512, "added_rows_count"),
            existing_rows: rows(513, "existing_rows_count"),
            deleted_rows: rows(514, "deleted_rows_count"),
            partitions: record
                .items(507, "partitions")
                .iter()
                .filter_map(|item| match item {
                    Datum::Record(record) => Some(FieldSummary::read(record)),
                    _ => None,
                })
                .collect(),
        })
    }

    fn record(&self) -> Record {
        let long = |id, name: &str, value: i64| (Some(id), name.to_owned(), Datum::Long(value));
        let int = |id, name: &str, value: i32| long(id, name, i64::from(value));
        let content = i64::from(self.content == ManifestContent::Deletes);
        let partitions = self.partitions.iter().map(FieldSummary::record).collect();
        Record(vec![
            (Some(500), "manifest_path".to_owned(), Datum::String(self.path.clone())),
            long(501, "manifest_length", self.length),
            int(502, "partition_spec_id", self.spec_id),
            long(517, "content", content),
            long(515, "sequence_number", self.sequence_number),
            long(516, "min_sequence_number", self.min_sequence_number),
            long(503, "added_snapshot_id", self.added_snapshot_id),
            int(504, "added_files_count", self.added_files),
            int(505, "existing_files_count", self.existing_files),
            int(506, "deleted_files_count", self.deleted_files),
            long(512, "added_rows_count", self.added_rows),
            long(513, "existing_rows_count", self.existing_rows),
            long(514, "deleted_rows_count", self.deleted_rows),
            (Some(507), "partitions".to_owned(), Datum::Array(partitions)),
        ])
    }
}

impl FieldSummary {
    fn read(record: &Record) -> Self {
        let flag = |id, name| match record.get(id, name) {
            Some(Datum::Boolean(value)) => Some(*value),
            _ => None,
        };
        Self {
            contains_null: flag(509, "contains_null").unwrap_or(true),
            contains_nan: flag(518, "contains_nan"),
            lower_bound: record.bytes(510, "lower_bound"),
            upper_bound: record.bytes(511, "upper_bound"),
        }
    }

    fn record(&self) -> Datum {
        let bytes = |bound: &Option<Vec<u8>>| bound.clone().map_or(Datum::Null, Datum::Bytes);
        Datum::Record(Record(vec![
            (Some(509), "contains_null".to_owned(), Datum::Boolean(self.contains_null)),
            (
                Some(518),
                "contains_nan".to_owned(),
                self.contains_nan.map_or(Datum::Null, Datum::Boolean),
            ),
            (Some(510), "lower_bound".to_owned(), bytes(&self.lower_bound)),
            (Some(511), "upper_bound".to_owned(), bytes(&self.upper_bound)),
        ]))
    }
}

fn schema() -> Json {
    let field =
        |name: &str, kind: &str, id: i32| json!({"name": name, "type": kind, "field-id": id});
    let optional = |name: &str, kind: &str, id: i32| json!({"name": name, "type": ["null", kind], "default": null, "field-id": id});
    json!({"type": "record", "name": "manifest_file", "fields": [
        field("manifest_path", "string", 500),
        field("manifest_length", "long", 501),
        field("partition_spec_id", "int", 502),
        field("content", "int", 517),
        field("sequence_number", "long", 515),
        field("min_sequence_number", "long", 516),
        field("added_snapshot_id", "long", 503),
        field("added_files_count", "int", 504),
        field("existing_files_count", "int", 505),
        field("deleted_files_count", "int", 506),
        field("added_rows_count", "long", 512),
        field("existing_rows_count", "long", 513),
        field("deleted_rows_count", "long", 514),
        {"name": "partitions", "default": null, "field-id": 507, "type": ["null", {
            "type": "array", "element-id": 508, "items": {"type": "record", "name": "r508", "fields": [
                field("contains_null", "boolean", 509),
                optional("contains_nan", "boolean", 518),
                optional("lower_bound", "bytes", 510),
                optional("upper_bound", "bytes", 511),
            ]},
        }]},
    ]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let manifest = ManifestFile {
            path: "s3://b/t/metadata/m0.avro".to_owned(),
            length: 1 << 33,
            spec_id: 2,
            content: ManifestContent::Deletes,
            sequence_number: 7,
            min_sequence_number: 3,
            added_snapshot_id: -9,
            added_files: 1,
            existing_files: 2,
            deleted_files: 3,
            added_rows: 4,
            existing_rows: 5,
            deleted_rows: 6,
            partitions: vec![FieldSummary {
                contains_null: true,
                contains_nan: None,
                lower_bound: None,
                upper_bound: Some(vec![1]),
            }],
        };
        let list = ManifestList { manifests: vec![manifest.clone(), manifest] };
        assert_eq!(ManifestList::read(&list.write(1, None, 7)).unwrap(), list);
    }
}
