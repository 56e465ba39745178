//! The trace an execution's calls belong to: one an execution, passed on to every function it invokes.
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>

use asl::{ExecutionContext, Outcome};
use jiff::Timestamp;
use lake::store::{Meter, Store};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::StepFunctions;
use super::run::Ended;
use crate::metering::Sender;
use crate::wire::ServiceError;
use crate::xray::TraceHeader;

impl StepFunctions {
    /// The root of an execution's trace: that of the `traceHeader` it was started with, or one of its own.
    ///
    /// Error: `ExecutionDoesNotExist`.
    pub fn trace_of(&self, execution: &str) -> Result<String, ServiceError> {
        let row = self.recorded(execution)?;
        Ok(root(execution, row.started, row.trace.as_deref()))
    }

    /// The header for a call of an execution.
    pub(super) fn trace_header(&self, context: &ExecutionContext) -> String {
        let parent = Some(segment_of(&context.execution_arn));
        let (root, sampled) = (self.root_of(context), self.is_traced(context));
        TraceHeader { root, parent, sampled }.to_string()
    }

    /// Records an execution that has ended as a segment of its trace.
    pub(super) fn record_segment(&self, context: &ExecutionContext, ended: &Ended) {
        if !self.is_traced(context) {
            return;
        }
        let seconds = |time: Timestamp| super::seconds(time.as_millisecond());
        let mut document = json!({
            "trace_id": self.root_of(context),
            "id": segment_of(&context.execution_arn),
            "name": context.state_machine_name,
            "origin": "AWS::StepFunctions::StateMachine",
            "start_time": seconds(context.start_time),
            "end_time": seconds(ended.stopped),
            "annotations": {"execution": context.execution_arn},
        });
        if !matches!(ended.outcome, Outcome::Succeeded(_)) {
            document["fault"] = true.into();
        }
        self.xray.record(&document);
    }

    /// Whether the machine has tracing enabled.
    pub(super) fn is_traced(&self, context: &ExecutionContext) -> bool {
        // Of a Distributed Map's child the ARN goes on with the map's label.
        let arn = context.state_machine_arn.split('/').next().unwrap_or_default();
        let machine = self.machines.get(arn);
        matches!(machine, Ok(Some(machine)) if machine.tracing["enabled"] == true)
    }

    /// Lets `work` use the store on behalf of an execution.
    pub(super) fn with_store<T>(
        &self,
        context: &ExecutionContext,
        work: impl FnOnce(&Store) -> T,
    ) -> T {
        let meter = Meter::default();
        let done = work(&self.lake.store.metered(&meter));
        self.meters.count_store(Sender::StepFunctions, &self.root_of(context), meter.requests());
        done
    }

    fn root_of(&self, context: &ExecutionContext) -> String {
        let arn = &context.execution_arn;
        // Express executions have no row, and no header is kept of them.
        let row = self.executions.get(arn).ok().flatten();
        let given = row.and_then(|row| row.trace);
        root(arn, context.start_time.as_millisecond(), given.as_deref())
    }
}

/// `1-<start in seconds, 8 hex digits>-<24 hex digits>`
fn root(execution: &str, started: i64, header: Option<&str>) -> String {
    match header.and_then(TraceHeader::parse) {
        Some(given) => given.root,
        None => format!("1-{:08x}-{}", started / 1000, hex_of(execution, 12)),
    }
}

/// The id of an execution's segment.
fn segment_of(execution: &str) -> String {
    hex_of(&format!("segment of {execution}"), 8)
}

fn hex_of(text: &str, bytes: usize) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let mut hex = format!("{digest:x}");
    hex.truncate(2 * bytes);
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_has_one_root() {
        let own = root("arn:e", 1_700_000_000_123, None);
        assert!(own.starts_with("1-6553f100-"), "{own}");
        assert_eq!(own.len(), "1-67891233-abcdef012345678912345678".len());
        assert_eq!(own, root("arn:e", 1_700_000_000_999, None));
        assert_ne!(own, root("arn:f", 1_700_000_000_123, None));
        let header = "Root=1-67891233-abcdef012345678912345678;Sampled=1";
        assert_eq!(root("arn:e", 0, Some(header)), "1-67891233-abcdef012345678912345678");
    }
}
