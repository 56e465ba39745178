//! The services of AWS that the pipeline uses, on one loopback port and in process.
//!
//! Where it stands: a request enters by [`wire`], which finds the service it means; the service does the work on
//! `lake` (bytes, tables, SQL) and `asl` (the state machine's language). An operation of a service is one function,
//! `operation(&self, action, input) -> Result<Value, ServiceError>` in the API's own JSON shapes; SDK traffic and
//! Step Functions' integrations call the same one.
//!
//! What it must never know: the pipeline. Like AWS it learns that from the template, the state machines and the wire.
#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod athena;
pub mod cloudwatch;
mod collection;
pub mod eventbridge;
pub mod glue;
pub mod iam;
pub mod lambda;
mod local_door;
pub mod logs;
pub mod metering;
mod owner;
pub mod s3;
pub mod scheduler;
mod server;
mod services;
pub mod settings;
pub mod sns;
pub mod sqs;
pub mod stand_in;
pub mod stepfunctions;
pub mod wire;
pub mod xray;

#[cfg(test)]
mod tests;

pub use lake;
pub use server::Front;
pub use services::{Link, Services};
pub use settings::Settings;
pub use stand_in::StandIns;
