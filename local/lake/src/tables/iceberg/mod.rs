//! Iceberg tables: their files as the engine reads and writes them.
//!
//! What the files say is [`iceberg`]'s; here they are found, read, written and committed. A table's
//! state is a metadata file, the catalog's entry names the newest, and replacing that name is the one
//! commit point. Deletes are merged on read: files of places of rows that are gone.

mod arrays;
mod change;
mod columns;
mod commit;
mod deletes;
mod maintenance;
mod metadata_table;
mod metrics;
mod parquet_file;
mod properties;
mod provider;
mod pruning;
mod scan;
mod snapshot_files;
mod table;
mod writer;

pub(crate) use change::Change;
pub(crate) use columns::{Source, file_type};
pub(crate) use commit::{CreateError, create, edit};
pub(crate) use deletes::Deleted;
pub(crate) use maintenance::{drop_files, rewritable, vacuum};
pub(crate) use metadata_table::{KINDS as METADATA_TABLES, metadata_table};
pub(crate) use properties::{compression_of, shown_properties, stored_name, stored_properties};
pub(crate) use provider::{IcebergRows, POSITION_COLUMN};
pub(crate) use snapshot_files::{LiveFile, SnapshotFiles};
pub(crate) use table::IcebergTable;
pub(crate) use writer::{DataWriter, DataWriterPlan};
