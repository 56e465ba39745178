//! What the five functions agree on: the event of every arrow of the state machine, the names of
//! errors, the environment, the contracts of the data sets with the SQL they give, and the ledger.
//!
//! It stands between the AWS SDK and the functions: a function is its own rules plus this crate.
//! It must never know whether it runs on AWS or on one machine, nor which function is calling.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod clock;
pub mod config;
pub mod dataset;
pub mod error;
pub mod event;
pub mod lambda;
pub mod ledger;
mod log_line;
pub mod metrics;
pub mod month;
pub mod payload;
pub mod quality_log;
pub mod run;
pub mod s3_uri;
pub mod sql;
pub mod storage;
mod xray;
