//! What a run came to: read from its executions' outputs, errors and histories.
//!
//! The conventions read here are the state machine's: a map item's output is
//! `{status, dataset, month, rows_in, rows_out, rows_rejected, run, quality?}`, and the
//! cause of its failure `{dataset, month, file, column?, error, cause}` as JSON text.
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::cost::Usage;
use super::executions::{Execution, Status, StepFunctions};
use crate::cloud::CallError;

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
    pub async fn read(
        &mut self,
        step_functions: StepFunctions<'_>,
        arn: &str,
    ) -> Result<(), CallError> {
        let execution = step_functions.describe(arn).await?;
        let transitions = self.usage.add_history(&step_functions.history(arn).await?);
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
            let transitions = self.usage.add_history(&step_functions.history(&child).await?);
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

    /// The output of a whole execution.
    fn run(&mut self, execution: &Execution) {
        let output = execution.output();
        for month in list(&output, "unchanged") {
            self.loads.push(load(month, true, 0.0));
        }
        for month in list(&output, "not_published") {
            self.refused.push(Refused {
                dataset: text(month, "dataset"),
                month: text(month, "month"),
                file: format!("{}_tripdata_{}", text(month, "dataset"), text(month, "month")),
                column: None,
                error: "Source.NotPublished".to_owned(),
                cause: "the source does not have this month (yet)".to_owned(),
            });
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

    /// 0: all is loaded or unchanged; 3: some months were refused, the rest is loaded; 1: anything else.
    pub fn exit_code(&self) -> u8 {
        let whole_runs = self.executions.iter().filter(|execution| execution.parent.is_none());
        let failed = whole_runs.clone().any(|execution| execution.status != Status::Succeeded);
        match (failed || self.executions.is_empty(), self.refused.is_empty(), self.loads.is_empty())
        {
            (false, true, _) => 0,
            (false, false, false) => 3,
            _ => 1,
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
