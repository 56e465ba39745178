//! Loops that nothing ends. Step Functions bounds a loop only by the execution's own limits: a
//! year, and 25,000 events.

use std::collections::BTreeSet;

use super::outline::{MachineOutline, Outline, Way};
use super::remark::Remark;
use crate::event::StateType;

/// Loops without a Choice that leaves them and without a Wait.
pub(super) fn remarks(outline: &Outline) -> Vec<Remark> {
    let mut remarks = Vec::new();
    for machine in &outline.machines {
        let mut told: BTreeSet<usize> = BTreeSet::new();
        let quick = |at: usize| !waits(outline, at) && !may_leave(outline, machine, at);
        for at in machine.states.iter().copied().filter(|at| quick(*at)) {
            let Some(cycle) = cycle(outline, at, &quick).filter(|_| !told.contains(&at)) else {
                continue;
            };
            told.extend(&cycle);
            let names: Vec<_> = cycle.iter().map(|at| outline.states[*at].name).collect();
            remarks.push(
                Remark::warning(
                    "endless-loop",
                    outline.states[at].pointer.clone(),
                    format!(
                        "the loop {} → {} has neither a Choice that leaves it nor a Wait",
                        names.join(" → "),
                        names[0]
                    ),
                )
                .expected("a loop that counts its rounds and ends, with a pause between them")
                .advice("count in a variable, and let a Choice leave the loop at a limit"),
            );
        }
    }
    remarks
}

fn waits(outline: &Outline, at: usize) -> bool {
    outline.states[at].state_type == Some(StateType::Wait)
}

/// A Choice with a way to where it cannot be reached from again.
fn may_leave(outline: &Outline, machine: &MachineOutline, at: usize) -> bool {
    let state = &outline.states[at];
    if state.state_type != Some(StateType::Choice) {
        return false;
    }
    let anywhere = |other: usize| machine.states.contains(&other);
    let without_way_back = |to: usize| to != at && path(outline, to, at, &anywhere).is_none();
    state.leads.iter().any(|lead| without_way_back(lead.to))
        || !state.leads.iter().any(|lead| lead.way == Way::Default)
}

/// The states of a shortest loop from `at` back to it, all of them allowed.
fn cycle(outline: &Outline, at: usize, allowed: &dyn Fn(usize) -> bool) -> Option<Vec<usize>> {
    let starts = outline.states[at].leads.iter().map(|lead| lead.to);
    let back = starts.filter(|to| allowed(*to)).filter_map(|to| path(outline, to, at, allowed));
    let mut shortest = back.min_by_key(Vec::len)?;
    shortest.pop();
    shortest.insert(0, at);
    Some(shortest)
}

/// A shortest path, both ends included.
fn path(
    outline: &Outline,
    from: usize,
    to: usize,
    allowed: &dyn Fn(usize) -> bool,
) -> Option<Vec<usize>> {
    let mut paths = vec![vec![from]];
    let mut seen = BTreeSet::from([from]);
    while !paths.is_empty() {
        if let Some(found) = paths.iter().find(|path| path.last() == Some(&to)) {
            return Some(found.clone());
        }
        let mut longer = Vec::new();
        for path in &paths {
            let last = path.last().expect("a path has its start");
            for lead in &outline.states[*last].leads {
                if allowed(lead.to) && seen.insert(lead.to) {
                    longer.push(path.iter().copied().chain([lead.to]).collect());
                }
            }
        }
        paths = longer;
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn check(states: &Value, expected: &[&str]) {
        let document = json!({"StartAt": "A", "States": states});
        let found: Vec<_> =
            remarks(&Outline::of(&document)).into_iter().map(|remark| remark.found).collect();
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.contains(expected), "{found}");
        }
    }

    #[test]
    fn a_loop_needs_a_choice_or_a_wait() {
        let caught = json!([{"ErrorEquals": ["States.ALL"], "Next": "H"}]);
        check(
            &json!({
                "A": {"Type": "Task", "End": true, "Catch": caught},
                "H": {"Type": "Task", "Next": "A"}
            }),
            &["A → H → A"],
        );
        check(
            &json!({
                "A": {"Type": "Task", "Next": "C"},
                "C": {"Type": "Choice", "Choices": [{"Next": "A"}], "Default": "B"},
                "B": {"Type": "Succeed"}
            }),
            &[],
        );
        check(
            &json!({
                "A": {"Type": "Task", "Next": "W", "Catch": [{"Next": "B"}]},
                "W": {"Type": "Wait", "Seconds": 1, "Next": "A"},
                "B": {"Type": "Succeed"}
            }),
            &[],
        );
        check(&json!({"A": {"Type": "Pass", "Next": "A"}}), &["A → A"]);
    }
}
