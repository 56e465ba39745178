//! State transitions per second in process, histories kept: `cargo bench -p asl`.
//!
//! A transition is a state's entry, as AWS bills it. Time is virtual and tasks
//! are none, so this measures the language alone.

#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark that reports")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

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
        input,
        execution_type,
    })
}

fn measure(name: &str, definition: &Value, input: Value, rounds: u32) {
    let definition = Definition::parse(&definition.to_string()).unwrap();
    let input = Arc::new(input);
    let transitions = Arc::new(AtomicU64::new(0));
    let start = Instant::now();
    for _ in 0..rounds {
        let host = Memory { transitions: Arc::clone(&transitions), ..Memory::default() };
        let context = context(Arc::clone(&input), ExecutionType::Standard);
        let outcome = futures::executor::block_on(asl::run(&definition, context, &host));
        assert_eq!(outcome.status(), "SUCCEEDED", "{name}: {outcome:?}");
    }
    let seconds = start.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a count of transitions")]
    let count = transitions.load(Ordering::Relaxed) as f64;
    println!("{name:24} {count:10} transitions {seconds:7.3} s {:10.0} /s", count / seconds);
}

fn main() {
    let counter = json!({"StartAt": "More", "States": {
        "More": {"Type": "Choice", "Default": "Done", "Choices": [
            {"Variable": "$.n", "NumericLessThan": 1000, "Next": "Add"}]},
        "Add": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "More"},
        "Done": {"Type": "Succeed"}}});
    measure("counter, JSONPath", &counter, json!({"n": 0}), 20);
    let counter = json!({"QueryLanguage": "JSONata", "StartAt": "More", "States": {
        "More": {"Type": "Choice", "Default": "Done", "Choices": [
            {"Condition": "{% $states.input.n < 1000 %}", "Next": "Add"}]},
        "Add": {"Type": "Pass", "Output": {"n": "{% $states.input.n + 1 %}"}, "Next": "More"},
        "Done": {"Type": "Succeed"}}});
    measure("counter, JSONata", &counter, json!({"n": 0}), 10);
    let items: Value = (0..1_000).map(|n| json!({"n": n})).collect();
    let pass = json!({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}});
    let inline = json!({"StartAt": "M", "States": {
        "M": {"Type": "Map", "ItemProcessor": pass, "End": true}}});
    measure("inline Map of 1,000", &inline, items, 20);
    let mut processor = pass;
    processor["ProcessorConfig"] = json!({"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"});
    let distributed = json!({"StartAt": "M", "States": {"M": {
        "Type": "Map",
        "ItemReader": {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "b"}},
        "ItemProcessor": processor,
        "ResultPath": null,
        "End": true}}});
    measure("Distributed of 100,000", &distributed, json!({}), 1);
}
