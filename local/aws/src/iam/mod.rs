//! IAM and STS: who may do what. The policies of roles and of resources are evaluated here, call by call.
//!
//! Where it stands: a call comes with its [`Caller`]; [`action`] says what IAM calls it and on what; the gate looks up
//! the caller's policies and the resource's, has [`decision`] judge, and notes the call in the [`record`]. A denied
//! call is answered in the service's own words ([`denial`]). Credentials that no role was given are the account's
//! root, who may do everything. Where any role is accepted (`Settings::any_role`), only roles that were given policies
//! are held to them.
//!
//! What it must never know: the template. Roles and policies come by IAM's operations, as from any deployment.
//!
//! The evaluation is our own. The crate `iam-rs` (0.8.0) was held to the same table of cases (`cases.jsonl`, 121 of
//! them): 102 came out right. Among the others a Deny on an unknown condition key allowed the call, a Deny for an
//! account did not reach its roles, and `ArnEquals` knew no wildcards; nor does it say which pattern of a statement
//! matched, which the search for unused grants needs.

pub mod action;
pub mod caller;
mod condition;
pub mod context;
pub mod decision;
pub mod denial;
mod gate;
pub mod managed;
pub mod need;
mod own_policy;
mod pattern;
pub mod policy;
pub mod policy_set;
mod principal;
pub mod record;
pub mod resource;
mod role;
mod session;
mod statement;
mod sts;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use lake::Lake;
use serde_json::Value;
use uuid::Uuid;

use crate::Settings;
use crate::collection::Collection;
use crate::wire::ServiceError;

pub use caller::Caller;
pub use context::Context;
pub use need::Need;
pub use pattern::Pattern;
use policy::{Attached, Policy};
pub use record::{Call, Record};
use resource::Owner;
use role::Role;
use session::Sessions;

/// The IAM service.
pub struct Iam {
    settings: Arc<Settings>,
    roles: Collection<Role>,
    /// The account's own managed policies, by ARN.
    policies: Collection<String>,
    sessions: Sessions,
    parsed: Mutex<HashMap<String, Parsed>>,
    pub record: Record,
}

/// Policies by the text they were parsed from, so that each is parsed once and none is out of date.
struct Parsed {
    text: String,
    policies: Arc<Vec<Policy>>,
}

impl Iam {
    pub fn open(lake: &Lake, settings: Arc<Settings>) -> Result<Self, ServiceError> {
        let database = lake.database();
        Ok(Iam {
            settings,
            roles: Collection::open(database, "iam/role")?,
            policies: Collection::open(database, "iam/policy")?,
            sessions: Sessions::default(),
            parsed: Mutex::default(),
            record: Record::default(),
        })
    }

    pub fn operation(&self, action: &str, input: Value) -> Result<Value, ServiceError> {
        match action {
            "CreateRole" => self.create_role(input),
            "GetRole" => self.get_role(&input),
            "ListRoles" => self.list_roles(&input),
            "DeleteRole" => self.delete_role(&input),
            "UpdateAssumeRolePolicy" => self.update_assume_role_policy(&input),
            "PutRolePolicy" => self.put_role_policy(&input),
            "GetRolePolicy" => self.get_role_policy(&input),
            "ListRolePolicies" => self.list_role_policies(&input),
            "DeleteRolePolicy" => self.delete_role_policy(&input),
            "AttachRolePolicy" => self.attach_role_policy(&input),
            "DetachRolePolicy" => self.detach_role_policy(&input),
            "ListAttachedRolePolicies" => self.list_attached_role_policies(&input),
            "CreatePolicy" => self.create_policy(&input),
            "GetPolicy" => self.get_policy(&input),
            "GetPolicyVersion" => self.get_policy_version(&input),
            "DeletePolicy" => self.delete_policy(&input),
            _ => Err(ServiceError::unknown_operation("IAM", action)),
        }
    }

    /// The policies a role is held to; `None` where it may do everything: nobody created it, or any role is accepted
    /// and this one was given no policies.
    fn governing(&self, role_arn: &str) -> Result<Option<Arc<Vec<Policy>>>, ServiceError> {
        let name = role_arn.rsplit('/').next().unwrap_or_default();
        let Some(role) = self.roles.get(name)? else { return Ok(None) };
        if self.settings.any_role && role.inline.is_empty() && role.attached.is_empty() {
            return Ok(None);
        }
        let mut documents: Vec<(String, String)> = role.inline.into_iter().collect();
        for arn in role.attached {
            let document = self.document(&arn)?.unwrap_or_default();
            documents.push((arn, document));
        }
        let parts: Vec<&str> =
            documents.iter().flat_map(|(name, text)| [name.as_str(), text.as_str()]).collect();
        let text = parts.join("\n");
        self.parse_once(role_arn, text, || {
            documents
                .iter()
                .map(|(name, text)| Policy::parse(name, text, Attached::Identity))
                .collect()
        })
        .map(Some)
    }

    /// A role's trust policy; `None` if nobody created the role.
    fn trust(&self, role_name: &str) -> Result<Option<Arc<Vec<Policy>>>, ServiceError> {
        match self.roles.get(role_name)? {
            None => Ok(None),
            Some(role) => {
                let owner = Owner::Role(role.name);
                self.resource_policy(&owner, &role.trust, Attached::Trust).map(Some)
            }
        }
    }

    /// A resource's policy.
    fn resource_policy(
        &self,
        owner: &Owner,
        text: &str,
        attached: Attached,
    ) -> Result<Arc<Vec<Policy>>, ServiceError> {
        let key = format!("the policy of {owner}");
        self.parse_once(&key, text.to_owned(), || Ok(vec![Policy::parse("", text, attached)?]))
    }

    fn parse_once(
        &self,
        key: &str,
        text: String,
        parse: impl FnOnce() -> Result<Vec<Policy>, policy::PolicyError>,
    ) -> Result<Arc<Vec<Policy>>, ServiceError> {
        if let Some(known) = self.parsed().get(key).filter(|known| known.text == text) {
            return Ok(known.policies.clone());
        }
        // A policy that cannot be read denies, as it would never have been accepted.
        let policies = parse().map_err(|error| {
            ServiceError::new("AccessDenied", format!("{key} cannot be read: {error}")).status(403)
        })?;
        let policies = Arc::new(policies);
        self.parsed().insert(key.to_owned(), Parsed { text, policies: policies.clone() });
        Ok(policies)
    }

    fn parsed(&self) -> MutexGuard<'_, HashMap<String, Parsed>> {
        self.parsed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `AROA…`, 21 characters.
fn unique_id(prefix: &str) -> String {
    let random = Uuid::new_v4().simple().to_string().to_uppercase();
    format!("{prefix}{}", &random[..17])
}

/// ISO 8601, as query answers have times.
fn date(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
