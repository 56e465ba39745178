//! Manifests: files of a table, with what is known of their rows.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::avro::{self, Datum, Record};
use crate::value::unscaled;
use crate::{
    FieldSummary, FormatError, ManifestContent, ManifestFile, PartitionSpec, Primitive, Schema,
    Value,
};

/// What a file's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    Data,
    /// Places of rows that are gone: `file_path`, `pos`.
    PositionDeletes,
    /// Values of rows that are gone.
    EqualityDeletes,
}

/// What a snapshot did with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Existing,
    Added,
    Deleted,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DataFile {
    pub content: Content,
    pub file_path: String,
    /// `PARQUET`, `ORC` or `AVRO`; `PUFFIN` of deletion vectors.
    pub file_format: String,
    /// A value for each field of the partition specification.
    pub partition: Vec<Option<Value>>,
    pub record_count: i64,
    pub file_size_in_bytes: i64,
    /// By the ids of columns, as all that follows.
    pub column_sizes: BTreeMap<i32, i64>,
    pub value_counts: BTreeMap<i32, i64>,
    pub null_value_counts: BTreeMap<i32, i64>,
    pub nan_value_counts: BTreeMap<i32, i64>,
    /// As [`Value::to_bytes`] writes them.
    pub lower_bounds: BTreeMap<i32, Vec<u8>>,
    pub upper_bounds: BTreeMap<i32, Vec<u8>>,
    pub split_offsets: Vec<i64>,
    pub equality_ids: Vec<i32>,
    pub sort_order_id: Option<i32>,
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

fn optional(value: Option<i64>) -> Datum {
    value.map_or(Datum::Null, Datum::Long)
}

/// The pairs of an array that stands for a map, or of a map of few keys.
fn pairs(record: &Record, id: i32, name: &str) -> Vec<(i32, Datum)> {
    let pair = |item: &Datum| match item {
        Datum::Record(Record(fields)) => match fields.as_slice() {
            [(_, _, Datum::Long(key)), (_, _, value)] => {
                i32::try_from(*key).ok().map(|key| (key, value.clone()))
            }
            _ => None,
        },
        _ => None,
    };
    record.items(id, name).iter().filter_map(pair).collect()
}

impl DataFile {
    fn read(
        record: &Record,
        spec: &PartitionSpec,
        kinds: &[Primitive],
    ) -> Result<Self, FormatError> {
        let content = match record.optional_long(134, "content").unwrap_or(0) {
            0 => Content::Data,
            1 => Content::PositionDeletes,
            2 => Content::EqualityDeletes,
            other => {
                return Err(FormatError::unsupported(format!("a file of the content {other}")));
            }
        };
        let none = Record::default();
        let partition = record.record(102, "partition").unwrap_or(&none);
        let values = spec.fields.iter().zip(kinds).map(|(field, kind)| {
            let datum = partition.get(field.field_id, &field.name);
            datum.map(|datum| value_of(datum, *kind)).transpose()
        });
        let counts = |id, name| {
            let pairs = pairs(record, id, name).into_iter();
            pairs.filter_map(|(key, value)| match value {
                Datum::Long(value) => Some((key, value)),
                _ => None,
            })
        };
        let bounds = |id, name| {
            let pairs = pairs(record, id, name).into_iter();
            pairs.filter_map(|(key, value)| match value {
                Datum::Bytes(value) => Some((key, value)),
                _ => None,
            })
        };
        let longs = |id, name| {
            record.items(id, name).iter().filter_map(|item| match item {
                Datum::Long(value) => Some(*value),
                _ => None,
            })
        };
        Ok(Self {
            content,
            file_path: record.text(100, "file_path")?,
            file_format: record.text(101, "file_format")?.to_uppercase(),
            partition: values.collect::<Result<_, _>>()?,
            record_count: record.long(103, "record_count")?,
            file_size_in_bytes: record.long(104, "file_size_in_bytes")?,
            column_sizes: counts(108, "column_sizes").collect(),
            value_counts: counts(109, "value_counts").collect(),
            null_value_counts: counts(110, "null_value_counts").collect(),
            nan_value_counts: counts(137, "nan_value_counts").collect(),
            lower_bounds: bounds(125, "lower_bounds").collect(),
            upper_bounds: bounds(128, "upper_bounds").collect(),
            split_offsets: longs(132, "split_offsets").collect(),
            equality_ids: longs(135, "equality_ids")
                .filter_map(|id| i32::try_from(id).ok())
                .collect(),
            sort_order_id: record.int(140, "sort_order_id").ok(),
        })
    }

    fn datum(&self, spec: &PartitionSpec, kinds: &[Primitive]) -> Datum {
        let content = match self.content {
            Content::Data => 0,
            Content::PositionDeletes => 1,
            Content::EqualityDeletes => 2,
        };
        let text = |text: &String| Datum::String(text.clone());
        let partition =
            spec.fields.iter().zip(kinds).zip(&self.partition).map(|((field, kind), value)| {
                let datum = value.as_ref().map_or(Datum::Null, |value| datum_of(value, *kind));
                (Some(field.field_id), field.name.clone(), datum)
            });
        let pair = |key: &i32, value: Datum| {
            let key = Datum::Long(i64::from(*key));
            Datum::Record(Record(vec![
                (None, "key".to_owned(), key),
                (None, "value".to_owned(), value),
            ]))
        };
        let counts = |counts: &BTreeMap<i32, i64>| {
            Datum::Array(counts.iter().map(|(key, value)| pair(key, Datum::Long(*value))).collect())
        };
        let bounds = |bounds: &BTreeMap<i32, Vec<u8>>| {
            let pairs = bounds.iter().map(|(key, value)| pair(key, Datum::Bytes(value.clone())));
            Datum::Array(pairs.collect())
        };
        let longs = |values: &mut dyn Iterator<Item = i64>| {
            let items: Vec<Datum> = values.map(Datum::Long).collect();
            if items.is_empty() { Datum::Null } else { Datum::Array(items) }
        };
        let fields = [
            (134, "content", Datum::Long(content)),
            (100, "file_path", text(&self.file_path)),
            (101, "file_format", text(&self.file_format)),
            (102, "partition", Datum::Record(Record(partition.collect()))),
            (103, "record_count", Datum::Long(self.record_count)),
            (104, "file_size_in_bytes", Datum::Long(self.file_size_in_bytes)),
            (108, "column_sizes", counts(&self.column_sizes)),
            (109, "value_counts", counts(&self.value_counts)),
            (110, "null_value_counts", counts(&self.null_value_counts)),
            (137, "nan_value_counts", counts(&self.nan_value_counts)),
            (125, "lower_bounds", bounds(&self.lower_bounds)),
            (128, "upper_bounds", bounds(&self.upper_bounds)),
            (132, "split_offsets", longs(&mut self.split_offsets.iter().copied())),
            (135, "equality_ids", longs(&mut self.equality_ids.iter().copied().map(i64::from))),
            (140, "sort_order_id", optional(self.sort_order_id.map(i64::from))),
        ];
        let fields = fields.map(|(id, name, datum)| (Some(id), name.to_owned(), datum));
        Datum::Record(Record(fields.into()))
    }
}

/// A partition's value from Avro's.
fn value_of(datum: &Datum, kind: Primitive) -> Result<Value, FormatError> {
    let wrong = || FormatError::malformed("partition", format!("a {kind}"), format!("{datum:?}"));
    let int = |long: i64| i32::try_from(long).map_err(|_| wrong());
    Ok(match (kind, datum) {
        (Primitive::Boolean, Datum::Boolean(value)) => Value::Boolean(*value),
        (Primitive::Int, Datum::Long(value)) => Value::Int(int(*value)?),
        (Primitive::Date, Datum::Long(value)) => Value::Date(int(*value)?),
        (Primitive::Long, Datum::Long(value)) => Value::Long(*value),
        (Primitive::Time, Datum::Long(value)) => Value::Time(*value),
        (Primitive::Timestamp | Primitive::Timestamptz, Datum::Long(value)) => {
            Value::Timestamp(*value)
        }
        (Primitive::Float, Datum::Float(value)) => Value::Float(*value),
        (Primitive::Double, Datum::Double(value)) => Value::Double(*value),
        (Primitive::Double, Datum::Float(value)) => Value::Double(f64::from(*value)),
        (Primitive::Decimal(..), Datum::Bytes(bytes)) => {
            Value::Decimal(unscaled(bytes).ok_or_else(wrong)?)
        }
        (Primitive::String, Datum::String(text)) => Value::String(text.clone()),
        (Primitive::Uuid | Primitive::Fixed(_) | Primitive::Binary, Datum::Bytes(bytes)) => {
            Value::Bytes(bytes.clone())
        }
        _ => return Err(wrong()),
    })
}

fn datum_of(value: &Value, kind: Primitive) -> Datum {
    match value {
        Value::Boolean(value) => Datum::Boolean(*value),
        Value::Int(value) | Value::Date(value) => Datum::Long(i64::from(*value)),
        Value::Long(value) | Value::Time(value) | Value::Timestamp(value) => Datum::Long(*value),
        Value::Float(value) => Datum::Float(*value),
        Value::Double(value) => Datum::Double(*value),
        Value::Decimal(value) => {
            let width = fixed_width(kind);
            Datum::Bytes(value.to_be_bytes()[16 - width..].to_vec())
        }
        Value::String(text) => Datum::String(text.clone()),
        Value::Bytes(bytes) => Datum::Bytes(bytes.clone()),
    }
}

/// Bytes a decimal's digits take.
fn fixed_width(kind: Primitive) -> usize {
    let Primitive::Decimal(precision, _) = kind else { return 16 };
    let greatest = 10_i128.pow(u32::from(precision)) - 1;
    (1..16).find(|width| greatest < 1_i128 << (8 * width - 1)).unwrap_or(16)
}

/// The Avro type of a partition's values.
fn avro_type(kind: Primitive, field_id: i32) -> Json {
    match kind {
        Primitive::Boolean => "boolean".into(),
        Primitive::Int => "int".into(),
        Primitive::Long => "long".into(),
        Primitive::Float => "float".into(),
        Primitive::Double => "double".into(),
        Primitive::Date => json!({"type": "int", "logicalType": "date"}),
        Primitive::Time => json!({"type": "long", "logicalType": "time-micros"}),
        Primitive::Timestamp => {
            json!({"type": "long", "logicalType": "timestamp-micros", "adjust-to-utc": false})
        }
        Primitive::Timestamptz => {
            json!({"type": "long", "logicalType": "timestamp-micros", "adjust-to-utc": true})
        }
        Primitive::String => "string".into(),
        Primitive::Binary => "bytes".into(),
        Primitive::Uuid => {
            json!({"type": "fixed", "name": format!("uuid_{field_id}"), "size": 16, "logicalType": "uuid"})
        }
        Primitive::Fixed(size) => {
            json!({"type": "fixed", "name": format!("fixed_{field_id}"), "size": size})
        }
        Primitive::Decimal(precision, scale) => json!({
            "type": "fixed", "name": format!("decimal_{field_id}"), "size": fixed_width(kind),
            "logicalType": "decimal", "precision": precision, "scale": scale,
        }),
    }
}

/// A name as Avro takes it. Source: Iceberg's `AvroSchemaUtil.makeCompatibleName`.
fn avro_name(name: &str) -> String {
    let mut out = String::new();
    for (at, c) in name.chars().enumerate() {
        if c.is_ascii_alphabetic() || c == '_' || (at > 0 && c.is_ascii_digit()) {
            out.push(c);
        } else if c.is_ascii_digit() {
            out.push('_');
            out.push(c);
        } else {
            use std::fmt::Write as _;
            let _ = write!(out, "_x{:X}", u32::from(c));
        }
    }
    out
}

fn schema(spec: &PartitionSpec, kinds: &[Primitive]) -> Json {
    let field =
        |name: &str, kind: Json, id: i32| json!({"name": name, "type": kind, "field-id": id});
    let optional = |name: &str, kind: Json, id: i32| json!({"name": name, "type": ["null", kind], "default": null, "field-id": id});
    let map = |name: &str, value: &str, id: i32, key_id: i32, value_id: i32| {
        let pair = json!({"type": "record", "name": format!("k{key_id}_v{value_id}"), "fields": [
            field("key", "int".into(), key_id),
            field("value", value.into(), value_id),
        ]});
        optional(name, json!({"type": "array", "logicalType": "map", "items": pair}), id)
    };
    let list = |item: &str, id: i32| json!({"type": "array", "items": item, "element-id": id});
    let partition: Vec<Json> = spec
        .fields
        .iter()
        .zip(kinds)
        .map(|(part, kind)| {
            optional(&avro_name(&part.name), avro_type(*kind, part.field_id), part.field_id)
        })
        .collect();
    let file = json!({"type": "record", "name": "r2", "fields": [
        field("content", "int".into(), 134),
        field("file_path", "string".into(), 100),
        field("file_format", "string".into(), 101),
        field("partition", json!({"type": "record", "name": "r102", "fields": partition}), 102),
        field("record_count", "long".into(), 103),
        field("file_size_in_bytes", "long".into(), 104),
        map("column_sizes", "long", 108, 117, 118),
        map("value_counts", "long", 109, 119, 120),
        map("null_value_counts", "long", 110, 121, 122),
        map("nan_value_counts", "long", 137, 138, 139),
        map("lower_bounds", "bytes", 125, 126, 127),
        map("upper_bounds", "bytes", 128, 129, 130),
        optional("split_offsets", list("long", 133), 132),
        optional("equality_ids", list("int", 136), 135),
        optional("sort_order_id", "int".into(), 140),
    ]});
    json!({"type": "record", "name": "manifest_entry", "fields": [
        field("status", "int".into(), 0),
        optional("snapshot_id", "long".into(), 1),
        optional("sequence_number", "long".into(), 3),
        optional("file_sequence_number", "long".into(), 4),
        field("data_file", file, 2),
    ]})
}

#[cfg(test)]
mod tests {
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
