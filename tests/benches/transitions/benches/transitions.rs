//! State transitions per second in process, histories kept:
//! `cargo bench --manifest-path tests/benches/transitions/Cargo.toml --target-dir target/transitions`.
//!
//! A transition is a state's entry, as AWS bills it. Time is virtual and tasks
//! are none, so this measures the language alone.

#![allow(clippy::unwrap_used, reason = "a benchmark that reports")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use asl::{
    ChildExecution, Definition, Event, EventDetail, ExecutionContext, ExecutionType, Failure, Host,
    ItemSource, MapRunStart, Outcome, ResultSink, TaskCall, TaskFailure,
};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

#[derive(Default)]
struct Memory {
    events: Mutex<Vec<Event>>,
    /// Entries of states in this execution and its children.
    transitions: Arc<AtomicU64>,
}

#[async_trait]
impl Host for Memory {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn random(&self) -> u64 {
        4
    }

    fn record(&self, event: Event) {
        if matches!(event.detail, EventDetail::StateEntered { .. }) {
            self.transitions.fetch_add(1, Ordering::Relaxed);
        }
        self.events.lock().unwrap().push(event);
    }

    async fn sleep_until(&self, _instant: Timestamp) {}

    fn task_token(&self) -> String {
        String::new()
    }

    async fn task(&self, _call: TaskCall) -> Result<Value, TaskFailure> {
        Ok(Value::Null)
    }

    async fn start_map_run(&self, _run: MapRunStart) -> Result<String, Failure> {
        Ok("arn".into())
    }

    async fn read_items(&self, _source: ItemSource) -> Result<Vec<Value>, Failure> {
        Ok((0..100_000).map(|n| json!(n)).collect())
    }

    async fn child(&self, child: ChildExecution) -> Outcome {
        let host = Self { transitions: Arc::clone(&self.transitions), ..Self::default() };
        let context = context(child.input, child.execution_type);
        asl::run(&child.definition, context, &host).await
    }

    async fn write_results(&self, _results: ResultSink) -> Result<Value, Failure> {
        Ok(Value::Null)
    }

    async fn end_map_run(&self, _arn: &str, _failure: Option<&Failure>) {}
}

fn context(input: Arc<Value>, execution_type: ExecutionType) -> Arc<ExecutionContext> {
    Arc::new(ExecutionContext {
        execution_arn: "arn:aws:states:us-east-1:123456789012:execution:bench:1".into(),
        execution_name: "1".into(),
        state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:bench".into(),
        state_machine_name: "bench".into(),
        role_arn: "arn:aws:iam::123456789012:role/bench".into(),
        region: "us-east-1".into(),
        start_time: Timestamp::UNIX_EPOCH,
        redrive_count: 0,
        redrive_time: None,
        synchronous: false,
        input,
        execution_type,
    })
}

/// Runs a machine over and over; divan's items are entries of states.
fn measure(bencher: divan::Bencher, definition: &Value, input: Value) {
    let definition = Definition::parse(&definition.to_string()).unwrap();
    let input = Arc::new(input);
    let run = || {
        let host = Memory::default();
        let context = context(Arc::clone(&input), ExecutionType::Standard);
        let outcome = futures::executor::block_on(asl::run(&definition, context, &host));
        assert_eq!(outcome.status(), "SUCCEEDED", "{outcome:?}");
        host.transitions.load(Ordering::Relaxed)
    };
    bencher.counter(divan::counter::ItemsCount::new(run())).bench_local(run);
}

/// 1,000 passes, two states each.
#[divan::bench]
fn counter_jsonpath(bencher: divan::Bencher) {
    let counter = json!({"StartAt": "More", "States": {
        "More": {"Type": "Choice", "Default": "Done", "Choices": [
            {"Variable": "$.n", "NumericLessThan": 1000, "Next": "Add"}]},
        "Add": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "More"},
        "Done": {"Type": "Succeed"}}});
    measure(bencher, &counter, json!({"n": 0}));
}

#[divan::bench]
fn counter_jsonata(bencher: divan::Bencher) {
    let counter = json!({"QueryLanguage": "JSONata", "StartAt": "More", "States": {
        "More": {"Type": "Choice", "Default": "Done", "Choices": [
            {"Condition": "{% $states.input.n < 1000 %}", "Next": "Add"}]},
        "Add": {"Type": "Pass", "Output": {"n": "{% $states.input.n + 1 %}"}, "Next": "More"},
        "Done": {"Type": "Succeed"}}});
    measure(bencher, &counter, json!({"n": 0}));
}

fn pass() -> Value {
    json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}})
}

#[divan::bench]
fn inline_map_of_1_000(bencher: divan::Bencher) {
    let items: Value = (0..1_000).map(|n| json!({"n": n})).collect();
    let inline = json!({"StartAt": "M", "States": {
        "M": {"Type": "Map", "ItemProcessor": pass(), "End": true}}});
    measure(bencher, &inline, items);
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn distributed_map_of_100_000(bencher: divan::Bencher) {
    let mut processor = pass();
    processor["ProcessorConfig"] = json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"});
    let distributed = json!({"StartAt": "M", "States": {"M": {
        "Type": "Map",
        "ItemReader": {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "b"}},
        "ItemProcessor": processor,
        "ResultPath": null,
        "End": true}}});
    measure(bencher, &distributed, json!({}));
}

fn main() {
    divan::main();
}
