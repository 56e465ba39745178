//! A Distributed Map: a Map Run whose children are executions of their own.

use std::sync::Arc;

use serde_json::Value;

use super::map::Map;
use super::map_run::{MapRun, ResultWriter};
use super::tolerance::{Threshold, Tolerance};
use crate::definition::{Definition, ExecutionType, Fields};
use crate::event::EventDetail;
use crate::failure::{Failure, Trouble, error_name};
use crate::host::MapRunStart;
use crate::items::{ItemBatcher, ItemReader};
use crate::past::Inner;
use crate::variables::Variables;
use crate::visit::{Exit, Visit};

/// What `MaxConcurrency` 0 means for a Distributed Map.
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>.
const MAX_CONCURRENT_CHILDREN: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Distributed {
    label: Option<String>,
    pub(super) execution_type: ExecutionType,
    pub(super) reader: Option<ItemReader>,
    pub(super) batcher: Option<ItemBatcher>,
    pub(super) writer: Option<ResultWriter>,
    pub(super) tolerance: Tolerance,
    pub(super) definition: Option<Arc<Definition>>,
}

impl Distributed {
    /// Reads the fields of a Distributed Map. An inline Map may have the
    /// tolerances too, to no effect.
    pub fn parse(
        fields: &Fields,
        distributed: bool,
        execution_type: ExecutionType,
    ) -> Option<Self> {
        let tolerance = Tolerance::parse(fields);
        if !distributed {
            return None;
        }
        let label = fields.text("Label");
        if let Some(label) = label {
            check_label(fields, label);
        }
        Some(Self {
            label: label.map(str::to_owned),
            execution_type,
            reader: fields.object("ItemReader").and_then(|reader| ItemReader::parse(&reader)),
            batcher: fields.object("ItemBatcher").map(|batcher| ItemBatcher::parse(&batcher)),
            writer: fields.object("ResultWriter").map(|writer| ResultWriter::parse(&writer)),
            tolerance,
            definition: None,
        })
    }

    pub fn with(self, definition: Definition) -> Self {
        Self { definition: Some(Arc::new(definition)), ..self }
    }

    pub fn reads_items(&self) -> bool {
        self.reader.is_some()
    }

    pub async fn run(
        &self,
        visit: &Visit<'_>,
        variables: &Variables,
        input: &Arc<Value>,
        map: &Map,
        items: Vec<Value>,
        max_concurrency: usize,
    ) -> Result<Exit, Trouble> {
        let (history, host) = (&visit.run.history, visit.run.host);
        if !matches!(visit.past, Inner::MapRun(_)) {
            let length = items.len();
            history.record(visit.track, EventDetail::MapStateStarted { length })?;
        }
        let threshold = self.tolerance.evaluate(visit, variables, input)?;
        let (arn, redriven) = match visit.past {
            Inner::MapRun(arn) => {
                let redrive_count = host.redrive_map_run(arn).await?;
                let map_run_arn = arn.clone();
                let taken_up = EventDetail::MapRunRedriven { map_run_arn, redrive_count };
                history.record(visit.track, taken_up)?;
                (arn.clone(), true)
            }
            Inner::Nothing | Inner::Lines(_) => {
                (self.start(visit, &threshold, max_concurrency).await?, false)
            }
        };
        visit.track.open_state(visit.state.kind.state_type());
        let run = MapRun {
            distributed: self,
            visit,
            variables,
            input,
            map,
            arn: &arn,
            redriven,
            at_once: match max_concurrency {
                0 => MAX_CONCURRENT_CHILDREN,
                limit => limit.min(MAX_CONCURRENT_CHILDREN),
            },
            threshold,
        };
        let result = match run.result(items).await {
            Ok(result) => result,
            Err(Trouble::Failure(failure)) => {
                host.end_map_run(&arn, Some(&failure)).await;
                history.record(visit.track, EventDetail::MapRunFailed(failure.clone()))?;
                return Err(failure.into());
            }
            Err(trouble) => {
                host.end_map_run(&arn, Some(&Failure::named(error_name::RUNTIME))).await;
                return Err(trouble);
            }
        };
        host.end_map_run(&arn, None).await;
        history.record(visit.track, EventDetail::MapRunSucceeded)?;
        history.note(visit.track, EventDetail::MapStateSucceeded)?;
        visit.track.close();
        visit.exit(result, variables)
    }
}

impl Distributed {
    /// A new Map Run's ARN.
    async fn start(
        &self,
        visit: &Visit<'_>,
        threshold: &Threshold,
        max_concurrency: usize,
    ) -> Result<String, Trouble> {
        let run = MapRunStart {
            state: Arc::clone(&visit.state.name),
            label: self.label.clone(),
            max_concurrency: max_concurrency as u64,
            tolerated_failure_count: threshold.count(),
            tolerated_failure_percentage: threshold.percentage(),
            execution_type: self.execution_type,
            execution: Arc::clone(&visit.run.execution),
        };
        let arn = visit.run.host.start_map_run(run).await?;
        let map_run_arn = arn.clone();
        visit.run.history.record(visit.track, EventDetail::MapRunStarted { map_run_arn })?;
        Ok(arn)
    }
}

/// AWS refuses blanks, wildcards, brackets, quotes and control characters.
fn check_label(fields: &Fields, label: &str) {
    const MAX_LABEL: usize = 40;
    const REFUSED: &str = "?*<>{}[]\"#%\\^|~`$&,;:/";
    if label.is_empty() || label.chars().count() > MAX_LABEL {
        fields.wrong("Label", format!("Label must have 1 to {MAX_LABEL} characters"));
    }
    let refused = |c: char| c.is_whitespace() || c.is_control() || REFUSED.contains(c);
    if label.contains(refused) {
        fields.wrong("Label", format!("Label '{label}' contains invalid characters"));
    }
}
