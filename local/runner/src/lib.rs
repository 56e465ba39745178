//! The program `local`: the deployed system, whole, on one machine.
//!
//! It reads `template.yaml` and the state machine files, creates what they say through
//! the services of the crate `aws`, serves the sample months as the TLC does, and shows
//! what a run did. It must never know the pipeline: what is loaded, refused or rejected
//! is read from executions, as one would on AWS.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::print_stdout))]

pub mod check;
pub mod cloud;
pub mod cmd;
pub mod columns;
pub mod console;
pub mod cost;
pub mod deploy;
pub mod graph;
pub mod origin;
pub mod permissions;
pub mod project;
pub mod quality;
pub mod query;
pub mod redrive;
pub mod rows;
pub mod run;
pub mod sample;
pub mod source;
pub mod sql;
pub mod template;
pub mod tlc;
