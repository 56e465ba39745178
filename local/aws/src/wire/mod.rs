//! The protocols of AWS on one port: who may enter, which service is meant, how bodies and errors are written.

pub mod body;
pub mod cbor;
pub mod door;
pub mod error;
pub mod idle;
pub mod json;
pub mod page;
pub mod path;
pub mod query;
pub mod target;

pub use error::ServiceError;
pub use json::read;
pub use page::page;
/// The one body type of every request and answer, so that S3 streams through the router untouched.
pub use s3s::Body;
pub use target::Target;
