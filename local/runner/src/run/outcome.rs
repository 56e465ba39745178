//! What a run came to: read from its executions' outputs, errors and histories.
//!
//! The conventions read here are the state machine's: a map item's output is
//! `{status, dataset, month, rows_in, rows_out, rows_rejected, run, quality?}`, and the
//! cause of its failure `{dataset, month, file, column?, error, cause}` as JSON text.
use std::collections::BTreeMap;

use aws::Services;
use serde::Serialize;
use serde_json::{Value, json};

use super::executions::{Execution, Status, StepFunctions};
use crate::cloud::CallError;
use crate::cost::Usage;

/// The object that `--json` prints.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    pub executions: Vec<Ran>,
    pub loads: Vec<Load>,
    pub refused: Vec<Refused>,
    pub quality: Vec<Value>,
    pub duration_ms: u64,
    pub cost_usd: f64,
    #[serde(skip)]
    pub usage: Usage,
    /// Months the source does not have: neither loaded nor refused.
    #[serde(skip)]
    pub not_published: usize,
    /// Lines for a person: what else the executions said.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// An execution, nested ones too.
#[derive(Debug, Serialize)]
pub struct Ran {
    pub name: String,
    pub arn: String,
    pub status: Status,
    pub transitions: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}

/// A month that is live.
#[derive(Clone, Debug, Serialize)]
pub struct Load {
    pub dataset: String,
    pub month: String,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_rejected: u64,
    pub run: String,
    pub unchanged: bool,
    #[serde(skip)]
    pub score: Option<f64>,
    #[serde(skip)]
    pub seconds: f64,
}

/// A month that is not.
#[derive(Clone, Debug, Serialize)]
pub struct Refused {
    pub dataset: String,
    pub month: String,
    pub file: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    pub error: String,
    pub cause: String,
}

impl Outcome {
    /// Reads an execution that has ended, and its children.
    pub async fn read(&mut self, services: &Services, arn: &str) -> Result<(), CallError> {
        let step_functions = StepFunctions(services);
        let execution = step_functions.describe(arn).await?;
        let transitions = self.measure(services, &execution).await?;
        self.executions.push(Ran {
            name: execution.name.clone(),
            arn: arn.to_owned(),
            status: execution.status,
            transitions,
            parent: None,
        });
        self.run(&execution);
        for child in step_functions.children(arn).await? {
            let execution = step_functions.describe(&child).await?;
            let transitions = self.measure(services, &execution).await?;
            let parent = Some(arn.to_owned());
            self.executions.push(Ran {
                name: execution.name.clone(),
                arn: child,
                status: execution.status,
                transitions,
                parent,
            });
            self.month(&execution);
        }
        Ok(())
    }

    /// Adds what an execution used; its transitions.
    async fn measure(
        &mut self,
        services: &Services,
        execution: &Execution,
    ) -> Result<u64, CallError> {
        let usage = Usage::of_execution(services, execution).await?;
        self.usage.add(&usage);
        Ok(usage.transitions)
    }

    /// The output of a whole execution.
    fn run(&mut self, execution: &Execution) {
        let output = execution.output();
        for month in list(&output, "unchanged") {
            self.loads.push(load(month, true, 0.0));
        }
        for month in list(&output, "not_published") {
            let (dataset, month) = (text(month, "dataset"), text(month, "month"));
            self.notes.push(format!("{dataset} {month} is not published (yet)"));
            self.not_published += 1;
        }
        for ignored in list(&output, "ignored") {
            self.notes.push(format!(
                "passed over {}: {}",
                text(ignored, "key"),
                text(ignored, "reason")
            ));
        }
        if execution.status != Status::Succeeded {
            let (error, cause) = (
                execution.error.as_deref().unwrap_or("(none)"),
                execution.cause.as_deref().unwrap_or("(none)"),
            );
            self.notes.push(format!(
                "{} {}: {error}: {cause}",
                execution.name,
                execution.status.name()
            ));
        }
    }

