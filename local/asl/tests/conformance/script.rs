//! The other implementation of `Host`: recorded answers, virtual time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use asl::{
    ChildExecution, Definition, Event, ExecutionContext, ExecutionType, Failure, Host, ItemSource,
    MapRunStart, Outcome, ResourceKind, ResultSink, Stop, TaskCall, TaskFailure,
};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::case::Case;
use crate::clock::Clock;
use crate::compare::Wildcards;

/// What an execution answered.
pub struct Actual {
    pub status: String,
    pub output: Value,
    pub error: Option<String>,
    pub cause: Option<String>,
    /// As `GetExecutionHistory` returns them.
    pub events: Vec<Value>,
}

/// One case's answers, shared by its executions.
struct Script<'a> {
    case: &'a Case,
    clock: Clock,
    used: Mutex<Vec<bool>>,
    random: AtomicU64,
    /// For the mock configuration: how often each state was called.
    calls: Mutex<std::collections::HashMap<String, usize>>,
}

struct ScriptHost<'a> {
    script: &'a Script<'a>,
    events: Mutex<Vec<Event>>,
}

pub fn run(case: &Case) -> Actual {
    let definition = match Definition::parse_as(&case.definition, case.execution_type) {
        Ok(definition) => definition,
        Err(problems) => {
            return Actual {
                status: "REJECTED".into(),
                output: Value::Null,
                error: Some("InvalidDefinition".into()),
                cause: Some(format!("{problems:?}")),
                events: Vec::new(),
            };
        }
    };
    let mocks = case.file["mocks"].as_array().map_or(0, Vec::len);
    let script = Script {
        case,
        clock: Clock::new("2026-11-22T01:30:00Z".parse().unwrap()),
        used: Mutex::new(vec![false; mocks]),
        random: AtomicU64::new(1),
        calls: Mutex::default(),
    };
    let host = ScriptHost { script: &script, events: Mutex::default() };
    let context = Arc::new(context(&script, case.input.clone(), case.execution_type));
    let outcome = script.clock.block_on(asl::run(&definition, context, &host));
    let status = outcome.as_ref().map_or("STUCK", Outcome::status).to_owned();
    let (output, failure) = match outcome {
        Some(Outcome::Succeeded(output)) => (output.as_ref().clone(), Failure::default()),
        Some(Outcome::Failed(failure) | Outcome::TimedOut(failure) | Outcome::Aborted(failure)) => {
            (Value::Null, failure)
        }
        None => (Value::Null, Failure::default()),
    };
    Actual {
        status,
        output,
        error: failure.error,
        cause: failure.cause,
        events: host.events.lock().unwrap().iter().map(Event::to_json).collect(),
    }
}

fn context(script: &Script, input: Value, execution_type: ExecutionType) -> ExecutionContext {
    let arn = "arn:aws:states:us-east-1:111111111111";
    ExecutionContext {
        execution_arn: match execution_type {
            ExecutionType::Standard => format!("{arn}:execution:asl-corpus-sm:asl-corpus-exec"),
            ExecutionType::Express => {
                format!("{arn}:express:asl-corpus-sm:asl-corpus-exec:0f5b2f7a")
            }
        },
        execution_name: "asl-corpus-exec".into(),
        state_machine_arn: format!("{arn}:stateMachine:asl-corpus-sm"),
        state_machine_name: "asl-corpus-sm".into(),
        role_arn: "arn:aws:iam::111111111111:role/asl".into(),
        region: "us-east-1".into(),
        start_time: script.clock.now(),
        redrive_count: 0,
        redrive_time: None,
        synchronous: script.case.id.contains("start_execution_sync_response"),
        input: Arc::new(input),
        execution_type,
    }
}

