//! JSON: values that are text to Arrow and a type of their own to Trino.

mod cast;
mod path;
mod scalar;

pub(super) use cast::to_json;
pub(in crate::trino) use cast::{from_json, value_to_json};
pub(super) use scalar::FUNCTIONS;
