//! A template's policies, without an account.
use aws::iam::managed;
use aws::iam::policy::PolicyError;
use aws::iam::policy_set::PolicySet;
use aws::iam::resource::Owner;
use serde_json::Value;

use crate::template::{PolicyKind, Stack};

/// Why a template's policies are none.
#[derive(Debug, thiserror::Error)]
pub enum PoliciesError {
    #[error("{logical_id}: {source}")]
    Policy { logical_id: String, source: PolicyError },
    #[error("{logical_id}: the managed policy {arn} is not known locally")]
    Managed { logical_id: String, arn: String },
}

/// All policies of roles and resources, as a deployment would attach them.
pub fn policies(stack: &Stack) -> Result<PolicySet, PoliciesError> {
    let mut set = PolicySet::default();
    for role in stack.roles() {
        let mut documents = role.policies.clone();
        for arn in &role.managed {
            let document = managed::document(arn)
                .and_then(|text| serde_json::from_str(text).ok())
                .ok_or_else(|| PoliciesError::Managed {
                    logical_id: role.logical_id.clone(),
                    arn: arn.clone(),
                })?;
            documents.push((arn.clone(), document));
        }
        set.add_role(&role.arn, &role.trust, &documents).map_err(|source| {
            PoliciesError::Policy { logical_id: role.logical_id.clone(), source }
        })?;
    }
    for (kind, member) in [
        (PolicyKind::Bucket, "Bucket"),
        (PolicyKind::Queue, "Queues"),
        (PolicyKind::Topic, "Topics"),
    ] {
        for (resource, properties) in stack.policies(kind) {
            for name in names(&properties[member]) {
                let owner = match kind {
                    PolicyKind::Bucket => Owner::Bucket(name),
                    // Queues are named by their URLs.
                    PolicyKind::Queue => {
                        Owner::Queue(name.rsplit('/').next().unwrap_or_default().to_owned())
                    }
                    PolicyKind::Topic | PolicyKind::Managed => Owner::Topic(name),
                };
                set.add_resource(owner, &properties["PolicyDocument"]).map_err(|source| {
                    PoliciesError::Policy { logical_id: resource.logical_id.clone(), source }
                })?;
            }
        }
    }
    Ok(set)
}

fn names(value: &Value) -> Vec<String> {
    match value {
        Value::String(name) => vec![name.clone()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}
