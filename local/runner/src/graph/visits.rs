//! What became of each state in an execution and its children, from their histories.
use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

/// What a state's visits came to, all together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Succeeded,
    /// It failed at times, and was retried or caught.
    Caught,
    Failed,
    Running,
}

impl Mark {
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Caught => "caught",
            Self::Failed => "failed",
            Self::Running => "running",
        }
    }
}

/// The visits of one state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Visit {
    pub entered: usize,
    pub exited: usize,
    /// Attempts that failed or timed out.
    pub failures: usize,
    /// Entered, not exited, in an execution that has ended.
    pub given_up: usize,
}

/// By state name: names are unique in a definition.
#[derive(Debug, Default)]
pub struct Visits(BTreeMap<String, Visit>);

impl Visits {
    /// From the histories of an execution and its children, each with whether it has ended.
    pub fn of<'h>(histories: impl IntoIterator<Item = (&'h [Value], bool)>) -> Self {
        let mut visits = Self::default();
        for (history, ended) in histories {
            visits.add(history, ended);
        }
        visits
    }

    fn add(&mut self, history: &[Value], ended: bool) {
        let mut open: BTreeMap<&str, usize> = BTreeMap::new();
        // The state that each event belongs to: its own, or that of the event before.
        let mut within: HashMap<u64, &str> = HashMap::new();
        for event in history {
            let before =
                within.get(&event["previousEventId"].as_u64().unwrap_or_default()).copied();
            let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
            let entered = text("/stateEnteredEventDetails/name");
            let exited = text("/stateExitedEventDetails/name");
            if let Some(state) = entered {
                self.0.entry(state.to_owned()).or_default().entered += 1;
                *open.entry(state).or_default() += 1;
            }
            if let Some(state) = exited {
                self.0.entry(state.to_owned()).or_default().exited += 1;
                let open = open.entry(state).or_default();
                *open = open.saturating_sub(1);
            }
            let Some(state) = entered.or(exited).or(before) else { continue };
            within.insert(event["id"].as_u64().unwrap_or_default(), state);
            let kind = event["type"].as_str().unwrap_or_default();
            let failed = kind.ends_with("Failed") || kind.ends_with("TimedOut");
            if failed && !kind.starts_with("Execution") {
                self.0.entry(state.to_owned()).or_default().failures += 1;
            }
        }
        if ended {
            for (state, count) in open {
                self.0.entry(state.to_owned()).or_default().given_up += count;
            }
        }
    }

    pub fn get(&self, state: &str) -> Option<Visit> {
        self.0.get(state).copied()
    }

    pub fn mark(&self, state: &str) -> Option<Mark> {
        self.get(state).map(Visit::mark)
    }

    /// The states of a mark.
    pub fn marked(&self, mark: Mark) -> impl Iterator<Item = &str> {
        let marked = self.0.iter().filter(move |(_, visit)| visit.mark() == mark);
        marked.map(|(state, _)| state.as_str())
    }
}

impl Visit {
    fn mark(self) -> Mark {
        if self.given_up > 0 {
            Mark::Failed
        } else if self.entered > self.exited {
            Mark::Running
        } else if self.failures > 0 {
            Mark::Caught
        } else {
            Mark::Succeeded
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn failures_belong_to_the_state_that_had_them() {
        let entered = |id: u64, before: u64, name: &str| json!({"id": id, "previousEventId": before, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": name}});
        let exited = |id: u64, before: u64, name: &str| json!({"id": id, "previousEventId": before, "type": "TaskStateExited", "stateExitedEventDetails": {"name": name}});
        let event = |id: u64, before: u64, kind: &str| json!({"id": id, "previousEventId": before, "type": kind});
        let history = [
            event(1, 0, "ExecutionStarted"),
            entered(2, 1, "Retried"),
            event(3, 2, "TaskScheduled"),
            event(4, 3, "TaskFailed"),
            event(5, 4, "TaskScheduled"),
            event(6, 5, "TaskSucceeded"),
            exited(7, 6, "Retried"),
            entered(8, 7, "Lost"),
            event(9, 8, "TaskTimedOut"),
            event(10, 9, "ExecutionFailed"),
        ];
        let visits = Visits::of([(&history[..], true), (&history[..6], false)]);
        assert_eq!(
            visits.get("Retried"),
            Some(Visit { entered: 2, exited: 1, failures: 2, given_up: 0 })
        );
        assert_eq!(visits.mark("Retried"), Some(Mark::Running));
        assert_eq!(visits.mark("Lost"), Some(Mark::Failed));
        assert_eq!(Visits::of([(&history[..8], false)]).mark("Retried"), Some(Mark::Caught));
        assert_eq!(visits.mark("None"), None);
    }
}
