//! Roles with their policies, by IAM's operations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::policy::{Attached, Policy, PolicyError};
use super::{Iam, managed};
use crate::wire::{ServiceError, page, read};

/// The most policies that can be attached to a role.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>
const MOST_ATTACHED: usize = 20;
/// All inline policies of a role together have at most so many characters, blanks not counted.
const LONGEST_INLINE: usize = 10_240;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Role {
    pub name: String,
    pub arn: String,
    pub path: String,
    pub id: String,
    pub description: Option<String>,
    pub created: i64,
    /// Who may take it on.
    pub trust: String,
    /// Documents by name.
    pub inline: BTreeMap<String, String>,
    /// ARNs.
    pub attached: Vec<String>,
    pub tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateRole {
    role_name: String,
    assume_role_policy_document: String,
    path: Option<String>,
    description: Option<String>,
    permissions_boundary: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

impl Role {
    fn shown(&self) -> Value {
        let mut shown = json!({
            "Path": self.path,
            "RoleName": self.name,
            "RoleId": self.id,
            "Arn": self.arn,
            "CreateDate": super::date(self.created),
            "AssumeRolePolicyDocument": encoded(&self.trust),
            "MaxSessionDuration": 3600,
        });
        if let Some(description) = &self.description {
            shown["Description"] = description.as_str().into();
        }
        shown
    }
}

/// Documents travel percent-encoded in answers.
pub(super) fn encoded(document: &str) -> String {
    use std::fmt::Write as _;
    document.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
        text
    })
}

pub(super) fn malformed(error: &PolicyError) -> ServiceError {
    ServiceError::new("MalformedPolicyDocument", error.to_string())
}

pub(super) fn no_entity(what: impl Into<String>) -> ServiceError {
    ServiceError::new("NoSuchEntity", what.into()).status(404)
}

fn no_role(name: &str) -> ServiceError {
    no_entity(format!("The role with name {name} cannot be found."))
}

pub(super) fn text<'a>(input: &'a Value, member: &str) -> Result<&'a str, ServiceError> {
    input[member].as_str().filter(|text| !text.is_empty()).ok_or_else(|| {
        ServiceError::new(
            "ValidationError",
            format!(
                "Value null at '{member}' failed to satisfy constraint: Member must not be null"
            ),
        )
    })
}

impl Iam {
    pub(super) fn create_role(&self, input: Value) -> Result<Value, ServiceError> {
        let create: CreateRole = read(input)?;
        if let Some(boundary) = &create.permissions_boundary {
            return Err(ServiceError::new(
                "InvalidInput",
                format!("permissions boundaries are not evaluated here: {boundary}"),
            ));
        }
        let name = create.role_name;
        Policy::parse("", &create.assume_role_policy_document, Attached::Trust)
            .map_err(|error| malformed(&error))?;
        let path = create.path.unwrap_or_else(|| "/".to_owned());
        let role = Role {
            arn: format!("arn:aws:iam::{}:role{path}{name}", self.settings.account_id),
            id: super::unique_id("AROA"),
            path,
            description: create.description,
            created: lake::clock::now().as_second(),
            trust: create.assume_role_policy_document,
            inline: BTreeMap::new(),
            attached: Vec::new(),
            tags: create.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
            name,
        };
        if !self.roles.insert(&role.name, &role)? {
            let message = format!("Role with name {} already exists.", role.name);
            return Err(ServiceError::new("EntityAlreadyExists", message).status(409));
        }
        Ok(json!({"Role": role.shown()}))
    }

    pub(super) fn role(&self, name: &str) -> Result<Role, ServiceError> {
        self.roles.get(name)?.ok_or_else(|| no_role(name))
    }

    fn change_role(
        &self,
        input: &Value,
        change: impl FnOnce(&mut Role) -> Result<(), ServiceError>,
    ) -> Result<Value, ServiceError> {
        let name = text(input, "RoleName")?;
        self.roles.update(name, change)?.map(|()| json!({})).ok_or_else(|| no_role(name))
    }

    /// Where any role is accepted, one that nobody created is shown as it would be.
    pub(super) fn get_role(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = text(input, "RoleName")?;
        match self.roles.get(name)? {
            Some(role) => Ok(json!({"Role": role.shown()})),
            None if self.settings.any_role => Ok(json!({"Role": {
                "Path": "/",
                "RoleName": name,
                "RoleId": "AROALOCAL00000000000",
                "Arn": format!("arn:aws:iam::{}:role/{name}", self.settings.account_id),
                "CreateDate": "1970-01-01T00:00:00Z",
            }})),
            None => Err(no_role(name)),
        }
    }

    pub(super) fn list_roles(&self, input: &Value) -> Result<Value, ServiceError> {
        let prefix = input["PathPrefix"].as_str().unwrap_or("/");
        let mut roles = self.roles.values()?;
        roles.retain(|role| role.path.starts_with(prefix));
        listed("Roles", roles.iter().map(Role::shown).collect(), input)
    }

