//! One statement of a policy, and what of it covers a call.

use super::condition::Condition;
use super::context::{Context, Unsupported};
use super::decision::Request;
use super::pattern::Pattern;
use super::principal::{Named, Principals};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Allow,
    Deny,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    pub sid: Option<String>,
    pub effect: Effect,
    /// Of a resource's policy.
    pub principals: Option<Principals>,
    pub actions: Selection,
    pub resources: Selection,
    pub conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    Only(Vec<Pattern>),
    AllBut(Vec<Pattern>),
    /// A role's trust policy names no resource: it is the role's own.
    Everything,
}

impl Selection {
    /// The places of the patterns that cover `text`; `AllBut` and `Everything` have the one place 0.
    pub fn matching(&self, text: &str, context: &Context) -> Result<Vec<usize>, Unsupported> {
        match self {
            Selection::Everything => Ok(vec![0]),
            Selection::Only(patterns) => {
                let mut found = Vec::new();
                for (place, pattern) in patterns.iter().enumerate() {
                    if pattern.matches(text, context)? {
                        found.push(place);
                    }
                }
                Ok(found)
            }
            Selection::AllBut(patterns) => {
                for pattern in patterns {
                    if pattern.matches(text, context)? {
                        return Ok(Vec::new());
                    }
                }
                Ok(vec![0])
            }
        }
    }

    /// The texts of the places that [`Selection::matching`] speaks of.
    pub fn shown(&self) -> Vec<String> {
        match self {
            Selection::Everything => vec!["*".to_owned()],
            Selection::Only(patterns) => patterns.iter().map(Pattern::to_string).collect(),
            Selection::AllBut(patterns) => {
                let all: Vec<&str> = patterns.iter().map(Pattern::as_str).collect();
                vec![format!("all but {}", all.join(", "))]
            }
        }
    }
}

/// What of a statement covers a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// Places of action patterns.
    pub actions: Vec<usize>,
    /// Places of resource patterns.
    pub resources: Vec<usize>,
    pub named: Named,
}

impl Statement {
    /// `None` when the statement is not about this call.
    pub fn covers(&self, request: &Request<'_>) -> Result<Option<Cover>, Unsupported> {
        let named = match &self.principals {
            None => Named::Yes,
            Some(principals) => principals.names(request.caller),
        };
        if named == Named::No {
            return Ok(None);
        }
        // Actions are written in any case, and are kept in lower case.
        let actions = self.actions.matching(&request.action.to_lowercase(), request.context)?;
        if actions.is_empty() {
            return Ok(None);
        }
        let mut undecided = None;
        let resources = match self.resources.matching(request.resource, request.context) {
            Ok(resources) if resources.is_empty() => return Ok(None),
            Ok(resources) => resources,
            Err(unsupported) => {
                undecided = Some(unsupported);
                Vec::new()
            }
        };
        for condition in &self.conditions {
            match condition.holds(request.context) {
                Ok(true) => {}
                // One that does not hold decides, whatever cannot be decided beside it.
                Ok(false) => return Ok(None),
                Err(unsupported) => undecided = Some(unsupported),
            }
        }
        match undecided {
            Some(unsupported) => Err(unsupported),
            None => Ok(Some(Cover { actions, resources, named })),
        }
    }

    /// Its Sid, or its place in the policy.
    pub fn label(&self, place: usize) -> String {
        self.sid.clone().unwrap_or_else(|| format!("statement {place}"))
    }
}
