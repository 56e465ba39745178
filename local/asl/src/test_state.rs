//! `TestState`: one state of a definition, run once, with what it made of its data on the way.

use std::sync::{Arc, Mutex, PoisonError};

use futures::future::FutureExt as _;
use futures::{pin_mut, select_biased};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use crate::context::MapItem;
use crate::definition::{Definition, Found, Machine, QueryLanguage, State, Transition};
use crate::execution::{ExecutionContext, Run};
use crate::failure::{Failure, Trouble, error_name};
use crate::history::{History, MAX_EVENTS, Track};
use crate::host::Host;
use crate::past::Inner;
use crate::state::StateKind;
use crate::variables::Variables;
use crate::visit::{Exit, Tried, Visit};

/// What a tested state is called in its context object, whatever its name.
pub const TESTED_STATE: &str = "StateName";

/// The longest a test may take.
/// Source: <https://docs.aws.amazon.com/step-functions/latest/apireference/API_TestState.html>.
const LIMIT: SignedDuration = SignedDuration::from_mins(5);

/// What a state is tested with.
#[derive(Debug, Clone, Default)]
pub struct StateTest {
    pub input: Arc<Value>,
    /// Variables that the state sees, by name.
    pub variables: Map<String, Value>,
    /// The context object, in place of one made up.
    pub context: Option<Arc<Value>>,
    /// What the Task, Parallel or Map comes to, in place of its doing it.
    pub mock: Option<Result<Value, Failure>>,
    /// How often the retrier that applies to the error has retried.
    pub retrier_retry_count: u32,
    /// How many iterations of the Map have failed.
    pub map_iteration_failure_count: u64,
    /// The file that the Map's `ItemReader` reads.
    pub map_item_reader_data: Option<String>,
}

/// What came of a state.
#[derive(Debug, Clone, PartialEq)]
pub struct StateTested {
    /// `SUCCEEDED`, `FAILED`, `RETRIABLE` or `CAUGHT_ERROR`.
    pub status: &'static str,
    pub output: Option<Arc<Value>>,
    pub failure: Option<Failure>,
    /// Where the state leads; none at an end and after a failure.
    pub next_state: Option<String>,
    /// `InspectionData`: data as JSON text, numbers, and `errorDetails`.
    pub inspection: Map<String, Value>,
}

/// A place on a state's way from its input to its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    AfterInputPath,
    /// `Parameters` or `Arguments`
    AfterParameters,
    AfterItemsPath,
    AfterItemsPointer,
    AfterItemSelector,
    AfterItemBatcher,
    Result,
    AfterResultSelector,
    AfterResultPath,
}

/// A test under way.
pub(crate) struct Trial {
    pub test: StateTest,
    inspection: Mutex<Map<String, Value>>,
    /// Why the request is none that can be tested.
    refused: Mutex<Option<String>>,
}

/// Tests the state `name`, which may lie in a Parallel or a Map.
///
/// # Errors
/// Why such a test is not possible: there is no such state, or the mock does not fit it.
pub async fn test_state(
    definition: &Definition,
    name: &str,
    test: StateTest,
    execution: Arc<ExecutionContext>,
    host: &dyn Host,
) -> Result<StateTested, String> {
    let found = definition.machine.find(name);
    let found = found.ok_or_else(|| format!("State '{name}' was not found"))?;
    let trial = Trial { test, inspection: Mutex::default(), refused: Mutex::default() };
    trial.note("input", trial.test.input.to_string().into());
    let run =
        Run { host, history: History::new(host, MAX_EVENTS, 0), execution, trial: Some(&trial) };
    let tried = {
        let tried = run.try_state(&found).fuse();
        let limit = host.sleep_until(host.now() + LIMIT).fuse();
        pin_mut!(tried, limit);
        select_biased! {
            tried = tried => tried,
            () = limit => Tried::Failed { failure: Failure::named(error_name::TIMEOUT), retrier: None },
        }
    };
    if let Some(reason) = trial.refused.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(reason);
    }
    let inspection = trial.inspection.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(StateTested::of(tried, found.machine, trial.test.variables, inspection))
}

impl Run<'_> {
    async fn try_state(&self, found: &Found<'_>) -> Tried {
        let state = found.state;
        let trial = self.trial.expect("a state is tried in a trial");
        let test = &trial.test;
        let mut variables = Variables::default();
        for (name, value) in &test.variables {
            variables.assign(&[(name.clone(), Arc::new(value.clone()))]);
        }
        let track = Track::default();
        // A state in a Map works on its first item.
        let item = MapItem { index: 0, value: Arc::clone(&test.input) };
        let item = (found.iterated && test.context.is_none()).then_some(&item);
        let mut context = self.state_context(state, item);
        context.name = TESTED_STATE.into();
        context.retry_count = context.retry_count.map(|_| test.retrier_retry_count);
        context.given.clone_from(&test.context);
        let mut visit = Visit {
            run: self,
            state,
            track: &track,
            before: 0,
            entered: 0,
            context,
            input: Arc::clone(&test.input),
            past: &Inner::Nothing,
        };
        visit.try_once(&variables, test.retrier_retry_count.into()).await
    }
}

