//! What an execution had done when it ended, told by its history: where a redrive goes on.
//!
//! A state that was exited is not run again: its output and its variables are taken from the history. A state that
//! was entered and not exited is run again with the input it had; inside it, branches and iterations that came to
//! their end keep their results. Source:
//! <https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html>.

mod reader;

use std::sync::Arc;

use serde_json::Value;

use crate::definition::{Machine, Transition};
use crate::state::StateKind;

/// The past of one execution.
#[derive(Debug, Clone)]
pub struct Past {
    pub(crate) line: Arc<Line>,
    /// The id of the history's last event.
    pub(crate) last: u64,
}

impl Past {
    /// Reads a history: all events of one execution from the first, in the shape of `GetExecutionHistory`. `None` where
    /// one of them is not.
    pub fn of(events: &[Value]) -> Option<Self> {
        let mut reader = reader::Reader::default();
        for event in events {
            reader.read(event)?;
        }
        Some(reader.finish())
    }

    /// How many events there are.
    pub fn events(&self) -> u64 {
        self.last
    }
}

/// The execution's own line of events, a branch's or an iteration's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Line {
    visits: Vec<PastVisit>,
    /// Its last event.
    pub last: u64,
}

/// One visit of a state.
#[derive(Debug, Clone)]
struct PastVisit {
    name: String,
    input: Arc<Value>,
    /// The id of the entry.
    entered: u64,
    last: u64,
    inner: Inner,
    exit: Option<PastExit>,
}

#[derive(Debug, Clone)]
struct PastExit {
    output: Arc<Value>,
    assigned: Vec<(String, Arc<Value>)>,
    /// It left by a Catch.
    caught: bool,
}

/// What was under way inside a state.
#[derive(Debug, Clone, Default)]
pub(crate) enum Inner {
    #[default]
    Nothing,
    Lines(Lines),
    /// A Map Run, by its ARN.
    MapRun(String),
}

/// Branches or iterations.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lines {
    /// The id of `ParallelStateStarted` or `MapStateStarted`.
    pub started: u64,
    branches: Vec<(Key, Line)>,
}

/// A branch by its first state's name, an iteration by its index.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Key {
    Branch(String),
    Iteration(usize),
}

impl Lines {
    pub fn branch(&self, first_state: &str) -> Option<&Line> {
        self.find(|key| matches!(key, Key::Branch(name) if name == first_state))
    }

    pub fn iteration(&self, index: usize) -> Option<&Line> {
        self.find(|key| *key == Key::Iteration(index))
    }

    fn find(&self, is_it: impl Fn(&Key) -> bool) -> Option<&Line> {
        self.branches.iter().find(|(key, _)| is_it(key)).map(|(_, line)| line)
    }
}

/// Where a machine goes on.
pub(crate) struct Resumption<'a> {
    /// What the states assigned that are not run again, in their order.
    pub assigned: Vec<&'a (String, Arc<Value>)>,
    pub at: Place<'a>,
}

pub(crate) enum Place<'a> {
    /// The machine came to its end with this.
    End(Arc<Value>),
    /// In the middle of a state.
    Within(usize, Open<'a>),
    /// Before a state that is yet to be entered.
    Before(usize, Arc<Value>),
}

/// A state that was entered and not exited.
pub(crate) struct Open<'a> {
    pub input: Arc<Value>,
    pub entered: u64,
    pub last: u64,
    pub inner: &'a Inner,
}

impl Line {
    /// `None` where nothing had happened yet, or the history is of another machine.
    pub fn resume(&self, machine: &Machine) -> Option<Resumption<'_>> {
        let (last, before) = self.visits.split_last()?;
        let state_at = |name: &str| machine.states.iter().position(|state| &*state.name == name);
        let at = state_at(&last.name)?;
        let state = &machine.states[at];
        let assigned = before.iter().flat_map(|visit| &visit.exit).flat_map(|exit| &exit.assigned);
        let mut assigned: Vec<_> = assigned.collect();
        let place = match &last.exit {
            // Where it would have gone the history does not say: it is asked again.
            Some(exit) if exit.caught || matches!(state.kind, StateKind::Choice(_)) => {
                Place::Within(at, last.again())
            }
            Some(exit) => {
                assigned.extend(&exit.assigned);
                match state.next {
                    Transition::To(next) => Place::Before(next, Arc::clone(&exit.output)),
                    Transition::End => Place::End(Arc::clone(&exit.output)),
                }
            }
            None => Place::Within(at, last.open()),
        };
        Some(Resumption { assigned, at: place })
    }

    /// The result, where the machine came to its end.
    pub fn result(&self, machine: &Machine) -> Option<Arc<Value>> {
        match self.resume(machine)?.at {
            Place::End(result) => Some(result),
            Place::Within(..) | Place::Before(..) => None,
        }
    }
}

const NOTHING: &Inner = &Inner::Nothing;

impl PastVisit {
    fn open(&self) -> Open<'_> {
        Open { inner: &self.inner, ..self.again() }
    }

    /// As if nothing had come of it.
    fn again(&self) -> Open<'_> {
        let (entered, last) = (self.entered, self.last);
        Open { input: Arc::clone(&self.input), entered, last, inner: NOTHING }
    }
}
