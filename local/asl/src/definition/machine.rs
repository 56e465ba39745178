//! States and how they hang together: one machine is the whole definition, a
//! branch of a Parallel, or the processor of a Map.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::fields::Fields;
use super::policy::{self, Catcher, Retrier};
use super::{ExecutionType, QueryLanguage};
use crate::diagnostic::DiagnosticCode;
use crate::event::StateType;
use crate::path::{Path, ReferencePath};
use crate::state::StateKind;
use crate::template::Template;

/// The longest state name, in characters.
const MAX_STATE_NAME: usize = 80;

/// The rules an object is read by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scheme {
    pub execution_type: ExecutionType,
    pub language: QueryLanguage,
    /// The whole machine is `JSONata`, so no state may be `JSONPath`.
    pub jsonata_everywhere: bool,
}

#[derive(Debug)]
pub(crate) struct Machine {
    pub start: usize,
    pub states: Vec<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub name: Arc<str>,
    pub language: QueryLanguage,
    pub kind: StateKind,
    pub io: Io,
    pub next: Transition,
    pub retry: Vec<Retrier>,
    pub catch: Vec<Catcher>,
}

/// A state, and where it lies.
pub(crate) struct Found<'a> {
    pub machine: &'a Machine,
    pub state: &'a State,
    /// It is in a Map.
    pub iterated: bool,
}

impl Scheme {
    /// The rules inside a state: only the machine's own language is inherited,
    /// not the one the state has chosen for itself.
    pub fn inner(self) -> Self {
        Self {
            language: if self.jsonata_everywhere {
                QueryLanguage::Jsonata
            } else {
                QueryLanguage::JsonPath
            },
            ..self
        }
    }
}

/// Where a state leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transition {
    To(usize),
    End,
}

/// How a state's input becomes its output, apart from what it does itself.
#[derive(Debug, Default)]
pub(crate) struct Io {
    pub input: Selection,
    /// `Parameters` or `Arguments`
    pub parameters: Option<Template>,
    pub result_selector: Option<Template>,
    pub result_place: Place,
    /// `OutputPath`
    pub output_path: Selection,
    /// `Output`, in `JSONata`
    pub output: Option<Template>,
    pub assign: Vec<(String, Template)>,
}

/// `InputPath` and `OutputPath`.
#[derive(Debug, Default)]
pub(crate) enum Selection {
    #[default]
    Whole,
    /// `null`: `{}`
    Empty,
    Path(Path),
}

/// `ResultPath`.
#[derive(Debug, Default)]
pub(crate) enum Place {
    #[default]
    Whole,
    /// `null`: the result is thrown away.
    Nowhere,
    At(ReferencePath),
}

/// The states of a machine by name, and which of them something leads to.
pub(crate) struct Targets<'a> {
    index: HashMap<&'a str, usize>,
    reached: RefCell<Vec<usize>>,
}

impl Targets<'_> {
    /// The state that `field` names.
    pub fn resolve(&self, fields: &Fields, field: &'static str) -> Option<usize> {
        let name = fields.text(field)?;
        let target = self.index.get(name).copied();
        match target {
            Some(target) => self.reached.borrow_mut().push(target),
            None => fields
                .problems
                .target(&fields.pointer(field), format!("Missing '{field}' target: {name}")),
        }
        target
    }
}

impl Machine {
    /// The state of this name, here or in a machine inside.
    pub fn find(&self, name: &str) -> Option<Found<'_>> {
        if let Some(state) = self.states.iter().find(|state| &*state.name == name) {
            return Some(Found { machine: self, state, iterated: false });
        }
        self.states.iter().find_map(|state| match &state.kind {
            StateKind::Parallel(parallel) => {
                parallel.branches.iter().find_map(|branch| branch.find(name))
            }
            StateKind::Map(map) => {
                let found = map.machine()?.find(name)?;
                Some(Found { iterated: true, ..found })
            }
            _ => None,
        })
    }

    pub fn first_state(&self) -> &str {
        &self.states[self.start].name
    }

    /// Reads `StartAt` and `States`. `None` when problems leave nothing to run.
    pub fn parse(fields: &Fields, scheme: Scheme) -> Option<Self> {
        fields.require(&["StartAt", "States"]);
        let states = fields.object("States")?;
        if states.entries().next().is_none() {
            fields.wrong("States", "States must not be empty");
        }
        let index = states.entries().map(|(name, _)| name.as_str());
        let targets = Targets { index: index.zip(0..).collect(), reached: RefCell::default() };
        let start = targets.resolve(fields, "StartAt");
        targets.reached.take();
        let mut parsed = Vec::new();
        let mut leads = Vec::new();
        for (name, value) in states.entries() {
            parsed.push(parse_state(&states, scheme, &targets, name, value));
            leads.push(targets.reached.take());
        }
        if !states.entries().any(|(_, state)| is_terminal(state)) {
            let message = "Workflow has no terminal state";
            fields.problems.add(DiagnosticCode::MissingEndState, &fields.at, message);
        } else if let Some(start) = start {
            refuse_unreachable(&states, start, &leads);
        }
        Some(Self { start: start?, states: parsed.into_iter().collect::<Option<_>>()? })
    }
}

