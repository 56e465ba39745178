//! Avro's object container files: as much as manifests and their lists are made of.
//! Source: <https://avro.apache.org/docs/1.12.0/specification/>

mod container;
mod datum;
mod schema;

pub(crate) use container::{read, write};
pub(crate) use datum::{Datum, Record};
pub(crate) use schema::Schema;