    /// A map item's execution.
    fn month(&mut self, execution: &Execution) {
        let output = execution.output();
        let unit = execution.input()["unit"].take();
        if execution.status == Status::Succeeded {
            let unchanged = output["status"] != "loaded";
            let load = load(&output, unchanged, execution.seconds());
            if let Value::Object(quality) = &output["quality"] {
                let mut entry = json!({"dataset": load.dataset, "month": load.month});
                for (name, value) in quality {
                    entry[name] = value.clone();
                }
                self.quality.push(entry);
            }
            self.loads.push(load);
            return;
        }
        let error = execution.error.clone().unwrap_or_else(|| execution.status.name().to_owned());
        let cause = execution.cause.clone().unwrap_or_default();
        let told: Value =
            serde_json::from_str(&cause).ok().filter(Value::is_object).unwrap_or_default();
        let first = |name: &str, otherwise: &Value| {
            [&told[name], otherwise]
                .into_iter()
                .find_map(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let place = unit
            .pointer("/source/url")
            .or(unit.pointer("/source/key"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let file = place.rsplit('/').next().unwrap_or_default();
        self.refused.push(Refused {
            dataset: first("dataset", &unit["dataset"]),
            month: first("month", &unit["month"]),
            file: first("file", &json!(file)),
            column: told["column"].as_str().map(str::to_owned),
            error: first("error", &json!(error)),
            cause: first("cause", &json!(cause)),
        });
    }

    /// Months in order, each once: what a later execution says of a month replaces what an
    /// earlier one said. What is no month, such as the zone lookup, becomes a note.
    pub fn settle(&mut self) {
        let mut months: BTreeMap<(String, String), Load> = BTreeMap::new();
        for load in self.loads.drain(..) {
            let key = (load.dataset.clone(), load.month.clone());
            if load.month.parse::<crate::tlc::Month>().is_err() {
                let state = if load.unchanged { "unchanged" } else { "loaded" };
                self.notes.push(format!("{} {state}, {} rows", load.dataset, load.rows_out));
                continue;
            }
            match months.get(&key) {
                Some(known) if load.unchanged && !known.unchanged => {}
                _ => drop(months.insert(key, load)),
            }
        }
        self.loads = months.into_values().collect();
        self.refused.sort_by(|left, right| {
            (&left.dataset, &left.month).cmp(&(&right.dataset, &right.month))
        });
        self.notes.dedup();
        self.cost_usd = (self.usage.usd() * 1e6).round() / 1e6;
    }

    /// 0: all is loaded or unchanged; 3: some months were refused, the rest is loaded; 1:
    /// anything else, such as no month at all of those asked for.
    pub fn exit_code(&self) -> u8 {
        let mut whole_runs = self.executions.iter().filter(|execution| execution.parent.is_none());
        let failed = whole_runs.any(|execution| execution.status != Status::Succeeded);
        if failed || self.executions.is_empty() {
            return 1;
        }
        let nothing = self.loads.is_empty();
        match (self.refused.is_empty(), self.not_published) {
            (true, 0) => 0,
            (true, _) => u8::from(nothing),
            (false, _) if nothing => 1,
            (false, _) => 3,
        }
    }
}

fn list<'v>(value: &'v Value, member: &str) -> impl Iterator<Item = &'v Value> {
    value[member].as_array().into_iter().flatten()
}

fn text(value: &Value, member: &str) -> String {
    value[member].as_str().unwrap_or_default().to_owned()
}

fn load(month: &Value, unchanged: bool, seconds: f64) -> Load {
    let count = |member: &str| month[member].as_u64().unwrap_or_default();
    Load {
        dataset: text(month, "dataset"),
        month: text(month, "month"),
        rows_in: count("rows_in"),
        rows_out: count("rows_out"),
        rows_rejected: count("rows_rejected"),
        run: text(month, "run"),
        unchanged,
        score: month.pointer("/quality/score").and_then(Value::as_f64),
        seconds,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn child(status: &str, output: Value, error: Option<&str>, cause: Option<Value>) -> Execution {
        let unit = json!({
            "dataset": "green", "month": "2024-01",
            "source": {"kind": "http", "url": "http://127.0.0.1:1/trip-data/green_tripdata_2024-01.parquet"}
        });
        let described = json!({
            "executionArn": "arn", "name": "name", "status": status, "startDate": 1.0, "stopDate": 3.5,
            "input": json!({"unit": unit}).to_string(), "output": output.to_string(),
            "error": error, "cause": cause.map(|cause| cause.to_string())
        });
        serde_json::from_value(described).unwrap()
    }

    fn whole(status: Status) -> Ran {
        Ran { name: "run".to_owned(), arn: "arn".to_owned(), status, transitions: 1, parent: None }
    }

    fn loaded(status: &str, rows: u64) -> Value {
        json!({
            "status": status, "dataset": "green", "month": "2024-01", "run": "r",
            "rows_in": rows, "rows_out": rows - 1, "rows_rejected": 1, "quality": {"score": 97.5}
        })
    }

    #[test]
    fn a_loaded_month_is_a_load_with_its_quality() {
        let mut outcome =
            Outcome { executions: vec![whole(Status::Succeeded)], ..Outcome::default() };
        outcome.month(&child("SUCCEEDED", loaded("loaded", 10), None, None));
        outcome.month(&child("SUCCEEDED", loaded("unchanged", 10), None, None));
        let mut zones = loaded("loaded", 266);
        (zones["dataset"], zones["month"]) = (json!("zones"), json!("current"));
        outcome.month(&child("SUCCEEDED", zones, None, None));
        outcome.settle();
        assert_eq!(outcome.loads.len(), 1);
        let load = &outcome.loads[0];
        assert_eq!(
            (load.rows_in, load.rows_out, load.rows_rejected, load.unchanged),
            (10, 9, 1, false)
        );
        assert_eq!((load.score, load.seconds), (Some(97.5), 2.5));
        assert_eq!(
            outcome.quality[0],
            json!({"dataset": "green", "month": "2024-01", "score": 97.5})
        );
        assert_eq!(outcome.notes, ["zones loaded, 265 rows"]);
        assert_eq!(outcome.exit_code(), 0);
    }

    #[test]
    fn a_failed_month_is_refused_with_what_its_cause_says() {
        let told = json!({"dataset": "green", "month": "2024-01", "file": "f.parquet", "column": "VendorID", "error": "Schema.MissingColumn", "cause": "it is not there"});
        let mut outcome =
            Outcome { executions: vec![whole(Status::Succeeded)], ..Outcome::default() };
        outcome.month(&child("FAILED", Value::Null, Some("Schema.MissingColumn"), Some(told)));
        outcome.month(&child(
            "FAILED",
            Value::Null,
            Some("States.Runtime"),
            Some(json!("plain text")),
        ));
        let told: Vec<_> =
            outcome.refused.iter().map(|refused| serde_json::to_value(refused).unwrap()).collect();
        let first = json!({"dataset": "green", "month": "2024-01", "file": "f.parquet", "column": "VendorID", "error": "Schema.MissingColumn", "cause": "it is not there"});
        assert_eq!(told[0], first);
        let second = json!({"dataset": "green", "month": "2024-01", "file": "green_tripdata_2024-01.parquet", "error": "States.Runtime", "cause": "\"plain text\""});
        assert_eq!(told[1], second);
        assert_eq!(outcome.exit_code(), 1, "nothing is loaded");
        outcome.month(&child("SUCCEEDED", loaded("loaded", 10), None, None));
        assert_eq!(outcome.exit_code(), 3);
        outcome.executions.push(whole(Status::Failed));
        assert_eq!(outcome.exit_code(), 1);
    }

    #[test]
    fn what_the_plan_found_unchanged_is_repeated() {
        let mut outcome =
            Outcome { executions: vec![whole(Status::Succeeded)], ..Outcome::default() };
        let output = json!({
            "unchanged": [loaded("", 10)], "not_published": [{"dataset": "green", "month": "2031-01"}],
            "ignored": [{"key": "arrivals/x", "reason": "no TLC name"}]
        });
        outcome.run(&child("SUCCEEDED", output, None, None));
        outcome.settle();
        assert!(outcome.loads[0].unchanged);
        assert!(outcome.refused.is_empty());
        let notes = ["green 2031-01 is not published (yet)", "passed over arrivals/x: no TLC name"];
        assert_eq!(outcome.notes, notes);
        assert_eq!(outcome.exit_code(), 0);
        outcome.loads.clear();
        assert_eq!(outcome.exit_code(), 1, "none of the months asked for");
    }
}
