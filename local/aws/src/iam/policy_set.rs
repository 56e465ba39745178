//! The policies of many roles and resources at once, without an account: recorded calls are decided again by them, and
//! the grants that no call uses come to light.

use std::collections::BTreeMap;

use serde_json::Value;

use super::action::works_on;
use super::context::Unsupported;
use super::decision::{Denial, Request, decide};
use super::managed;
use super::policy::{Attached, Policy, PolicyError};
use super::record::Call;
use super::resource::Owner;
use super::statement::Effect;

#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    /// By ARN.
    roles: BTreeMap<String, Vec<Policy>>,
    resources: BTreeMap<Owner, Policy>,
}

/// One action pattern of an Allow on one of its resource patterns. Of a policy that AWS manages it is the whole policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The role, or the resource that has the policy.
    pub holder: String,
    pub policy: String,
    /// The Sid, or the place.
    pub statement: String,
    pub action: String,
    pub resource: String,
}

impl PolicySet {
    /// A role with its trust policy and its policies by name.
    pub fn add_role(
        &mut self,
        arn: &str,
        trust: &Value,
        policies: &[(String, Value)],
    ) -> Result<(), PolicyError> {
        let parsed = policies
            .iter()
            .map(|(name, document)| Policy::of(name, document, Attached::Identity))
            .collect::<Result<_, _>>()?;
        self.roles.insert(arn.to_owned(), parsed);
        let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
        self.resources.insert(Owner::Role(name), Policy::of("", trust, Attached::Trust)?);
        Ok(())
    }

    /// A resource's policy, beside one that it may have already.
    pub fn add_resource(&mut self, owner: Owner, document: &Value) -> Result<(), PolicyError> {
        let policy = Policy::of("", document, Attached::Resource)?;
        match self.resources.get_mut(&owner) {
            Some(known) => known.statements.extend(policy.statements),
            None => drop(self.resources.insert(owner, policy)),
        }
        Ok(())
    }

    pub fn roles(&self) -> usize {
        self.roles.len()
    }

    /// Statements of roles and resources.
    pub fn statements(&self) -> usize {
        self.policies().map(|(.., policy)| policy.statements.len()).sum()
    }

    /// With their holders, and the resource if one holds it.
    fn policies(&self) -> impl Iterator<Item = (String, Option<&Owner>, &Policy)> {
        let of_roles = self.roles.iter().flat_map(|(arn, policies)| {
            let name = arn.rsplit('/').next().unwrap_or_default();
            policies.iter().map(move |policy| (format!("role {name}"), None, policy))
        });
        let of_resources = self.resources.iter();
        of_roles.chain(of_resources.map(|(owner, policy)| (owner.to_string(), Some(owner), policy)))
    }

    /// What the gate would have said.
    pub fn decide(&self, call: &Call) -> Result<(), Denial> {
        let caller = call.caller();
        let request = Request {
            caller: &caller,
            action: &call.action,
            resource: &call.resource,
            context: &call.context,
        };
        let identity = self.roles.get(&call.principal).map(Vec::as_slice).unwrap_or_default();
        let owner = Owner::of(&call.resource);
        decide(&request, identity, owner.and_then(|owner| self.resources.get(&owner)))
    }

    /// Every grant there is, but for pairs of an action with a resource it does not work on, and what stands in the
    /// policy of several queues for another of them.
    pub fn grants(&self) -> Vec<Grant> {
        let mut grants = Vec::new();
        for (holder, owner, policy) in self.policies() {
            for (place, statement) in policy.statements.iter().enumerate() {
                if statement.effect == Effect::Deny {
                    continue;
                }
                for action in statement.actions.shown() {
                    for resource in statement.resources.shown() {
                        let is_meant = owner.is_none_or(|owner| owner.is_meant(&resource));
                        if is_meant && works_on(&action, &resource) {
                            let label = statement.label(place);
                            grants.push(Grant::of(
                                &holder,
                                policy,
                                label,
                                action.clone(),
                                resource,
                            ));
                        }
                    }
                }
            }
        }
        grants.sort();
        grants.dedup();
        grants
    }

    /// The grants that let a call pass.
    pub fn used(&self, call: &Call) -> Result<Vec<Grant>, Unsupported> {
        let caller = call.caller();
        let request = Request {
            caller: &caller,
            action: &call.action,
            resource: &call.resource,
            context: &call.context,
        };
        let role = self.roles.get_key_value(&call.principal);
        let role = role.map(|(arn, policies)| {
            (format!("role {}", arn.rsplit('/').next().unwrap_or_default()), policies.as_slice())
        });
        let owner = Owner::of(&call.resource);
        let resource = owner.and_then(|owner| {
            let policy = self.resources.get(&owner)?;
            Some((owner.to_string(), std::slice::from_ref(policy)))
        });
        let mut used = Vec::new();
        for (holder, policies) in role.into_iter().chain(resource) {
            for policy in policies {
                for (place, statement) in policy.statements.iter().enumerate() {
                    if statement.effect == Effect::Deny {
                        continue;
                    }
                    let Some(cover) = statement.covers(&request)? else { continue };
                    let (actions, resources) =
                        (statement.actions.shown(), statement.resources.shown());
                    for action in &cover.actions {
                        for resource in &cover.resources {
                            used.push(Grant::of(
                                &holder,
                                policy,
                                statement.label(place),
                                actions[*action].clone(),
                                resources[*resource].clone(),
                            ));
                        }
                    }
                }
            }
        }
        Ok(used)
    }
}

impl Grant {
    fn of(
        holder: &str,
        policy: &Policy,
        statement: String,
        action: String,
        resource: String,
    ) -> Self {
        let whole = managed::is_managed(&policy.name);
        let part = |text: String| if whole { "*".to_owned() } else { text };
        Grant {
            holder: holder.to_owned(),
            policy: policy.name.clone(),
            statement: part(statement),
            action: part(action),
            resource: part(resource),
        }
    }
}

impl std::fmt::Display for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Grant { holder, policy, statement, action, resource } = self;
        let policy = if policy.is_empty() { String::new() } else { format!(" {policy}") };
        write!(f, "{holder}{policy} {statement}: {action} on {resource}")
    }
}
