//! Manifests: files of a table, with what is known of their rows.

mod avro_schema;
mod data_file;

use serde_json::Value as Json;

use avro_schema::schema;
use data_file::optional;
pub use data_file::{Content, DataFile};

use crate::avro::{self, Datum, Record};
use crate::{
    FieldSummary, FormatError, ManifestContent, ManifestFile, PartitionSpec, Primitive, Schema,
    Value,
};

/// What a snapshot did with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Existing,
    Added,
    Deleted,
}

/// A file in a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub status: Status,
    /// The snapshot that added the file, or took it away; `None` is the manifest's own.
    pub snapshot_id: Option<i64>,
    /// When the file's rows came; `None` is the manifest's own.
    pub sequence_number: Option<i64>,
    /// When the file came.
    pub file_sequence_number: Option<i64>,
    pub file: DataFile,
}

/// The entries of a manifest, with the schema and partitions they were written for.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    pub schema: Schema,
    pub spec: PartitionSpec,
    pub content: ManifestContent,
    pub entries: Vec<Entry>,
}

impl Manifest {
    /// Reads a manifest; entries inherit from how its list tells of it.
    pub fn read(bytes: &[u8], listed: &ManifestFile) -> Result<Self, FormatError> {
        let contents = avro::read(bytes)?;
        let json = |name: &str| -> Result<Json, FormatError> {
            let text = contents.text(name).unwrap_or_default();
            serde_json::from_str(&text)
                .map_err(|_| FormatError::malformed("manifest", format!("the header {name}"), text))
        };
        let schema = Schema::read(&json("schema")?)?;
        let fields = json("partition-spec")?;
        // Some writers put the whole specification there.
        let fields =
            fields.get("fields").unwrap_or(&fields).as_array().cloned().unwrap_or_default();
        let spec =
            PartitionSpec { id: listed.spec_id, fields: PartitionSpec::read_fields(&fields)? };
        let kinds: Vec<Primitive> = spec
            .fields
            .iter()
            .zip(spec.sources(&schema)?)
            .map(|(field, source)| field.transform.result(source))
            .collect();
        let entries = contents
            .records
            .iter()
            .map(|record| Entry::read(record, &spec, &kinds, listed))
            .collect::<Result<_, _>>()?;
        Ok(Self { schema, spec, content: listed.content, entries })
    }

    /// The bytes of a manifest of version 2.
    ///
    /// Errors: partitions whose columns the schema does not have.
    pub fn write(&self) -> Result<Vec<u8>, FormatError> {
        let kinds = self.kinds()?;
        let content = match self.content {
            ManifestContent::Data => "data",
            ManifestContent::Deletes => "deletes",
        };
        let header = [
            ("schema", self.schema.write().to_string()),
            ("schema-id", self.schema.id.to_string()),
            ("partition-spec", self.spec.write_fields().to_string()),
            ("partition-spec-id", self.spec.id.to_string()),
            ("format-version", "2".to_owned()),
            ("content", content.to_owned()),
        ];
        let schema = schema(&self.spec, &kinds);
        let records = self.entries.iter().map(|entry| entry.record(&self.spec, &kinds));
        Ok(avro::write(&schema, &header, records))
    }

    fn kinds(&self) -> Result<Vec<Primitive>, FormatError> {
        let sources = self.spec.sources(&self.schema)?;
        let fields = self.spec.fields.iter().zip(sources);
        Ok(fields.map(|(field, source)| field.transform.result(source)).collect())
    }

    /// How a list tells of the manifest, at a path with a length in bytes.
    ///
    /// `sequence_number` and `snapshot_id` are of the snapshot that adds it.
    pub fn listed(
        &self,
        path: String,
        length: i64,
        sequence_number: i64,
        snapshot_id: i64,
    ) -> ManifestFile {
        let count = |status: Status| {
            let found = self.entries.iter().filter(|entry| entry.status == status);
            let rows = found.clone().map(|entry| entry.file.record_count).sum();
            (i32::try_from(found.count()).unwrap_or(i32::MAX), rows)
        };
        let (added_files, added_rows) = count(Status::Added);
        let (existing_files, existing_rows) = count(Status::Existing);
        let (deleted_files, deleted_rows) = count(Status::Deleted);
        let least = self
            .entries
            .iter()
            .filter(|entry| entry.status != Status::Deleted)
            .map(|entry| entry.sequence_number.unwrap_or(sequence_number))
            .min();
        ManifestFile {
            path,
            length,
            spec_id: self.spec.id,
            content: self.content,
            sequence_number,
            min_sequence_number: least.unwrap_or(sequence_number),
            added_snapshot_id: snapshot_id,
            added_files,
            existing_files,
            deleted_files,
            added_rows,
            existing_rows,
            deleted_rows,
            partitions: (0..self.spec.fields.len()).map(|at| self.summary(at)).collect(),
        }
    }

    fn summary(&self, at: usize) -> FieldSummary {
        let values =
            self.entries.iter().map(|entry| entry.file.partition.get(at).and_then(Option::as_ref));
        let is_nan = |value: &Value| match value {
            Value::Float(value) => value.is_nan(),
            Value::Double(value) => value.is_nan(),
            _ => false,
        };
        let present = values.clone().flatten().filter(|value| !is_nan(value));
        let order = |a: &&Value, b: &&Value| a.compare(b).unwrap_or(std::cmp::Ordering::Equal);
        FieldSummary {
            contains_null: values.clone().any(|value| value.is_none()),
            contains_nan: Some(values.flatten().any(is_nan)),
            lower_bound: present.clone().min_by(order).map(Value::to_bytes),
            upper_bound: present.max_by(order).map(Value::to_bytes),
        }
    }
}

