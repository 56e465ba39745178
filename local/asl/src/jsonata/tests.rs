//! The reference implementation's own test suite, where it lies beside the checkout.
//!
//! `JSONATA_CASE=part-of-an-id` shows what differs in the matching cases.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::{Query, convert};
use crate::context::{Context, StateContext};
use crate::event::Event;
use crate::execution::{ExecutionContext, Outcome};
use crate::failure::Failure;
use crate::host::{
    ChildExecution, Host, ItemSource, MapRunStart, ResultSink, TaskCall, TaskFailure,
};
use crate::scope::Scope;
use crate::variables::Variables;

/// A world with a clock and chance alone.
struct Nowhere;

#[async_trait]
impl Host for Nowhere {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
    fn random(&self) -> u64 {
        7
    }
    fn record(&self, _: Event) {}
    async fn sleep_until(&self, _: Timestamp) {}
    fn task_token(&self) -> String {
        String::new()
    }
    async fn task(&self, _: TaskCall) -> Result<Value, TaskFailure> {
        unreachable!("expressions start nothing")
    }
    async fn start_map_run(&self, _: MapRunStart) -> Result<String, Failure> {
        unreachable!("expressions start nothing")
    }
    async fn read_items(&self, _: ItemSource) -> Result<Vec<Value>, Failure> {
        unreachable!("expressions read nothing")
    }
    async fn child(&self, _: ChildExecution) -> Outcome {
        unreachable!("expressions start nothing")
    }
    async fn write_results(&self, _: ResultSink) -> Result<Value, Failure> {
        unreachable!("expressions write nothing")
    }
    async fn end_map_run(&self, _: &str, _: Option<&Failure>) {}
}

fn context() -> StateContext {
    StateContext {
        execution: Arc::new(ExecutionContext {
            execution_arn: String::new(),
            execution_name: String::new(),
            state_machine_arn: String::new(),
            state_machine_name: String::new(),
            role_arn: String::new(),
            region: String::new(),
            start_time: Timestamp::UNIX_EPOCH,
            redrive_count: 0,
            redrive_time: None,
            synchronous: false,
            input: Arc::new(Value::Null),
            execution_type: crate::ExecutionType::Standard,
        }),
        name: "Expression".into(),
        entered: Timestamp::UNIX_EPOCH,
        retry_count: None,
        token: None,
        item: None,
        given: None,
    }
}

/// What an expression came to, in the terms of the suite.
#[derive(Debug, PartialEq)]
enum Answer {
    Value(Value),
    Undefined,
    Error(String),
}

fn answer(case: &Value, root: Option<&Value>) -> Answer {
    let text = case["expr"].as_str().unwrap();
    let query = match Query::parse_alone(text) {
        Ok(query) => query,
        Err(refusal) => return Answer::Error(refusal.to_string()),
    };
    let mut variables = Variables::default();
    for (name, value) in case["bindings"].as_object().into_iter().flatten() {
        variables.assign(&[(name.clone(), Arc::new(value.clone()))]);
    }
    let context = context();
    let scope = Scope {
        data: &Value::Null,
        result: None,
        error_output: None,
        context: Context::of(&context),
        variables: &variables,
        host: &Nowhere,
        jsonata: true,
        bindings: RefCell::default(),
    };
    let root = root.map_or(jsonata_core::value::JValue::Undefined, convert::of);
    match query.value(&scope, "Output", &root) {
        Err(fault) => Answer::Error(fault.detail),
        Ok(value) if value.is_undefined() => Answer::Undefined,
        Ok(value) => convert::to_json(&value).map_or(Answer::Undefined, Answer::Value),
    }
}

/// Numbers by value, to fifteen digits, as doubles are written out by different programs.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let (one, other) = (one.as_f64().unwrap(), other.as_f64().unwrap());
            (one - other).abs() <= one.abs() * 1e-14
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .all(|(name, value)| other.get(name).is_some_and(|other| same(value, other)))
        }
        _ => one == other,
    }
}

fn is_right(case: &Value, answer: &Answer) -> bool {
    let code = case["code"].as_str().or_else(|| case["error"]["code"].as_str());
    match answer {
        // Texts of parse errors are shown without their codes, as AWS does.
        Answer::Error(text) => {
            code.is_some_and(|code| !text.contains("during evaluation") || text.contains(code))
        }
        Answer::Undefined => {
            case["undefinedResult"] == true || case["result"].is_null() && code.is_none()
        }
        Answer::Value(value) if case["unordered"] == true => {
            let sorted = |value: &Value| {
                let mut texts: Vec<String> =
                    value.as_array().into_iter().flatten().map(Value::to_string).collect();
                texts.sort();
                texts
            };
            sorted(value) == sorted(&case["result"])
        }
        Answer::Value(value) => {
            code.is_none() && case["undefinedResult"] != true && same(&case["result"], value)
        }
    }
}

/// What Step Functions does not have, by what an expression names.
const BANNED: [&str; 3] = ["$eval(", "??", "?:"];

#[test]
#[expect(clippy::disallowed_methods, reason = "this test's own switch")]
fn expressions_come_to_what_the_reference_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/jsonata");
    let Ok(cases) = std::fs::read_to_string(folder.join("cases.jsonl")) else {
        println!("no recorded cases beside this checkout: 0 ran");
        return;
    };
    let datasets: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("datasets.json")).unwrap())
            .unwrap();
    let wanted = std::env::var("JSONATA_CASE").ok();
    let (mut ran, mut right) = (0, 0);
    let mut banned: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in cases.lines() {
        // Half a surrogate pair is in no text that an execution can have.
        let Ok(case) = serde_json::from_str::<Value>(line) else {
            *banned.entry("half a surrogate pair").or_default() += 1;
            continue;
        };
        let (id, text) = (case["id"].as_str().unwrap(), case["expr"].as_str().unwrap());
        if wanted.as_ref().is_some_and(|wanted| !id.contains(wanted.as_str())) {
            continue;
        }
        if let Some(name) = BANNED.iter().find(|name| text.contains(**name)) {
            *banned.entry(name).or_default() += 1;
            continue;
        }
        let root = case.get("data").or_else(|| datasets.get(case["dataset"].as_str()?));
        let answer = answer(&case, root);
        ran += 1;
        if is_right(&case, &answer) {
            right += 1;
        } else {
            wrong.push(format!(
                "{id}: {text}\n    expected {} {} {}\n    answered {answer:?}",
                case["result"], case["code"], case["error"]
            ));
        }
    }
    for wrong in &wrong {
        println!("{wrong}");
    }
    println!("expressions: {right} of {ran} as the reference; left out {banned:?}");
    assert!(wanted.is_some() || right * 100 >= ran * 99, "{right} of {ran}");
}
