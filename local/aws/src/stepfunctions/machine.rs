//! State machines.

use asl::ExecutionType;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::arn::{MachineArn, check, check_name};
use super::definition::parse;
use super::permission::{CREATE, DELETE, UPDATE};
use super::{StepFunctions, seconds, text};
use crate::wire::{ServiceError, page, read};

/// A state machine; what runs is its current revision.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Machine {
    pub name: String,
    pub arn: String,
    pub kind: Kind,
    pub revision: String,
    pub created: i64,
    pub logging: Value,
    pub tracing: Value,
    /// `[{"key", "value"}]`
    pub tags: Vec<Value>,
    /// The number of the last version published.
    #[serde(default)]
    pub last_version: u64,
}

/// A definition with its role, never changed once written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    pub definition: String,
    pub role_arn: String,
    pub kind: Kind,
    pub created: i64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    #[default]
    Standard,
    Express,
}

impl From<Kind> for ExecutionType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Standard => ExecutionType::Standard,
            Kind::Express => ExecutionType::Express,
        }
    }
}

/// A machine with the revision that an ARN means.
pub(super) struct Resolved {
    pub machine: Machine,
    pub revision_id: String,
    pub revision: Revision,
    /// The version's or alias' ARN, if one was named.
    pub qualifier: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    name: String,
    definition: String,
    role_arn: String,
    #[serde(default, rename = "type")]
    kind: Kind,
    logging_configuration: Option<Value>,
    tracing_configuration: Option<Value>,
    #[serde(default)]
    tags: Vec<Value>,
    #[serde(default)]
    publish: bool,
    version_description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    state_machine_arn: String,
    definition: Option<String>,
    role_arn: Option<String>,
    logging_configuration: Option<Value>,
    tracing_configuration: Option<Value>,
    #[serde(default)]
    publish: bool,
    version_description: Option<String>,
}

pub(super) fn no_machine(arn: &str) -> ServiceError {
    ServiceError::new("StateMachineDoesNotExist", format!("State Machine Does Not Exist: '{arn}'"))
}

impl StepFunctions {
    /// The machine an ARN names, with the revision its version or alias stands for.
    pub(super) fn resolve(&self, arn: &str) -> Result<Resolved, ServiceError> {
        let parsed = MachineArn::parse(arn)?;
        let machine = self.machines.get(&parsed.machine)?.ok_or_else(|| no_machine(arn))?;
        let revision_id = match &parsed.qualifier {
            None => machine.revision.clone(),
            Some(_) => self.qualified_revision(&parsed)?.ok_or_else(|| no_machine(arn))?,
        };
        let revision = self.revisions.get(&revision_id)?.ok_or_else(|| no_machine(arn))?;
        let qualifier = parsed.qualifier.is_some().then(|| parsed.text());
        Ok(Resolved { machine, revision_id, revision, qualifier })
    }

    pub(super) fn create_state_machine(&self, input: Value) -> Result<Value, ServiceError> {
        let create: Create = read(input)?;
        check_name(&create.name)?;
        if create.version_description.is_some() && !create.publish {
            return Err(description_needs_publish());
        }
        parse(&create.definition, create.kind)?;
        check_role(&create.role_arn)?;
        let arn = self.settings.arn("states", &format!("stateMachine:{}", create.name));
        self.check_trust(&arn, &create.role_arn)?;
        self.check_logging(&create.role_arn, create.logging_configuration.as_ref(), &CREATE)?;
        let now = lake::clock::now().as_millisecond();
        let revision = Revision {
            definition: create.definition,
            role_arn: create.role_arn,
            kind: create.kind,
            created: now,
        };
        let machine = Machine {
            name: create.name,
            arn: arn.clone(),
            kind: create.kind,
            revision: Uuid::new_v4().to_string(),
            created: now,
            logging: create.logging_configuration.unwrap_or_else(default_logging),
            tracing: create.tracing_configuration.unwrap_or_else(default_tracing),
            tags: create.tags,
            last_version: 0,
        };
        self.revisions.insert(&machine.revision, &revision)?;
        if !self.machines.insert(&arn, &machine)? {
            self.revisions.delete(&machine.revision)?;
            return self.created_already(&machine, &revision);
        }
        let mut answer = json!({"stateMachineArn": arn, "creationDate": seconds(now)});
        if create.publish {
            let version = self.publish(&arn, create.version_description, None)?;
            answer["stateMachineVersionArn"] = version.arn.into();
        }
        Ok(answer)
    }

    /// `CreateStateMachine` is idempotent for the same name, definition, type and role.
    fn created_already(
        &self,
        machine: &Machine,
        revision: &Revision,
    ) -> Result<Value, ServiceError> {
        let existing = self.resolve(&machine.arn)?;
        let same = existing.revision.definition == revision.definition
            && existing.revision.role_arn == revision.role_arn
            && existing.machine.kind == machine.kind
            && existing.machine.logging == machine.logging
            && existing.machine.tracing == machine.tracing;
        if same {
            return Ok(json!({
                "stateMachineArn": existing.machine.arn,
                "creationDate": seconds(existing.machine.created),
            }));
        }
        Err(ServiceError::new(
            "StateMachineAlreadyExists",
            format!("State Machine Already Exists: '{}'", machine.arn),
        ))
    }

