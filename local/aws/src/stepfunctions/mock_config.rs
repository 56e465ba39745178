//! Mocked services, in the file format of Step Functions Local: `StartExecution` of `<machine's ARN>#<test case>` runs a
//! machine of which the states that the case names answer what the file says, without their services.
//! <https://docs.aws.amazon.com/step-functions/latest/dg/sfn-local-mock-cfg-file.html>

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use asl::{Definition, Failure, Pattern, ResourceKind, TaskCall, TaskFailure, error_name};
use serde::Deserialize;
use serde_json::{Value, json};

use super::StepFunctions;
use crate::wire::ServiceError;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct MockConfig {
    /// By the machine's name.
    state_machines: BTreeMap<String, MockedMachine>,
    /// By a name of the file's own, then by the numbers of invocations, from 0: `0`, `1-3`.
    mocked_responses: BTreeMap<String, BTreeMap<String, Response>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct MockedMachine {
    /// By case and state: the name of what the state answers.
    test_cases: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Clone, Debug, Deserialize)]
enum Response {
    Return(Value),
    #[serde(rename_all = "PascalCase")]
    Throw {
        error: Option<String>,
        cause: Option<String>,
    },
}

/// A test case at work: one execution, with its children.
#[derive(Debug)]
pub(super) struct MockedCase {
    name: String,
    /// By state, in the order of the invocations.
    states: HashMap<String, Vec<(RangeInclusive<u64>, Response)>>,
    /// How often each state has asked.
    asked: Mutex<HashMap<String, u64>>,
}

impl MockConfig {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn read(path: &Path) -> Result<Self, String> {
        let wrong = |problem: String| format!("{}: {problem}", path.display());
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let config: Self = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        for machine in config.state_machines.values() {
            for case in machine.test_cases.values() {
                for name in case.values() {
                    config.responses(name).map_err(wrong)?;
                }
            }
        }
        Ok(config)
    }

    fn responses(&self, name: &str) -> Result<Vec<(RangeInclusive<u64>, Response)>, String> {
        let found = self.mocked_responses.get(name);
        let found = found.ok_or_else(|| format!("MockedResponses has no {name}"))?;
        let mut responses = Vec::new();
        for (numbers, response) in found {
            let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
            match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
                (Ok(first), Ok(last)) if first <= last => {
                    responses.push((first..=last, response.clone()));
                }
                _ => {
                    return Err(format!(
                        "MockedResponses/{name}: '{numbers}' is neither a number of an invocation nor a range of them, as 0 and 1-3"
                    ));
                }
            }
        }
        Ok(responses)
    }

    fn case(
        &self,
        machine: &str,
        case: &str,
        definition: &Definition,
    ) -> Result<MockedCase, String> {
        let found = self.state_machines.get(machine);
        let found = found.and_then(|machine| machine.test_cases.get(case));
        let found =
            found.ok_or_else(|| format!("StateMachines/{machine}/TestCases has no {case}"))?;
        let mut states = HashMap::new();
        for (state, name) in found {
            if !definition.has_state(state) {
                return Err(format!(
                    "StateMachines/{machine}/TestCases/{case}: the machine has no state '{state}'"
                ));
            }
            states.insert(state.clone(), self.responses(name)?);
        }
        Ok(MockedCase { name: case.to_owned(), states, asked: Mutex::default() })
    }
}

impl MockedCase {
    /// What a Task comes to; `None` where the case leaves it to its service.
    pub fn answer(&self, call: &TaskCall) -> Option<Result<Value, TaskFailure>> {
        let responses = self.states.get(&*call.state)?;
        let number = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            let asked = asked.entry(call.state.to_string()).or_default();
            *asked += 1;
            *asked - 1
        };
        match &call.resource.kind {
            ResourceKind::Activity => call.signals.started(None),
            ResourceKind::Service { pattern, .. } if *pattern != Pattern::RequestResponse => {
                call.signals.submitted(json!({}));
            }
            ResourceKind::Service { .. } | ResourceKind::Lambda => {}
        }
        let response = responses.iter().find(|(numbers, _)| numbers.contains(&number));
        Some(match response {
            Some((_, Response::Return(result))) => Ok(result.clone()),
            Some((_, Response::Throw { error, cause })) => {
                Err(Failure { error: error.clone(), cause: cause.clone() }.into())
            }
            None => Err(Failure::new(
                error_name::RUNTIME,
                format!(
                    "The test case {} has no response for invocation {number} of '{}'.",
                    self.name, call.state
                ),
            )
            .into()),
        })
    }
}

impl StepFunctions {
    /// `<ARN>#<test case>` taken apart.
    pub(super) fn split_case(arn: &str) -> (&str, Option<&str>) {
        arn.split_once('#').map_or((arn, None), |(arn, case)| (arn, Some(case)))
    }

    /// Mocks what an execution is to call, by a case of the file, which is read anew each time.
    pub(super) fn mock_execution(
        &self,
        execution: &str,
        machine: &str,
        case: &str,
        definition: &Definition,
    ) -> Result<(), ServiceError> {
        let wrong = |problem| ServiceError::new("ValidationException", problem);
        let path = self.settings.mock_config.as_deref();
        let path = path.ok_or_else(|| {
            wrong(format!("the test case {case} is asked for, and there is no mock configuration"))
        })?;
        let config = MockConfig::read(path).map_err(wrong)?;
        let mocked = config.case(machine, case, definition);
        let mocked = mocked.map_err(|problem| wrong(format!("{}: {problem}", path.display())))?;
        self.state().mocked.insert(execution.to_owned(), Arc::new(mocked));
        Ok(())
    }

    /// The case that an execution is mocked by.
    pub(super) fn mocked_case(&self, execution: &str) -> Option<Arc<MockedCase>> {
        self.state().mocked.get(execution).cloned()
    }

    /// A child is mocked as its parent is.
    pub(super) fn mock_child(&self, parent: &str, child: &str) {
        if let Some(mocked) = self.mocked_case(parent) {
            self.state().mocked.insert(child.to_owned(), mocked);
        }
    }
}
