//! A stack made real: each resource created or changed through the operations that a
//! deployment on AWS would use.
//!
//! Deploying on a data directory that has the stack changes what differs. What the
//! template no longer has stays, but for what a role may do. Roles come first, as whatever
//! takes one on must be allowed to. Lifecycle rules are kept in the stack alone.
//! Inert as well: encryption and its keys (blobs lie in a folder of yours), access logs
//! (there is one caller), VPCs (processes use the machine's network), tracing, tags, and a
//! gradual `DeploymentPreference` (the alias takes the new version at once).
mod compute;
mod monitoring;
mod permission;
mod storage;
mod trigger;

use std::path::Path;

use serde_json::Value;
use thiserror::Error;

use crate::cloud::{CallError, Cloud};
use crate::template::{Body, Kind, Resource, Stack};

/// A resource that could not be made.
#[derive(Debug, Error)]
#[error("{logical_id} cannot be deployed")]
pub struct DeployError {
    pub logical_id: String,
    pub source: CallError,
}

/// Creates or updates every resource; functions run from the binaries in `binaries`.
pub async fn deploy(stack: &Stack, cloud: &Cloud, binaries: &Path) -> Result<(), DeployError> {
    for role in stack.roles() {
        permission::role(cloud, &role)
            .await
            .map_err(|source| DeployError { logical_id: role.logical_id.clone(), source })?;
    }
    for stage in [Stage::Things, Stage::Functions, Stage::Machines] {
        for resource in stack.resources.iter().filter(|resource| Stage::of(resource.kind) == stage)
        {
            one(resource, cloud, binaries).await.map_err(|source| DeployError {
                logical_id: resource.logical_id.clone(),
                source,
            })?;
        }
        if stage == Stage::Things {
            permission::resources(stack, cloud).await.map_err(|source| DeployError {
                logical_id: "the policies of its resources".to_owned(),
                source,
            })?;
        }
    }
    Ok(())
}

/// What must be there before what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Things,
    Functions,
    /// State machines with their triggers, and what watches them.
    Machines,
}

impl Stage {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Bucket
            | Kind::Queue
            | Kind::Topic
            | Kind::WorkGroup
            | Kind::Database
            | Kind::LogGroup
            | Kind::Role
            | Kind::Dashboard
            | Kind::Policy(_) => Self::Things,
            Kind::Function => Self::Functions,
            Kind::StateMachine | Kind::Subscription | Kind::Rule | Kind::Schedule | Kind::Alarm => {
                Self::Machines
            }
        }
    }
}

async fn one(resource: &Resource, cloud: &Cloud, binaries: &Path) -> Result<(), CallError> {
    let name = resource.identity.name.as_str();
    match (&resource.body, resource.kind) {
        (Body::Function(function), _) => compute::function(cloud, function, binaries).await,
        (Body::StateMachine(machine), _) => {
            compute::state_machine(cloud, machine).await?;
            for event in &machine.events {
                trigger::of_machine(cloud, machine, event).await?;
            }
            Ok(())
        }
        // Before all others; see `deploy`.
        (Body::Role(_), _) => Ok(()),
        (Body::Properties(properties), kind) => match kind {
            Kind::Bucket => storage::bucket(cloud, name, properties).await,
            Kind::Queue => storage::queue(cloud, name, properties).await,
            Kind::Topic => storage::topic(cloud, name, properties).await,
            Kind::Subscription => storage::subscription(cloud, properties).await,
            Kind::WorkGroup => storage::work_group(cloud, name, properties).await,
            Kind::Database => storage::database(cloud, properties).await,
            Kind::LogGroup => monitoring::log_group(cloud, name, properties).await,
            Kind::Alarm => monitoring::alarm(cloud, name, properties).await,
            Kind::Dashboard => monitoring::dashboard(cloud, name, properties).await,
            Kind::Rule => trigger::rule(cloud, name, properties).await,
            Kind::Schedule => trigger::schedule(cloud, name, properties).await,
            // After what they are about; see `deploy`.
            Kind::Policy(_) => Ok(()),
            Kind::Function | Kind::StateMachine | Kind::Role => {
                unreachable!("their bodies are matched above")
            }
        },
    }
}

/// The members that are there, of those named, as the operation spells them.
fn pick(properties: &Value, members: &[(&str, &str)]) -> serde_json::Map<String, Value> {
    let found = |(from, to): &(&str, &str)| {
        properties.get(from).map(|value| ((*to).to_owned(), value.clone()))
    };
    members.iter().filter_map(found).collect()
}

/// Passes over the refusal of what is there already.
fn already(result: Result<Value, CallError>, code: &str) -> Result<bool, CallError> {
    match result {
        Ok(_) => Ok(false),
        Err(error) if error.code() == code => Ok(true),
        Err(error) => Err(error),
    }
}
