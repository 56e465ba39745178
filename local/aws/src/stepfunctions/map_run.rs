//! Map Runs: the children of a Distributed Map taken together.

use asl::{Failure, MapRunStart};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::arn::check;
use super::{StepFunctions, seconds, text};
use crate::wire::{ServiceError, page};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MapRun {
    execution: String,
    machine: String,
    status: String,
    started: i64,
    stopped: Option<i64>,
    max_concurrency: u64,
    tolerated_failure_count: u64,
    tolerated_failure_percentage: f64,
    owner: String,
    #[serde(default)]
    redrives: u32,
    #[serde(default)]
    redriven: Option<i64>,
}

fn no_map_run(arn: &str) -> ServiceError {
    ServiceError::new("ResourceNotFound", format!("Map Run not found: '{arn}'"))
        .with("resourceName", arn)
}

impl StepFunctions {
    /// Registers a Map Run and answers its ARN, `…:mapRun:<machine>/<label>:<uuid>`.
    pub(super) fn start_map_run(&self, run: &MapRunStart) -> String {
        let label = run.label.clone().unwrap_or_else(|| label(&run.state));
        let machine = &run.execution.state_machine_name;
        let resource = format!("mapRun:{machine}/{label}:{}", Uuid::new_v4());
        let arn = self.settings.arn("states", &resource);
        let map_run = MapRun {
            execution: run.execution.execution_arn.clone(),
            machine: run.execution.state_machine_arn.clone(),
            status: "RUNNING".to_owned(),
            started: lake::clock::now().as_millisecond(),
            stopped: None,
            max_concurrency: run.max_concurrency,
            tolerated_failure_count: run.tolerated_failure_count,
            tolerated_failure_percentage: run.tolerated_failure_percentage,
            owner: self.owner.id.clone(),
            redrives: 0,
            redriven: None,
        };
        if let Err(error) = self.map_runs.insert(&arn, &map_run) {
            tracing::error!(%error, arn, "a Map Run could not be written");
        }
        arn
    }

    pub(super) fn end_map_run(&self, arn: &str, failure: Option<&Failure>) {
        let status = if failure.is_some() { "FAILED" } else { "SUCCEEDED" };
        self.close_map_run(arn, status);
    }

    /// Opens a Map Run that had ended without success, and answers how often that has happened.
    pub(super) fn redrive_map_run(&self, arn: &str) -> Result<u32, ServiceError> {
        let mut redrives = 0;
        self.map_runs.update(arn, |run| {
            "RUNNING".clone_into(&mut run.status);
            run.stopped = None;
            run.redrives += 1;
            run.redriven = Some(lake::clock::now().as_millisecond());
            run.owner.clone_from(&self.owner.id);
            redrives = run.redrives;
            Ok(())
        })?;
        Ok(redrives)
    }

    fn close_map_run(&self, arn: &str, status: &str) {
        let closed = self.map_runs.update(arn, |run| {
            status.clone_into(&mut run.status);
            run.stopped = Some(lake::clock::now().as_millisecond());
            Ok(())
        });
        if let Err(error) = closed {
            tracing::error!(%error, arn, "the end of a Map Run could not be written");
        }
    }

    /// A Map Run; one whose execution has ended without closing it is ABORTED.
    pub(super) fn map_run(&self, arn: &str) -> Result<MapRun, ServiceError> {
        check(arn, &["mapRun"])?;
        let run = self.map_runs.get(arn)?.ok_or_else(|| no_map_run(arn))?;
        if run.status != "RUNNING" {
            return Ok(run);
        }
        if self.recorded(&run.execution)?.status != "RUNNING" {
            self.close_map_run(arn, "ABORTED");
            return self.map_runs.get(arn)?.ok_or_else(|| no_map_run(arn));
        }
        Ok(run)
    }

    pub(super) fn list_map_runs(&self, input: &Value) -> Result<Value, ServiceError> {
        let execution = check(text(input, "executionArn")?, &["execution"])?;
        self.recorded(execution)?;
        let mut runs = self.map_runs.list("")?;
        runs.retain(|(_, run)| run.execution == execution);
        runs.sort_by_key(|(_, run)| std::cmp::Reverse(run.started));
        let size = input["maxResults"].as_u64();
        let (runs, next) = page(runs, size, 1000, input["nextToken"].as_str())?;
        let runs: Vec<Value> = runs
            .into_iter()
            .map(|(arn, run)| {
                let mut shown = json!({
                    "executionArn": run.execution,
                    "mapRunArn": arn,
                    "stateMachineArn": run.machine,
                    "startDate": seconds(run.started),
                });
                if let Some(stopped) = run.stopped {
                    shown["stopDate"] = json!(seconds(stopped));
                }
                shown
            })
            .collect();
        let mut answer = json!({"mapRuns": runs});
        if let Some(next) = next {
            answer["nextToken"] = next.into();
        }
        Ok(answer)
    }

    pub(super) fn describe_map_run(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = text(input, "mapRunArn")?;
        let run = self.map_run(arn)?;
        let counts = self.counts(arn)?;
        let mut answer = json!({
            "mapRunArn": arn,
            "executionArn": run.execution,
            "status": run.status,
            "startDate": seconds(run.started),
            "maxConcurrency": run.max_concurrency,
            "toleratedFailurePercentage": run.tolerated_failure_percentage,
            "toleratedFailureCount": run.tolerated_failure_count,
            "itemCounts": counts,
            "executionCounts": counts,
            "redriveCount": run.redrives,
        });
        if let Some(redriven) = run.redriven {
            answer["redriveDate"] = json!(seconds(redriven));
        }
        if let Some(stopped) = run.stopped {
            answer["stopDate"] = json!(seconds(stopped));
        }
        Ok(answer)
    }

    /// Children by status. Items not yet given to a child are not counted: AWS calls them pending.
    fn counts(&self, arn: &str) -> Result<Value, ServiceError> {
        let counts = self.executions.count_children(arn)?;
        let of = |status: &str| {
            let found = counts.iter().find(|(name, _)| name == status);
            found.map_or(0, |(_, count)| *count)
        };
        let total: i64 = counts.iter().map(|(_, count)| count).sum();
        Ok(json!({
            "pending": 0,
            "running": of("RUNNING"),
            "succeeded": of("SUCCEEDED"),
            "failed": of("FAILED"),
            "timedOut": of("TIMED_OUT"),
            "aborted": of("ABORTED"),
            "total": total,
            "resultsWritten": 0,
            "failuresNotRedrivable": 0,
            "pendingRedrive": 0,
        }))
    }

    /// A running Map Run's bounds are read when it starts, so nothing can be changed here.
    pub(super) fn update_map_run(&self, input: &Value) -> Result<Value, ServiceError> {
        self.map_run(text(input, "mapRunArn")?)?;
        Err(ServiceError::new(
            "ValidationException",
            "a Map Run cannot be changed here once it has started",
        ))
    }

    /// The definition a child's history belongs to: its parent's.
    pub(super) fn revision_of(&self, execution: &str) -> String {
        let parent = self.executions.get(execution).ok().flatten();
        parent.map(|parent| parent.revision).unwrap_or_default()
    }
}

/// AWS makes up a label where there is none; the state's name says more.
fn label(state: &str) -> String {
    let kept = |character: char| {
        if character.is_ascii_alphanumeric() || "-_".contains(character) { character } else { '-' }
    };
    state.chars().map(kept).take(40).collect()
}
