//! The Apache Iceberg table format: what its files say, and what files say it.
//!
//! Table metadata is JSON, manifests and their lists are Avro; here they are bytes in
//! and bytes out. Format version 2 is written; 1 and 2 are read. Whoever stores the
//! bytes, finds the newest metadata or reads rows stands above: this crate knows no
//! I/O, no clock, no random numbers and no query engine.
//!
//! Source: <https://iceberg.apache.org/spec/>
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod avro;
mod date;
mod error;
mod evolution;
mod json;
mod manifest;
mod manifest_list;
mod metadata;
mod murmur3;
mod partition;
mod schema;
mod snapshot;
mod transform;
mod types;
mod value;

pub use error::FormatError;
pub use evolution::{EvolutionError, Place};
pub use manifest::{Content, DataFile, Entry, Manifest, Status};
pub use manifest_list::{FieldSummary, ManifestContent, ManifestFile, ManifestList};
pub use metadata::{LogEntry, TableMetadata};
pub use partition::{PartitionField, PartitionSpec};
pub use schema::Schema;
pub use snapshot::{MAIN_BRANCH, Operation, Snapshot, SnapshotRef};
pub use transform::Transform;
pub use types::{Field, ListType, MapType, Primitive, Type};
pub use value::Value;
