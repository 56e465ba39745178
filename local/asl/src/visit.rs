//! One visit of a state: from its entry to its exit.

mod policy;

pub(crate) use policy::Tried;

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::context::StateContext;
use crate::definition::{Place, QueryLanguage, Selection, State, Transition};
use crate::execution::Run;
use crate::failure::{Failure, Fault, Trouble, error_name};
use crate::history::Track;
use crate::past::Inner;
use crate::payload;
use crate::scope::Scope;
use crate::template::Template;
use crate::test_state::Stage;
use crate::variables::Variables;

pub(crate) struct Visit<'a> {
    pub run: &'a Run<'a>,
    pub state: &'a State,
    pub track: &'a Track,
    /// The event before the state's entry.
    pub before: u64,
    /// The id of the entry event, named in causes.
    pub entered: u64,
    pub context: StateContext,
    pub input: Arc<Value>,
    /// What was under way inside the state before a redrive, until the first attempt has ended.
    pub past: &'a Inner,
}

/// What a state leaves with.
pub(crate) struct Exit {
    pub output: Arc<Value>,
    pub assigned: Vec<(String, Arc<Value>)>,
    pub next: Transition,
}

impl Visit<'_> {
    pub fn is_jsonata(&self) -> bool {
        self.state.language == QueryLanguage::Jsonata
    }

    pub fn scope<'b>(&'b self, data: &'b Value, variables: &'b Variables) -> Scope<'b> {
        let mut scope = Scope::new(data, &self.context, variables, self.run.host);
        scope.jsonata = self.is_jsonata();
        scope
    }

    /// A fault of this state's own fields, in its language's error.
    pub fn fault(&self, detail: &str) -> Fault {
        match self.state.language {
            QueryLanguage::JsonPath => Fault::runtime(detail),
            QueryLanguage::Jsonata => Fault::query(detail, None),
        }
    }

    /// The input after `InputPath`.
    pub fn effective_input(&self, variables: &Variables) -> Result<Arc<Value>, Fault> {
        let input = self.selected(&self.state.io.input, &self.input, variables)?;
        self.show(Stage::AfterInputPath, &input);
        Ok(input)
    }

    /// The input after `Parameters` or `Arguments`.
    pub fn parameters(
        &self,
        input: &Arc<Value>,
        variables: &Variables,
    ) -> Result<Arc<Value>, Fault> {
        let parameters = match &self.state.io.parameters {
            Some(template) => template.share(&self.scope(input, variables))?,
            None => Arc::clone(input),
        };
        self.show(Stage::AfterParameters, &parameters);
        Ok(parameters)
    }

    /// Shows a tested state's data on their way.
    pub fn show(&self, stage: Stage, data: &Value) {
        if let Some(trial) = self.run.trial {
            trial.show(self.state, stage, data);
        }
    }

    fn selected(
        &self,
        selection: &Selection,
        data: &Arc<Value>,
        variables: &Variables,
    ) -> Result<Arc<Value>, Fault> {
        match selection {
            Selection::Whole => Ok(Arc::clone(data)),
            Selection::Empty => Ok(Arc::new(Value::Object(Map::new()))),
            Selection::Path(path) => {
                let scope = self.scope(data, variables);
                Ok(Arc::new(scope.require(path)?.into_owned()))
            }
        }
    }

    /// Leaves with a result: `ResultSelector`, `Assign`, `ResultPath` and
    /// `OutputPath`, or `Output` and `Assign`.
    pub fn exit(&self, result: Arc<Value>, variables: &Variables) -> Result<Exit, Trouble> {
        let io = &self.state.io;
        self.show(Stage::Result, &result);
        if self.is_jsonata() {
            let scope = self.scope(&self.input, variables).with_result(&result);
            let output = match &io.output {
                Some(template) => template.share(&scope)?,
                None => Arc::clone(&result),
            };
            let assigned = assign(&io.assign, &scope)?;
            drop(scope);
            return self.checked(output, assigned, self.state.next);
        }
        let assigned = assign(&io.assign, &self.scope(&result, variables))?;
        let result = match &io.result_selector {
            Some(template) => template.share(&self.scope(&result, variables))?,
            None => result,
        };
        self.show(Stage::AfterResultSelector, &result);
        let output = self.placed(&io.result_place, result)?;
        self.show(Stage::AfterResultPath, &output);
        let output = self.selected(&io.output_path, &output, variables)?;
        self.checked(output, assigned, self.state.next)
    }

    /// Leaves with the input: Wait, Choice by default, Succeed, and Pass in `JSONata`.
    pub fn exit_without_result(&self, variables: &Variables) -> Result<Exit, Trouble> {
        let io = &self.state.io;
        let input = self.effective_input(variables)?;
        let scope = self.scope(&input, variables);
        let assigned = assign(&io.assign, &scope)?;
        let output = match &io.output {
            Some(template) => template.share(&scope)?,
            None => self.selected(&io.output_path, &input, variables)?,
        };
        drop(scope);
        self.checked(output, assigned, self.state.next)
    }

    /// Leaves a Choice by a rule, with the rule's `Output` and `Assign`.
    pub fn exit_by_rule(
        &self,
        output: Option<&Template>,
        assignments: &[(String, Template)],
        next: Transition,
        variables: &Variables,
    ) -> Result<Exit, Trouble> {
        let input = self.effective_input(variables)?;
        let scope = self.scope(&input, variables);
        let assigned = assign(assignments, &scope)?;
        let output = match output {
            Some(template) => template.share(&scope)?,
            None => self.selected(&self.state.io.output_path, &input, variables)?,
        };
        drop(scope);
        self.checked(output, assigned, next)
    }

    /// `ResultPath`: the result in, beside or instead of the state's raw input.
    fn placed(&self, place: &Place, result: Arc<Value>) -> Result<Arc<Value>, Fault> {
        match place {
            Place::Whole => Ok(result),
            Place::Nowhere => Ok(Arc::clone(&self.input)),
            Place::At(path) => {
                let mut output = self.input.as_ref().clone();
                let result =
                    Arc::try_unwrap(result).unwrap_or_else(|shared| shared.as_ref().clone());
                path.put(&mut output, result).map_err(|()| {
                    Fault::of(
                        error_name::RESULT_PATH_MATCH_FAILURE,
                        format!(
                            "Unable to apply ReferencePath {} to input {}",
                            path.text, self.input
                        ),
                    )
                })?;
                Ok(Arc::new(output))
            }
        }
    }

    fn checked(
        &self,
        output: Arc<Value>,
        assigned: Vec<(String, Arc<Value>)>,
        next: Transition,
    ) -> Result<Exit, Trouble> {
        if !Arc::ptr_eq(&output, &self.input) && payload::is_too_large(&output) {
            return Err(Failure::too_large(&self.state.name).into());
        }
        Ok(Exit { output, assigned, next })
    }
}

pub(super) fn assign(
    assignments: &[(String, Template)],
    scope: &Scope,
) -> Result<Vec<(String, Arc<Value>)>, Fault> {
    assignments.iter().map(|(name, template)| Ok((name.clone(), template.share(scope)?))).collect()
}