#[async_trait]
impl Host for ScriptHost<'_> {
    fn now(&self) -> Timestamp {
        self.script.clock.now()
    }

    fn random(&self) -> u64 {
        let step = self.script.random.fetch_add(1, Ordering::Relaxed);
        step.wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn record(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    async fn sleep_until(&self, instant: Timestamp) {
        self.script.clock.sleep_until(instant).await;
    }

    fn task_token(&self) -> String {
        "a-task-token".into()
    }

    async fn task(&self, call: TaskCall) -> Result<Value, TaskFailure> {
        if call.resource.kind == ResourceKind::Activity {
            call.signals.started(Some("BASE_ID_ACTIVITY_CONSUMER".into()));
        }
        let answer = self.script.answer(&call);
        if let Some(submitted) = answer.get("submitted") {
            call.signals.submitted(submitted.clone());
        }
        if let Some(result) = answer.get("return") {
            return Ok(result.clone());
        }
        let limited = call.timeout_seconds.is_some() || call.heartbeat_seconds.is_some();
        if answer["end_event"].as_str().is_some_and(|end| end.ends_with("TimedOut")) && limited {
            std::future::pending::<()>().await;
        }
        let text = |key: &str| answer["throw"][key].as_str().map(str::to_owned);
        let cause = match &call.resource.kind {
            ResourceKind::Lambda => text("cause").map(|cause| python_text(&cause)),
            _ => text("cause"),
        };
        Err(Failure { error: text("error"), cause }.into())
    }

    async fn stopped(&self) -> Stop {
        if self.script.case.expected["status"] != "ABORTED" {
            std::future::pending::<()>().await;
        }
        let soon = self.now() + SignedDuration::from_millis(1);
        self.sleep_until(soon).await;
        Stop::default()
    }

    async fn start_map_run(&self, run: MapRunStart) -> Result<String, Failure> {
        let machine = &run.execution.state_machine_name;
        let label = run.label.unwrap_or_else(|| "d7a6fa6b".into());
        Ok(format!("arn:aws:states:us-east-1:111111111111:mapRun:{machine}/{label}:0f5b2f7a"))
    }

    async fn read_items(&self, source: ItemSource) -> Result<Vec<Value>, Failure> {
        let setup = self.script.case.file["setup"].as_array().unwrap();
        let puts = setup.iter().filter(|step| step[1] == "put_object");
        if source.parameters.get("Key").is_none() {
            return Ok(puts
                .map(|step| {
                    let body = step[2]["Body"].as_str().unwrap();
                    json!({"Key": step[2]["Key"], "Size": body.len(), "Etag": "e",
                           "LastModified": 1, "StorageClass": "STANDARD"})
                })
                .collect());
        }
        let mut puts = puts.filter(|step| step[2]["Key"] == source.parameters["Key"]);
        let body = puts.next().unwrap()[2]["Body"].as_str().unwrap().to_owned();
        asl::items::parse_items(body.as_bytes(), &source.reader)
    }

    async fn child(&self, child: ChildExecution) -> Outcome {
        let host = ScriptHost { script: self.script, events: Mutex::default() };
        let input = child.input.as_ref().clone();
        let context = Arc::new(context(self.script, input, child.execution_type));
        asl::run(&child.definition, context, &host).await
    }

    async fn write_results(&self, results: ResultSink) -> Result<Value, Failure> {
        let bucket = &results.parameters["Bucket"];
        let prefix = results.parameters["Prefix"].as_str().unwrap_or_default();
        Ok(json!({
            "MapRunArn": results.map_run_arn,
            "ResultWriterDetails": {"Bucket": bucket, "Key": format!("{prefix}/0f5b2f7a/manifest.json")},
        }))
    }

    async fn end_map_run(&self, _arn: &str, _failure: Option<&Failure>) {}
}

/// A Python function's error as it sends it, with blanks after commas and
/// colons: the corpus has lost them where such a text is the whole of a cause.
fn python_text(text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => python(&value),
        _ => text.to_owned(),
    }
}

