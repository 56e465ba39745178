//! Executions: started, described, listed, stopped.

use std::sync::Arc;

use asl::{ExecutionType, Failure, MAX_PAYLOAD_BYTES, Outcome};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::arn::{check, check_name};
use super::machine::{Kind, Resolved};
use super::record::{Execution, Filter};
use super::run::Launch;
use super::{StepFunctions, seconds, text};
use crate::wire::{ServiceError, read};

/// `ListExecutions`' largest page.
const LARGEST_PAGE: i64 = 1_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    state_machine_arn: String,
    name: Option<String>,
    input: Option<String>,
    trace_header: Option<String>,
}

/// A request to start, checked.
struct Started {
    resolved: Resolved,
    /// The test case of the mock configuration.
    case: Option<String>,
    name: String,
    input: String,
    value: Arc<Value>,
    trace: Option<String>,
    now: Timestamp,
}

fn no_execution(arn: &str) -> ServiceError {
    ServiceError::new("ExecutionDoesNotExist", format!("Execution Does Not Exist: '{arn}'"))
}

impl StepFunctions {
    /// The row of an execution, with the truth about executions of processes that have ended.
    pub(super) fn recorded(&self, arn: &str) -> Result<Execution, ServiceError> {
        let execution = self.executions.get(arn)?.ok_or_else(|| no_execution(arn))?;
        if execution.status != "RUNNING" || self.owner.is_alive(&execution.owner) {
            return Ok(execution);
        }
        self.abandon(arn)?;
        self.executions.get(arn)?.ok_or_else(|| no_execution(arn))
    }

    fn checked(&self, start: Start) -> Result<Started, ServiceError> {
        let (arn, case) = Self::split_case(&start.state_machine_arn);
        let case = case.map(str::to_owned);
        let resolved = self.resolve(arn)?;
        let name = start.name.unwrap_or_else(|| Uuid::new_v4().to_string());
        check_name(&name)?;
        let input = start.input.unwrap_or_else(|| "{}".to_owned());
        if input.len() > MAX_PAYLOAD_BYTES {
            return Err(ServiceError::new(
                "ValidationException",
                format!(
                    "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to {MAX_PAYLOAD_BYTES}"
                ),
            ));
        }
        let value = serde_json::from_str(&input).map_err(|error| {
            ServiceError::new(
                "InvalidExecutionInput",
                format!("Invalid State Machine Execution Input: '{error}'"),
            )
        })?;
        Ok(Started {
            resolved,
            case,
            name,
            input,
            value: Arc::new(value),
            trace: start.trace_header,
            now: lake::clock::now(),
        })
    }

    pub(super) fn start_execution(self: &Arc<Self>, input: Value) -> Result<Value, ServiceError> {
        let started = self.checked(read(input)?)?;
        if started.resolved.machine.kind == Kind::Express {
            let launch = self.express(started, false)?;
            let answer = json!({
                "executionArn": launch.context.execution_arn,
                "startDate": seconds(launch.context.start_time.as_millisecond()),
            });
            self.launch(launch);
            return Ok(answer);
        }
        let machine = &started.resolved.machine;
        let arn =
            self.settings.arn("states", &format!("execution:{}:{}", machine.name, started.name));
        let execution = Execution {
            arn: arn.clone(),
            name: started.name,
            machine: machine.arn.clone(),
            qualifier: started.resolved.qualifier.clone(),
            revision: started.resolved.revision_id.clone(),
            status: "RUNNING".to_owned(),
            input: started.input,
            output: None,
            error: None,
            cause: None,
            started: started.now.as_millisecond(),
            stopped: None,
            redrives: 0,
            redriven: None,
            map_run: None,
            item_index: None,
            trace: started.trace,
            owner: self.owner.id.clone(),
        };
        let definition =
            self.definition(&started.resolved.revision_id, &started.resolved.revision)?;
        if let Some(case) = &started.case {
            self.mock_execution(&arn, &started.resolved.machine.name, case, &definition)?;
        }
        if let Some(existing) = self.executions.insert(&execution)? {
            return self.started_already(&existing, &execution);
        }
        let role = &started.resolved.revision.role_arn;
        let context = self.context(&execution, &started.resolved.machine.name, role, started.value);
        self.launch(Launch { definition, context, recorded: true, past: None });
        Ok(json!({"executionArn": arn, "startDate": seconds(execution.started)}))
    }

