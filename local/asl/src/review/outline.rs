//! A definition as it is written: its states, their places, and where each leads. Nothing is
//! refused here; what does not fit is left out.

use std::collections::HashMap;

use serde_json::Value;

use crate::definition::QueryLanguage;
use crate::event::StateType;
use crate::jsonata::Query;
use crate::resource::Resource;

/// All machines and states of a definition, nested ones after the state that holds them.
#[derive(Debug, Default)]
pub struct Outline<'a> {
    pub machines: Vec<MachineOutline>,
    pub states: Vec<StateOutline<'a>>,
}

/// States that lead to each other: the whole definition, a branch, or a Map's processor.
#[derive(Debug)]
pub struct MachineOutline {
    /// JSON pointer, empty for the whole definition.
    pub pointer: String,
    pub within: Within,
    /// Indexes into [`Outline::states`].
    pub start: Option<usize>,
    pub states: Vec<usize>,
}

/// What holds a machine; the states are given by their index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    Definition,
    /// A branch of a Parallel.
    Branch(usize),
    /// The processor of an inline Map.
    Inline(usize),
    /// The processor of a Distributed Map: executions of their own.
    Distributed(usize),
}

#[derive(Debug)]
pub struct StateOutline<'a> {
    pub name: &'a str,
    /// JSON pointer.
    pub pointer: String,
    pub value: &'a Value,
    /// `None` where `Type` is missing or unknown.
    pub state_type: Option<StateType>,
    pub language: QueryLanguage,
    /// Index into [`Outline::machines`].
    pub machine: usize,
    pub leads: Vec<Lead>,
}

/// One way out of a state to another of its machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lead {
    pub way: Way,
    /// Index into [`Outline::states`].
    pub to: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Next,
    Default,
    /// The rule of this index.
    Choice(usize),
    /// The catcher of this index.
    Catch(usize),
}

impl<'a> Outline<'a> {
    pub fn of(document: &'a Value) -> Self {
        let mut outline = Self::default();
        let language = language(document, QueryLanguage::JsonPath);
        outline.machine(document, String::new(), Within::Definition, language);
        outline
    }

    /// The states of this name in the same machine as `state`.
    pub fn names_beside(&self, pointer: &str) -> impl Iterator<Item = &'a str> {
        let machine = self.machines.iter().rev().find(|machine| {
            let states = format!("{}/States/", machine.pointer);
            pointer.starts_with(&states) || pointer == format!("{}/StartAt", machine.pointer)
        });
        let states = machine.map(|machine| machine.states.as_slice()).unwrap_or_default();
        states.iter().map(|at| self.states[*at].name)
    }

    fn machine(&mut self, value: &'a Value, pointer: String, within: Within, top: QueryLanguage) {
        let number = self.machines.len();
        self.machines.push(MachineOutline { pointer, within, start: None, states: Vec::new() });
        let Some(members) = value["States"].as_object() else { return };
        let mut index = HashMap::new();
        for (name, value) in members {
            index.insert(name.as_str(), self.states.len());
            self.machines[number].states.push(self.states.len());
            let kind = value["Type"].as_str();
            let all = StateType::ALL.into_iter();
            self.states.push(StateOutline {
                name,
                pointer: format!("{}/States/{}", self.machines[number].pointer, escaped(name)),
                value,
                state_type: all.clone().find(|state_type| Some(state_type.name()) == kind),
                language: language(value, top),
                machine: number,
                leads: Vec::new(),
            });
        }
        let start = value["StartAt"].as_str().and_then(|name| index.get(name));
        self.machines[number].start = start.copied();
        for at in self.machines[number].states.clone() {
            self.states[at].leads = leads(self.states[at].value, &index);
            self.inner(at, top);
        }
    }

    /// The machines that a state holds.
    fn inner(&mut self, at: usize, top: QueryLanguage) {
        let StateOutline { value, ref pointer, state_type, .. } = self.states[at];
        let pointer = pointer.clone();
        match state_type {
            Some(StateType::Parallel) => {
                let branches = value["Branches"].as_array().into_iter().flatten();
                for (branch, value) in branches.enumerate() {
                    let pointer = format!("{pointer}/Branches/{branch}");
                    self.machine(value, pointer, Within::Branch(at), top);
                }
            }
            Some(StateType::Map) => {
                for name in ["ItemProcessor", "Iterator"] {
                    let Some(processor) = value.get(name) else { continue };
                    let within = if processor["ProcessorConfig"]["Mode"] == "DISTRIBUTED" {
                        Within::Distributed(at)
                    } else {
                        Within::Inline(at)
                    };
                    self.machine(processor, format!("{pointer}/{name}"), within, top);
                }
            }
            _ => {}
        }
    }
}

