//! DQDL, the data quality language of AWS Glue: a ruleset's text becomes rules, rules become SQL, and the SQL's results
//! become verdicts.
//!
//! It stands beside everything that judges data and before everything that runs SQL. It is pure: no I/O, no clock, no
//! AWS. It must never know which pipeline its rules are part of.
//!
//! Meaning and canonical form are those of Glue's open parser (awslabs/dqdl 1.0.3) and executor (awslabs/deequ).
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod condition;
mod evaluate;
mod labels;
pub mod number;
mod parser;
pub mod plan;
pub mod problem;
pub mod row;
pub mod rule_type;
pub mod ruleset;
mod sql;
pub mod table;
mod token;
pub mod verdict;

pub use parser::parse;
pub use plan::Plan;
pub use problem::{Place, Problem};
pub use rule_type::RuleType;
pub use ruleset::{Body, Check, Connective, Rule, Ruleset};
pub use table::{Column, ColumnKind, Sources, Table};
pub use verdict::{History, Measures, Verdict};