fn is_terminal(state: &Value) -> bool {
    state["End"] == true || state["Type"] == "Succeed" || state["Type"] == "Fail"
}

fn refuse_unreachable(states: &Fields, start: usize, leads: &[Vec<usize>]) {
    let mut reached = vec![false; leads.len()];
    let mut pending = vec![start];
    while let Some(at) = pending.pop() {
        if !std::mem::replace(&mut reached[at], true) {
            pending.extend(&leads[at]);
        }
    }
    for ((name, _), reached) in states.entries().zip(reached) {
        if !reached {
            states
                .problems
                .target(&states.pointer(name), format!("State \"{name}\" is not reachable."));
        }
    }
}

fn parse_state(
    states: &Fields,
    scheme: Scheme,
    targets: &Targets,
    name: &str,
    value: &Value,
) -> Option<State> {
    if name.chars().count() > MAX_STATE_NAME {
        states.wrong(name, format!("State names have at most {MAX_STATE_NAME} characters"));
    }
    let mut fields = states.object_of(name, value)?;
    fields.scheme = scheme;
    fields.require(&["Type"]);
    let language = fields.query_language(scheme.language);
    fields.scheme.language = language;
    let state_type = parse_type(&fields)?;
    let kind = StateKind::parse(state_type, &fields, targets);
    let io = parse_io(&fields, state_type);
    let next = parse_transition(&fields, state_type, targets);
    let (mut retry, mut catch) = (Vec::new(), Vec::new());
    if state_type.can_fail() {
        retry = policy::retriers(&fields);
        catch = policy::catchers(&fields, targets);
    }
    // A type that could not be read has left fields unread.
    let kind = kind?;
    fields.refuse_unknown(&[]);
    Some(State { name: name.into(), language, kind, io, next, retry, catch })
}

fn parse_type(fields: &Fields) -> Option<StateType> {
    let name = fields.text("Type")?;
    let state_type = StateType::ALL.into_iter().find(|state_type| state_type.name() == name);
    if state_type.is_none() {
        fields.wrong(
            "Type",
            "The field 'Type' should have one of these values: \
             [Task, Wait, Pass, Succeed, Fail, Choice, Parallel, Map]",
        );
    }
    state_type
}

fn parse_transition(fields: &Fields, state_type: StateType, targets: &Targets) -> Transition {
    if !state_type.has_next() {
        return Transition::End;
    }
    let end = fields.boolean("End") == Some(true);
    match (fields.has("Next"), end) {
        (true, true) => fields.problems.schema(&fields.at, "'Next' and 'End' exclude each other"),
        (false, false) => {
            fields.problems.schema(&fields.at, "One of these fields is required: [Next, End]");
        }
        _ => {}
    }
    targets.resolve(fields, "Next").map_or(Transition::End, Transition::To)
}

fn parse_io(fields: &Fields, state_type: StateType) -> Io {
    let mut io = Io::default();
    if state_type == StateType::Fail {
        return io;
    }
    if state_type != StateType::Succeed {
        io.assign = fields.assign();
    }
    if fields.is_jsonata() {
        io.output = fields.template("Output");
        if matches!(state_type, StateType::Task | StateType::Parallel) {
            io.parameters = fields.template("Arguments");
        }
        return io;
    }
    io.input = fields.selection("InputPath");
    io.output_path = fields.selection("OutputPath");
    if state_type.has_result() {
        io.result_place = fields.place("ResultPath");
        if state_type != StateType::Map {
            io.parameters = fields.template("Parameters");
        }
    }
    if state_type.can_fail() {
        io.result_selector = fields.template("ResultSelector");
    }
    io
}
