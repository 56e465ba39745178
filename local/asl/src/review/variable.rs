//! Variables that an expression reads and that no state, or not every state before it, sets.
//!
//! A variable lives from the state that assigns it on: in the machine of that state and in the
//! machines nested in it, apart from the children of a Distributed Map, which see no variable
//! from outside.
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html>.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

use super::expression;
use super::outline::{Outline, StateOutline, Way, Within};
use super::remark::{Remark, nearest};

type Names<'a> = BTreeSet<&'a str>;

pub(super) fn remarks(outline: &Outline) -> Vec<Remark> {
    let flow = Flow::of(outline);
    let anywhere: Names = outline.states.iter().flat_map(assigned_anywhere).collect();
    let mut remarks = Vec::new();
    for (at, state) in outline.states.iter().enumerate() {
        // To a state that nothing leads to, what is assigned anywhere may come one day.
        let (certain, possible) = match &flow.certain[at] {
            Some(certain) => (certain, &flow.possible[at]),
            None => (&anywhere, &anywhere),
        };
        for expression in expression::of(state) {
            for name in expression.variables() {
                let name = name.as_str();
                if certain.contains(name) {
                    continue;
                }
                remarks.push(if possible.contains(name) {
                    sometimes(outline, at, name, &expression.pointer)
                } else {
                    never(&flow, outline, at, name, &expression.pointer)
                });
            }
        }
    }
    remarks
}

fn never(flow: &Flow, outline: &Outline, at: usize, name: &str, pointer: &str) -> Remark {
    let outside = outside_children(flow, outline, at);
    if outside.contains(name) {
        return Remark::error(
            "variable-outside-children",
            pointer,
            format!("${name} is set outside of the Distributed Map, whose children do not see it"),
        )
        .expected("a variable that the children's own states assign")
        .advice("hand it to the children through the Map's ItemSelector");
    }
    let all: Names = outline.states.iter().flat_map(assigned_anywhere).collect();
    let known = flow.possible[at].iter().copied().chain(all);
    let meant = nearest(name, known.filter(|known| *known != name));
    let expected = match meant {
        Some(meant) => format!("a variable that some state before assigns: ${meant}?"),
        None => "a variable that some state before assigns, or a function".to_owned(),
    };
    Remark::error("variable-never-set", pointer, format!("${name} is set by no state before this"))
        .expected(expected)
        .advice("assign it on the way here, or correct its name: reading it fails the state")
}

fn sometimes(outline: &Outline, at: usize, name: &str, pointer: &str) -> Remark {
    let path = match path_without(outline, at, name) {
        Some(path) => format!(", not on the path {}", path.join(" → ")),
        None => String::new(),
    };
    Remark::warning(
        "variable-sometimes-set",
        pointer,
        format!("${name} is set on some of the paths that lead here{path}"),
    )
    .expected("a variable that every path sets")
    .advice("assign it on that path too, or ask $exists first: reading it unset fails the state")
}

/// Variables around the Distributed Map that `at` stands in.
fn outside_children<'a>(flow: &Flow<'a>, outline: &Outline, at: usize) -> Names<'a> {
    let mut machine = outline.states[at].machine;
    loop {
        match outline.machines[machine].within {
            Within::Definition => return Names::new(),
            Within::Distributed(owner) => return flow.possible[owner].clone(),
            Within::Branch(owner) | Within::Inline(owner) => {
                machine = outline.states[owner].machine;
            }
        }
    }
}

/// What is set when a state is entered.
struct Flow<'a> {
    /// On every path; `None` until a path is known.
    certain: Vec<Option<Names<'a>>>,
    /// On some path.
    possible: Vec<Names<'a>>,
}

impl<'a> Flow<'a> {
    /// Follows every transition until nothing changes: what is certain only shrinks, what is
    /// possible only grows.
    fn of(outline: &Outline<'a>) -> Self {
        let count = outline.states.len();
        let mut flow = Self { certain: vec![None; count], possible: vec![Names::new(); count] };
        let mut pending: VecDeque<usize> = VecDeque::new();
        for machine in &outline.machines {
            if let (Within::Definition, Some(start)) = (machine.within, machine.start) {
                flow.enter(start, &Names::new(), &Names::new(), &mut pending);
            }
        }
        while let Some(at) = pending.pop_front() {
            let certain = flow.certain[at].clone().unwrap_or_default();
            let possible = flow.possible[at].clone();
            for lead in &outline.states[at].leads {
                let assigned = assigned(outline.states[at].value, lead.way);
                let certain = certain.union(&assigned).copied().collect();
                let possible = possible.union(&assigned).copied().collect();
                flow.enter(lead.to, &certain, &possible, &mut pending);
            }
            for machine in &outline.machines {
                let Some(start) = machine.start else { continue };
                match machine.within {
                    Within::Branch(owner) | Within::Inline(owner) if owner == at => {
                        flow.enter(start, &certain, &possible, &mut pending);
                    }
                    Within::Distributed(owner) if owner == at => {
                        flow.enter(start, &Names::new(), &Names::new(), &mut pending);
                    }
                    _ => {}
                }
            }
        }
        flow
    }

