//! The Amazon States Language: parse, check, run.
//!
//! Everything a state machine does outside its own data goes through one
//! trait, [`Host`]. The crate knows no AWS service, no HTTP, no SQL, no clock
//! and no async runtime: it runs in real time under tokio and in virtual time
//! under a test's own executor alike.
//!
//! ```text
//! text ── Definition::parse ──▶ Definition ── run(definition, context, host) ──▶ Outcome
//!                                                     │ Host: task, sleep_until, now,
//!                                                     ▼ record, random, child, read_items …
//! ```
//!
//! # Implementing `Host`
//!
//! One `Host` value stands for one execution:
//!
//! - [`Host::record`] appends an [`Event`] to that execution's history. It is
//!   called in the order of ids and must not block for long: push to a list or
//!   a channel. [`Event::to_json`] gives `GetExecutionHistory`'s shape.
//! - [`Host::task`] does one attempt of a Task. [`TaskCall::resource`] is taken
//!   apart: match on [`ResourceKind`]. For `.sync` and `.waitForTaskToken`
//!   call `call.signals.submitted(response)` once the service has accepted the
//!   request, then wait and return the result. For activities call
//!   `call.signals.started(worker)` when a worker takes the task. Pass
//!   `SendTaskHeartbeat` on by `call.signals.heartbeat()` (the signals are `Clone`
//!   and may be kept elsewhere). The engine records every event and watches
//!   every timeout; when one runs out it drops the future.
//! - [`Host::child`] runs one child of a Distributed Map: make a `Host` for it,
//!   an [`ExecutionContext`] of its own, and call [`run`] on
//!   `child.definition`, in a spawned task if it shall run in parallel.
//! - [`Host::stopped`] resolves when `StopExecution` is called.
//!
//! `run`'s future is `Send`; dropping it ends the execution without a trace.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod definition;
mod diagnostic;
mod event;
mod execution;
mod failure;
mod host;
pub mod items;
mod past;
mod resource;
mod review;

mod context;
mod digest;
mod history;
mod intrinsic;
mod jsonata;
mod path;
mod payload;
mod quantity;
mod random;
mod retry;
mod scope;
mod state;
mod template;
mod test_state;
mod timestamp;
mod variables;
mod visit;

pub use definition::{Definition, ExecutionType, QueryLanguage};
pub use diagnostic::{Diagnostic, DiagnosticCode, Severity};
pub use event::{Event, EventDetail, StateType, TaskName};
pub use execution::{ExecutionContext, Outcome, redrive, run};
pub use failure::{Failure, error_name};
pub use history::MAX_EVENTS;
pub use host::{
    ChildExecution, ChildResult, Host, ItemSource, MapRunStart, ResultSink, Stop, TaskCall,
    TaskFailure, TaskSignals, TaskStage,
};
pub use items::ReaderConfig;
pub use past::Past;
pub use payload::MAX_PAYLOAD_BYTES;
pub use resource::{Pattern, Resource, ResourceKind};
pub use review::{
    Lead, MachineOutline, Outline, Remark, StateOutline, Way, Within, hands_on, nearest, review,
};
pub use test_state::{StateTest, StateTested, TESTED_STATE, test_state};

/// A future of [`run`] may move between the threads of a runtime.
#[expect(dead_code, reason = "checked by the compiler alone")]
fn assert_send<'a>(
    definition: &'a Definition,
    context: std::sync::Arc<ExecutionContext>,
    host: &'a dyn Host,
) -> impl Send + 'a {
    run(definition, context, host)
}
