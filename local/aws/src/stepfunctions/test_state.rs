//! `TestState`: a state on trial, alone or where its machine has it.

use std::sync::Arc;

use asl::{
    ExecutionContext, ExecutionType, Failure, Outline, Resource, ResourceKind, StateTest,
    TESTED_STATE,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::watch;
use uuid::Uuid;

use super::StepFunctions;
use super::definition::parse;
use super::host::ExecutionHost;
use super::machine::Kind;
use super::mock_result::{self, Strictness};
use crate::wire::{ServiceError, read};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    definition: String,
    role_arn: Option<String>,
    input: Option<String>,
    inspection_level: Option<String>,
    #[serde(default)]
    reveal_secrets: bool,
    variables: Option<String>,
    state_name: Option<String>,
    mock: Option<Mock>,
    context: Option<String>,
    #[serde(default)]
    state_configuration: Configuration,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mock {
    result: Option<String>,
    error_output: Option<ErrorOutput>,
    field_validation_mode: Option<String>,
}

#[derive(Deserialize)]
struct ErrorOutput {
    error: Option<String>,
    cause: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Configuration {
    #[serde(default)]
    retrier_retry_count: u32,
    error_caused_by_state: Option<String>,
    #[serde(default)]
    map_iteration_failure_count: u64,
    map_item_reader_data: Option<String>,
}

impl StepFunctions {
    pub(super) async fn test_state(self: &Arc<Self>, input: Value) -> Result<Value, ServiceError> {
        let request: Request = read(input)?;
        let inspects = match request.inspection_level.as_deref() {
            None | Some("INFO") => false,
            Some("DEBUG" | "TRACE") => true,
            Some(other) => {
                return Err(invalid(format!("'{other}' is no inspectionLevel")));
            }
        };
        request.check_mock()?;
        let mock = request.mock()?;
        let document = request.document()?;
        let definition = parse(&document.to_string(), Kind::Standard)?;
        let name = request.state_name.as_deref().unwrap_or(TESTED_STATE);
        request.check_state(&Outline::of(&document), name, mock.as_ref())?;
        let data = match &request.input {
            None => json!({}),
            Some(text) => serde_json::from_str(text).map_err(|error| {
                ServiceError::new(
                    "InvalidExecutionInput",
                    format!("Invalid State Machine Execution Input: '{error}'"),
                )
            })?,
        };
        let execution = Arc::new(self.imagined(&request, Arc::new(data)));
        if let Some(role) = &request.role_arn {
            self.check_trust(&execution.state_machine_arn, role)?;
        }
        let test = StateTest {
            input: execution.input.clone(),
            variables: object(request.variables.as_deref(), "variables")?.unwrap_or_default(),
            context: object(request.context.as_deref(), "context")?
                .map(|context| Arc::new(Value::Object(context))),
            mock,
            retrier_retry_count: request.state_configuration.retrier_retry_count,
            map_iteration_failure_count: request.state_configuration.map_iteration_failure_count,
            map_item_reader_data: request.state_configuration.map_item_reader_data.clone(),
        };
        let (_stop, stopped) = watch::channel(None);
        let host = ExecutionHost::new(self.clone(), execution.clone(), None, stopped);
        let tested = asl::test_state(&definition, name, test, execution, &host).await;
        let tested = tested.map_err(invalid)?;
        let mut answer = json!({"status": tested.status});
        if let Some(output) = tested.output {
            answer["output"] = output.to_string().into();
        }
        if let Some(Failure { error, cause }) = tested.failure {
            let mut add = |name: &str, text: Option<String>| {
                if let Some(text) = text {
                    answer[name] = text.into();
                }
            };
            add("error", error);
            add("cause", cause);
        }
        if let Some(next) = tested.next_state {
            answer["nextState"] = next.into();
        }
        if inspects {
            answer["inspectionData"] = Value::Object(tested.inspection);
        }
        Ok(answer)
    }

    /// The execution that the state believes to be in.
    fn imagined(&self, request: &Request, input: Arc<Value>) -> ExecutionContext {
        let (region, account) = (&self.settings.region, &self.settings.account_id);
        let (machine, name) = (Uuid::new_v4().to_string(), Uuid::new_v4().to_string());
        ExecutionContext {
            execution_arn: format!("arn:aws:states:{region}:{account}:express:{machine}:{name}"),
            execution_name: name,
            state_machine_arn: format!("arn:aws:states:{region}:{account}:stateMachine:{machine}"),
            state_machine_name: machine,
            role_arn: request.role_arn.clone().unwrap_or_default(),
            region: region.clone(),
            start_time: lake::clock::now(),
            redrive_count: 0,
            redrive_time: None,
            synchronous: true,
            input,
            execution_type: ExecutionType::Express,
        }
    }
}

impl Request {
    fn check_mock(&self) -> Result<(), ServiceError> {
        let Some(mock) = &self.mock else {
            return match self.context {
                Some(_) => Err(invalid("A context can be given only when a mock is specified.")),
                None => Ok(()),
            };
        };
        match (&mock.result, &mock.error_output) {
            (Some(_), Some(_)) => Err(invalid(
                "A test mock should have only one of the following fields: [result, errorOutput].",
            )),
            (None, None) => Err(invalid(
                "A test mock should have one of the following fields: [result, errorOutput].",
            )),
            _ if self.reveal_secrets => {
                Err(invalid("TestState does not support RevealSecrets when a mock is specified."))
            }
            _ => Ok(()),
        }
    }

    fn mock(&self) -> Result<Option<Result<Value, Failure>>, ServiceError> {
        let Some(mock) = &self.mock else { return Ok(None) };
        if let Some(ErrorOutput { error, cause }) = &mock.error_output {
            return Ok(Some(Err(Failure { error: error.clone(), cause: cause.clone() })));
        }
        let text = mock.result.as_deref().unwrap_or_default();
        let result = serde_json::from_str(text);
        result
            .map(|result| Some(Ok(result)))
            .map_err(|_| invalid("Mocked result must be valid JSON"))
    }

    /// The definition; a state that comes alone is the only one of its machine, and what it leads to are ends.
    fn document(&self) -> Result<Value, ServiceError> {
        let given: Result<Value, _> = serde_json::from_str(&self.definition);
        match (given, &self.state_name) {
            (Ok(state @ Value::Object(_)), None) => {
                let mut states: Map<String, Value> = targets(&state)
                    .into_iter()
                    .map(|name| (name.to_owned(), json!({"Type": "Succeed"})))
                    .collect();
                states.insert(TESTED_STATE.to_owned(), state);
                Ok(json!({"StartAt": TESTED_STATE, "States": states}))
            }
            (Ok(document), _) => Ok(document),
            (Err(error), _) => Err(ServiceError::new(
                "InvalidDefinition",
                format!("Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION: {error}'"),
            )),
        }
    }

    /// Whether this state can be tested so.
    fn check_state(
        &self,
        outline: &Outline<'_>,
        name: &str,
        mock: Option<&Result<Value, Failure>>,
    ) -> Result<(), ServiceError> {
        let found = outline.states.iter().find(|state| state.name == name);
        let found = found
            .ok_or_else(|| invalid(format!("State '{name}' was not found in the definition")))?;
        let state = found.value;
        let kind = state["Type"].as_str().unwrap_or_default();
        let holds_states = ["Map", "Parallel"].contains(&kind);
        let resource = found.resource();
        if let Some(causing) = &self.state_configuration.error_caused_by_state {
            let inside = format!("{}/", found.pointer);
            let mut named = outline.states.iter().filter(|state| state.name == causing);
            if !named.any(|state| state.pointer.starts_with(&inside)) {
                return Err(invalid(format!("State '{causing}' was not found in '{name}'")));
            }
        }
        match mock {
            None if holds_states => Err(ServiceError::new(
                "InvalidDefinition",
                "TestState API does not support Map or Parallel states. Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]",
            )),
            None if resource.as_ref().is_some_and(Resource::has_token) => Err(ServiceError::new(
                "InvalidDefinition",
                "TestState API does not support Activity tasks, .sync or .waitForTaskToken service integration patterns without a mock",
            )),
            None if kind == "Task" && self.role_arn.is_none() => {
                Err(invalid("A roleArn is needed to test a Task without a mock"))
            }
            None => Ok(()),
            Some(_) if !holds_states && kind != "Task" => Err(invalid(format!(
                "State type '{kind}' is not supported when a mock is specified"
            ))),
            Some(Ok(result)) => self.check_result(state, resource.as_ref(), result),
            Some(Err(_)) => Ok(()),
        }
    }

    fn check_result(
        &self,
        state: &Value,
        resource: Option<&Resource>,
        result: &Value,
    ) -> Result<(), ServiceError> {
        if let Some(branches) = state["Branches"].as_array().filter(|_| state["Type"] == "Parallel")
        {
            let Some(results) = result.as_array() else {
                return Err(invalid("Mocked result must be an array."));
            };
            if results.len() != branches.len() {
                return Err(invalid(
                    "Mocked result must contain the same number of items as number of Parallel branches.",
                ));
            }
        }
        let mode = self.mock.as_ref().and_then(|mock| mock.field_validation_mode.as_deref());
        let strictness = match mode {
            None | Some("STRICT") => Strictness::Strict,
            Some("PRESENT") => Strictness::Present,
            Some("NONE") => Strictness::None,
            Some(other) => return Err(invalid(format!("'{other}' is no fieldValidationMode"))),
        };
        let kind = resource.map_or(&ResourceKind::Lambda, |resource| &resource.kind);
        mock_result::check(kind, result, strictness).map_err(invalid)
    }
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ValidationException", message.into())
}

fn object(text: Option<&str>, member: &str) -> Result<Option<Map<String, Value>>, ServiceError> {
    let Some(text) = text else { return Ok(None) };
    let read = serde_json::from_str(text);
    read.map(Some).map_err(|error| invalid(format!("{member} must be a JSON object: {error}")))
}

/// The states that a state leads to, each once.
fn targets(state: &Value) -> Vec<&str> {
    let listed = ["Choices", "Catch"].into_iter().filter_map(|name| state[name].as_array());
    let next = listed.flatten().map(|rule| &rule["Next"]);
    let mut found: Vec<&str> = [&state["Next"], &state["Default"]]
        .into_iter()
        .chain(next)
        .filter_map(Value::as_str)
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
