//! The path language of SQL/JSON: a text becomes a tree ([`parse`]), which is checked
//! against the variables ([`check`]) and finds items in documents ([`evaluate`]).
//!
//! Athena's Trino has neither `datetime()` nor `like_regex`; both are refused by name.

mod check;
mod error;
mod evaluate;
mod parse;
mod predicate;
#[cfg(test)]
mod tests;
mod token;
mod tree;
mod value;

pub(super) use check::check;
pub(super) use evaluate::{Item, Variable, evaluate};
pub(super) use parse::{Place, parse};
pub(super) use tree::Path;
pub(super) use value::{Value, is_moment};
