//! What an expression can see while it is evaluated.

use std::borrow::Cow;
use std::cell::RefCell;

use serde_json::Value;

use crate::context::{Context, StateContext};
use crate::failure::Fault;
use crate::host::Host;
use crate::jsonata::Bindings;
use crate::path::{Missing, Path, Root, Step};
use crate::variables::Variables;

/// The data of one evaluation. Lives between two awaits, never across one:
/// `JSONata` values are not `Send`.
pub(crate) struct Scope<'a> {
    /// `$` in `JSONPath`, `$states.input` in `JSONata`.
    pub data: &'a Value,
    /// `$states.result`
    pub result: Option<&'a Value>,
    /// `$states.errorOutput`
    pub error_output: Option<&'a Value>,
    pub context: Context<'a>,
    pub variables: &'a Variables,
    pub host: &'a dyn Host,
    /// The state's language, for the wording of causes.
    pub jsonata: bool,
    pub bindings: RefCell<Bindings>,
}

impl<'a> Scope<'a> {
    pub fn new(
        data: &'a Value,
        context: &'a StateContext,
        variables: &'a Variables,
        host: &'a dyn Host,
    ) -> Self {
        Self {
            data,
            result: None,
            error_output: None,
            context: Context::of(context),
            variables,
            host,
            jsonata: false,
            bindings: RefCell::default(),
        }
    }

    pub fn with_result(mut self, result: &'a Value) -> Self {
        self.result = Some(result);
        self
    }

    pub fn with_error_output(mut self, error_output: &'a Value) -> Self {
        self.error_output = Some(error_output);
        self
    }

    /// The value a path names.
    pub fn select(&self, path: &Path) -> Result<Cow<'_, Value>, Missing> {
        match &path.root {
            Root::Data => path.select(self.data),
            Root::Context => self.select_context(path),
            Root::Variable(name) => match self.variables.get(name) {
                Some(value) => path.select(value),
                None => Err(Missing(format!("No results for path: ${name}"))),
            },
        }
    }

    fn select_context(&self, path: &Path) -> Result<Cow<'_, Value>, Missing> {
        let member = |at: usize, name: &str| matches!(path.steps.get(at), Some(Step::Member(member)) if member == name);
        match self.context.item_value() {
            Some(value) if member(0, "Map") && member(1, "Item") && member(2, "Value") => {
                Path::select_steps(&path.steps[3..], value)
            }
            _ => path.select(self.context.json()),
        }
    }

    /// For fields that hold a path alone: `Invalid path '$.x' : …`.
    pub fn require(&self, path: &Path) -> Result<Cow<'_, Value>, Fault> {
        self.select(path).map_err(|missing| {
            Fault::runtime(format!("Invalid path '{}' : {}", path.text, missing.0))
        })
    }
}
