//! Everything that reads what comes from outside, fed with what nobody would write.
//!
//! A [`target`] takes any bytes and may answer anything, as long as it answers: it does not panic, run out of its
//! stack or of memory, or take for ever. Inputs are [`mutation`]s of valid [`seed`]s, drawn from a number, so that each
//! can be made again. They are tried in a process of their own with a limit on its memory, so that even an
//! abort is a finding with an input ([`campaign`]).

pub mod campaign;
pub mod machine;
pub mod mutation;
pub mod seed;
pub mod table_file;
pub mod target;
pub mod worker;

#[cfg(test)]
mod short;