    pub(super) fn delete_role(&self, input: &Value) -> Result<Value, ServiceError> {
        let role = self.role(text(input, "RoleName")?)?;
        let held = if !role.inline.is_empty() {
            "delete policies first."
        } else if !role.attached.is_empty() {
            "must detach all policies first."
        } else {
            self.roles.delete(&role.name)?;
            return Ok(json!({}));
        };
        let message = format!("Cannot delete entity, {held}");
        Err(ServiceError::new("DeleteConflict", message).status(409))
    }

    pub(super) fn update_assume_role_policy(&self, input: &Value) -> Result<Value, ServiceError> {
        let document = text(input, "PolicyDocument")?;
        Policy::parse("", document, Attached::Trust).map_err(|error| malformed(&error))?;
        self.change_role(input, |role| {
            document.clone_into(&mut role.trust);
            Ok(())
        })
    }

    pub(super) fn put_role_policy(&self, input: &Value) -> Result<Value, ServiceError> {
        let (name, document) = (text(input, "PolicyName")?, text(input, "PolicyDocument")?);
        Policy::parse(name, document, Attached::Identity).map_err(|error| malformed(&error))?;
        self.change_role(input, |role| {
            role.inline.insert(name.to_owned(), document.to_owned());
            let length: usize = role
                .inline
                .values()
                .map(|document| document.chars().filter(|c| !c.is_whitespace()).count())
                .sum();
            if length > LONGEST_INLINE {
                let message = format!(
                    "Maximum policy size of {LONGEST_INLINE} bytes exceeded for role {}",
                    role.name
                );
                return Err(ServiceError::new("LimitExceeded", message).status(409));
            }
            Ok(())
        })
    }

    pub(super) fn get_role_policy(&self, input: &Value) -> Result<Value, ServiceError> {
        let (role, name) = (self.role(text(input, "RoleName")?)?, text(input, "PolicyName")?);
        let document = role.inline.get(name).ok_or_else(|| {
            no_entity(format!("The role policy with name {name} cannot be found."))
        })?;
        Ok(json!({
            "RoleName": role.name,
            "PolicyName": name,
            "PolicyDocument": encoded(document),
        }))
    }

    pub(super) fn list_role_policies(&self, input: &Value) -> Result<Value, ServiceError> {
        let role = self.role(text(input, "RoleName")?)?;
        listed("PolicyNames", role.inline.into_keys().map(Value::from).collect(), input)
    }

    pub(super) fn delete_role_policy(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = text(input, "PolicyName")?;
        self.change_role(input, |role| match role.inline.remove(name) {
            Some(_) => Ok(()),
            None => Err(no_entity(format!("The role policy with name {name} cannot be found."))),
        })
    }

    pub(super) fn attach_role_policy(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = text(input, "PolicyArn")?;
        if self.document(arn)?.is_none() {
            let unknown = if managed::is_managed(arn) {
                format!("the AWS-managed policy {arn} is not known here")
            } else {
                format!("Policy {arn} does not exist or is not attachable.")
            };
            return Err(no_entity(unknown));
        }
        self.change_role(input, |role| {
            if !role.attached.iter().any(|known| known == arn) {
                role.attached.push(arn.to_owned());
            }
            if role.attached.len() > MOST_ATTACHED {
                let message = format!("Cannot exceed quota for PoliciesPerRole: {MOST_ATTACHED}");
                return Err(ServiceError::new("LimitExceeded", message).status(409));
            }
            Ok(())
        })
    }

    pub(super) fn detach_role_policy(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = text(input, "PolicyArn")?;
        self.change_role(input, |role| {
            let before = role.attached.len();
            role.attached.retain(|known| known != arn);
            if role.attached.len() < before {
                return Ok(());
            }
            Err(no_entity(format!("Policy {arn} was not found.")))
        })
    }

    pub(super) fn list_attached_role_policies(&self, input: &Value) -> Result<Value, ServiceError> {
        let role = self.role(text(input, "RoleName")?)?;
        let shown = role
            .attached
            .iter()
            .map(|arn| json!({"PolicyName": arn.rsplit('/').next(), "PolicyArn": arn}));
        listed("AttachedPolicies", shown.collect(), input)
    }

    /// The text of a policy that can be attached.
    pub(super) fn document(&self, arn: &str) -> Result<Option<String>, ServiceError> {
        match managed::document(arn) {
            Some(document) => Ok(Some(document.to_owned())),
            None => self.policies.get(arn),
        }
    }
}

fn listed(member: &str, items: Vec<Value>, input: &Value) -> Result<Value, ServiceError> {
    let size = input["MaxItems"].as_str().and_then(|text| text.parse().ok());
    let (items, next) = page(items, size, 100, input["Marker"].as_str())?;
    let mut answer = json!({"IsTruncated": next.is_some()});
    answer[member] = Value::Array(items);
    if let Some(next) = next {
        answer["Marker"] = next.into();
    }
    Ok(answer)
}
