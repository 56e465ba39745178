//! An Avro file while it is written, a block a batch. Its schema is the one that Hive, and so Athena, makes of a table's
//! columns. Source: Trino's `AvroHiveFileUtils`.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::{Arc, OnceLock};

use arrow_avro::compression::CompressionCodec;
use arrow_avro::schema::SCHEMA_METADATA_KEY;
use arrow_avro::writer::format::AvroOcfFormat;
use arrow_avro::writer::{Writer as Blocks, WriterBuilder};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use serde_json::{Value, json};

use super::Compression;
use super::file::external;
use crate::sql::TrinoType;
use crate::store::BlobWriter;

pub(super) struct Writer {
    blocks: Blocks<Body, AvroOcfFormat>,
}

/// What the library writes, under a header of ours: its own has a schema of its own making, in which timestamps are local
/// ones and nothing has a default.
struct Body {
    blob: BlobWriter,
    /// Known once the library has written its own.
    header: Arc<OnceLock<Vec<u8>>>,
    begun: bool,
}

impl Body {
    fn begin(&mut self) -> io::Result<()> {
        match self.header.get() {
            Some(header) if !self.begun => {
                self.begun = true;
                self.blob.write_all(header)
            }
            _ => Ok(()),
        }
    }
}

impl Write for Body {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.begin()?;
        if self.begun { self.blob.write(bytes) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Writer {
    pub fn open(blob: BlobWriter, schema: &SchemaRef, compression: Compression) -> Result<Self> {
        let (codec, name) = match compression {
            Compression::None | Compression::Lz4 => (None, "null"),
            Compression::Snappy => (Some(CompressionCodec::Snappy), "snappy"),
            Compression::Gzip | Compression::Deflate => {
                (Some(CompressionCodec::Deflate), "deflate")
            }
            Compression::Zstd(_) => (Some(CompressionCodec::ZStandard), "zstandard"),
        };
        let columns =
            schema.fields().iter().map(|field| (field.name().clone(), TrinoType::of_field(field)));
        let of_hive = record("baseRecord", columns, &mut 0).to_string();
        let metadata = HashMap::from([(SCHEMA_METADATA_KEY.to_owned(), of_hive.clone())]);
        let schema = Schema::new_with_metadata(schema.fields().clone(), metadata);
        let header = Arc::new(OnceLock::new());
        let body = Body { blob, header: header.clone(), begun: false };
        let blocks: Blocks<Body, AvroOcfFormat> =
            WriterBuilder::new(schema).with_compression(codec).build(body).map_err(external)?;
        let marker = blocks.sync_marker().expect("a container's blocks end with a marker");
        header.get_or_init(|| super::super::avro::header(&of_hive, name.as_bytes(), marker));
        Ok(Self { blocks })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.blocks.write(batch).map_err(external)
    }

    pub fn finish(mut self) -> Result<BlobWriter> {
        self.blocks.finish().map_err(external)?;
        let mut body = self.blocks.into_inner();
        body.begin()?;
        Ok(body.blob)
    }
}

fn record(
    name: &str,
    fields: impl Iterator<Item = (String, TrinoType)>,
    records: &mut usize,
) -> Value {
    let fields: Vec<Value> = fields
        .map(|(name, kind)| {
            json!({"name": name, "type": ["null", of_type(&kind, records)], "default": null})
        })
        .collect();
    json!({"type": "record", "name": name, "fields": fields})
}

fn of_type(kind: &TrinoType, records: &mut usize) -> Value {
    match kind {
        TrinoType::Boolean => json!("boolean"),
        TrinoType::Tinyint | TrinoType::Smallint | TrinoType::Integer => json!("int"),
        TrinoType::Bigint => json!("long"),
        TrinoType::Real => json!("float"),
        TrinoType::Double => json!("double"),
        TrinoType::Varbinary => json!("bytes"),
        TrinoType::Date => json!({"type": "int", "logicalType": "date"}),
        TrinoType::Timestamp(_) => json!({"type": "long", "logicalType": "timestamp-millis"}),
        TrinoType::Decimal(precision, scale) => json!({
            "type": "bytes", "logicalType": "decimal", "precision": precision, "scale": scale,
        }),
        TrinoType::Array(item) => {
            json!({"type": "array", "items": ["null", of_type(item, records)]})
        }
        TrinoType::Map(_, value) => {
            json!({"type": "map", "values": ["null", of_type(value, records)]})
        }
        TrinoType::Row(fields) => {
            let name = format!("record_{records}");
            *records += 1;
            let fields = fields.iter().enumerate().map(|(at, (name, kind))| {
                (name.clone().unwrap_or_else(|| format!("field{at}")), kind.clone())
            });
            record(&name, fields, records)
        }
        _ => json!("string"),
    }
}
