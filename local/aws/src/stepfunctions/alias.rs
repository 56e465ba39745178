//! Aliases of state machines. Of two weighted routes the heavier is taken: a share of traffic means nothing here.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::arn::{MachineArn, check_name};
use super::{StepFunctions, seconds, text};
use crate::wire::{ServiceError, page, read};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Alias {
    name: String,
    description: Option<String>,
    routes: Vec<Route>,
    created: i64,
    updated: i64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Route {
    state_machine_version_arn: String,
    weight: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    name: String,
    description: Option<String>,
    routing_configuration: Vec<Route>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    state_machine_alias_arn: String,
    description: Option<String>,
    routing_configuration: Option<Vec<Route>>,
}

impl Alias {
    /// The version that executions run.
    pub fn route(&self) -> String {
        let heaviest = self.routes.iter().max_by_key(|route| route.weight);
        heaviest.map(|route| route.state_machine_version_arn.clone()).unwrap_or_default()
    }

    pub fn routes_to(&self, version: &str) -> bool {
        self.routes.iter().any(|route| route.state_machine_version_arn == version)
    }
}

fn no_alias(arn: &str) -> ServiceError {
    ServiceError::new(
        "ResourceNotFound",
        format!("Request references a resource that does not exist: {arn}"),
    )
}

impl StepFunctions {
    fn check_routes(&self, routes: &[Route]) -> Result<MachineArn, ServiceError> {
        let total: u64 = routes.iter().map(|route| route.weight).sum();
        if !(1..=2).contains(&routes.len()) || total != 100 {
            return Err(ServiceError::new(
                "ValidationException",
                "routingConfiguration has one or two versions whose weights add up to 100",
            ));
        }
        let mut machine = None;
        for route in routes {
            let arn = MachineArn::parse(&route.state_machine_version_arn)?;
            if self.versions.get(&arn.text())?.is_none() {
                return Err(no_alias(&arn.text()));
            }
            machine = Some(arn);
        }
        machine.ok_or_else(|| ServiceError::internal("routes were checked to be there"))
    }

    pub(super) fn create_state_machine_alias(&self, input: Value) -> Result<Value, ServiceError> {
        let create: Create = read(input)?;
        check_name(&create.name)?;
        let machine = self.check_routes(&create.routing_configuration)?;
        let arn = format!("{}:{}", machine.machine, create.name);
        let now = lake::clock::now().as_millisecond();
        let alias = Alias {
            name: create.name,
            description: create.description,
            routes: create.routing_configuration,
            created: now,
            updated: now,
        };
        if !self.aliases.insert(&arn, &alias)? {
            return Err(ServiceError::new(
                "ConflictException",
                format!(
                    "Failed to create alias because an alias with the same name and a different routing configuration already exists: {arn}"
                ),
            ));
        }
        Ok(json!({"stateMachineAliasArn": arn, "creationDate": seconds(now)}))
    }

    pub(super) fn update_state_machine_alias(&self, input: Value) -> Result<Value, ServiceError> {
        let update: Update = read(input)?;
        if let Some(routes) = &update.routing_configuration {
            self.check_routes(routes)?;
        }
        let now = lake::clock::now().as_millisecond();
        let updated = self.aliases.update(&update.state_machine_alias_arn, |alias| {
            if let Some(routes) = update.routing_configuration {
                alias.routes = routes;
            }
            if update.description.is_some() {
                alias.description = update.description;
            }
            alias.updated = now;
            Ok(json!({"updateDate": seconds(now)}))
        })?;
        updated.ok_or_else(|| no_alias(&update.state_machine_alias_arn))
    }

    pub(super) fn describe_state_machine_alias(
        &self,
        input: &Value,
    ) -> Result<Value, ServiceError> {
        let arn = text(input, "stateMachineAliasArn")?;
        let alias = self.aliases.get(arn)?.ok_or_else(|| no_alias(arn))?;
        Ok(json!({
            "stateMachineAliasArn": arn,
            "name": alias.name,
            "description": alias.description,
            "routingConfiguration": alias.routes,
            "creationDate": seconds(alias.created),
            "updateDate": seconds(alias.updated),
        }))
    }

    pub(super) fn list_state_machine_aliases(&self, input: &Value) -> Result<Value, ServiceError> {
        let machine = MachineArn::parse(text(input, "stateMachineArn")?)?;
        let version = machine.qualifier.is_some().then(|| machine.text());
        let aliases = self.aliases.list(&format!("{}:", machine.machine))?.into_iter();
        let aliases = aliases
            .filter(|(_, alias)| version.as_ref().is_none_or(|version| alias.routes_to(version)))
            .collect();
        let size = input["maxResults"].as_u64();
        let (aliases, next): (Vec<(String, Alias)>, _) =
            page(aliases, size, 1000, input["nextToken"].as_str())?;
        let aliases: Vec<Value> = aliases
            .into_iter()
            .map(|(arn, alias)| {
                json!({"stateMachineAliasArn": arn, "creationDate": seconds(alias.created)})
            })
            .collect();
        Ok(json!({"stateMachineAliases": aliases, "nextToken": next}))
    }

    pub(super) fn delete_state_machine_alias(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = text(input, "stateMachineAliasArn")?;
        if self.aliases.delete(arn)? { Ok(json!({})) } else { Err(no_alias(arn)) }
    }
}
