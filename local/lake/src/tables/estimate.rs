//! How much files come to in memory, roughly: enough to tell a table of rides from a list of zones.

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;

use super::Format;
use super::lines::Packing;
use super::provider::FileToScan;

/// Bytes of a value whose type does not say.
const VALUE: usize = 16;

/// Rows and bytes of some of a table's columns; `table` has all of them.
pub(super) fn of(
    files: &[&FileToScan],
    format: Format,
    table: &Schema,
    read: &Schema,
) -> Statistics {
    let bytes: u64 = files.iter().map(|file| file.file.size * growth(format, file)).sum();
    of_rows(usize::try_from(bytes).unwrap_or(usize::MAX) / width(table).max(1) + 1, read)
}

/// So many rows, or a few less.
pub(super) fn of_rows(rows: usize, read: &Schema) -> Statistics {
    Statistics {
        num_rows: Precision::Inexact(rows),
        total_byte_size: Precision::Inexact(rows.saturating_mul(width(read))),
        column_statistics: Statistics::unknown_column(read),
    }
}

/// How many bytes in memory one of a file makes.
fn growth(format: Format, file: &FileToScan) -> u64 {
    match format {
        Format::Parquet | Format::Orc => 8,
        Format::Avro => 3,
        Format::OpenCsv | Format::Delimited | Format::OpenxJson | Format::HiveJson => {
            match Packing::of(file.file.url.key()) {
                Ok(Packing::Plain) | Err(_) => 1,
                Ok(_) => 6,
            }
        }
    }
}

fn width(schema: &Schema) -> usize {
    let of = |kind: &DataType| kind.primitive_width().unwrap_or(VALUE);
    schema.fields().iter().map(|field| of(field.data_type())).sum()
}