fn python(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(python).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let member =
                |(key, value): (&String, &Value)| format!("{}: {}", json!(key), python(value));
            let members: Vec<_> = members.iter().map(member).collect();
            format!("{{{}}}", members.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

impl Script<'_> {
    /// The recorded answer: the first unused one of this state with the same
    /// parameters, else of this state; else what the function is said to do.
    fn answer(&self, call: &TaskCall) -> Value {
        let file = &self.case.file;
        let mocks = file["mocks"].as_array().map(Vec::as_slice).unwrap_or_default();
        let wild = Wildcards::of(&self.case.wildcards);
        let mut used = self.used.lock().unwrap();
        let unused = |at: &usize| !used[*at] && mocks[*at]["state"] == *call.state;
        let same = |at: &usize| {
            let sent = ["parameters", "input"].into_iter().find_map(|key| mocks[*at].get(key));
            sent.is_some_and(|sent| wild.matches(sent, &call.parameters))
        };
        let found =
            (0..mocks.len()).filter(unused).find(same).or_else(|| (0..mocks.len()).find(unused));
        if let Some(at) = found {
            used[at] = true;
            return mocks[at].clone();
        }
        drop(used);
        self.configured(call).unwrap_or_else(|| self.behaviour(call))
    }

    /// The answer of a Step Functions Local mock configuration.
    fn configured(&self, call: &TaskCall) -> Option<Value> {
        let file = &self.case.file;
        let config = file.get("mock_config")?;
        let machine = file["mock_state_machine"].as_str()?;
        let test = file["mock_test_case"].as_str()?;
        let cases = &config["StateMachines"][machine]["TestCases"][test];
        let responses = config["MockedResponses"][cases[&*call.state].as_str()?].as_object()?;
        let mut calls = self.calls.lock().unwrap();
        let number = calls.entry(call.state.to_string()).or_default();
        let response = responses.iter().find(|(range, _)| {
            let mut bounds = range.splitn(2, '-').map(|bound| bound.parse::<usize>().unwrap());
            let first = bounds.next().unwrap();
            (first..=bounds.next().unwrap_or(first)).contains(number)
        })?;
        *number += 1;
        let mut answer = if let Some(result) = response.1.get("Return") {
            let payload = result.get("Payload");
            let payload = payload.filter(|_| call.resource.kind == ResourceKind::Lambda);
            json!({"return": payload.unwrap_or(result)})
        } else {
            let thrown = &response.1["Throw"];
            json!({"throw": {"error": thrown["Error"], "cause": thrown["Cause"]}})
        };
        let events = self.case.expected["events"].as_array()?;
        if let Some(event) = events.iter().find(|event| event["type"] == "TaskSubmitted") {
            answer["submitted"] = event["details"]["output"].clone();
        }
        Some(answer)
    }

    fn behaviour(&self, call: &TaskCall) -> Value {
        let functions = self.case.file["lambdas"].as_object();
        let behaviour = functions
            .and_then(|functions| functions.values().next())
            .and_then(|function| function["behaviour"].as_str())
            .unwrap_or_default();
        if behaviour.starts_with("raise Exception") {
            let cause = json!({
                "errorMessage": "Some exception was raised.",
                "errorType": "Exception",
                "requestId": "0f5b2f7a-d7a6-4a6b-9f5b-2f7ad7a6fa6b",
                "stackTrace": ["  File \"/var/task/handler.py\", line 2, in handler\n    raise Exception(\"Some exception was raised.\")\n"],
            });
            return json!({"throw": {"error": "Exception", "cause": cause.to_string()}});
        }
        assert_eq!(
            behaviour, "echo: return event",
            "{}: no answer for {}",
            self.case.id, call.state
        );
        match &call.resource.kind {
            ResourceKind::Service { .. } => json!({"return": {
                "ExecutedVersion": "$LATEST",
                "Payload": call.parameters["Payload"],
                "SdkHttpMetadata": {"AllHttpHeaders": {}, "HttpHeaders": {}, "HttpStatusCode": 200},
                "SdkResponseMetadata": {"RequestId": "0f5b2f7a"},
                "StatusCode": 200,
            }}),
            _ => json!({"return": *call.parameters}),
        }
    }
}
