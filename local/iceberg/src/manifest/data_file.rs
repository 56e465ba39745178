//! Files of a table, with what is known of their rows.

use std::collections::BTreeMap;

use super::avro_schema::fixed_width;
use crate::avro::{Datum, Record};
use crate::value::unscaled;
use crate::{FormatError, PartitionSpec, Primitive, Value};

/// What a file's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    Data,
    /// Places of rows that are gone: `file_path`, `pos`.
    PositionDeletes,
    /// Values of rows that are gone.
    EqualityDeletes,
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

pub(super) fn optional(value: Option<i64>) -> Datum {
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
    pub(super) fn read(
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

    pub(super) fn datum(&self, spec: &PartitionSpec, kinds: &[Primitive]) -> Datum {
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
