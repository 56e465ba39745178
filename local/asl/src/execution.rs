//! One execution from its start to its end.

use std::sync::Arc;
use std::task::Poll;

use futures::future::{BoxFuture, FutureExt as _};
use futures::{pin_mut, select_biased};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::context::{MapItem, StateContext};
use crate::definition::{Definition, ExecutionType, Machine, State, Transition};
use crate::event::EventDetail;
use crate::failure::{Failure, Trouble, error_name};
use crate::history::{History, MAX_EVENTS, Track};
use crate::host::{Host, Stop};
use crate::past::{Inner, Line, Past, Place, Resumption};
use crate::state::StateKind;
use crate::test_state::Trial;
use crate::variables::Variables;
use crate::visit::{Exit, Visit};

/// States that do not wait are run this many at a time before the runtime, and
/// with it a stop or a time limit, has its turn.
const VISITS_IN_ONE_GO: u64 = 64;

/// The longest an EXPRESS execution may take.
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>.
const MAX_EXPRESS_SECONDS: u64 = 300;

/// Who an execution is: the context object's constant part.
#[derive(Debug, Clone)]
pub struct ExecutionContext {
    pub execution_arn: String,
    pub execution_name: String,
    pub state_machine_arn: String,
    pub state_machine_name: String,
    pub role_arn: String,
    /// Written into `TaskScheduled` events.
    pub region: String,
    pub start_time: Timestamp,
    pub redrive_count: u32,
    pub redrive_time: Option<Timestamp>,
    /// Started by `StartSyncExecution`: its context object has no `RedriveCount`.
    pub synchronous: bool,
    /// The execution's input: `$$.Execution.Input` and the first state's data.
    pub input: Arc<Value>,
    pub execution_type: ExecutionType,
}

/// How an execution ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Succeeded(Arc<Value>),
    Failed(Failure),
    /// The definition's own `TimeoutSeconds` ran out.
    TimedOut(Failure),
    /// Stopped from outside.
    Aborted(Failure),
}

impl Outcome {
    /// AWS's status name.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Succeeded(_) => "SUCCEEDED",
            Self::Failed(_) => "FAILED",
            Self::TimedOut(_) => "TIMED_OUT",
            Self::Aborted(_) => "ABORTED",
        }
    }
}

/// Runs `definition` to its end, recording everything through `host`, from
/// `ExecutionStarted` to the event that ends it.
pub async fn run(
    definition: &Definition,
    context: Arc<ExecutionContext>,
    host: &dyn Host,
) -> Outcome {
    play(definition, context, host, None).await
}

/// Goes on with an execution that did not succeed, where its past ends: states that were exited
/// are not run again.
pub async fn redrive(
    definition: &Definition,
    context: Arc<ExecutionContext>,
    host: &dyn Host,
    past: Past,
) -> Outcome {
    play(definition, context, host, Some(past)).await
}

async fn play(
    definition: &Definition,
    context: Arc<ExecutionContext>,
    host: &dyn Host,
    past: Option<Past>,
) -> Outcome {
    let limit = match context.execution_type {
        ExecutionType::Standard => MAX_EVENTS,
        ExecutionType::Express => u64::MAX,
    };
    let last = past.as_ref().map_or(0, |past| past.last);
    let history = History::new(host, limit, last);
    let run = Run { host, history, execution: context, trial: None };
    let input = Arc::clone(&run.execution.input);
    let first = match &past {
        None => EventDetail::ExecutionStarted {
            input: Arc::clone(&input),
            role_arn: run.execution.role_arn.clone(),
        },
        Some(_) => EventDetail::ExecutionRedriven { redrive_count: run.execution.redrive_count },
    };
    run.history.append(0, first);
    let track = Track::default();
    let past = past.as_ref().map(|past| past.line.as_ref());
    let outcome = {
        let start = Start { input, variables: Variables::default(), item: None, past };
        let body = run.machine(&definition.machine, start, &track);
        let body = body.fuse();
        let limit = time_limit(run.limit_seconds(definition), host).fuse();
        let stopped = host.stopped().fuse();
        pin_mut!(body, limit, stopped);
        select_biased! {
            result = body => match result {
                Ok(output) => Outcome::Succeeded(output),
                Err(failure) => Outcome::Failed(failure),
            },
            Stop(failure) = stopped => Outcome::Aborted(failure),
            () = limit => Outcome::TimedOut(Failure::named(error_name::TIMEOUT)),
        }
    };
    let (previous, detail) = match &outcome {
        Outcome::Succeeded(output) => {
            let output = Arc::clone(output);
            (track.previous(), EventDetail::ExecutionSucceeded { output })
        }
        Outcome::Failed(failure) => {
            (track.previous(), EventDetail::ExecutionFailed(failure.clone()))
        }
        // What comes from outside follows nothing.
        Outcome::TimedOut(failure) => (0, EventDetail::ExecutionTimedOut(failure.clone())),
        Outcome::Aborted(failure) => (0, EventDetail::ExecutionAborted(failure.clone())),
    };
    run.history.append(previous, detail);
    outcome
}

