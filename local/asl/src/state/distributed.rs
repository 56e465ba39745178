//! A Distributed Map: a Map Run whose children are executions of their own.

use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt as _};
use serde_json::Value;

use super::iteration::{collect, select};
use super::map::Map;
use crate::context::MapItem;
use crate::definition::{Definition, ExecutionType, Fields};
use crate::event::EventDetail;
use crate::execution::Outcome;
use crate::failure::{Failure, Trouble, error_name};
use crate::host::{ChildExecution, ChildResult, ItemSource, MapRunStart, ResultSink};
use crate::items::{ItemBatcher, ItemReader};
use crate::quantity::Quantity;
use crate::resource::Resource;
use crate::template::Template;
use crate::variables::Variables;
use crate::visit::{Exit, Visit};

/// What `MaxConcurrency` 0 means for a Distributed Map.
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>.
const MAX_CONCURRENT_CHILDREN: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Distributed {
    label: Option<String>,
    execution_type: ExecutionType,
    reader: Option<ItemReader>,
    batcher: Option<ItemBatcher>,
    writer: Option<ResultWriter>,
    tolerated_count: Option<Quantity>,
    tolerated_percentage: Option<Quantity>,
    definition: Option<Arc<Definition>>,
}

#[derive(Debug)]
struct ResultWriter {
    resource: Option<Resource>,
    parameters: Option<Template>,
    config: Option<Value>,
}

/// How many children may fail: both limits hold.
#[derive(Debug, Clone, Copy)]
struct Tolerance {
    count: f64,
    percentage: f64,
    count_given: bool,
    percentage_given: bool,
}

impl Distributed {
    /// Reads the fields of a Distributed Map. An inline Map may have the
    /// tolerances too, to no effect.
    pub fn parse(
        fields: &Fields,
        distributed: bool,
        execution_type: ExecutionType,
    ) -> Option<Self> {
        let tolerated_count = fields.quantity("ToleratedFailureCount", "ToleratedFailureCountPath");
        let tolerated_percentage =
            fields.quantity("ToleratedFailurePercentage", "ToleratedFailurePercentagePath");
        if let Some(Quantity::Fixed(percentage)) = tolerated_percentage
            && !(0.0..=100.0).contains(&percentage)
        {
            fields.wrong("ToleratedFailurePercentage", "Expected a number between 0 and 100");
        }
        if let Some(Quantity::Fixed(count)) = tolerated_count
            && count < 0.0
        {
            fields.wrong("ToleratedFailureCount", "Expected an integer of at least 0");
        }
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
            tolerated_count,
            tolerated_percentage,
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
        let length = items.len();
        history.record(visit.track, EventDetail::MapStateStarted { length })?;
        let tolerance = self.tolerance(visit, variables, input)?;
        let arn = host
            .start_map_run(MapRunStart {
                state: Arc::clone(&visit.state.name),
                label: self.label.clone(),
                max_concurrency: max_concurrency as u64,
                tolerated_failure_count: tolerance.whole_count(),
                tolerated_failure_percentage: tolerance.percentage,
                execution_type: self.execution_type,
                execution: Arc::clone(&visit.run.execution),
            })
            .await;
        let map_run_arn = arn.clone();
        history.record(visit.track, EventDetail::MapRunStarted { map_run_arn })?;
        visit.track.open_state(visit.state.kind.state_type());
        let run = MapRun {
            distributed: self,
            visit,
            variables,
            input,
            map,
            arn: &arn,
            at_once: match max_concurrency {
                0 => MAX_CONCURRENT_CHILDREN,
                limit => limit.min(MAX_CONCURRENT_CHILDREN),
            },
            tolerance,
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

    fn tolerance(
        &self,
        visit: &Visit,
        variables: &Variables,
        input: &Value,
    ) -> Result<Tolerance, Trouble> {
        let scope = visit.scope(input, variables);
        let evaluate = |quantity: &Option<Quantity>| match quantity {
            Some(quantity) => quantity.evaluate(&scope).map(Some),
            None => Ok(None),
        };
        let count = evaluate(&self.tolerated_count)?;
        let percentage = evaluate(&self.tolerated_percentage)?;
        if percentage.is_some_and(|percentage| !(0.0..=100.0).contains(&percentage)) {
            let message = "ToleratedFailurePercentage must be between 0 and 100.";
            return Err(visit.fault(message).into());
        }
        if count.is_some_and(|count| count < 0.0) {
            return Err(visit.fault("ToleratedFailureCount must be positive.").into());
        }
        Ok(Tolerance {
            count: count.unwrap_or_default(),
            percentage: percentage.unwrap_or_default(),
            count_given: count.is_some(),
            percentage_given: percentage.is_some(),
        })
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

impl Tolerance {
    fn whole_count(self) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked not to be negative"
        )]
        let count = self.count as u64;
        count
    }

    /// Whether `failed` of `total` children are too many. A limit that is not
    /// given counts as 0, unless the other one is given.
    fn is_exceeded(self, failed: usize, total: usize) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "counts of children are small")]
        let (failed, total) = (failed as f64, total as f64);
        let by_count = failed > self.count;
        let by_percentage = failed * 100.0 > self.percentage * total;
        match (self.count_given, self.percentage_given) {
            (true, true) => by_count || by_percentage,
            (true, false) => by_count,
            (false, true) => by_percentage,
            (false, false) => failed > 0.0,
        }
    }
}

