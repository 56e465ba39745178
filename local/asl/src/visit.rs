//! One visit of a state: from its entry to its exit.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Map, Value};

use crate::context::StateContext;
use crate::definition::{Catcher, Place, QueryLanguage, Selection, State, Transition};
use crate::event::EventDetail;
use crate::execution::{Run, end};
use crate::failure::{Failure, Fault, Trouble, error_name};
use crate::history::Track;
use crate::payload;
use crate::scope::Scope;
use crate::state::StateKind;
use crate::template::Template;
use crate::variables::Variables;

pub(crate) struct Visit<'a> {
    pub run: &'a Run<'a>,
    pub state: &'a State,
    pub track: &'a Track,
    /// The event before the state's entry.
    pub before: u64,
    /// The id of the entry event, named in causes.
    pub entered: u64,
    pub context: StateContext,
    pub input: Arc<Value>,
}

/// What a state leaves with.
pub(crate) struct Exit {
    pub output: Arc<Value>,
    pub assigned: Vec<(String, Arc<Value>)>,
    pub next: Transition,
}

/// A failure, and what may be done about it.
pub(crate) struct Settled {
    pub failure: Failure,
    heartbeat: bool,
    handled: Handling,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Handling {
    /// Retry and Catch apply.
    Policy,
    /// The state's own `JSONPath` fields are at fault: nothing catches that.
    Runtime,
    /// The execution is over.
    Fatal,
}

impl Visit<'_> {
    pub fn is_jsonata(&self) -> bool {
        self.state.language == QueryLanguage::Jsonata
    }