    /// The same name with the same input answers the running execution; a closed name is taken for 90 days on AWS,
    /// here for good.
    fn started_already(
        &self,
        existing: &Execution,
        new: &Execution,
    ) -> Result<Value, ServiceError> {
        let existing = self.recorded(&existing.arn)?;
        if existing.status == "RUNNING" && existing.input == new.input {
            return Ok(json!({
                "executionArn": existing.arn,
                "startDate": seconds(existing.started),
            }));
        }
        Err(ServiceError::new(
            "ExecutionAlreadyExists",
            format!("Execution Already Exists: '{}'", existing.arn),
        ))
    }

    fn express(&self, started: Started, synchronous: bool) -> Result<Launch, ServiceError> {
        let machine = &started.resolved.machine;
        let resource = format!("express:{}:{}:{}", machine.name, started.name, Uuid::new_v4());
        let definition =
            self.definition(&started.resolved.revision_id, &started.resolved.revision)?;
        let execution_arn = self.settings.arn("states", &resource);
        if let Some(case) = &started.case {
            self.mock_execution(&execution_arn, &machine.name, case, &definition)?;
        }
        let context = asl::ExecutionContext {
            execution_arn,
            execution_name: started.name,
            state_machine_arn: machine.arn.clone(),
            state_machine_name: machine.name.clone(),
            role_arn: started.resolved.revision.role_arn.clone(),
            region: self.settings.region.clone(),
            start_time: started.now,
            redrive_count: 0,
            redrive_time: None,
            synchronous,
            input: started.value,
            execution_type: ExecutionType::Express,
        };
        Ok(Launch { definition, context: Arc::new(context), recorded: false, past: None })
    }

    pub(super) fn context(
        &self,
        execution: &Execution,
        machine_name: &str,
        role_arn: &str,
        input: Arc<Value>,
    ) -> Arc<asl::ExecutionContext> {
        Arc::new(asl::ExecutionContext {
            execution_arn: execution.arn.clone(),
            execution_name: execution.name.clone(),
            state_machine_arn: execution.machine.clone(),
            state_machine_name: machine_name.to_owned(),
            role_arn: role_arn.to_owned(),
            region: self.settings.region.clone(),
            start_time: Timestamp::from_millisecond(execution.started).unwrap_or_default(),
            redrive_count: execution.redrives,
            redrive_time: execution.redriven.and_then(|at| Timestamp::from_millisecond(at).ok()),
            synchronous: false,
            input,
            execution_type: ExecutionType::Standard,
        })
    }

    pub(super) async fn start_sync_execution(
        self: &Arc<Self>,
        input: Value,
    ) -> Result<Value, ServiceError> {
        let started = self.checked(read(input)?)?;
        if started.resolved.machine.kind == Kind::Standard {
            return Err(not_supported());
        }
        let (text, trace) = (started.input.clone(), started.trace.clone());
        let launch = self.express(started, true)?;
        let context = launch.context.clone();
        let end = self.launch(launch).ended().await?;
        let took = end.stopped.as_millisecond() - context.start_time.as_millisecond();
        let mut answer = json!({
            "executionArn": context.execution_arn,
            "stateMachineArn": context.state_machine_arn,
            "name": context.execution_name,
            "startDate": seconds(context.start_time.as_millisecond()),
            "stopDate": seconds(end.stopped.as_millisecond()),
            "status": end.outcome.status(),
            "input": text,
            "inputDetails": {"included": true},
            "billingDetails": {
                "billedMemoryUsedInMB": 64,
                "billedDurationInMilliseconds": (took.max(0) + 99) / 100 * 100,
            },
        });
        if let Some(trace) = trace {
            answer["traceHeader"] = trace.into();
        }
        match &end.outcome {
            Outcome::Succeeded(output) => {
                answer["output"] = output.to_string().into();
                answer["outputDetails"] = json!({"included": true});
            }
            Outcome::Failed(failure) | Outcome::TimedOut(failure) | Outcome::Aborted(failure) => {
                add_failure(&mut answer, failure.error.as_deref(), failure.cause.as_deref());
            }
        }
        Ok(answer)
    }

    pub(super) fn stop_execution(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = check(text(input, "executionArn")?, &["execution"])?;
        let execution = self.recorded(arn)?;
        let now = lake::clock::now().as_millisecond();
        if execution.status == "RUNNING" {
            let member = |name: &str| input[name].as_str().map(str::to_owned);
            let failure = Failure { error: member("error"), cause: member("cause") };
            if !self.stop(arn, failure.clone()) {
                self.executions.ask_to_stop(arn, &failure)?;
            }
        }
        Ok(json!({"stopDate": seconds(execution.stopped.unwrap_or(now))}))
    }

    pub(super) fn describe_execution(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = text(input, "executionArn")?;
        if arn.contains(":express:") {
            return Err(not_supported());
        }
        let execution = self.recorded(check(arn, &["execution"])?)?;
        Ok(describe(&execution))
    }

