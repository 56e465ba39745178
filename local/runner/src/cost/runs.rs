//! The runs that a data directory remembers, each with its months and what they used.
use aws::Services;
use serde::Serialize;
use serde_json::{Value, json};

use super::usage::Usage;
use crate::cloud::{CallError, call};
use crate::run::executions::{Execution, Status, StepFunctions};
use crate::tlc::Month;

/// An execution that somebody or something started.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    pub name: String,
    pub arn: String,
    pub status: Status,
    /// Seconds since 1970.
    pub started: f64,
    pub seconds: f64,
    /// Its own states, those of its months apart.
    pub own: Usage,
    pub units: Vec<Unit>,
}

/// A month of a run: a child execution.
#[derive(Clone, Debug, Serialize)]
pub struct Unit {
    pub name: String,
    pub dataset: String,
    pub month: String,
    pub status: Status,
    /// New content became live; else it was unchanged or refused.
    pub loaded: bool,
    pub usage: Usage,
}

impl Run {
    async fn read(services: &Services, arn: &str) -> Result<Self, CallError> {
        let step_functions = StepFunctions(services);
        let execution = step_functions.describe(arn).await?;
        let mut units = Vec::new();
        for child in step_functions.children(arn).await? {
            let child = step_functions.describe(&child).await?;
            units.push(Unit::of(&child, Usage::of_execution(services, &child).await?));
        }
        Ok(Self {
            own: Usage::of_execution(services, &execution).await?,
            seconds: execution.seconds(),
            name: execution.name,
            arn: arn.to_owned(),
            status: execution.status,
            started: execution.start_date,
            units,
        })
    }

    /// The run and its months together.
    pub fn total(&self) -> Usage {
        let mut total = self.own.clone();
        for unit in &self.units {
            total.add(&unit.usage);
        }
        total
    }

    /// In a word: `nothing new`, `12 months`, `1 month and 1 lookup`.
    pub fn what(&self) -> String {
        let dated = self.units.iter().filter(|unit| unit.is_dated()).count();
        let count = |number: usize, one: &str| match number {
            0 => None,
            1 => Some(format!("1 {one}")),
            more => Some(format!("{more} {one}s")),
        };
        let parts = [count(dated, "month"), count(self.units.len() - dated, "lookup")];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "nothing new".to_owned() } else { parts.join(" and ") }
    }
}

impl Unit {
    fn of(execution: &Execution, usage: Usage) -> Self {
        let unit = &execution.input()["unit"];
        let text = |member: &str| unit[member].as_str().unwrap_or_default().to_owned();
        Self {
            name: execution.name.clone(),
            dataset: text("dataset"),
            month: text("month"),
            status: execution.status,
            loaded: execution.output()["status"] == "loaded",
            usage,
        }
    }

    /// A month of trips, not a lookup.
    pub fn is_dated(&self) -> bool {
        self.month.parse::<Month>().is_ok()
    }
}

/// All runs of all state machines, the oldest first.
pub async fn all(services: &Services) -> Result<Vec<Run>, CallError> {
    let mut machines = Vec::new();
    let mut input = json!({});
    loop {
        let page = call(services, "states", "ListStateMachines", input.clone()).await?;
        let listed = page["stateMachines"].as_array().cloned().unwrap_or_default();
        machines.extend(listed);
        match page.get("nextToken") {
            Some(Value::String(token)) => input["nextToken"] = json!(token),
            _ => break,
        }
    }
    let mut runs = Vec::new();
    let standard = machines.iter().filter(|machine| machine["type"] == "STANDARD");
    for machine in standard.filter_map(|machine| machine["stateMachineArn"].as_str()) {
        for arn in StepFunctions(services).of_machine(machine).await? {
            runs.push(Run::read(services, &arn).await?);
        }
    }
    runs.sort_by(|left, right| left.started.total_cmp(&right.started));
    Ok(runs)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run that succeeded, with these months; each of its executions has so many transitions.
    pub fn run(started: f64, own: u64, months: &[(&str, u64, bool)]) -> Run {
        let usage = |transitions| Usage { executions: 1, transitions, ..Usage::default() };
        let unit = |(month, transitions, loaded): &(&str, u64, bool)| Unit {
            name: "child".to_owned(),
            dataset: "green".to_owned(),
            month: (*month).to_owned(),
            status: Status::Succeeded,
            loaded: *loaded,
            usage: usage(*transitions),
        };
        Run {
            name: "run".to_owned(),
            arn: "arn".to_owned(),
            status: Status::Succeeded,
            started,
            seconds: 1.0,
            own: usage(own),
            units: months.iter().map(unit).collect(),
        }
    }

    #[test]
    fn a_run_is_named_by_what_it_had_to_do() {
        for (months, expected) in [
            (vec![], "nothing new"),
            (vec![("2024-01", 8, true)], "1 month"),
            (vec![("2024-01", 8, true), ("2024-02", 8, false)], "2 months"),
            (vec![("2024-01", 8, true), ("current", 8, true)], "1 month and 1 lookup"),
        ] {
            assert_eq!(run(0.0, 3, &months).what(), expected);
        }
        let total = run(0.0, 7, &[("2024-01", 8, true), ("2024-02", 3, false)]).total();
        assert_eq!((total.transitions, total.executions), (18, 3));
    }
}