    pub fn scope<'b>(&'b self, data: &'b Value, variables: &'b Variables) -> Scope<'b> {
        let mut scope = Scope::new(data, &self.context, variables, self.run.host);
        scope.jsonata = self.is_jsonata();
        scope
    }

    /// A fault of this state's own fields, in its language's error.
    pub fn fault(&self, detail: &str) -> Fault {
        match self.state.language {
            QueryLanguage::JsonPath => Fault::runtime(detail),
            QueryLanguage::Jsonata => Fault::query(detail, None),
        }
    }

    /// The input after `InputPath`.
    pub fn effective_input(&self, variables: &Variables) -> Result<Arc<Value>, Fault> {
        self.selected(&self.state.io.input, &self.input, variables)
    }

    /// The input after `Parameters` or `Arguments`.
    pub fn parameters(
        &self,
        input: &Arc<Value>,
        variables: &Variables,
    ) -> Result<Arc<Value>, Fault> {
        match &self.state.io.parameters {
            Some(template) => template.share(&self.scope(input, variables)),
            None => Ok(Arc::clone(input)),
        }
    }

    fn selected(
        &self,
        selection: &Selection,
        data: &Arc<Value>,
        variables: &Variables,
    ) -> Result<Arc<Value>, Fault> {
        match selection {
            Selection::Whole => Ok(Arc::clone(data)),
            Selection::Empty => Ok(Arc::new(Value::Object(Map::new()))),
            Selection::Path(path) => {
                let scope = self.scope(data, variables);
                Ok(Arc::new(scope.require(path)?.into_owned()))
            }
        }
    }

    /// Leaves with a result: `ResultSelector`, `Assign`, `ResultPath` and
    /// `OutputPath`, or `Output` and `Assign`.
    pub fn exit(&self, result: Arc<Value>, variables: &Variables) -> Result<Exit, Trouble> {
        let io = &self.state.io;
        if self.is_jsonata() {
            let scope = self.scope(&self.input, variables).with_result(&result);
            let output = match &io.output {
                Some(template) => template.share(&scope)?,
                None => Arc::clone(&result),
            };
            let assigned = assign(&io.assign, &scope)?;
            drop(scope);
            return self.checked(output, assigned, self.state.next);
        }
        let assigned = assign(&io.assign, &self.scope(&result, variables))?;
        let result = match &io.result_selector {
            Some(template) => template.share(&self.scope(&result, variables))?,
            None => result,
        };
        let output = self.placed(&io.result_place, result)?;
        let output = self.selected(&io.output_path, &output, variables)?;
        self.checked(output, assigned, self.state.next)
    }

    /// Leaves with the input: Wait, Choice by default, Succeed, and Pass in `JSONata`.
    pub fn exit_without_result(&self, variables: &Variables) -> Result<Exit, Trouble> {
        let io = &self.state.io;
        let input = self.effective_input(variables)?;
        let scope = self.scope(&input, variables);
        let assigned = assign(&io.assign, &scope)?;
        let output = match &io.output {
            Some(template) => template.share(&scope)?,
            None => self.selected(&io.output_path, &input, variables)?,
        };
        drop(scope);
        self.checked(output, assigned, self.state.next)
    }

    /// Leaves a Choice by a rule, with the rule's `Output` and `Assign`.
    pub fn exit_by_rule(
        &self,
        output: Option<&Template>,
        assignments: &[(String, Template)],
        next: Transition,
        variables: &Variables,
    ) -> Result<Exit, Trouble> {
        let input = self.effective_input(variables)?;
        let scope = self.scope(&input, variables);
        let assigned = assign(assignments, &scope)?;
        let output = match output {
            Some(template) => template.share(&scope)?,
            None => self.selected(&self.state.io.output_path, &input, variables)?,
        };
        drop(scope);
        self.checked(output, assigned, next)
    }

    /// `ResultPath`: the result in, beside or instead of the state's raw input.
    fn placed(&self, place: &Place, result: Arc<Value>) -> Result<Arc<Value>, Fault> {
        match place {
            Place::Whole => Ok(result),
            Place::Nowhere => Ok(Arc::clone(&self.input)),
            Place::At(path) => {
                let mut output = self.input.as_ref().clone();
                let result =
                    Arc::try_unwrap(result).unwrap_or_else(|shared| shared.as_ref().clone());
                path.put(&mut output, result).map_err(|()| {
                    Fault::of(
                        error_name::RESULT_PATH_MATCH_FAILURE,
                        format!(
                            "Unable to apply ReferencePath {} to input {}",
                            path.text, self.input
                        ),
                    )
                })?;
                Ok(Arc::new(output))
            }
        }
    }

    fn checked(
        &self,
        output: Arc<Value>,
        assigned: Vec<(String, Arc<Value>)>,
        next: Transition,
    ) -> Result<Exit, Trouble> {
        if !Arc::ptr_eq(&output, &self.input) && payload::is_too_large(&output) {
            return Err(Failure::too_large(&self.state.name).into());
        }
        Ok(Exit { output, assigned, next })
    }

    /// Runs a Task, Parallel or Map under its `Retry` and `Catch`.
    pub async fn run_with_policy(&mut self, variables: &Variables) -> Result<Exit, Failure> {
        let mut attempts = vec![0; self.state.retry.len()];
        loop {
            let ended = match &self.state.kind {
                StateKind::Task(task) => task.run(self, variables).await,
                StateKind::Parallel(parallel) => parallel.run(self, variables).await,
                StateKind::Map(map) => map.run(self, variables).await,
                other => unreachable!("{:?} has no policy", other.state_type()),
            };
            let settled = match ended {
                Ok(exit) => return Ok(exit),
                Err(trouble) => self.settle(trouble)?,
            };
            if settled.handled != Handling::Policy {
                return Err(settled.failure);
            }
            if let Some(delay) = self.next_retry(&settled, &mut attempts) {
                let until = self.run.host.now() + delay;
                self.run.host.sleep_until(until).await;
                self.context.retry_count = self.context.retry_count.map(|count| count + 1);
                continue;
            }
            let catcher = self.state.catch.iter().find(|catcher| settled.matches(&catcher.errors));
            self.note_failure(catcher.is_some()).map_err(end)?;
            return match catcher {
                Some(catcher) => match self.exit_by_catch(catcher, &settled.failure, variables) {
                    Ok(exit) => {
                        self.track.close();
                        Ok(exit)
                    }
                    Err(trouble) => Err(self.settle(trouble)?.failure),
                },
                None => Err(settled.failure),
            };
        }
    }

    fn next_retry(&self, settled: &Settled, attempts: &mut [u64]) -> Option<SignedDuration> {
        let mut retriers = self.state.retry.iter().zip(attempts);
        let (retrier, attempt) = retriers.find(|(retrier, _)| settled.matches(&retrier.errors))?;
        let delay = retrier.schedule.delay(*attempt, self.run.host.random())?;
        *attempt += 1;
        SignedDuration::try_from(delay).ok()
    }

    /// `ParallelStateFailed`, `MapStateFailed`. A `JSONata` Parallel whose
    /// error is caught is recorded as succeeded: recorded case
    /// `error_output_variables/error_output.test_parallel_catch_error-PARALLEL_CATCH_ERROR_OUTPUT`.
    fn note_failure(&self, caught: bool) -> Result<(), Trouble> {
        let detail = match &self.state.kind {
            StateKind::Parallel(_) if caught && self.is_jsonata() => {
                EventDetail::ParallelStateSucceeded
            }
            StateKind::Parallel(_) => EventDetail::ParallelStateFailed,
            StateKind::Map(_) => EventDetail::MapStateFailed,
            _ => return Ok(()),
        };
        self.track.close();
        self.run.history.record(self.track, detail)?;
        Ok(())
    }

    fn exit_by_catch(
        &self,
        catcher: &Catcher,
        failure: &Failure,
        variables: &Variables,
    ) -> Result<Exit, Trouble> {
        let error_output = Arc::new(failure.to_output());
        let next = Transition::To(catcher.next);
        if self.is_jsonata() {
            let scope = self.scope(&self.input, variables).with_error_output(&error_output);
            let assigned = assign(&catcher.assign, &scope)?;
            let output = match &catcher.output {
                Some(template) => template.share(&scope)?,
                None => Arc::clone(&error_output),
            };
            drop(scope);
            return self.checked(output, assigned, next);
        }
        let assigned = assign(&catcher.assign, &self.scope(&error_output, variables))?;
        let output = self.placed(&catcher.place, error_output)?;
        self.checked(output, assigned, next)
    }

    /// Gives a trouble its name and cause, and records `EvaluationFailed`
    /// where AWS does.
    pub fn settle(&self, trouble: Trouble) -> Result<Settled, Failure> {
        let fault = match trouble {
            Trouble::Failure(failure) => return Ok(Settled::of(failure, Handling::Policy)),
            Trouble::Fatal(failure) => return Ok(Settled::of(failure, Handling::Fatal)),
            Trouble::Heartbeat => {
                return Ok(Settled {
                    heartbeat: true,
                    ..Settled::of(Failure::named(error_name::TIMEOUT), Handling::Policy)
                });
            }
            Trouble::Fault(fault) => fault,
        };
        let (error, location, in_use) = (fault.error, fault.location.clone(), fault.in_use);
        let failure = fault.into_failure(&self.state.name, self.entered);
        if error == error_name::QUERY_EVALUATION_ERROR {
            // Entry and evaluation are one step to AWS: both follow the same event.
            if self.track.previous() == self.entered && !in_use {
                self.track.follow(self.before);
            }
            let detail = EventDetail::EvaluationFailed {
                failure: failure.clone(),
                state: Arc::clone(&self.state.name),
                location,
            };
            self.run.history.record(self.track, detail).map_err(end)?;
        }
        let handled =
            if error == error_name::RUNTIME { Handling::Runtime } else { Handling::Policy };
        Ok(Settled::of(failure, handled))
    }
}

impl Settled {
    fn of(failure: Failure, handled: Handling) -> Self {
        Self { failure, heartbeat: false, handled }
    }

    /// Whether an `ErrorEquals` names this failure.
    fn matches(&self, errors: &[String]) -> bool {
        let error = self.failure.error.as_deref();
        let runtime = error == Some(error_name::RUNTIME);
        !runtime
            && errors.iter().any(|name| match name.as_str() {
                error_name::ALL => true,
                error_name::TASK_FAILED => error != Some(error_name::TIMEOUT),
                error_name::HEARTBEAT_TIMEOUT if self.heartbeat => true,
                name => error == Some(name),
            })
    }
}

fn assign(
    assignments: &[(String, Template)],
    scope: &Scope,
) -> Result<Vec<(String, Arc<Value>)>, Fault> {
    assignments.iter().map(|(name, template)| Ok((name.clone(), template.share(scope)?))).collect()
}