impl Trial {
    fn note(&self, name: &str, value: Value) {
        let mut notes = self.inspection.lock().unwrap_or_else(PoisonError::into_inner);
        notes.insert(name.to_owned(), value);
    }

    /// Notes data, where `TestState` shows this stage for such a state.
    pub fn show(&self, state: &State, stage: Stage, data: &Value) {
        if let Some(name) = stage.name(state) {
            self.note(name, data.to_string().into());
        }
    }

    /// Notes a number of a Map.
    pub fn show_number(&self, name: &str, value: impl Into<Value>) {
        self.note(name, value.into());
    }

    /// The mocked outcome, if there is one.
    pub fn mocked(&self) -> Option<Result<Arc<Value>, Trouble>> {
        let mock = self.test.mock.as_ref()?;
        Some(mock.clone().map(Arc::new).map_err(Trouble::from))
    }

    /// The test is none: `reason` says why.
    pub fn refuse(&self, reason: &str) -> Trouble {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get_or_insert_with(|| reason.to_owned());
        Trouble::Fatal(Failure::named(error_name::RUNTIME))
    }
}

impl Stage {
    /// Its name in `InspectionData`; none where `TestState` leaves it out.
    fn name(self, state: &State) -> Option<&'static str> {
        let jsonata = state.language == QueryLanguage::Jsonata;
        let kind = &state.kind;
        let has_result = matches!(kind, StateKind::Pass(pass) if pass.result.is_some());
        let is_task = matches!(kind, StateKind::Task(_));
        let (name, shown) = match self {
            Self::AfterInputPath => (
                "afterInputPath",
                !jsonata && !has_result && !matches!(kind, StateKind::Parallel(_)),
            ),
            Self::AfterParameters if jsonata => ("afterArguments", is_task),
            Self::AfterParameters => {
                ("afterParameters", is_task || matches!(kind, StateKind::Pass(_)))
            }
            Self::AfterItemsPath => ("afterItemsPath", !jsonata),
            Self::AfterItemsPointer => ("afterItemsPointer", true),
            Self::AfterItemSelector => ("afterItemSelector", true),
            Self::AfterItemBatcher => ("afterItemBatcher", true),
            Self::Result => ("result", is_task || has_result),
            Self::AfterResultSelector => ("afterResultSelector", !jsonata),
            Self::AfterResultPath => ("afterResultPath", !jsonata),
        };
        shown.then_some(name)
    }
}

impl StateTested {
    fn of(
        tried: Tried,
        machine: &Machine,
        mut variables: Map<String, Value>,
        mut inspection: Map<String, Value>,
    ) -> Self {
        let mut details = Map::new();
        let mut handler = |name: &str, index: Option<usize>| {
            if let Some(index) = index {
                details.insert(name.to_owned(), index.into());
            }
        };
        let (status, failure, exit) = match tried {
            Tried::Exited(exit) => ("SUCCEEDED", None, Some(exit)),
            Tried::Retriable { failure, retrier, delay } => {
                handler("retryIndex", Some(retrier));
                details.insert("retryBackoffIntervalSeconds".to_owned(), delay.as_secs().into());
                ("RETRIABLE", Some(failure), None)
            }
            Tried::Caught { failure, exit, catcher, retrier } => {
                handler("retryIndex", retrier);
                handler("catchIndex", Some(catcher));
                ("CAUGHT_ERROR", Some(failure), Some(exit))
            }
            Tried::Failed { failure, retrier } => {
                handler("retryIndex", retrier);
                ("FAILED", Some(failure), None)
            }
        };
        if !details.is_empty() {
            inspection.insert("errorDetails".to_owned(), Value::Object(details));
        }
        let next_state = exit.as_ref().and_then(|exit| match exit.next {
            Transition::To(next) => Some(machine.states[next].name.to_string()),
            Transition::End => None,
        });
        let Some(Exit { output, assigned, .. }) = exit else {
            note_variables(&mut inspection, variables);
            return Self { status, output: None, failure, next_state, inspection };
        };
        variables.extend(assigned.into_iter().map(|(name, value)| (name, json!(value.as_ref()))));
        note_variables(&mut inspection, variables);
        Self { status, output: Some(output), failure, next_state, inspection }
    }
}

fn note_variables(inspection: &mut Map<String, Value>, variables: Map<String, Value>) {
    if !variables.is_empty() {
        let text = Value::Object(variables).to_string();
        inspection.insert("variables".to_owned(), text.into());
    }
}