impl StateOutline<'_> {
    pub fn is_jsonata(&self) -> bool {
        self.language == QueryLanguage::Jsonata
    }

    pub fn resource(&self) -> Option<Resource> {
        self.value["Resource"].as_str().map(Resource::parse)
    }

    /// `Arguments` or `Parameters`, and where they stand.
    pub fn arguments(&self) -> Option<(String, &Value)> {
        let name = if self.is_jsonata() { "Arguments" } else { "Parameters" };
        let value = self.value.get(name)?;
        Some((format!("{}/{name}", self.pointer), value))
    }

    /// Whether the machine may end here.
    pub fn ends(&self) -> bool {
        self.value["End"] == true
            || matches!(self.state_type, Some(StateType::Succeed | StateType::Fail))
    }

    /// Whether a Task has a time limit, or a heartbeat.
    pub fn is_bounded(&self) -> bool {
        let limits = ["TimeoutSeconds", "HeartbeatSeconds"];
        limits.iter().any(|limit| {
            self.value.get(limit).is_some() || self.value.get(format!("{limit}Path")).is_some()
        })
    }

    /// A number of the state, given as such or as an expression that is one: `{% 5 %}`.
    pub fn number(&self, member: &str) -> Option<u64> {
        let value = &self.value[member];
        let text = value.as_str().filter(|_| self.is_jsonata()).and_then(Query::body);
        value.as_u64().or_else(|| text?.parse().ok())
    }

    /// Each entry of `Retry` or `Catch`, and where it stands.
    pub fn handlers(&self, member: &'static str) -> impl Iterator<Item = (String, &Value)> {
        let entries = self.value[member].as_array().into_iter().flatten().enumerate();
        entries.map(move |(at, entry)| (format!("{}/{member}/{at}", self.pointer), entry))
    }

    pub fn is_distributed_map(&self) -> bool {
        self.value["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    }
}

/// The names in an `ErrorEquals`.
pub(super) fn errors(handler: &Value) -> impl Iterator<Item = &str> {
    handler["ErrorEquals"].as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// A name as a part of a JSON pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn language(value: &Value, inherited: QueryLanguage) -> QueryLanguage {
    match value["QueryLanguage"].as_str() {
        Some("JSONata") => QueryLanguage::Jsonata,
        Some("JSONPath") => QueryLanguage::JsonPath,
        _ => inherited,
    }
}

fn leads(state: &Value, index: &HashMap<&str, usize>) -> Vec<Lead> {
    let to = |way, value: &Value| {
        let to = index.get(value.as_str()?).copied()?;
        Some(Lead { way, to })
    };
    let each = |member: &str, way: fn(usize) -> Way| {
        let entries = state[member].as_array().into_iter().flatten().enumerate();
        entries.filter_map(|(at, entry)| to(way(at), &entry["Next"])).collect::<Vec<_>>()
    };
    let mut leads = Vec::new();
    leads.extend(to(Way::Next, &state["Next"]));
    leads.extend(each("Choices", Way::Choice));
    leads.extend(to(Way::Default, &state["Default"]));
    leads.extend(each("Catch", Way::Catch));
    leads
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn states_are_found_wherever_they_nest() {
        let document = json!({
            "StartAt": "A/1",
            "QueryLanguage": "JSONata",
            "States": {
                "A/1": {"Type": "Map", "Next": "B", "Catch": [{"ErrorEquals": [], "Next": "B"}],
                    "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "C",
                        "States": {"C": {"Type": "Parallel", "Branches": [
                            {"StartAt": "D", "States": {"D": {"Type": "Pass", "End": true}}}
                        ]}}}},
                "B": {"Type": "Succeed"}
            }
        });
        let outline = Outline::of(&document);
        for state in &outline.states {
            assert_eq!(document.pointer(&state.pointer), Some(state.value));
        }
        let names: Vec<_> = outline.states.iter().map(|state| state.name).collect();
        assert_eq!(names, ["A/1", "B", "C", "D"]);
        let within: Vec<_> = outline.machines.iter().map(|machine| machine.within).collect();
        assert_eq!(within, [Within::Definition, Within::Distributed(0), Within::Branch(2)]);
        let ways: Vec<_> = outline.states[0].leads.iter().map(|lead| lead.way).collect();
        assert_eq!(ways, [Way::Next, Way::Catch(0)]);
        assert!(outline.states.iter().all(StateOutline::is_jsonata));
    }
}
