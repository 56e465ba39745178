//! Choice: the first rule that holds says where to go.

use serde_json::Value;

use super::condition::Condition;
use crate::definition::{Fields, Targets, Transition};
use crate::failure::{Fault, Trouble, error_name};
use crate::jsonata::Query;
use crate::quantity::unexpected;
use crate::scope::Scope;
use crate::template::Template;
use crate::variables::Variables;
use crate::visit::{Exit, Visit};

#[derive(Debug)]
pub(crate) struct Choice {
    rules: Vec<Rule>,
    default: Option<usize>,
}

#[derive(Debug)]
struct Rule {
    test: Test,
    next: usize,
    output: Option<Template>,
    assign: Vec<(String, Template)>,
}

#[derive(Debug)]
enum Test {
    Condition(Condition),
    Query(Query),
}

impl Choice {
    pub fn parse(fields: &Fields, targets: &Targets) -> Option<Self> {
        fields.require(&["Choices"]);
        let choices = fields.list("Choices")?;
        if choices.is_empty() {
            fields.wrong("Choices", "Choices must not be empty");
        }
        let rules: Vec<_> = choices
            .iter()
            .enumerate()
            .map(|(at, choice)| {
                Rule::parse(&fields.object_of(&format!("Choices/{at}"), choice)?, targets)
            })
            .collect();
        let default = targets.resolve(fields, "Default");
        Some(Self { rules: rules.into_iter().collect::<Option<_>>()?, default })
    }

    pub fn run(&self, visit: &Visit, variables: &Variables) -> Result<Exit, Trouble> {
        let input = visit.effective_input(variables)?;
        let scope = visit.scope(&input, variables);
        for rule in &self.rules {
            if rule.test.holds(&scope)? {
                return visit.exit_by_rule(
                    rule.output.as_ref(),
                    &rule.assign,
                    Transition::To(rule.next),
                    variables,
                );
            }
        }
        let Some(default) = self.default else {
            return Err(Fault::of(
                error_name::NO_CHOICE_MATCHED,
                "Failed to transition out of the state. The state does not point to a next state.",
            )
            .into());
        };
        let exit = visit.exit_without_result(variables)?;
        Ok(Exit { next: Transition::To(default), ..exit })
    }
}

impl Rule {
    fn parse(fields: &Fields, targets: &Targets) -> Option<Self> {
        fields.require(&["Next"]);
        let next = targets.resolve(fields, "Next");
        let assign = fields.assign();
        let (test, output) = if fields.is_jsonata() {
            fields.require(&["Condition"]);
            let test = match fields.get("Condition") {
                Some(Value::String(text)) => fields.query("Condition", text).map(Test::Query),
                Some(Value::Bool(always)) => Some(Test::Condition(Condition::Always(*always))),
                Some(_) => {
                    fields.wrong("Condition", "Expected value of type String or Boolean");
                    None
                }
                None => None,
            };
            (test, fields.template("Output"))
        } else {
            (Condition::parse(fields).map(Test::Condition), None)
        };
        fields.refuse_unknown(&[]);
        Some(Self { test: test?, next: next?, output, assign })
    }
}

impl Test {
    fn holds(&self, scope: &Scope) -> Result<bool, Fault> {
        match self {
            Self::Condition(condition) => condition.holds(scope),
            Self::Query(query) => {
                let value = query.evaluate(scope, "Condition")?;
                value.as_bool().ok_or_else(|| unexpected(query, "Condition", "boolean", &value))
            }
        }
    }
}
