//! From the events of a history to the lines they are of.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::{Inner, Key, Line, Lines, Past, PastExit, PastVisit};
use crate::failure::error_name;

/// A line under construction.
#[derive(Debug, Default)]
struct Growing {
    parent: Option<usize>,
    visits: Vec<Visit>,
    last: u64,
    /// The last event tells of a failure.
    failed: bool,
}

#[derive(Debug)]
struct Visit {
    past: PastVisit,
    started: u64,
    lines: Vec<(Key, usize)>,
    map_run: Option<String>,
}

/// What an event does to those that name it as their previous one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Plain,
    /// Branches follow it, each a line of its own.
    Fork,
}

#[derive(Debug)]
pub(super) struct Reader {
    lines: Vec<Growing>,
    /// The line of each event, and what it is to those after it.
    events: HashMap<u64, (usize, Role)>,
    last: u64,
    /// The execution failed because something was too large.
    too_large: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self { lines: vec![Growing::default()], events: HashMap::new(), last: 0, too_large: false }
    }
}

impl Reader {
    pub fn read(&mut self, event: &Value) -> Option<()> {
        let (id, previous) = (event["id"].as_u64()?, event["previousEventId"].as_u64()?);
        let kind = event["type"].as_str()?;
        self.last = id;
        if kind == "ExecutionFailed" {
            let error = &event["executionFailedEventDetails"]["error"];
            self.too_large = error == error_name::DATA_LIMIT_EXCEEDED;
        }
        let (line, role) = self.events.get(&previous).copied().unwrap_or((0, Role::Plain));
        let line = if kind.ends_with("StateEntered") {
            self.entered(&event["stateEnteredEventDetails"], id, line, role)?
        } else if kind.ends_with("StateExited") {
            self.exited(&event["stateExitedEventDetails"], line)?
        } else if kind == "MapIterationStarted" {
            self.iteration(&event["mapIterationStartedEventDetails"], line)?
        } else {
            self.inside(kind, event, id, line);
            line
        };
        let follows = if kind == "ParallelStateStarted" { Role::Fork } else { Role::Plain };
        self.events.insert(id, (line, follows));
        // What tells of the end of all belongs to no line, and nor does what a stop cuts off.
        if !kind.starts_with("Execution") && !kind.ends_with("Aborted") {
            self.note(line, id, kind);
        }
        Some(())
    }

    fn note(&mut self, line: usize, id: u64, kind: &str) {
        let line = &mut self.lines[line];
        line.last = id;
        line.failed = kind.contains("Failed") || kind.contains("TimedOut");
        if let Some(visit) = line.visits.last_mut() {
            visit.past.last = id;
        }
    }

    fn entered(&mut self, details: &Value, id: u64, line: usize, role: Role) -> Option<usize> {
        let name = details["name"].as_str()?.to_owned();
        let line = match role {
            Role::Plain => line,
            Role::Fork => self.child(line, Key::Branch(name.clone()))?,
        };
        let past = PastVisit {
            name,
            input: payload(&details["input"])?,
            entered: id,
            last: id,
            inner: Inner::Nothing,
            exit: None,
        };
        let visits = &mut self.lines[line].visits;
        // A Fail that is entered anew was open before.
        if visits.last().is_some_and(|visit| visit.past.exit.is_none()) {
            visits.pop();
        }
        visits.push(Visit { past, started: 0, lines: Vec::new(), map_run: None });
        Some(line)
    }

    fn exited(&mut self, details: &Value, line: usize) -> Option<usize> {
        let line = self.within(line, details["name"].as_str()?)?;
        let assigned = match &details["assignedVariables"] {
            Value::Object(texts) => {
                let each = texts.iter().map(|(name, text)| Some((name.clone(), payload(text)?)));
                each.collect::<Option<Vec<_>>>()?
            }
            _ => Vec::new(),
        };
        let caught = self.lines[line].failed;
        let visit = self.lines[line].visits.last_mut()?;
        visit.past.exit = Some(PastExit { output: payload(&details["output"])?, assigned, caught });
        Some(line)
    }

    fn iteration(&mut self, details: &Value, line: usize) -> Option<usize> {
        let map = self.within(line, details["name"].as_str()?)?;
        let index = usize::try_from(details["index"].as_u64()?).ok()?;
        self.child(map, Key::Iteration(index))
    }

    fn inside(&mut self, kind: &str, event: &Value, id: u64, line: usize) {
        let Some(visit) = self.lines[line].visits.last_mut() else { return };
        match kind {
            // Of a new attempt: what an earlier one did inside does not count.
            "ParallelStateStarted" | "MapStateStarted" => {
                visit.started = id;
                visit.lines.clear();
                visit.map_run = None;
            }
            "MapRunStarted" => {
                let arn = &event["mapRunStartedEventDetails"]["mapRunArn"];
                visit.map_run = arn.as_str().map(str::to_owned);
            }
            _ => {}
        }
    }

    /// The line, this one or one around it, that is in the state of this name.
    fn within(&self, line: usize, name: &str) -> Option<usize> {
        let mut line = Some(line);
        while let Some(at) = line {
            if self.lines[at].visits.last().is_some_and(|visit| visit.past.name == name) {
                return Some(at);
            }
            line = self.lines[at].parent;
        }
        None
    }

    /// A new line inside the state that `parent` is in.
    fn child(&mut self, parent: usize, key: Key) -> Option<usize> {
        let line = self.lines.len();
        let visit = self.lines[parent].visits.last_mut()?;
        visit.lines.retain(|(other, _)| *other != key);
        visit.lines.push((key, line));
        self.lines.push(Growing { parent: Some(parent), ..Growing::default() });
        Some(line)
    }

    fn ended(&self, line: usize) -> bool {
        self.lines[line].visits.last().is_some_and(|visit| visit.past.exit.is_some())
    }

    pub fn finish(self) -> Past {
        Past { line: Arc::new(self.line(0)), last: self.last }
    }

    fn line(&self, at: usize) -> Line {
        let line = &self.lines[at];
        let visits = line.visits.iter().map(|visit| {
            let inner = match &visit.map_run {
                Some(arn) => Inner::MapRun(arn.clone()),
                None if visit.started == 0 => Inner::Nothing,
                // All came to their end and the state did not: AWS runs all of it again.
                None if self.too_large && visit.lines.iter().all(|(_, line)| self.ended(*line)) => {
                    Inner::Nothing
                }
                None => {
                    let branches =
                        visit.lines.iter().map(|(key, line)| (key.clone(), self.line(*line)));
                    Inner::Lines(Lines { started: visit.started, branches: branches.collect() })
                }
            };
            PastVisit { inner, ..visit.past.clone() }
        });
        Line { visits: visits.collect(), last: line.last }
    }
}

/// A payload's text, read.
fn payload(text: &Value) -> Option<Arc<Value>> {
    serde_json::from_str(text.as_str()?).ok().map(Arc::new)
}