    fn enter(
        &mut self,
        at: usize,
        certain: &Names<'a>,
        possible: &Names<'a>,
        pending: &mut VecDeque<usize>,
    ) {
        let narrowed = match &self.certain[at] {
            Some(known) => known.intersection(certain).copied().collect(),
            None => certain.clone(),
        };
        let widened: Names = self.possible[at].union(possible).copied().collect();
        let changed = self.certain[at].as_ref() != Some(&narrowed) || self.possible[at] != widened;
        self.certain[at] = Some(narrowed);
        self.possible[at] = widened;
        if changed && !pending.contains(&at) {
            pending.push_back(at);
        }
    }
}

/// What leaving a state by one way assigns. A rule's and a catcher's own `Assign` stand instead
/// of the state's.
fn assigned(state: &Value, way: Way) -> Names<'_> {
    let holder = match way {
        Way::Next | Way::Default => state,
        Way::Choice(at) => &state["Choices"][at],
        Way::Catch(at) => &state["Catch"][at],
    };
    names_of(&holder["Assign"]).collect()
}

fn assigned_anywhere<'a>(state: &StateOutline<'a>) -> Vec<&'a str> {
    let value: &'a Value = state.value;
    let handlers = ["Choices", "Catch"].into_iter().filter_map(|member| value[member].as_array());
    let holders = handlers.flatten().chain([value]);
    holders.flat_map(|holder| names_of(&holder["Assign"])).collect()
}

fn names_of(assign: &Value) -> impl Iterator<Item = &str> {
    let members = assign.as_object().into_iter().flatten();
    members.map(|(name, _)| name.strip_suffix(".$").unwrap_or(name))
}

/// A shortest path from the machine's start on which nothing assigns `name`.
fn path_without<'a>(outline: &Outline<'a>, at: usize, name: &str) -> Option<Vec<&'a str>> {
    let machine = &outline.machines[outline.states[at].machine];
    let start = machine.start?;
    let mut before: Vec<Option<usize>> = vec![None; outline.states.len()];
    let mut pending = VecDeque::from([start]);
    while let Some(here) = pending.pop_front() {
        if here == at {
            let mut path = vec![outline.states[at].name];
            let mut step = at;
            while step != start {
                step = before[step]?;
                path.push(outline.states[step].name);
            }
            path.reverse();
            return Some(path);
        }
        let state = &outline.states[here];
        for lead in &state.leads {
            let sets = assigned(state.value, lead.way).contains(name);
            if !sets && lead.to != start && before[lead.to].is_none() {
                before[lead.to] = Some(here);
                pending.push_back(lead.to);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A machine that assigns `$a` in one branch of a Choice, `$b` before it, and `$c` in a
    /// catcher, and reads `expression` at the end.
    fn check(expression: &str, expected: &[&str]) {
        let document = json!({
            "QueryLanguage": "JSONata",
            "StartAt": "First",
            "States": {
                "First": {"Type": "Pass", "Assign": {"b": 1}, "Next": "Fork"},
                "Fork": {"Type": "Choice", "Default": "Task",
                    "Choices": [{"Condition": true, "Assign": {"a": 1}, "Next": "Task"}]},
                "Task": {"Type": "Task", "Resource": "r", "Assign": {"c": 1}, "Next": "Map",
                    "Catch": [{"ErrorEquals": ["States.ALL"], "Assign": {"c": 2}, "Next": "Map"}]},
                "Map": {"Type": "Map", "Next": "Last", "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "Inner",
                    "States": {"Inner": {"Type": "Pass", "Output": "{% $c %}", "End": true}}}},
                "Last": {"Type": "Pass", "Output": format!("{{% {expression} %}}"), "End": true}
            }
        });
        let found = remarks(&Outline::of(&document));
        let found: Vec<_> =
            found.iter().filter(|remark| remark.location.contains("Last")).collect();
        let rules: Vec<_> = found.iter().map(|remark| remark.rule).collect();
        assert_eq!(rules, expected, "{expression}: {found:?}");
    }

    #[test]
    fn every_path_must_set_what_is_read() {
        check("$b + $c", &[]);
        check("$d", &["variable-never-set"]);
        check("$a", &["variable-sometimes-set"]);
        check("$exists($a) ? $a : 0", &[]);
    }

    #[test]
    fn children_see_nothing_from_outside_and_paths_are_named() {
        let document = json!({
            "StartAt": "A",
            "States": {
                "A": {"Type": "Choice", "Default": "C",
                    "Choices": [{"Variable": "$.x", "IsPresent": true, "Next": "B"}]},
                "B": {"Type": "Pass", "Assign": {"seen.$": "$.x"}, "Next": "C"},
                "C": {"Type": "Map", "End": true, "ItemSelector": {"s.$": "$seen"},
                    "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "StartAt": "D",
                    "States": {"D": {"Type": "Pass", "OutputPath": "$seen", "End": true}}}}
            }
        });
        let found = remarks(&Outline::of(&document));
        assert_eq!(
            found[0].found,
            "$seen is set on some of the paths that lead here, not on the path A → C"
        );
        assert_eq!(found[1].rule, "variable-outside-children");
        assert_eq!(found[1].location, "/States/C/ItemProcessor/States/D/OutputPath");
    }
}
