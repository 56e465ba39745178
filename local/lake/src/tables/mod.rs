//! Tables as the engine reads and writes them: from a catalog entry and the objects
//! under its location to batches, and back.

mod avro;
mod caught;
mod definition;
mod delimited;
mod estimate;
mod file_scan;
mod files;
mod fit;
pub(crate) mod iceberg;
mod json_lines;
mod lines;
mod milliseconds;
mod open_csv;
mod orc;
mod parquet_items;
mod parquet_scan;
mod partitions;
mod projection;
mod provider;
mod scanned;
mod stored_bytes;
mod text;
mod varint;
mod writer;

pub(crate) use definition::{Format, TableDefinition};
pub(crate) use files::{DataFile, data_files, is_empty};
pub use parquet_items::parquet_items;
pub(crate) use provider::{HiveTable, PATH_COLUMN};
pub(crate) use scanned::{QueryStores, Scanned};
pub(crate) use writer::{
    Compression, FileFormat, OPEN_PARTITIONS, TableWriter, WriterPlan, Written, check_columns,
};
