//! Managed policies of the account's own. Each has one version.

use serde_json::{Value, json};

use super::Iam;
use super::policy::{Attached, Policy};
use super::role::{encoded, malformed, no_entity, text};
use crate::wire::ServiceError;

impl Iam {
    /// A policy of the account's own, to be attached to roles.
    pub(super) fn create_policy(&self, input: &Value) -> Result<Value, ServiceError> {
        let (name, document) = (text(input, "PolicyName")?, text(input, "PolicyDocument")?);
        Policy::parse(name, document, Attached::Identity).map_err(|error| malformed(&error))?;
        let path = input["Path"].as_str().unwrap_or("/");
        let arn = format!("arn:aws:iam::{}:policy{path}{name}", self.settings.account_id);
        if !self.policies.insert(&arn, &document.to_owned())? {
            let message =
                format!("A policy called {name} already exists. Duplicate names are not allowed.");
            return Err(ServiceError::new("EntityAlreadyExists", message).status(409));
        }
        Ok(json!({"Policy": shown_policy(&arn)}))
    }

    pub(super) fn get_policy(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = text(input, "PolicyArn")?;
        match self.document(arn)? {
            Some(_) => Ok(json!({"Policy": shown_policy(arn)})),
            None => Err(no_entity(format!("Policy {arn} was not found."))),
        }
    }

    pub(super) fn get_policy_version(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = text(input, "PolicyArn")?;
        let document =
            self.document(arn)?.ok_or_else(|| no_entity(format!("Policy {arn} was not found.")))?;
        Ok(json!({"PolicyVersion": {
            "Document": encoded(&document), "VersionId": "v1", "IsDefaultVersion": true,
        }}))
    }

    pub(super) fn delete_policy(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = text(input, "PolicyArn")?;
        let holders = self.roles.values()?;
        if holders.iter().any(|role| role.attached.iter().any(|known| known == arn)) {
            let message = "Cannot delete a policy attached to entities.";
            return Err(ServiceError::new("DeleteConflict", message).status(409));
        }
        if self.policies.delete(arn)? {
            return Ok(json!({}));
        }
        Err(no_entity(format!("Policy {arn} was not found.")))
    }
}

fn shown_policy(arn: &str) -> Value {
    json!({
        "PolicyName": arn.rsplit('/').next(),
        "Arn": arn,
        "DefaultVersionId": "v1",
        "IsAttachable": true,
    })
}
