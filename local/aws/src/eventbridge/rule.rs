//! Rules and their targets.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::EventBridge;
use super::pattern::Pattern;
use crate::scheduler::Expression;
use crate::wire::{ServiceError, page, read};

/// Targets of one rule, as AWS bounds them.
const MOST_TARGETS: usize = 5;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rule {
    pub name: String,
    pub bus: String,
    pub pattern: Option<String>,
    pub schedule: Option<String>,
    pub enabled: bool,
    pub description: Option<String>,
    pub role_arn: Option<String>,
    pub targets: Vec<Target>,
    /// When its schedule last fired, epoch seconds.
    #[serde(default)]
    pub last_fired: i64,
}

/// A target, in the API's own shape; what is not read here is kept as given.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Target {
    pub id: String,
    pub arn: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_transformer: Option<Transformer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_letter_config: Option<DeadLetters>,
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Transformer {
    #[serde(default)]
    pub input_paths_map: BTreeMap<String, String>,
    pub input_template: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeadLetters {
    pub arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRule {
    name: String,
    event_pattern: Option<String>,
    schedule_expression: Option<String>,
    state: Option<String>,
    description: Option<String>,
    role_arn: Option<String>,
}

fn key(bus: &str, name: &str) -> String {
    format!("{bus}/{name}")
}

/// A bus by name or ARN; the default one if none is named.
pub(super) fn bus_of(input: &Value) -> &str {
    let bus = input["EventBusName"].as_str().unwrap_or("default");
    bus.rsplit('/').next().unwrap_or(bus)
}

fn name_of<'a>(input: &'a Value, member: &str) -> Result<&'a str, ServiceError> {
    input[member]
        .as_str()
        .ok_or_else(|| ServiceError::new("ValidationException", format!("{member} is required")))
}

impl EventBridge {
    pub(super) fn rule_arn(&self, rule: &Rule) -> String {
        let resource = match rule.bus.as_str() {
            "default" => format!("rule/{}", rule.name),
            bus => format!("rule/{bus}/{}", rule.name),
        };
        self.settings.arn("events", &resource)
    }

    fn no_rule(bus: &str, name: &str) -> ServiceError {
        ServiceError::new(
            "ResourceNotFoundException",
            format!("Rule {name} does not exist on EventBus {bus}."),
        )
    }

    /// Changes the rule that `member` and `EventBusName` name.
    fn change_rule<R>(
        &self,
        input: &Value,
        member: &str,
        change: impl FnOnce(&mut Rule) -> Result<R, ServiceError>,
    ) -> Result<R, ServiceError> {
        let (bus, name) = (bus_of(input), name_of(input, member)?);
        let changed = self.rules.update(&key(bus, name), change)?;
        changed.ok_or_else(|| Self::no_rule(bus, name))
    }

    fn rule(&self, input: &Value, member: &str) -> Result<Rule, ServiceError> {
        let (bus, name) = (bus_of(input), name_of(input, member)?);
        self.rules.get(&key(bus, name))?.ok_or_else(|| Self::no_rule(bus, name))
    }

    pub(super) fn put_rule(&self, input: Value) -> Result<Value, ServiceError> {
        self.require_bus(bus_of(&input))?;
        let bus = bus_of(&input).to_owned();
        let put: PutRule = read(input)?;
        if let Some(pattern) = &put.event_pattern {
            Pattern::parse(pattern).map_err(|reason| {
                ServiceError::new(
                    "InvalidEventPatternException",
                    format!("Event pattern is not valid. Reason: {reason}"),
                )
            })?;
        }
        if let Some(schedule) = &put.schedule_expression {
            Expression::parse(schedule).map_err(|_| {
                ServiceError::new(
                    "ValidationException",
                    "Parameter ScheduleExpression is not valid.",
                )
            })?;
        }
        if put.event_pattern.is_none() && put.schedule_expression.is_none() {
            return Err(ServiceError::new(
                "ValidationException",
                "Parameter(s) EventPattern or ScheduleExpression must be specified.",
            ));
        }
        let id = key(&bus, &put.name);
        let existing = self.rules.get(&id)?;
        let rule = Rule {
            name: put.name,
            bus,
            pattern: put.event_pattern,
            schedule: put.schedule_expression,
            enabled: put.state.as_deref() != Some("DISABLED"),
            description: put.description,
            role_arn: put.role_arn,
            last_fired: existing.as_ref().map_or(0, |rule| rule.last_fired),
            targets: existing.map(|rule| rule.targets).unwrap_or_default(),
        };
        self.rules.put(&id, &rule)?;
        Ok(json!({"RuleArn": self.rule_arn(&rule)}))
    }