impl ResultWriter {
    fn parse(fields: &Fields) -> Self {
        let name = if fields.is_jsonata() { "Arguments" } else { "Parameters" };
        let writer = Self {
            resource: fields.text("Resource").map(Resource::parse),
            parameters: fields.template(name),
            config: fields.get("WriterConfig").cloned(),
        };
        fields.refuse_unknown(&[]);
        writer
    }
}

/// One Map Run under way.
struct MapRun<'a> {
    distributed: &'a Distributed,
    visit: &'a Visit<'a>,
    variables: &'a Variables,
    input: &'a Arc<Value>,
    map: &'a Map,
    arn: &'a str,
    at_once: usize,
    tolerance: Tolerance,
}

impl MapRun<'_> {
    async fn result(&self, items: Vec<Value>) -> Result<Arc<Value>, Trouble> {
        let items = match &self.distributed.reader {
            Some(reader) => self.read(reader).await?,
            None => items,
        };
        let inputs = self.child_inputs(items)?;
        let results = self.run_children(inputs).await?;
        let Some(writer) = &self.distributed.writer else {
            let outputs = results.into_iter().map(|child| match child.outcome {
                Outcome::Succeeded(output) => Some(output),
                Outcome::Failed(_) | Outcome::TimedOut(_) | Outcome::Aborted(_) => None,
            });
            return Ok(Arc::new(collect(outputs.collect())));
        };
        let parameters = match &writer.parameters {
            Some(template) => template.evaluate(&self.visit.scope(self.input, self.variables))?,
            None => Value::Null,
        };
        let sink = ResultSink {
            map_run_arn: self.arn.to_owned(),
            resource: writer.resource.clone(),
            parameters,
            writer_config: writer.config.clone(),
            outcomes: results,
            execution: Arc::clone(&self.visit.run.execution),
        };
        let written = self.visit.run.host.write_results(sink).await?;
        Ok(Arc::new(written))
    }

    async fn read(&self, reader: &ItemReader) -> Result<Vec<Value>, Trouble> {
        let (config, parameters) = {
            let scope = self.visit.scope(self.input, self.variables);
            (reader.config(&scope)?, reader.parameters(&scope)?)
        };
        let max_items = config.max_items;
        let source = ItemSource {
            state: Arc::clone(&self.visit.state.name),
            resource: reader.resource.clone(),
            parameters,
            reader: config,
            execution: Arc::clone(&self.visit.run.execution),
        };
        let mut items = self.visit.run.host.read_items(source).await?;
        if let Some(limit) = max_items {
            items.truncate(limit);
        }
        Ok(items)
    }

    /// `ItemSelector`, then `ItemBatcher`.
    fn child_inputs(&self, items: Vec<Value>) -> Result<Vec<Arc<Value>>, Trouble> {
        let items = items.into_iter().map(Arc::new).enumerate();
        let selected = items.map(|(index, value)| match &self.map.selector {
            Some(selector) => {
                let item = MapItem { index, value };
                select(self.visit, self.variables, selector, self.input, &item)
            }
            None => Ok(value),
        });
        let selected = selected.collect::<Result<Vec<_>, _>>()?;
        match &self.distributed.batcher {
            Some(batcher) => {
                Ok(batcher.batches(selected, &self.visit.scope(self.input, self.variables))?)
            }
            None => Ok(selected),
        }
    }

    async fn run_children(&self, inputs: Vec<Arc<Value>>) -> Result<Vec<ChildResult>, Trouble> {
        let definition = self.distributed.definition.as_ref();
        let definition = definition.expect("set when the Map was parsed");
        let total = inputs.len();
        let mut results: Vec<Option<ChildResult>> = vec![None; total];
        let mut pending = inputs.into_iter().enumerate();
        let mut running = FuturesUnordered::new();
        let mut failed = 0;
        loop {
            while running.len() < self.at_once
                && let Some((index, input)) = pending.next()
            {
                let child = self.visit.run.host.child(ChildExecution {
                    map_run_arn: self.arn.to_owned(),
                    index,
                    definition: Arc::clone(definition),
                    execution_type: self.distributed.execution_type,
                    input: Arc::clone(&input),
                    parent: Arc::clone(&self.visit.run.execution),
                });
                running.push(async move { (index, input, child.await) });
            }
            let Some((index, input, outcome)) = running.next().await else {
                return Ok(results.into_iter().flatten().collect());
            };
            failed += usize::from(!matches!(outcome, Outcome::Succeeded(_)));
            results[index] = Some(ChildResult { input, outcome });
            if self.tolerance.is_exceeded(failed, total) {
                return Err(Failure::new(
                    error_name::EXCEED_TOLERATED_FAILURE_THRESHOLD,
                    "The specified tolerated failure threshold was exceeded",
                )
                .into());
            }
        }
    }
}
