//! State transitions, as Standard workflows are billed by them: every state entered, every retry, every redrive.
//!
//! Sources: <https://aws.amazon.com/step-functions/pricing/> ("each retry will be charged as an additional state
//! transition"), <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-transitions.html> (redrives).
use std::collections::BTreeMap;

use serde_json::Value;

/// What an execution's history shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Transitions {
    pub entered: u64,
    /// Attempts of a state after the first of each entry.
    pub retries: u64,
    pub redrives: u64,
}

/// Begins an attempt of a state.
const ATTEMPTS: [&str; 5] = [
    "TaskScheduled",
    "LambdaFunctionScheduled",
    "ActivityScheduled",
    "MapStateStarted",
    "ParallelStateStarted",
];

impl Transitions {
    pub fn of(history: &[Value]) -> Self {
        let mut transitions = Self::default();
        let mut types: BTreeMap<u64, &str> = BTreeMap::new();
        for event in history {
            let name = event["type"].as_str().unwrap_or_default();
            types.insert(event["id"].as_u64().unwrap_or_default(), name);
            let before = types
                .get(&event["previousEventId"].as_u64().unwrap_or_default())
                .copied()
                .unwrap_or_default();
            if name.ends_with("StateEntered") {
                transitions.entered += 1;
            } else if name == "ExecutionRedriven" {
                transitions.redrives += 1;
            } else if ATTEMPTS.contains(&name) && !before.ends_with("StateEntered") {
                // The first attempt follows the entry, every other what became of the one before.
                transitions.retries += 1;
            }
        }
        transitions
    }

    /// What is billed.
    pub fn total(self) -> u64 {
        self.entered + self.retries + self.redrives
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A history of events, each with the event it follows.
    fn counted(events: &[(u64, &str)]) -> (u64, u64, u64) {
        let history: Vec<Value> = events
            .iter()
            .zip(1..)
            .map(|((previous, name), id): (_, u64)| {
                json!({"id": id, "previousEventId": previous, "type": name})
            })
            .collect();
        let Transitions { entered, retries, redrives } = Transitions::of(&history);
        (entered, retries, redrives)
    }

    #[test]
    fn entries_and_retries_count() {
        let once = [
            (0, "ExecutionStarted"),
            (0, "TaskStateEntered"),
            (2, "TaskScheduled"),
            (3, "TaskStarted"),
            (4, "TaskSucceeded"),
            (5, "TaskStateExited"),
            (6, "SucceedStateEntered"),
            (7, "SucceedStateExited"),
            (8, "ExecutionSucceeded"),
        ];
        assert_eq!(counted(&once), (2, 0, 0));
        let twice = [
            (0, "ExecutionStarted"),
            (0, "TaskStateEntered"),
            (2, "TaskScheduled"),
            (3, "TaskStarted"),
            (4, "TaskFailed"),
            (5, "TaskScheduled"),
            (6, "TaskStarted"),
            (7, "TaskTimedOut"),
            (8, "TaskScheduled"),
            (9, "TaskStarted"),
            (10, "TaskSucceeded"),
        ];
        assert_eq!(counted(&twice), (1, 2, 0));
    }

    /// Counting events of a type against another would let the first state hide the second's retry.
    #[test]
    fn a_state_that_is_never_scheduled_hides_no_retry() {
        let history = [
            (0, "ExecutionStarted"),
            (0, "TaskStateEntered"),
            (0, "EvaluationFailed"),
            (3, "TaskStateEntered"),
            (4, "TaskScheduled"),
            (5, "TaskFailed"),
            (6, "TaskScheduled"),
        ];
        assert_eq!(counted(&history), (2, 1, 0));
    }

    #[test]
    fn a_whole_map_may_be_retried() {
        let history = [
            (0, "ExecutionStarted"),
            (0, "MapStateEntered"),
            (2, "MapStateStarted"),
            (3, "MapIterationStarted"),
            (4, "PassStateEntered"),
            (3, "MapIterationFailed"),
            (6, "MapStateStarted"),
            (0, "ExecutionFailed"),
            (8, "ExecutionRedriven"),
        ];
        assert_eq!(counted(&history), (2, 1, 1));
    }
}
