//! A Map under test: everything before its iterations, and a mocked result in their place.

use std::sync::Arc;

use serde_json::Value;

use super::iteration::select;
use super::map::{Map, Processor};
use super::tolerance::Threshold;
use crate::context::MapItem;
use crate::failure::{Failure, Trouble};
use crate::items::parse_items;
use crate::test_state::{Stage, Trial};
use crate::variables::Variables;
use crate::visit::{Exit, Visit};

impl Map {
    /// As [`Map::run`] in a trial, which has a mock.
    pub(super) fn tried(
        &self,
        visit: &Visit<'_>,
        variables: &Variables,
        input: &Arc<Value>,
        max_concurrency: usize,
        trial: &Trial,
    ) -> Result<Exit, Trouble> {
        if let Some(Ok(result)) = &trial.test.mock {
            self.check_result(result, trial)?;
        }
        let items = self.tried_items(visit, variables, input, trial)?;
        let length = items.as_ref().map(Vec::len);
        if let Some(items) = items {
            self.show_inputs(visit, variables, input, items)?;
        }
        let threshold = self.tried_threshold(visit, variables, input)?;
        trial.show_number("maxConcurrency", max_concurrency);
        let failures = trial.test.map_iteration_failure_count;
        let failures = usize::try_from(failures).unwrap_or(usize::MAX);
        if length.is_some_and(|length| failures > length) {
            return Err(trial.refuse(
                "Map iteration failure count must be less than or equal to the number of Map iterations",
            ));
        }
        let result = match trial.mocked() {
            Some(mocked) => mocked?,
            None => return Err(trial.refuse("TestState tests a Map with a mock only")),
        };
        if let (Some(threshold), Some(length)) = (threshold, length)
            && threshold.is_given()
            && threshold.is_exceeded(failures, length)
        {
            return Err(Failure::too_many_failed().into());
        }
        visit.exit(result, variables)
    }

    /// A mocked result has the shape of a real one.
    fn check_result(&self, result: &Value, trial: &Trial) -> Result<(), Trouble> {
        let writes = matches!(&self.processor, Processor::Distributed(distributed) if distributed.writer.is_some());
        match (writes, result) {
            (true, Value::Object(_)) | (false, Value::Array(_)) => Ok(()),
            (true, _) => Err(trial.refuse("Mocked result must be a JSON object.")),
            (false, _) => Err(trial.refuse("Mocked result must be an array.")),
        }
    }

    /// The items; none where they are read from a file that the test has not given.
    fn tried_items(
        &self,
        visit: &Visit<'_>,
        variables: &Variables,
        input: &Arc<Value>,
        trial: &Trial,
    ) -> Result<Option<Vec<Value>>, Trouble> {
        let scope = visit.scope(input, variables);
        if let Processor::Distributed(distributed) = &self.processor
            && let Some(reader) = &distributed.reader
        {
            let config = reader.config(&scope)?;
            reader.parameters(&scope)?;
            let Some(data) = &trial.test.map_item_reader_data else { return Ok(None) };
            let items = parse_items(data.as_bytes(), &config)?;
            if config.items_pointer.is_some() {
                visit.show(Stage::AfterItemsPointer, &Value::Array(items.clone()));
            }
            return Ok(Some(items));
        }
        let items = Value::Array(self.items.evaluate(&scope)?);
        visit.show(Stage::AfterItemsPath, &items);
        match items {
            Value::Array(items) => Ok(Some(items)),
            _ => Ok(None),
        }
    }

    fn show_inputs(
        &self,
        visit: &Visit<'_>,
        variables: &Variables,
        input: &Arc<Value>,
        items: Vec<Value>,
    ) -> Result<(), Trouble> {
        let shown = |inputs: &[Arc<Value>]| {
            Value::Array(inputs.iter().map(|input| input.as_ref().clone()).collect())
        };
        let mut inputs: Vec<Arc<Value>> = items.into_iter().map(Arc::new).collect();
        if let Some(selector) = &self.selector {
            for (index, input_of_one) in inputs.iter_mut().enumerate() {
                let item = MapItem { index, value: Arc::clone(input_of_one) };
                *input_of_one = select(visit, variables, selector, input, &item)?;
            }
            visit.show(Stage::AfterItemSelector, &shown(&inputs));
        }
        if let Processor::Distributed(distributed) = &self.processor
            && let Some(batcher) = &distributed.batcher
        {
            let batches = batcher.batches(inputs, &visit.scope(input, variables))?;
            visit.show(Stage::AfterItemBatcher, &shown(&batches));
        }
        Ok(())
    }

    fn tried_threshold(
        &self,
        visit: &Visit<'_>,
        variables: &Variables,
        input: &Arc<Value>,
    ) -> Result<Option<Threshold>, Trouble> {
        let Processor::Distributed(distributed) = &self.processor else { return Ok(None) };
        let threshold = distributed.tolerance.evaluate(visit, variables, input)?;
        if let Some(trial) = visit.run.trial {
            threshold.show(trial);
        }
        Ok(Some(threshold))
    }
}
