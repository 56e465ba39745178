//! A Map Run under way: its items, its children, its results.

use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt as _};
use serde_json::Value;

use super::distributed::Distributed;
use super::iteration::{collect, select};
use super::map::Map;
use super::tolerance::Threshold;
use crate::context::MapItem;
use crate::definition::Fields;
use crate::execution::Outcome;
use crate::failure::{Failure, Trouble};
use crate::host::{ChildExecution, ChildResult, ItemSource, ResultSink};
use crate::items::ItemReader;
use crate::resource::Resource;
use crate::template::Template;
use crate::variables::Variables;
use crate::visit::Visit;

/// `ResultWriter` of the definition.
#[derive(Debug)]
pub(super) struct ResultWriter {
    resource: Option<Resource>,
    parameters: Option<Template>,
    config: Option<Value>,
}

impl ResultWriter {
    pub fn parse(fields: &Fields) -> Self {
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
pub(super) struct MapRun<'a> {
    pub distributed: &'a Distributed,
    pub visit: &'a Visit<'a>,
    pub variables: &'a Variables,
    pub input: &'a Arc<Value>,
    pub map: &'a Map,
    pub arn: &'a str,
    /// Children of it may have run before.
    pub redriven: bool,
    pub at_once: usize,
    pub threshold: Threshold,
}

impl MapRun<'_> {
    pub async fn result(&self, items: Vec<Value>) -> Result<Arc<Value>, Trouble> {
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
                    redriven: self.redriven,
                });
                running.push(async move { (index, input, child.await) });
            }
            let Some((index, input, outcome)) = running.next().await else {
                return Ok(results.into_iter().flatten().collect());
            };
            failed += usize::from(!matches!(outcome, Outcome::Succeeded(_)));
            results[index] = Some(ChildResult { input, outcome });
            if self.threshold.is_exceeded(failed, total) {
                return Err(Failure::too_many_failed().into());
            }
        }
    }
}