/// Lets others run once.
async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn time_limit(seconds: Option<u64>, host: &dyn Host) {
    let limit = seconds.and_then(|seconds| i64::try_from(seconds).ok()).and_then(|seconds| {
        let seconds = SignedDuration::from_secs(seconds);
        host.now().checked_add(seconds).ok()
    });
    match limit {
        Some(limit) => host.sleep_until(limit).await,
        None => std::future::pending().await,
    }
}

/// What all states of one execution share.
pub(crate) struct Run<'a> {
    pub host: &'a dyn Host,
    pub history: History<'a>,
    pub execution: Arc<ExecutionContext>,
    /// Present while a single state is tested.
    pub trial: Option<&'a Trial>,
}

/// What a machine begins with.
pub(crate) struct Start<'a> {
    pub input: Arc<Value>,
    pub variables: Variables,
    pub item: Option<MapItem>,
    /// What it had done before a redrive.
    pub past: Option<&'a Line>,
}

impl Run<'_> {
    fn limit_seconds(&self, definition: &Definition) -> Option<u64> {
        match self.execution.execution_type {
            ExecutionType::Standard => definition.timeout_seconds,
            ExecutionType::Express => {
                let given = definition.timeout_seconds.unwrap_or(MAX_EXPRESS_SECONDS);
                Some(given.min(MAX_EXPRESS_SECONDS))
            }
        }
    }

    /// Runs a machine inside this execution: the loop of the language.
    pub async fn machine(
        &self,
        machine: &Machine,
        start: Start<'_>,
        track: &Track,
    ) -> Result<Arc<Value>, Failure> {
        let Start { input: mut data, mut variables, item, past } = start;
        let mut at = machine.start;
        let mut open = None;
        if let Some(Resumption { assigned, at: place }) = past.and_then(|past| past.resume(machine))
        {
            for one in assigned {
                variables.assign(std::slice::from_ref(one));
            }
            track.follow(past.map_or(0, |past| past.last));
            match place {
                Place::End(result) => return Ok(result),
                Place::Before(next, output) => (at, data) = (next, output),
                Place::Within(state, visit) => {
                    (at, data) = (state, Arc::clone(&visit.input));
                    open = Some(visit);
                }
            }
        }
        for visits in 1_u64.. {
            if visits % VISITS_IN_ONE_GO == 0 {
                yield_now().await;
            }
            let state = &machine.states[at];
            let before = track.previous();
            let (entered, past) = match open.take() {
                // A Fail is entered anew, and fails again.
                Some(open) if !matches!(state.kind, StateKind::Fail(_)) => {
                    track.follow(open.last);
                    (open.entered, open.inner)
                }
                _ => (self.enter(state, track, &data)?, &Inner::Nothing),
            };
            let mut visit = Visit {
                past,
                run: self,
                state,
                track,
                before,
                entered,
                context: self.state_context(state, item.as_ref()),
                input: data,
            };
            let exit = self.visit(&mut visit, &variables).await?;
            variables.assign(&exit.assigned);
            data = Arc::clone(&exit.output);
            let next = exit.next;
            self.leave(state, track, exit)?;
            match next {
                Transition::To(next) => at = next,
                Transition::End => return Ok(data),
            }
        }
        unreachable!("an execution ends before 2^64 visits")
    }

    /// A machine inside a state: boxed, since states hold machines.
    pub fn inner_machine<'b>(
        &'b self,
        machine: &'b Machine,
        start: Start<'b>,
        track: &'b Track,
    ) -> BoxFuture<'b, Result<Arc<Value>, Failure>> {
        self.machine(machine, start, track).boxed()
    }

    async fn visit(&self, visit: &mut Visit<'_>, variables: &Variables) -> Result<Exit, Failure> {
        if visit.state.kind.state_type().can_fail() {
            return visit.run_with_policy(variables).await;
        }
        match visit.attempt(variables).await {
            Ok(exit) => Ok(exit),
            Err(trouble) => Err(visit.settle(trouble)?.failure),
        }
    }

    pub fn state_context(&self, state: &State, item: Option<&MapItem>) -> StateContext {
        StateContext {
            execution: Arc::clone(&self.execution),
            name: Arc::clone(&state.name),
            entered: self.host.now(),
            retry_count: state.kind.state_type().can_fail().then_some(0),
            token: None,
            item: item.cloned(),
            given: None,
        }
    }

    fn enter(&self, state: &State, track: &Track, input: &Arc<Value>) -> Result<u64, Failure> {
        let detail = EventDetail::StateEntered {
            state: state.kind.state_type(),
            name: Arc::clone(&state.name),
            input: Arc::clone(input),
        };
        self.history.record(track, detail).map_err(end)
    }

    fn leave(&self, state: &State, track: &Track, exit: Exit) -> Result<u64, Failure> {
        let detail = EventDetail::StateExited {
            state: state.kind.state_type(),
            name: Arc::clone(&state.name),
            output: exit.output,
            assigned: exit.assigned,
        };
        self.history.record(track, detail).map_err(end)
    }
}

/// The history takes no more: nothing but the end is possible.
pub(crate) fn end(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Fatal(failure) | Trouble::Failure(failure) => failure,
        Trouble::Heartbeat => Failure::named(error_name::TIMEOUT),
        Trouble::Fault(fault) => Failure::new(fault.error, fault.detail),
    }
}
