//! What a run would have cost on AWS, from what its histories say it did.
//!
//! Prices of us-east-1, November 2026: <https://aws.amazon.com/step-functions/pricing/>,
//! <https://aws.amazon.com/athena/pricing/>, <https://aws.amazon.com/lambda/pricing/>.
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

const USD_PER_TRANSITION: f64 = 0.025 / 1_000.0;
const USD_PER_SCANNED_BYTE: f64 = 5.0 / 1e12;
/// Athena bills at least this many bytes a query.
const LEAST_SCANNED: u64 = 10_000_000;
/// arm64, the template's default.
const USD_PER_GB_SECOND: f64 = 0.000_013_333_4;
const USD_PER_INVOCATION: f64 = 0.2 / 1_000_000.0;

/// What was used.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Usage {
    /// States entered, and retries.
    pub transitions: u64,
    pub queries: u64,
    /// Bytes that Athena bills: each query rounded up to its minimum.
    pub billed_bytes: u64,
    pub invocations: u64,
    pub gb_seconds: f64,
}

impl Usage {
    /// Adds what an execution's history shows; retries count as transitions.
    pub fn add_history(&mut self, events: &[Value]) -> u64 {
        let transitions = transitions(events);
        self.transitions += transitions;
        for event in events {
            let Some(details) = event.get("taskSucceededEventDetails") else { continue };
            let output: Value = details["output"]
                .as_str()
                .and_then(|text| serde_json::from_str(text).ok())
                .unwrap_or_default();
            // DDL is free of charge.
            let query = &output["QueryExecution"];
            if details["resourceType"] == "athena" && query["StatementType"] == "DML" {
                self.queries += 1;
                let scanned = query
                    .pointer("/Statistics/DataScannedInBytes")
                    .and_then(Value::as_u64)
                    .unwrap_or_default();
                self.billed_bytes += scanned.max(LEAST_SCANNED);
            }
        }
        transitions
    }

    /// Adds the invocations of a function; `memory_mb` is what it is given.
    pub fn add_function(&mut self, invocations: u64, duration: Duration, memory_mb: u64) {
        self.invocations += invocations;
        // Sizes stay far below 2^53.
        #[expect(clippy::cast_precision_loss, reason = "megabytes of memory")]
        let gigabytes = memory_mb as f64 / 1024.0;
        self.gb_seconds += gigabytes * duration.as_secs_f64();
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of one run stay far below 2^53")]
    pub fn usd(&self) -> f64 {
        self.transitions as f64 * USD_PER_TRANSITION
            + self.billed_bytes as f64 * USD_PER_SCANNED_BYTE
            + self.invocations as f64 * USD_PER_INVOCATION
            + self.gb_seconds * USD_PER_GB_SECOND
    }
}

/// States entered, and the attempts of tasks after the first of each entry.
pub fn transitions(events: &[Value]) -> u64 {
    let mut by_type: BTreeMap<&str, u64> = BTreeMap::new();
    for event in events {
        *by_type.entry(event["type"].as_str().unwrap_or_default()).or_default() += 1;
    }
    let count = |name: &str| by_type.get(name).copied().unwrap_or_default();
    let entered: u64 = by_type
        .iter()
        .filter(|(name, _)| name.ends_with("StateEntered"))
        .map(|(_, count)| count)
        .sum();
    let scheduled =
        count("TaskScheduled") + count("LambdaFunctionScheduled") + count("ActivityScheduled");
    entered + scheduled.saturating_sub(count("TaskStateEntered"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn retries_are_transitions_and_small_queries_cost_ten_megabytes() {
        let types = [
            "ExecutionStarted",
            "TaskStateEntered",
            "TaskScheduled",
            "TaskFailed",
            "TaskScheduled",
            "TaskSucceeded",
            "TaskStateExited",
        ];
        let mut events: Vec<Value> = types.iter().map(|name| json!({"type": name})).collect();
        events.push(json!({"type": "SucceedStateEntered"}));
        let query = |kind: &str, bytes: u64| {
            let output = json!({"QueryExecution": {"StatementType": kind, "Statistics": {"DataScannedInBytes": bytes}}});
            json!({"type": "TaskSucceeded", "taskSucceededEventDetails": {"resourceType": "athena", "output": output.to_string()}})
        };
        events.extend([query("DDL", 0), query("DML", 5), query("DML", 30_000_000)]);
        let mut usage = Usage::default();
        assert_eq!(usage.add_history(&events), 3);
        assert_eq!((usage.queries, usage.billed_bytes), (2, 40_000_000));
        usage.add_function(2, Duration::from_secs(8), 128);
        assert!((usage.gb_seconds - 1.0).abs() < 1e-9);
        assert!((usage.usd() - (0.000_075 + 0.000_2 + 0.000_000_4 + 0.000_013_333_4)).abs() < 1e-9);
    }
}
