//! Expressions of the States Language, parsed and evaluated: a state machine of one state in a world without time.

use std::sync::Arc;

use asl::{
    ChildExecution, Definition, Event, ExecutionContext, ExecutionType, Failure, Host, ItemSource,
    MapRunStart, Outcome, ResultSink, TaskCall, TaskFailure,
};
use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};

struct Still;

#[async_trait]
impl Host for Still {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn random(&self) -> u64 {
        42
    }

    fn record(&self, event: Event) {
        let _ = event.to_json();
    }

    async fn sleep_until(&self, _: Timestamp) {}

    fn task_token(&self) -> String {
        "token".to_owned()
    }

    async fn task(&self, call: TaskCall) -> Result<Value, TaskFailure> {
        Ok(call.parameters.as_ref().clone())
    }

    async fn start_map_run(&self, _: MapRunStart) -> Result<String, Failure> {
        Ok("arn".to_owned())
    }

    async fn read_items(&self, _: ItemSource) -> Result<Vec<Value>, Failure> {
        Ok(Vec::new())
    }

    async fn child(&self, child: ChildExecution) -> Outcome {
        Outcome::Succeeded(child.input)
    }

    async fn write_results(&self, _: ResultSink) -> Result<Value, Failure> {
        Ok(Value::Null)
    }

    async fn end_map_run(&self, _: &str, _: Option<&Failure>) {}
}

fn run(machine: &Value) {
    let Ok(definition) = Definition::parse(&machine.to_string()) else { return };
    let arn = "arn:aws:states:us-east-1:111111111111";
    let input = json!({
        "n": 3, "text": "a,b", "list": [1, [2, 3], {"n": 4, "s": "x"}, null], "c-d": {"e": {"n": true}},
        "at": "2024-01-01T00:00:00Z",
    });
    let context = ExecutionContext {
        execution_arn: format!("{arn}:execution:m:e"),
        execution_name: "e".to_owned(),
        state_machine_arn: format!("{arn}:stateMachine:m"),
        state_machine_name: "m".to_owned(),
        role_arn: "arn:aws:iam::111111111111:role/r".to_owned(),
        region: "us-east-1".to_owned(),
        start_time: Timestamp::UNIX_EPOCH,
        redrive_count: 0,
        redrive_time: None,
        synchronous: false,
        input: Arc::new(input),
        execution_type: ExecutionType::Standard,
    };
    let _ = futures::executor::block_on(asl::run(&definition, Arc::new(context), &Still));
}

pub fn json_path(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let state = json!({"Type": "Pass", "InputPath": text, "Parameters": {"x.$": "$"}, "ResultPath": text, "End": true});
    run(&json!({"StartAt": "A", "States": {"A": state}}));
    let choice = json!({"Type": "Choice", "Default": "B", "Choices": [
        {"Variable": text, "IsPresent": true, "Next": "B"}]});
    run(
        &json!({"StartAt": "A", "States": {"A": choice, "B": {"Type": "Succeed", "InputPath": text}}}),
    );
}

pub fn intrinsic(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let state = json!({"Type": "Pass", "Parameters": {"x.$": text}, "End": true});
    run(&json!({"StartAt": "A", "States": {"A": state}}));
}

pub fn jsonata(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let state = json!({"Type": "Pass", "Output": format!("{{% {text} %}}"), "End": true});
    run(&json!({"QueryLanguage": "JSONata", "StartAt": "A", "States": {"A": state}}));
}
