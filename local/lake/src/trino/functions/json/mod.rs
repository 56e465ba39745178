//! JSON: documents ([`document`]), Trino's own functions on them ([`scalar`], whose paths are
//! [`extract`]'s), casts, and the functions of SQL/JSON ([`call`]) with their path language
//! ([`path`]).

mod call;
mod document;
mod extract;
mod from_json;
mod path;
mod scalar;
mod to_json;

pub(in crate::trino) use call::{
    Behavior, ConstructorClauses, Format, Passed, PathClauses, Quotes, Wrapper, written,
};
pub(in crate::trino::functions) use call::{EMPTY, FAILED, functions};
pub(crate) use document::Json;
pub(super) use from_json::from_json;
pub(in crate::trino) use from_json::{Texts, from_file};
pub(super) use from_json::{can_cast_from_json, to_short_text};
pub(super) use scalar::FUNCTIONS;
pub(in crate::trino) use to_json::value_to_json;
pub(super) use to_json::{can_cast_to_json, to_json};