    pub(super) fn update_state_machine(&self, input: Value) -> Result<Value, ServiceError> {
        let update: Update = read(input)?;
        let arn = MachineArn::parse(&update.state_machine_arn)?;
        if arn.qualifier.is_some() {
            return Err(ServiceError::new(
                "ValidationException",
                "A version or alias cannot be updated: name the state machine",
            ));
        }
        let nothing = update.definition.is_none()
            && update.role_arn.is_none()
            && update.logging_configuration.is_none()
            && update.tracing_configuration.is_none();
        if nothing {
            return Err(ServiceError::new(
                "MissingRequiredParameter",
                "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
            ));
        }
        if update.version_description.is_some() && !update.publish {
            return Err(description_needs_publish());
        }
        let current = self.resolve(&arn.machine)?;
        if let Some(definition) = &update.definition {
            parse(definition, current.machine.kind)?;
        }
        if let Some(role) = &update.role_arn {
            check_role(role)?;
        }
        let role = update.role_arn.as_ref().unwrap_or(&current.revision.role_arn);
        self.check_trust(&arn.machine, role)?;
        let logging = update.logging_configuration.as_ref().unwrap_or(&current.machine.logging);
        self.check_logging(role, Some(logging), &UPDATE)?;
        let now = lake::clock::now().as_millisecond();
        let revision_id = Uuid::new_v4().to_string();
        let revision = Revision {
            definition: update.definition.unwrap_or(current.revision.definition),
            role_arn: update.role_arn.unwrap_or(current.revision.role_arn),
            kind: current.machine.kind,
            created: now,
        };
        self.revisions.insert(&revision_id, &revision)?;
        self.machines.update(&arn.machine, |machine| {
            machine.revision.clone_from(&revision_id);
            if let Some(logging) = update.logging_configuration {
                machine.logging = logging;
            }
            if let Some(tracing) = update.tracing_configuration {
                machine.tracing = tracing;
            }
            Ok(())
        })?;
        let mut answer = json!({"updateDate": seconds(now), "revisionId": revision_id});
        if update.publish {
            let version = self.publish(&arn.machine, update.version_description, None)?;
            answer["stateMachineVersionArn"] = version.arn.into();
        }
        Ok(answer)
    }

    pub(super) fn describe_state_machine(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = text(input, "stateMachineArn")?;
        let resolved = self.resolve(arn)?;
        let machine = resolved.machine;
        let mut answer = json!({
            "stateMachineArn": arn,
            "name": machine.name,
            "status": "ACTIVE",
            "definition": resolved.revision.definition,
            "roleArn": resolved.revision.role_arn,
            "type": machine.kind,
            "creationDate": seconds(machine.created),
            "loggingConfiguration": machine.logging,
            "tracingConfiguration": machine.tracing,
            "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
        });
        // A machine that was never updated has no revision id to show.
        if resolved.revision.created != machine.created {
            answer["revisionId"] = resolved.revision_id.into();
        }
        Ok(answer)
    }

    pub(super) fn describe_state_machine_for_execution(
        &self,
        input: &Value,
    ) -> Result<Value, ServiceError> {
        let arn = check(text(input, "executionArn")?, &["execution"])?;
        let execution = self.recorded(arn)?;
        let revision = self.revisions.get(&execution.revision)?;
        let revision = revision.ok_or_else(|| no_machine(&execution.machine))?;
        let machine = self.machines.get(&execution.machine)?;
        let mut answer = json!({
            "stateMachineArn": execution.machine,
            "name": execution.machine.rsplit(':').next(),
            "definition": revision.definition,
            "roleArn": revision.role_arn,
            "updateDate": seconds(revision.created),
            "loggingConfiguration": machine.map_or_else(default_logging, |machine| machine.logging),
            "revisionId": execution.revision,
        });
        if let Some(map_run) = execution.map_run {
            answer["mapRunArn"] = map_run.into();
            answer["label"] = execution.machine.rsplit('/').next().into();
        }
        Ok(answer)
    }

    pub(super) fn list_state_machines(&self, input: &Value) -> Result<Value, ServiceError> {
        let machines = self.machines.values()?;
        let size = input["maxResults"].as_u64();
        let (machines, next) = page(machines, size, 1000, input["nextToken"].as_str())?;
        let machines: Vec<Value> = machines
            .into_iter()
            .map(|machine| {
                json!({
                    "stateMachineArn": machine.arn,
                    "name": machine.name,
                    "type": machine.kind,
                    "creationDate": seconds(machine.created),
                })
            })
            .collect();
        let mut answer = json!({"stateMachines": machines});
        if let Some(next) = next {
            answer["nextToken"] = next.into();
        }
        Ok(answer)
    }

    /// Deleting what is not there succeeds, as on AWS. Running executions go on.
    pub(super) fn delete_state_machine(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = MachineArn::parse(text(input, "stateMachineArn")?)?;
        if let Ok(resolved) = self.resolve(&arn.machine) {
            let (role, logging) = (resolved.revision.role_arn, resolved.machine.logging);
            self.check_logging(&role, Some(&logging), &DELETE)?;
        }
        self.machines.delete(&arn.machine)?;
        let qualified = format!("{}:", arn.machine);
        for (key, _) in self.versions.list(&qualified)? {
            self.versions.delete(&key)?;
        }
        for (key, _) in self.aliases.list(&qualified)? {
            self.aliases.delete(&key)?;
        }
        Ok(json!({}))
    }
}

/// Any role is accepted; it must look like one.
fn check_role(arn: &str) -> Result<(), ServiceError> {
    if arn.starts_with("arn:") && arn.contains(":iam:") && arn.contains(":role/") {
        return Ok(());
    }
    Err(ServiceError::new("InvalidArn", format!("Invalid Role Arn: '{arn}'")))
}

fn description_needs_publish() -> ServiceError {
    ServiceError::new(
        "ValidationException",
        "Version description can only be set when publish is true",
    )
}

fn default_logging() -> Value {
    json!({"level": "OFF", "includeExecutionData": false})
}

fn default_tracing() -> Value {
    json!({"enabled": false})
}
