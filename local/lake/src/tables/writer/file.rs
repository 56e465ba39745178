//! One file of a table while it is written.

use std::io::{self, Write};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::ArrowWriterOptions;
use datafusion::parquet::basic::{Compression as Codec, GzipLevel, ZstdLevel};
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::{avro, orc, text};
use crate::S3Url;
use crate::store::{BlobWriter, PutOptions, Store};

/// Rows of a Parquet row group.
const GROUP_ROWS: usize = 1_048_576;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileFormat {
    Parquet,
    /// Fields by position between this byte.
    Text {
        delimiter: u8,
    },
    Json,
    Orc,
    Avro,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Snappy,
    Gzip,
    /// With its level, 1 to 22.
    Zstd(i32),
    /// ORC's ZLIB and Avro's DEFLATE.
    Deflate,
    Lz4,
}

impl FileFormat {
    /// What a file's name ends with: text is unpacked by its suffix.
    pub(super) fn suffix(self, compression: Compression) -> &'static str {
        match (self, compression) {
            (Self::Parquet | Self::Orc | Self::Avro, _)
            | (
                _,
                Compression::None | Compression::Snappy | Compression::Deflate | Compression::Lz4,
            ) => "",
            (_, Compression::Gzip) => ".gz",
            (_, Compression::Zstd(_)) => ".zst",
        }
    }
}

pub(super) struct FileWriter {
    store: Store,
    url: S3Url,
    sink: Sink,
}

enum Sink {
    Parquet(Box<ArrowWriter<BlobWriter>>),
    Orc(Box<orc::Writer>),
    Avro(Box<avro::Writer>),
    Rows { format: FileFormat, out: Box<Packed>, buffer: String },
}

/// Bytes on their way to a blob, packed or not.
enum Packed {
    Plain(BlobWriter),
    Gzip(flate2::write::GzEncoder<BlobWriter>),
    Zstd(zstd::stream::write::Encoder<'static, BlobWriter>),
}

impl Write for Packed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(out) => out.write(bytes),
            Self::Zstd(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Packed {
    fn finish(self) -> io::Result<BlobWriter> {
        match self {
            Self::Plain(out) => Ok(out),
            Self::Gzip(out) => out.finish(),
            Self::Zstd(out) => out.finish(),
        }
    }
}

pub(super) fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl FileWriter {
    pub fn open(
        store: &Store,
        url: S3Url,
        format: FileFormat,
        compression: Compression,
        schema: &SchemaRef,
    ) -> Result<Self> {
        store.begin(url.bucket(), url.key()).map_err(external)?;
        let blob = store.blob().map_err(external)?;
        let sink = match format {
            FileFormat::Parquet => {
                let options = ArrowWriterOptions::new()
                    .with_properties(parquet_properties(compression)?)
                    .with_skip_arrow_metadata(true);
                Sink::Parquet(Box::new(ArrowWriter::try_new_with_options(
                    blob,
                    schema.clone(),
                    options,
                )?))
            }
            FileFormat::Orc => Sink::Orc(Box::new(orc::Writer::open(blob, schema, compression)?)),
            FileFormat::Avro => {
                Sink::Avro(Box::new(avro::Writer::open(blob, schema, compression)?))
            }
            FileFormat::Text { .. } | FileFormat::Json => {
                let out = match compression {
                    Compression::Gzip => Packed::Gzip(flate2::write::GzEncoder::new(
                        blob,
                        flate2::Compression::default(),
                    )),
                    Compression::Zstd(level) => {
                        Packed::Zstd(zstd::stream::write::Encoder::new(blob, level)?)
                    }
                    Compression::None
                    | Compression::Snappy
                    | Compression::Deflate
                    | Compression::Lz4 => Packed::Plain(blob),
                };
                Sink::Rows { format, out: Box::new(out), buffer: String::new() }
            }
        };
        Ok(Self { store: store.clone(), url, sink })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        match &mut self.sink {
            Sink::Parquet(writer) => Ok(writer.write(batch)?),
            Sink::Orc(writer) => writer.write(batch),
            Sink::Avro(writer) => writer.write(batch),
            Sink::Rows { format, out, buffer } => {
                match format {
                    FileFormat::Text { delimiter } => {
                        text::write_delimited(batch, char::from(*delimiter), buffer);
                    }
                    FileFormat::Json | FileFormat::Parquet | FileFormat::Orc | FileFormat::Avro => {
                        text::write_json(batch, buffer);
                    }
                }
                out.write_all(buffer.as_bytes())?;
                buffer.clear();
                Ok(())
            }
        }
    }

    /// Bytes waiting in memory.
    pub fn buffered(&self) -> usize {
        match &self.sink {
            Sink::Parquet(writer) => writer.memory_size(),
            Sink::Orc(writer) => writer.buffered(),
            Sink::Avro(_) | Sink::Rows { .. } => 0,
        }
    }

    pub fn flush(&mut self) -> Result<()> {
        match &mut self.sink {
            Sink::Parquet(writer) => Ok(writer.flush()?),
            Sink::Orc(writer) => writer.flush(),
            Sink::Avro(_) | Sink::Rows { .. } => Ok(()),
        }
    }

    /// The URL and size of the object made.
    pub fn finish(self) -> Result<(String, u64)> {
        let blob = match self.sink {
            Sink::Parquet(writer) => writer.into_inner()?,
            Sink::Orc(writer) => writer.finish()?,
            Sink::Avro(writer) => writer.finish()?,
            Sink::Rows { out, .. } => out.finish()?,
        };
        let blob = blob.finish()?;
        let bytes = blob.size();
        self.store
            .put_blob(self.url.bucket(), self.url.key(), blob, PutOptions::default())
            .map_err(external)?;
        Ok((self.url.to_string(), bytes))
    }
}

/// How Parquet files are written.
pub(in crate::tables) fn parquet_properties(compression: Compression) -> Result<WriterProperties> {
    let codec = match compression {
        Compression::None => Codec::UNCOMPRESSED,
        Compression::Snappy => Codec::SNAPPY,
        Compression::Gzip | Compression::Deflate => Codec::GZIP(GzipLevel::default()),
        Compression::Lz4 => Codec::LZ4_RAW,
        Compression::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level)?),
    };
    Ok(WriterProperties::builder()
        .set_compression(codec)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_created_by("lake".to_owned())
        .build())
}
