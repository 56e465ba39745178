//! A policy document: JSON to statements. What IAM would refuse is refused when it comes.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use serde_json::{Map, Value};

use super::condition::Condition;
use super::pattern::Pattern;
use super::principal::Principals;
use super::statement::{Effect, Selection, Statement};

/// A document that is no policy, or asks for what is not evaluated here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PolicyError(String);

impl PolicyError {
    pub fn new(message: impl Into<String>) -> Self {
        PolicyError(message.into())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Of an inline or managed policy; empty of a resource's.
    pub name: String,
    pub statements: Vec<Statement>,
}

/// Where a policy is attached, which says what elements it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attached {
    /// To a role: resources, no principals.
    Identity,
    /// To a bucket, queue, topic or function: resources and principals.
    Resource,
    /// A role's trust policy: principals, no resources.
    Trust,
}

impl Policy {
    pub fn parse(name: &str, text: &str, attached: Attached) -> Result<Self, PolicyError> {
        let document: Value = serde_json::from_str(text)
            .map_err(|error| PolicyError::new(format!("not JSON: {error}")))?;
        Self::of(name, &document, attached)
    }

    pub fn of(name: &str, document: &Value, attached: Attached) -> Result<Self, PolicyError> {
        let members = document
            .as_object()
            .ok_or_else(|| PolicyError::new("expected an object with Version and Statement"))?;
        known(members, &["Version", "Id", "Statement"])?;
        // Without a version it is the older one, which has no variables.
        let variables = match members.get("Version").map(|version| version.as_str()) {
            None | Some(Some("2008-10-17")) => false,
            Some(Some("2012-10-17")) => true,
            Some(other) => {
                return Err(PolicyError::new(format!(
                    "Version: expected 2012-10-17, found {other:?}"
                )));
            }
        };
        let statements = match members.get("Statement") {
            Some(Value::Array(statements)) => statements.clone(),
            Some(one @ Value::Object(_)) => vec![one.clone()],
            _ => return Err(PolicyError::new("Missing required field Statement")),
        };
        let reader = Reader { variables, attached };
        let statements = statements.iter().enumerate().map(|(place, statement)| {
            reader.statement(statement).map_err(|error| {
                PolicyError::new(format!("{name} statement {place}: {error}").trim_start())
            })
        });
        Ok(Policy { name: name.to_owned(), statements: statements.collect::<Result<_, _>>()? })
    }
}

struct Reader {
    variables: bool,
    attached: Attached,
}

impl Reader {
    fn statement(&self, value: &Value) -> Result<Statement, PolicyError> {
        let members = value.as_object().ok_or_else(|| PolicyError::new("expected an object"))?;
        known(
            members,
            &[
                "Sid",
                "Effect",
                "Principal",
                "NotPrincipal",
                "Action",
                "NotAction",
                "Resource",
                "NotResource",
                "Condition",
            ],
        )?;
        if members.contains_key("NotPrincipal") {
            return Err(PolicyError::new("NotPrincipal is not evaluated here: use Principal"));
        }
        let effect = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err(PolicyError::new("Effect: expected Allow or Deny")),
        };
        Ok(Statement {
            sid: members.get("Sid").and_then(Value::as_str).map(str::to_owned),
            effect,
            principals: self.principals(members)?,
            actions: actions(members)?,
            resources: self.resources(members)?,
            conditions: self.conditions(members)?,
        })
    }

    fn principals(&self, members: &Map<String, Value>) -> Result<Option<Principals>, PolicyError> {
        match (self.attached, members.get("Principal")) {
            (Attached::Identity, None) => Ok(None),
            (Attached::Identity, Some(_)) => {
                Err(PolicyError::new("Policy document should not specify a principal."))
            }
            (Attached::Resource | Attached::Trust, None) => {
                Err(PolicyError::new("Missing required field Principal"))
            }
            (Attached::Resource | Attached::Trust, Some(value)) => {
                Principals::parse(value).map(Some)
            }
        }
    }

    fn resources(&self, members: &Map<String, Value>) -> Result<Selection, PolicyError> {
        if self.attached == Attached::Trust {
            return match members.get("Resource").or(members.get("NotResource")) {
                None => Ok(Selection::Everything),
                Some(_) => Err(PolicyError::new("Has prohibited field Resource")),
            };
        }
        selection(members, "Resource", "NotResource", |text| self.pattern(text))
    }

    fn conditions(&self, members: &Map<String, Value>) -> Result<Vec<Condition>, PolicyError> {
        let Some(block) = members.get("Condition") else { return Ok(Vec::new()) };
        let block =
            block.as_object().ok_or_else(|| PolicyError::new("Condition: expected a map"))?;
        let mut conditions = Vec::new();
        for (operator, keys) in block {
            let keys = keys
                .as_object()
                .ok_or_else(|| PolicyError::new(format!("{operator}: expected a map of keys")))?;
            for (key, values) in keys {
                let values = texts(key, values)?.iter().map(|text| self.pattern(text)).collect();
                let condition = Condition::parse(operator, key, values);
                conditions.push(condition.ok_or_else(|| {
                    PolicyError::new(format!("Invalid Condition type : {operator}."))
                })?);
            }
        }
        Ok(conditions)
    }

    fn pattern(&self, text: &str) -> Pattern {
        if self.variables { Pattern::parse(text) } else { Pattern::without_variables(text) }
    }
}

fn actions(members: &Map<String, Value>) -> Result<Selection, PolicyError> {
    let selection = selection(members, "Action", "NotAction", |text| {
        Pattern::without_variables(&text.to_lowercase())
    })?;
    let (Selection::Only(patterns) | Selection::AllBut(patterns)) = &selection else {
        return Ok(selection);
    };
    match patterns.iter().find(|pattern| pattern.as_str() != "*" && !pattern.as_str().contains(':'))
    {
        None => Ok(selection),
        Some(bare) => Err(PolicyError::new(format!(
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.: {bare}"
        ))),
    }
}

fn selection(
    members: &Map<String, Value>,
    only: &str,
    all_but: &str,
    pattern: impl Fn(&str) -> Pattern,
) -> Result<Selection, PolicyError> {
    let patterns = |name: &str, value: &Value| -> Result<Vec<Pattern>, PolicyError> {
        Ok(texts(name, value)?.iter().map(|text| pattern(text)).collect())
    };
    match (members.get(only), members.get(all_but)) {
        (Some(value), None) => Ok(Selection::Only(patterns(only, value)?)),
        (None, Some(value)) => Ok(Selection::AllBut(patterns(all_but, value)?)),
        (None, None) => Err(PolicyError::new(format!("Missing required field {only}"))),
        (Some(_), Some(_)) => {
            Err(PolicyError::new(format!("{only} and {all_but} exclude each other")))
        }
    }
}

/// A text, or a list of texts. Conditions may have numbers and booleans in place of texts.
pub(super) fn texts(name: &str, value: &Value) -> Result<Vec<String>, PolicyError> {
    let text = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        other => Err(PolicyError::new(format!("{name}: expected text, found {other}"))),
    };
    match value {
        Value::Array(values) => values.iter().map(text).collect(),
        one => Ok(vec![text(one)?]),
    }
}

fn known(members: &Map<String, Value>, names: &[&str]) -> Result<(), PolicyError> {
    match members.keys().find(|name| !names.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => Err(PolicyError::new(format!("unknown element {name}"))),
    }
}
