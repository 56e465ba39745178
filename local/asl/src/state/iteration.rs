//! The iterations of an inline Map, at most `MaxConcurrency` at once.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use serde_json::Value;

use crate::context::MapItem;
use crate::definition::Machine;
use crate::event::EventDetail;
use crate::execution::Start;
use crate::failure::{Failure, Trouble};
use crate::history::Track;
use crate::past::{Inner, Line};
use crate::template::Template;
use crate::variables::Variables;
use crate::visit::Visit;

/// What `MaxConcurrency` 0 means for an inline Map.
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html>.
const MAX_CONCURRENT_ITERATIONS: usize = 40;

type Iteration<'a> = BoxFuture<'a, (usize, Arc<Track>, Result<Arc<Value>, Failure>)>;

pub(super) struct Iterations<'a> {
    pub visit: &'a Visit<'a>,
    pub variables: &'a Variables,
    pub machine: &'a Machine,
    /// The Map's input, for the selector.
    pub input: &'a Value,
    pub selector: Option<&'a Template>,
    pub items: Vec<Value>,
    /// 0: as many as there may be.
    pub max_concurrency: usize,
}

impl<'a> Iterations<'a> {
    pub async fn run(mut self) -> Result<Vec<Option<Arc<Value>>>, Trouble> {
        let (history, track) = (&self.visit.run.history, self.visit.track);
        let name = Arc::clone(&self.visit.state.name);
        let at_once = match self.max_concurrency {
            0 => MAX_CONCURRENT_ITERATIONS,
            limit => limit.min(MAX_CONCURRENT_ITERATIONS),
        };
        let items = std::mem::take(&mut self.items);
        let mut results = vec![None; items.len()];
        let mut pending = items.into_iter().map(Arc::new).enumerate();
        let mut running = FuturesUnordered::new();
        track.open_iterations(Arc::clone(&name));
        loop {
            while running.len() < at_once
                && let Some((index, item)) = pending.next()
            {
                let past = self.past(index);
                match past.and_then(|past| past.result(self.machine)) {
                    Some(result) => results[index] = Some(result),
                    None => running.push(self.start(index, item, past)?),
                }
            }
            let Some((index, iteration, ended)) = running.next().await else {
                return Ok(results);
            };
            let name = Arc::clone(&name);
            match ended {
                Ok(result) => {
                    results[index] = Some(result);
                    track.remove_iteration(index);
                    let ended = EventDetail::MapIterationSucceeded { name, index };
                    let id = history.note(&iteration, ended)?;
                    // The next iteration follows this one's last state; what
                    // comes after the last iteration follows the iteration.
                    let last = running.is_empty() && pending.len() == 0;
                    track.follow(if last { id } else { iteration.previous() });
                }
                Err(failure) => {
                    drop(running);
                    track.follow(iteration.previous());
                    track.remove_iteration(index);
                    let ended = EventDetail::MapIterationFailed { name, index };
                    history.note(&iteration, ended)?;
                    iteration.abort(history, track)?;
                    track.abort_inner(history)?;
                    return Err(failure.into());
                }
            }
        }
    }

    fn past(&self, index: usize) -> Option<&'a Line> {
        match self.visit.past {
            Inner::Lines(lines) => lines.iteration(index),
            Inner::Nothing | Inner::MapRun(_) => None,
        }
    }

    fn start(
        &self,
        index: usize,
        value: Arc<Value>,
        past: Option<&'a Line>,
    ) -> Result<Iteration<'a>, Trouble> {
        let (visit, variables, machine) = (self.visit, self.variables, self.machine);
        let item = MapItem { index, value: Arc::clone(&value) };
        let input = match self.selector {
            Some(selector) => select(visit, variables, selector, self.input, &item)?,
            None => value,
        };
        let name = Arc::clone(&visit.state.name);
        let started = EventDetail::MapIterationStarted { name, index };
        let id = match past {
            Some(past) => past.last,
            None => visit.run.history.note(visit.track, started)?,
        };
        let track = Arc::new(Track::after(id));
        visit.track.add_iteration(index, Arc::clone(&track));
        Ok(Box::pin(async move {
            let start = Start { input, variables: variables.clone(), item: Some(item), past };
            let ended = visit.run.inner_machine(machine, start, &track).await;
            (index, track, ended)
        }))
    }
}

/// `ItemSelector` for one item, over the Map's input.
pub(super) fn select(
    visit: &Visit,
    variables: &Variables,
    selector: &Template,
    input: &Value,
    item: &MapItem,
) -> Result<Arc<Value>, Trouble> {
    let mut context = visit.context.clone();
    context.item = Some(item.clone());
    let scope = crate::scope::Scope::new(input, &context, variables, visit.run.host);
    Ok(selector.share(&scope)?)
}

/// The results in order, as one array.
pub(super) fn collect(results: Vec<Option<Arc<Value>>>) -> Value {
    let owned = |result: Arc<Value>| {
        Arc::try_unwrap(result).unwrap_or_else(|shared| shared.as_ref().clone())
    };
    Value::Array(results.into_iter().flatten().map(owned).collect())
}
