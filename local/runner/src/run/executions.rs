//! What an account's Step Functions tell of executions, through their public operations.
use serde::Deserialize;
use serde_json::{Value, json};

use aws::Services;

use crate::cloud::{CallError, call};
use crate::graph::Visits;

/// An execution as DescribeExecution has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Execution {
    pub execution_arn: String,
    pub name: String,
    pub status: Status,
    /// Seconds since 1970.
    pub start_date: f64,
    pub stop_date: Option<f64>,
    pub input: Option<String>,
    pub output: Option<String>,
    pub error: Option<String>,
    pub cause: Option<String>,
    pub map_run_arn: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    Running,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
    PendingRedrive,
}

impl Execution {
    pub fn input(&self) -> Value {
        parsed(self.input.as_deref())
    }

    pub fn output(&self) -> Value {
        parsed(self.output.as_deref())
    }

    /// Seconds from start to stop; 0 while it runs.
    pub fn seconds(&self) -> f64 {
        self.stop_date.map_or(0.0, |stop| stop - self.start_date)
    }
}

fn parsed(text: Option<&str>) -> Value {
    text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

impl Status {
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Running | Self::PendingRedrive)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
            Self::PendingRedrive => "PENDING_REDRIVE",
        }
    }
}

/// The Step Functions of an account.
#[derive(Clone, Copy)]
pub struct StepFunctions<'s>(pub &'s Services);

impl StepFunctions<'_> {
    pub async fn start(self, machine: &str, input: &Value) -> Result<String, CallError> {
        let input = json!({"stateMachineArn": machine, "input": input.to_string()});
        let started = call(self.0, "states", "StartExecution", input).await?;
        Ok(text(&started, "executionArn"))
    }

    pub async fn stop(self, arn: &str, cause: &str) -> Result<(), CallError> {
        call(
            self.0,
            "states",
            "StopExecution",
            json!({"executionArn": arn, "error": "Run.Interrupted", "cause": cause}),
        )
        .await
        .map(drop)
    }

    pub async fn describe(self, arn: &str) -> Result<Execution, CallError> {
        let described =
            call(self.0, "states", "DescribeExecution", json!({"executionArn": arn})).await?;
        serde_json::from_value(described).map_err(|error| CallError {
            service: "states".to_owned(),
            action: "DescribeExecution".to_owned(),
            error: aws::wire::ServiceError::internal(error),
        })
    }

    /// ARNs of a machine's executions, the newest first.
    pub async fn of_machine(self, machine: &str) -> Result<Vec<String>, CallError> {
        self.list(json!({"stateMachineArn": machine})).await
    }

    /// The child executions of all map runs of an execution.
    pub async fn children(self, execution: &str) -> Result<Vec<String>, CallError> {
        let runs = self.pages("ListMapRuns", json!({"executionArn": execution}), "mapRuns").await?;
        let mut children = Vec::new();
        for run in runs {
            children.extend(self.list(json!({"mapRunArn": text(&run, "mapRunArn")})).await?);
        }
        children.reverse();
        Ok(children)
    }

    async fn list(self, of: Value) -> Result<Vec<String>, CallError> {
        let executions = self.pages("ListExecutions", of, "executions").await?;
        Ok(executions.iter().map(|execution| text(execution, "executionArn")).collect())
    }

    /// The whole history of an execution.
    pub async fn history(self, arn: &str) -> Result<Vec<Value>, CallError> {
        self.pages("GetExecutionHistory", json!({"executionArn": arn}), "events").await
    }

    /// The definition that an execution runs.
    pub async fn definition(self, execution: &str) -> Result<Value, CallError> {
        let input = json!({"executionArn": execution});
        let machine = call(self.0, "states", "DescribeStateMachineForExecution", input).await?;
        Ok(parsed(machine["definition"].as_str()))
    }

    /// What became of each state in an execution and its children.
    pub async fn visits(self, execution: &str) -> Result<Visits, CallError> {
        let mut histories = Vec::new();
        let mut pending = vec![execution.to_owned()];
        while let Some(arn) = pending.pop() {
            let ended = self.describe(&arn).await?.status.is_final();
            histories.push((self.history(&arn).await?, ended));
            pending.extend(self.children(&arn).await?);
        }
        Ok(Visits::of(histories.iter().map(|(history, ended)| (history.as_slice(), *ended))))
    }

    /// The name of the state an execution entered last; `None` before the first.
    pub async fn state(self, arn: &str) -> Result<Option<String>, CallError> {
        let input = json!({"executionArn": arn, "reverseOrder": true, "maxResults": 20});
        let newest = call(self.0, "states", "GetExecutionHistory", input).await?;
        let events = newest["events"].as_array().into_iter().flatten();
        let entered =
            events.filter_map(|event| event.pointer("/stateEnteredEventDetails/name")?.as_str());
        Ok(entered.map(str::to_owned).next())
    }

    async fn pages(
        self,
        action: &str,
        mut input: Value,
        member: &str,
    ) -> Result<Vec<Value>, CallError> {
        let mut all = Vec::new();
        input["maxResults"] = json!(1000);
        loop {
            let mut page = call(self.0, "states", action, input.clone()).await?;
            if let Some(Value::Array(items)) = page.get_mut(member).map(Value::take) {
                all.extend(items);
            }
            match page.get("nextToken") {
                Some(Value::String(token)) => input["nextToken"] = json!(token),
                _ => return Ok(all),
            }
        }
    }
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}