    fn shown(&self, rule: &Rule) -> Value {
        let mut shown = json!({
            "Name": rule.name,
            "Arn": self.rule_arn(rule),
            "State": if rule.enabled { "ENABLED" } else { "DISABLED" },
            "EventBusName": rule.bus,
        });
        let optional = [
            ("EventPattern", &rule.pattern),
            ("ScheduleExpression", &rule.schedule),
            ("Description", &rule.description),
            ("RoleArn", &rule.role_arn),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                shown[name] = value.as_str().into();
            }
        }
        shown
    }

    pub(super) fn describe_rule(&self, input: &Value) -> Result<Value, ServiceError> {
        let mut shown = self.shown(&self.rule(input, "Name")?);
        shown["CreatedBy"] = self.settings.account_id.as_str().into();
        Ok(shown)
    }

    pub(super) fn list_rules(&self, input: &Value) -> Result<Value, ServiceError> {
        let prefix = key(bus_of(input), input["NamePrefix"].as_str().unwrap_or_default());
        let rules = self.rules.list(&prefix)?;
        let size = input["Limit"].as_u64();
        let (rules, next) = page(rules, size, 100, input["NextToken"].as_str())?;
        let rules: Vec<Value> = rules.iter().map(|(_, rule)| self.shown(rule)).collect();
        let mut answer = json!({"Rules": rules});
        if let Some(next) = next {
            answer["NextToken"] = next.into();
        }
        Ok(answer)
    }

    pub(super) fn set_enabled(&self, input: &Value, enabled: bool) -> Result<Value, ServiceError> {
        self.change_rule(input, "Name", |rule| {
            rule.enabled = enabled;
            Ok(Value::Null)
        })
    }

    /// Deleting a rule that is not there succeeds, one with targets does not.
    pub(super) fn delete_rule(&self, input: &Value) -> Result<Value, ServiceError> {
        let id = key(bus_of(input), name_of(input, "Name")?);
        if self.rules.get(&id)?.is_some_and(|rule| !rule.targets.is_empty()) {
            return Err(ServiceError::new(
                "ValidationException",
                "Rule can't be deleted since it has targets.",
            ));
        }
        self.rules.delete(&id)?;
        Ok(Value::Null)
    }

    pub(super) fn put_targets(&self, input: &Value) -> Result<Value, ServiceError> {
        let new: Vec<Target> = read(input["Targets"].clone())?;
        for target in &new {
            let services = ["states", "lambda", "sqs", "sns", "events", "logs"];
            let service = target.arn.split(':').nth(2).unwrap_or_default();
            if !services.contains(&service) {
                return Err(ServiceError::new(
                    "ValidationException",
                    format!("{} is not offered here as a target", target.arn),
                ));
            }
        }
        self.change_rule(input, "Rule", |rule| {
            rule.targets.retain(|target| new.iter().all(|new| new.id != target.id));
            rule.targets.extend(new);
            if rule.targets.len() > MOST_TARGETS {
                return Err(ServiceError::new(
                    "LimitExceededException",
                    "The requested resource exceeds the maximum number allowed.",
                ));
            }
            Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
        })
    }

    pub(super) fn remove_targets(&self, input: &Value) -> Result<Value, ServiceError> {
        let ids: Vec<String> = read(input["Ids"].clone())?;
        self.change_rule(input, "Rule", |rule| {
            rule.targets.retain(|target| !ids.contains(&target.id));
            Ok(json!({"FailedEntryCount": 0, "FailedEntries": []}))
        })
    }

    pub(super) fn list_targets_by_rule(&self, input: &Value) -> Result<Value, ServiceError> {
        let rule = self.rule(input, "Rule")?;
        serde_json::to_value(&rule.targets)
            .map(|targets| json!({"Targets": targets}))
            .map_err(ServiceError::internal)
    }

    pub(super) fn list_rule_names_by_target(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = name_of(input, "TargetArn")?;
        let rules = self.rules.list(&key(bus_of(input), ""))?;
        let names: Vec<String> = rules
            .into_iter()
            .filter(|(_, rule)| rule.targets.iter().any(|target| target.arn == arn))
            .map(|(_, rule)| rule.name)
            .collect();
        Ok(json!({"RuleNames": names}))
    }
}
