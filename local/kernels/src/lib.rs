//! Loops over rows that a query's time goes into.
//!
//! What runs once for every row of a large table is written here, over plain slices, and compiled for speed in full; what
//! it means is said above. It must never know what a table is, which types SQL has, or how a plan is run.
#![cfg_attr(test, allow(clippy::unwrap_used))]
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::needless_bitwise_bool,
    reason = "bounds are looked at once for many rows, and a branch for each of them is what costs"
)]

mod doubles;
mod groups;
mod texts;
mod ticks;

pub use doubles::{decimals, equal, floor, rounded};
pub use groups::{Groups, Key, Keys};
pub use texts::Texts;
pub use ticks::{
    by_day, days, microseconds_to_milliseconds, midnights, nanoseconds_to_milliseconds,
};
