//! A month as the TLC writes Parquet: row groups of a million rows, a codec and
//! column types by era.
use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, NullArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{DataType, Field as ArrowField, Schema, TimeUnit};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::ArrowWriterOptions;
use datafusion::parquet::basic::{Compression, GzipLevel, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;

use super::csv::as_float;
use super::field::Value;
use super::layout::{Column, Kind, Layout};
use super::trip::Trip;
use crate::tlc::Month;

/// Rows that are built at once.
const BATCH_ROWS: usize = 16_384;
/// Rows of a row group, as in the TLC's files.
const ROW_GROUP_ROWS: usize = 1_048_576;

pub fn write(
    out: impl Write + Send,
    layout: &Layout,
    month: Month,
    mut trips: impl Iterator<Item = Trip>,
) -> Result<(), ParquetError> {
    let fields =
        layout.columns.iter().map(|column| ArrowField::new(column.name, column.kind.arrow(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    // GZIP to 2023-01, then ZSTD.
    let compression = if Month::new(2023, 2).is_some_and(|zstd| month >= zstd) {
        Compression::ZSTD(ZstdLevel::default())
    } else {
        Compression::GZIP(GzipLevel::default())
    };
    let properties = WriterProperties::builder()
        .set_created_by("nyc-taxi sample".to_owned())
        .set_compression(compression)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let options =
        ArrowWriterOptions::new().with_properties(properties).with_schema_root("schema".to_owned());
    let mut writer = ArrowWriter::try_new_with_options(out, Arc::clone(&schema), options)?;
    let mut batch: Vec<Trip> = Vec::with_capacity(BATCH_ROWS);
    loop {
        batch.clear();
        batch.extend(trips.by_ref().take(BATCH_ROWS));
        if batch.is_empty() {
            break;
        }
        let arrays = layout.columns.iter().map(|column| column.array(&batch));
        writer.write(&RecordBatch::try_new(Arc::clone(&schema), arrays.collect())?)?;
    }
    writer.close()?;
    Ok(())
}

impl Kind {
    fn arrow(self) -> DataType {
        match self {
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Text => DataType::Utf8,
            Self::Null => DataType::Null,
        }
    }
}

impl Column {
    fn array(&self, trips: &[Trip]) -> ArrayRef {
        let values = trips.iter().map(|trip| self.field.value(trip));
        match self.kind {
            Kind::Int32 => Arc::new(
                values
                    .map(|value| integer(&value).and_then(|number| i32::try_from(number).ok()))
                    .collect::<Int32Array>(),
            ),
            Kind::Int64 => Arc::new(values.map(|value| integer(&value)).collect::<Int64Array>()),
            Kind::Double => Arc::new(values.map(|value| float(&value)).collect::<Float64Array>()),
            Kind::Timestamp => {
                Arc::new(values.map(|value| micros(&value)).collect::<TimestampMicrosecondArray>())
            }
            Kind::Text => Arc::new(values.map(|value| text(&value)).collect::<StringArray>()),
            Kind::Null => Arc::new(NullArray::new(trips.len())),
        }
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "codes and zone ids are small")]
fn float(value: &Value) -> Option<f64> {
    match value {
        Value::Hundredths(hundredths) => Some(as_float(*hundredths)),
        Value::Int(number) => Some(*number as f64),
        _ => None,
    }
}

fn micros(value: &Value) -> Option<i64> {
    match value {
        Value::Seconds(seconds) => Some(seconds * 1_000_000),
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Word(word) => Some((*word).to_owned()),
        Value::Base(number) => Some(format!("B{number:05}")),
        _ => None,
    }
}
