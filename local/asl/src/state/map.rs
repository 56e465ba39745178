//! Map: one machine for each item, inline or as executions of their own.

use std::sync::Arc;

use serde_json::Value;

use super::distributed::Distributed;
use super::iteration::{Iterations, collect};
use crate::definition::{Definition, ExecutionType, Fields, Machine};
use crate::event::EventDetail;
use crate::failure::{Fault, Trouble};
use crate::jsonata::Query;
use crate::past::Inner;
use crate::path::Path;
use crate::quantity::{Quantity, unexpected};
use crate::scope::Scope;
use crate::template::Template;
use crate::variables::Variables;
use crate::visit::{Exit, Visit};

#[derive(Debug)]
pub(crate) struct Map {
    pub(super) items: Items,
    pub selector: Option<Template>,
    max_concurrency: Option<Quantity>,
    pub(super) processor: Processor,
}

#[derive(Debug)]
pub(super) enum Items {
    /// The state's input.
    Input,
    Path(Path),
    Query(Query),
    Template(Template),
}

#[derive(Debug)]
pub(super) enum Processor {
    Inline(Machine),
    Distributed(Box<Distributed>),
}

impl Map {
    pub fn parse(fields: &Fields) -> Option<Self> {
        // `Iterator` and `Parameters` are the older names.
        let name = if fields.has("Iterator") { "Iterator" } else { "ItemProcessor" };
        fields.require(&[name]);
        let selector = if fields.has("ItemSelector") || fields.is_jsonata() {
            fields.template("ItemSelector")
        } else {
            fields.template("Parameters")
        };
        let items = Items::parse(fields);
        let max_concurrency = fields.quantity("MaxConcurrency", "MaxConcurrencyPath");
        if matches!(max_concurrency, Some(Quantity::Fixed(limit)) if limit < 0.0) {
            fields.wrong("MaxConcurrency", "Expected an integer of at least 0");
        }
        let processor = fields.object(name)?;
        let machine = Machine::parse(&processor, fields.scheme.inner());
        let processor = Processor::parse(fields, &processor, machine);
        Some(Self { items: items?, selector, max_concurrency, processor: processor? })
    }

    /// The machine that each item runs through.
    pub fn machine(&self) -> Option<&Machine> {
        match &self.processor {
            Processor::Inline(machine) => Some(machine),
            Processor::Distributed(distributed) => {
                distributed.definition.as_ref().map(|definition| &definition.machine)
            }
        }
    }

    pub async fn run(&self, visit: &Visit<'_>, variables: &Variables) -> Result<Exit, Trouble> {
        let input = visit.effective_input(variables)?;
        let max_concurrency = match &self.max_concurrency {
            Some(quantity) => quantity.evaluate(&visit.scope(&input, variables))?,
            None => 0.0,
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturates; the limits are far lower"
        )]
        let max_concurrency = max_concurrency.max(0.0) as usize;
        if let Some(trial) = visit.run.trial {
            return self.tried(visit, variables, &input, max_concurrency, trial);
        }
        match &self.processor {
            Processor::Inline(machine) => {
                let items = self.items.evaluate(&visit.scope(&input, variables))?;
                let length = items.len();
                let history = &visit.run.history;
                if !matches!(visit.past, Inner::Lines(_)) {
                    history.record(visit.track, EventDetail::MapStateStarted { length })?;
                }
                let iterations = Iterations {
                    visit,
                    variables,
                    machine,
                    input: &input,
                    selector: self.selector.as_ref(),
                    items,
                    max_concurrency,
                };
                let results = iterations.run().await?;
                history.note(visit.track, EventDetail::MapStateSucceeded)?;
                visit.track.close();
                visit.exit(Arc::new(collect(results)), variables)
            }
            Processor::Distributed(distributed) => {
                let items = if distributed.reads_items() {
                    Vec::new()
                } else {
                    self.items.evaluate(&visit.scope(&input, variables))?
                };
                distributed.run(visit, variables, &input, self, items, max_concurrency).await
            }
        }
    }
}

impl Items {
    fn parse(fields: &Fields) -> Option<Self> {
        if !fields.is_jsonata() {
            return Some(if fields.has("ItemsPath") {
                Self::Path(fields.path("ItemsPath")?)
            } else {
                Self::Input
            });
        }
        match fields.get("Items") {
            None => Some(Self::Input),
            Some(Value::String(text)) => fields.query("Items", text).map(Self::Query),
            Some(Value::Array(_)) => fields.template("Items").map(Self::Template),
            Some(_) => {
                fields.wrong("Items", "Expected an array or a JSONata expression");
                None
            }
        }
    }

    pub(super) fn evaluate(&self, scope: &Scope) -> Result<Vec<Value>, Fault> {
        match self {
            Self::Input => match scope.data {
                Value::Array(items) => Ok(items.clone()),
                other if scope.jsonata => Err(Fault::query(
                    format!("Map state input must be an array but was: {other}"),
                    None,
                )),
                _ => Err(not_an_array("$")),
            },
            Self::Path(path) => match scope.require(path)?.into_owned() {
                Value::Array(items) => Ok(items),
                _ => Err(not_an_array(&path.text)),
            },
            Self::Query(query) => match query.evaluate(scope, "Items")? {
                Value::Array(items) => Ok(items),
                other => Err(unexpected(query, "Items", "array", &other)),
            },
            Self::Template(template) => match template.evaluate(scope)? {
                Value::Array(items) => Ok(items),
                other => Err(Fault::query(format!("{other} is not an array"), Some("Items"))),
            },
        }
    }
}

/// AWS writes a path into the context object as one into the data. Recorded cases
/// `test_state/state_context_object.test_state_map_context_object-…`.
fn not_an_array(path: &str) -> Fault {
    let path = if path.starts_with("$$") { &path[1..] } else { path };
    Fault::runtime(format!("Reference path \"{path}\" must point to array.")).bare()
}

impl Processor {
    fn parse(fields: &Fields, processor: &Fields, machine: Option<Machine>) -> Option<Self> {
        let config = processor.object("ProcessorConfig");
        let (mut mode, mut execution_type) = ("INLINE", ExecutionType::Standard);
        if let Some(config) = &config {
            mode = config.text("Mode").unwrap_or("INLINE");
            if !["INLINE", "DISTRIBUTED"].contains(&mode) {
                config.wrong("Mode", format!("'{mode}' is neither INLINE nor DISTRIBUTED"));
            }
            match config.text("ExecutionType") {
                Some("STANDARD") => {}
                Some("EXPRESS") => execution_type = ExecutionType::Express,
                Some(other) => config
                    .wrong("ExecutionType", format!("'{other}' is neither STANDARD nor EXPRESS")),
                None if mode == "DISTRIBUTED" => config.require(&["ExecutionType"]),
                None => {}
            }
            config.refuse_unknown(&[]);
        }
        processor.refuse_unknown(&[]);
        let distributed = Distributed::parse(fields, mode == "DISTRIBUTED", execution_type);
        let machine = machine?;
        if mode != "DISTRIBUTED" {
            return Some(Self::Inline(machine));
        }
        let definition = Definition::of_processor(machine, fields.scheme.language);
        Some(Self::Distributed(Box::new(distributed?.with(definition))))
    }
}
