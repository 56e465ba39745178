//! Text as columns: bytes to lines, lines to fields, fields to values.
//!
//! Every byte of a text table goes through here once, which is why this is a crate of its own: it is small, and
//! compiled for speed in full. It reads what is written as it mostly is, `12`, `0.5`, `2024-01-31 10:20:30`, and hands
//! back whatever else a field holds: what that means is said above. It must never know what a table is, which types SQL
//! has, or where bytes come from.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod column;
mod delimited;
mod lines;
mod moment;
mod number;
mod quoted;
mod texts;

pub use column::{Column, Kind, Odd, Values, read};
pub use delimited::Delimited;
pub use lines::Lines;
pub use quoted::Quoted;
