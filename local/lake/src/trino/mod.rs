//! Trino's SQL on DataFusion: dialect, rewriter, functions, and what each statement
//! does.
//!
//! A statement is cut into tokens ([`tokens`]), read with our dialect, rewritten to
//! what DataFusion understands, planned with Trino's operators and functions, and its
//! rows go where the statement sends them. This room knows tables only through
//! [`crate::tables`] and the catalog.

mod ast;
mod build_side;
mod chain;
mod chance;
mod correlated;
mod create_table_as;
mod dense_groups;
mod dependencies;
mod dialect;
mod explain;
mod external;
mod external_function;
mod float_lists;
mod functions;
mod group_sizes;
mod iceberg;
mod information_schema;
mod insert;
mod json_call;
mod multiset;
mod names;
mod operators;
mod planning;
mod prepared;
mod properties;
mod query;
mod rewrite;
mod schemas;
mod session;
mod statement;
mod table_version;
mod temporal;
mod ties;
mod tokens;
mod unload;
mod unnest;
mod using;
mod view;
mod write;
mod yielding;

pub use prepared::Prepared;
pub use statement::{CreateTableAs, TrinoStatement, parse};
pub use table_version::TableVersion;

pub(crate) use external::{
    json_to, json_value, text_to, text_to_list, text_to_map, text_to_or_null,
};
pub(crate) use functions::json::Json;
pub(crate) use iceberg::{defaults as iceberg_defaults, transform as partition_transform};
pub(crate) use names::database_of;
#[cfg(test)]
pub(crate) use query::collect;
pub(crate) use query::{Running, Versions, execute};
pub(crate) use session::Engine;
pub(crate) use view::decode_view;
