//! `UNNEST`: arrays, arrays of rows, maps, several side by side, with ordinality, and
//! of columns of the relations before it.

mod join;
mod relation;

pub(super) use join::UnnestJoin;
pub(super) use relation::UnnestRelation;
