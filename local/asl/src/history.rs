//! Event ids, and what precedes what.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::event::{Event, EventDetail, StateType};
use crate::failure::{Failure, Trouble, error_name};
use crate::host::Host;

/// A STANDARD execution's history ends here.
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>.
pub const MAX_EVENTS: u64 = 25_000;

pub(crate) struct History<'a> {
    host: &'a dyn Host,
    /// The last id given.
    last: AtomicU64,
    limit: u64,
}

impl<'a> History<'a> {
    /// `last` events are there already.
    pub fn new(host: &'a dyn Host, limit: u64, last: u64) -> Self {
        Self { host, last: AtomicU64::new(last), limit }
    }

    /// Records an event after `track`'s last one, without following it.
    pub fn note(&self, track: &Track, detail: EventDetail) -> Result<u64, Trouble> {
        if self.last.load(Ordering::Relaxed) + 1 >= self.limit {
            let cause = format!(
                "The execution reached the maximum number of history events ({MAX_EVENTS})."
            );
            return Err(Trouble::Fatal(Failure::new(error_name::RUNTIME, cause)));
        }
        Ok(self.append(track.previous(), detail))
    }

    /// Records an event and makes it the one the next follows.
    pub fn record(&self, track: &Track, detail: EventDetail) -> Result<u64, Trouble> {
        let id = self.note(track, detail)?;
        track.follow(id);
        Ok(id)
    }

    /// Records the event that ends the execution, for which there is always room.
    pub fn append(&self, previous_event_id: u64, detail: EventDetail) -> u64 {
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        self.host.record(Event { id, previous_event_id, timestamp: self.host.now(), detail });
        id
    }
}

/// One line of events: the execution's own, a branch's or an iteration's. The
/// parent looks into it when it has to abort it.
#[derive(Debug, Default)]
pub(crate) struct Track {
    previous: AtomicU64,
    open: Mutex<Open>,
}

/// What a line is in the middle of.
#[derive(Debug, Default)]
enum Open {
    #[default]
    Nothing,
    State(StateType),
    Branches(StateType, Vec<Arc<Track>>),
    Iterations(StateType, Arc<str>, Vec<(usize, Arc<Track>)>),
}

impl Track {
    pub fn after(previous: u64) -> Self {
        Self { previous: AtomicU64::new(previous), open: Mutex::default() }
    }

    pub fn previous(&self) -> u64 {
        self.previous.load(Ordering::Relaxed)
    }

    pub fn follow(&self, id: u64) {
        self.previous.store(id, Ordering::Relaxed);
    }

    fn set(&self, open: Open) {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = open;
    }

    pub fn close(&self) {
        self.set(Open::Nothing);
    }

    /// The line has entered a state that an abort would cut off.
    pub fn open_state(&self, state: StateType) {
        self.set(Open::State(state));
    }

    pub fn open_branches(&self, branches: Vec<Arc<Track>>) {
        self.set(Open::Branches(StateType::Parallel, branches));
    }

    pub fn open_iterations(&self, name: Arc<str>) {
        self.set(Open::Iterations(StateType::Map, name, Vec::new()));
    }

    pub fn add_iteration(&self, index: usize, track: Arc<Track>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Open::Iterations(_, _, iterations) = &mut *open {
            iterations.push((index, track));
        }
    }

    pub fn remove_iteration(&self, index: usize) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Open::Iterations(_, _, iterations) = &mut *open {
            iterations.retain(|(other, _)| *other != index);
        }
    }

    /// Records the end of everything this line is in the middle of.
    pub fn abort(&self, history: &History, previous: &Track) -> Result<(), Trouble> {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        let state = match open {
            Open::Nothing => return Ok(()),
            Open::State(state) => state,
            Open::Branches(state, branches) => {
                for branch in branches {
                    branch.abort(history, previous)?;
                }
                state
            }
            Open::Iterations(state, name, iterations) => {
                for (index, track) in iterations {
                    let name = Arc::clone(&name);
                    history.note(previous, EventDetail::MapIterationAborted { name, index })?;
                    track.abort(history, previous)?;
                }
                state
            }
        };
        history.note(previous, EventDetail::StateAborted { state })?;
        Ok(())
    }

    /// As [`Track::abort`], for the branches or iterations inside the state
    /// that the line is in, which itself goes on.
    pub fn abort_inner(&self, history: &History) -> Result<(), Trouble> {
        let open = std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        match open {
            Open::Branches(_, branches) => {
                for branch in branches {
                    branch.abort(history, self)?;
                }
            }
            Open::Iterations(_, name, iterations) => {
                for (index, track) in iterations {
                    let name = Arc::clone(&name);
                    history.note(self, EventDetail::MapIterationAborted { name, index })?;
                    track.abort(history, self)?;
                }
            }
            Open::Nothing | Open::State(_) => {}
        }
        Ok(())
    }
}