    pub(super) fn list_executions(&self, input: &Value) -> Result<Value, ServiceError> {
        let filter = self.filter(input)?;
        let count = input["maxResults"].as_i64().filter(|count| *count > 0).unwrap_or(100);
        let count = count.min(LARGEST_PAGE);
        let skip = match input["nextToken"].as_str() {
            None => 0,
            Some(token) => token.parse().map_err(|_| {
                ServiceError::new("InvalidToken", format!("Invalid Token: '{token}'"))
            })?,
        };
        self.abandon_orphans()?;
        let mut executions = self.executions.list(&filter, skip, count + 1)?;
        let page = usize::try_from(count).unwrap_or(usize::MAX);
        let more = executions.len() > page;
        executions.truncate(page);
        let executions: Vec<Value> = executions.iter().map(list_item).collect();
        let mut answer = json!({"executions": executions});
        if more {
            answer["nextToken"] = (skip + count).to_string().into();
        }
        Ok(answer)
    }

    fn filter<'a>(&self, input: &'a Value) -> Result<Filter<'a>, ServiceError> {
        let status = input["statusFilter"].as_str();
        match (input["stateMachineArn"].as_str(), input["mapRunArn"].as_str()) {
            (Some(arn), None) => {
                let resolved = self.resolve(arn)?;
                if resolved.machine.kind == Kind::Express {
                    return Err(not_supported());
                }
                Ok(match resolved.qualifier {
                    None => Filter { machine: Some(arn), status, ..Filter::default() },
                    Some(_) => Filter { qualifier: Some(arn), status, ..Filter::default() },
                })
            }
            (None, Some(arn)) => {
                self.map_run(arn)?;
                Ok(Filter { map_run: Some(arn), status, ..Filter::default() })
            }
            _ => Err(ServiceError::new(
                "ValidationException",
                "Must specify exactly one of stateMachineArn or mapRunArn",
            )),
        }
    }
}

fn not_supported() -> ServiceError {
    ServiceError::new(
        "StateMachineTypeNotSupported",
        "This operation is not supported by this type of state machine",
    )
}

fn add_failure(answer: &mut Value, error: Option<&str>, cause: Option<&str>) {
    if let Some(error) = error {
        answer["error"] = error.into();
    }
    if let Some(cause) = cause {
        answer["cause"] = cause.into();
    }
}

/// `DescribeExecution`'s answer.
pub(super) fn describe(execution: &Execution) -> Value {
    let mut answer = list_item(execution);
    answer["input"] = execution.input.as_str().into();
    answer["inputDetails"] = json!({"included": true});
    if let Some(output) = &execution.output {
        answer["output"] = output.as_str().into();
        answer["outputDetails"] = json!({"included": true});
    }
    add_failure(&mut answer, execution.error.as_deref(), execution.cause.as_deref());
    if let Some(trace) = &execution.trace {
        answer["traceHeader"] = trace.as_str().into();
    }
    let (status, reason) = match execution.status.as_str() {
        "RUNNING" => ("NOT_REDRIVABLE", "Execution is RUNNING and cannot be redriven"),
        "SUCCEEDED" => ("NOT_REDRIVABLE", "Execution is SUCCEEDED and cannot be redriven"),
        _ if execution.map_run.is_some() => ("REDRIVABLE_BY_MAP_RUN", ""),
        _ => ("REDRIVABLE", ""),
    };
    answer["redriveStatus"] = status.into();
    if !reason.is_empty() {
        answer["redriveStatusReason"] = reason.into();
    }
    answer
}

fn list_item(execution: &Execution) -> Value {
    let mut item = json!({
        "executionArn": execution.arn,
        "stateMachineArn": execution.machine,
        "name": execution.name,
        "status": execution.status,
        "startDate": seconds(execution.started),
        "redriveCount": execution.redrives,
    });
    let optional = [
        ("stopDate", execution.stopped.map(|stopped| json!(seconds(stopped)))),
        ("mapRunArn", execution.map_run.as_ref().map(|arn| json!(arn))),
        ("itemCount", execution.map_run.as_ref().map(|_| json!(1))),
        ("redriveDate", execution.redriven.map(|redriven| json!(seconds(redriven)))),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            item[name] = value;
        }
    }
    if let Some(qualifier) = &execution.qualifier {
        let last = qualifier.rsplit(':').next().unwrap_or_default();
        let is_version = last.bytes().all(|byte| byte.is_ascii_digit());
        let name = if is_version { "stateMachineVersionArn" } else { "stateMachineAliasArn" };
        item[name] = qualifier.as_str().into();
    }
    item
}