impl Entry {
    fn read(
        record: &Record,
        spec: &PartitionSpec,
        kinds: &[Primitive],
        listed: &ManifestFile,
    ) -> Result<Self, FormatError> {
        let status = match record.long(0, "status")? {
            0 => Status::Existing,
            1 => Status::Added,
            2 => Status::Deleted,
            other => {
                return Err(FormatError::unsupported(format!("an entry of the status {other}")));
            }
        };
        let inherited =
            Some(listed.sequence_number).filter(|number| status == Status::Added || *number == 0);
        let file = record
            .record(2, "data_file")
            .ok_or_else(|| FormatError::malformed("manifest", "the field data_file", "none"))?;
        Ok(Self {
            status,
            snapshot_id: Some(
                record.optional_long(1, "snapshot_id").unwrap_or(listed.added_snapshot_id),
            ),
            sequence_number: record.optional_long(3, "sequence_number").or(inherited),
            file_sequence_number: record.optional_long(4, "file_sequence_number").or(inherited),
            file: DataFile::read(file, spec, kinds)?,
        })
    }

    fn record(&self, spec: &PartitionSpec, kinds: &[Primitive]) -> Record {
        let status = match self.status {
            Status::Existing => 0,
            Status::Added => 1,
            Status::Deleted => 2,
        };
        Record(vec![
            (Some(0), "status".to_owned(), Datum::Long(status)),
            (Some(1), "snapshot_id".to_owned(), optional(self.snapshot_id)),
            (Some(3), "sequence_number".to_owned(), optional(self.sequence_number)),
            (Some(4), "file_sequence_number".to_owned(), optional(self.file_sequence_number)),
            (Some(2), "data_file".to_owned(), self.file.datum(spec, kinds)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::avro_schema::avro_name;
    use super::*;
    use crate::{Field, Transform, Type};

    fn manifest() -> Manifest {
        let kinds = [
            Primitive::Int,
            Primitive::Decimal(9, 2),
            Primitive::Timestamp,
            Primitive::Uuid,
            Primitive::String,
        ];
        let fields = kinds.iter().zip(1..).map(|(kind, id)| Field {
            id,
            name: format!("c{id}"),
            required: false,
            kind: Type::Primitive(*kind),
            doc: None,
        });
        let schema = Schema { id: 3, fields: fields.collect(), identifier_field_ids: Vec::new() };
        let parts = [
            ("c1".to_owned(), Transform::Bucket(4)),
            ("c2".to_owned(), Transform::Identity),
            ("c3".to_owned(), Transform::Day),
            ("c4".to_owned(), Transform::Identity),
            ("c5".to_owned(), Transform::Truncate(2)),
        ];
        let spec = PartitionSpec { id: 7, ..PartitionSpec::new(&schema, &parts).unwrap() };
        let file = DataFile {
            content: Content::Data,
            file_path: "s3://b/t/data/f.parquet".to_owned(),
            file_format: "PARQUET".to_owned(),
            partition: vec![
                Some(Value::Int(3)),
                Some(Value::Decimal(-150)),
                Some(Value::Date(19_000)),
                Some(Value::Bytes(vec![7; 16])),
                None,
            ],
            record_count: 10,
            file_size_in_bytes: 1_000,
            column_sizes: BTreeMap::from([(1, 8), (2, 9)]),
            value_counts: BTreeMap::from([(1, 10)]),
            null_value_counts: BTreeMap::from([(1, 0)]),
            nan_value_counts: BTreeMap::new(),
            lower_bounds: BTreeMap::from([(1, vec![0, 0, 0, 0])]),
            upper_bounds: BTreeMap::from([(1, vec![9, 0, 0, 0])]),
            split_offsets: vec![4],
            equality_ids: Vec::new(),
            sort_order_id: Some(0),
        };
        let added = Entry {
            status: Status::Added,
            snapshot_id: None,
            sequence_number: None,
            file_sequence_number: None,
            file: file.clone(),
        };
        let existing = Entry {
            status: Status::Existing,
            snapshot_id: Some(5),
            sequence_number: Some(2),
            file_sequence_number: Some(2),
            file,
        };
        let content = ManifestContent::Data;
        Manifest { schema, spec, content, entries: vec![added, existing] }
    }

    #[test]
    fn what_is_written_is_read_and_inherits() {
        let written = manifest();
        let bytes = written.write().unwrap();
        let length = i64::try_from(bytes.len()).unwrap();
        let listed = written.listed("m0".to_owned(), length, 9, 42);
        assert_eq!((listed.added_files, listed.existing_rows), (1, 10));
        assert_eq!((listed.sequence_number, listed.min_sequence_number), (9, 2));
        assert!(listed.partitions[4].contains_null);
        assert_eq!(listed.partitions[0].lower_bound, Some(vec![3, 0, 0, 0]));
        let mut expected = written;
        expected.entries[0].snapshot_id = Some(42);
        expected.entries[0].sequence_number = Some(9);
        expected.entries[0].file_sequence_number = Some(9);
        assert_eq!(Manifest::read(&bytes, &listed).unwrap(), expected);
    }

    #[test]
    fn folders_show_partitions() {
        let manifest = manifest();
        let sources = manifest.spec.sources(&manifest.schema).unwrap();
        assert_eq!(
            manifest.spec.path(&manifest.entries[0].file.partition, &sources),
            "c1_bucket=3/c2=-1.50/c3_day=2022-01-08/c4=07070707-0707-0707-0707-070707070707/c5_trunc=null"
        );
        assert_eq!(avro_name("1 a-b"), "_1_x20a_x2Db");
    }
}
