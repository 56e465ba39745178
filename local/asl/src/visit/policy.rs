//! What becomes of a failure: `retry ‖ catch ‖ fail`.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::{Exit, Visit, assign};
use crate::definition::{Catcher, Transition};
use crate::event::EventDetail;
use crate::execution::end;
use crate::failure::{Failure, Trouble, error_name};
use crate::past::Inner;
use crate::state::StateKind;
use crate::variables::Variables;

/// A failure, and what may be done about it.
pub(crate) struct Settled {
    pub failure: Failure,
    heartbeat: bool,
    handled: Handling,
}

/// What came of one attempt, and what would become of its failure.
pub(crate) enum Tried {
    Exited(Exit),
    Retriable {
        failure: Failure,
        retrier: usize,
        delay: Duration,
    },
    /// `retrier` is used up.
    Caught {
        failure: Failure,
        exit: Exit,
        catcher: usize,
        retrier: Option<usize>,
    },
    Failed {
        failure: Failure,
        retrier: Option<usize>,
    },
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
    /// Runs a Task, Parallel or Map under its `Retry` and `Catch`.
    pub async fn run_with_policy(&mut self, variables: &Variables) -> Result<Exit, Failure> {
        let mut attempts = vec![0; self.state.retry.len()];
        loop {
            let ended = self.attempt(variables).await;
            self.past = &Inner::Nothing;
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

    /// Does once what the state does.
    pub async fn attempt(&mut self, variables: &Variables) -> Result<Exit, Trouble> {
        let state = self.state;
        match &state.kind {
            StateKind::Task(task) => task.run(self, variables).await,
            StateKind::Parallel(parallel) => parallel.run(self, variables).await,
            StateKind::Map(map) => map.run(self, variables).await,
            StateKind::Pass(pass) => pass.run(self, variables),
            StateKind::Choice(choice) => choice.run(self, variables),
            StateKind::Succeed => crate::state::succeed(self, variables),
            StateKind::Fail(fail) => Err(fail.run(self, variables)),
            StateKind::Wait(wait) => {
                self.track.open_state(state.kind.state_type());
                let ended = wait.run(self, variables).await;
                self.track.close();
                ended
            }
        }
    }

    /// One attempt, and what would become of its failure if the retrier that applies had retried
    /// `retries` times.
    pub async fn try_once(&mut self, variables: &Variables, retries: u64) -> Tried {
        let settled = match self.attempt(variables).await {
            Ok(exit) => return Tried::Exited(exit),
            Err(trouble) => match self.settle(trouble) {
                Ok(settled) => settled,
                Err(failure) => return Tried::Failed { failure, retrier: None },
            },
        };
        let failure = settled.failure.clone();
        if settled.handled != Handling::Policy {
            return Tried::Failed { failure, retrier: None };
        }
        let retrier = self.state.retry.iter().position(|retrier| settled.matches(&retrier.errors));
        let random = self.run.host.random();
        if let Some(index) = retrier
            && let Some(delay) = self.state.retry[index].schedule.delay(retries, random)
        {
            return Tried::Retriable { failure, retrier: index, delay };
        }
        let catcher = self.state.catch.iter().position(|catcher| settled.matches(&catcher.errors));
        let Some(index) = catcher else { return Tried::Failed { failure, retrier } };
        match self.exit_by_catch(&self.state.catch[index], &failure, variables) {
            Ok(exit) => Tried::Caught { failure, exit, catcher: index, retrier },
            Err(trouble) => {
                let failure =
                    self.settle(trouble).map_or_else(|end| end, |settled| settled.failure);
                Tried::Failed { failure, retrier: None }
            }
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
