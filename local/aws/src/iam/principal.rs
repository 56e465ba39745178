//! Whom a statement of a resource's policy is about.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use serde_json::Value;

use super::caller::Caller;
use super::policy::PolicyError;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principals {
    /// `"*"`
    Everyone,
    Listed(Vec<Principal>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    Everyone,
    /// An account, by its number or as its root.
    Account(String),
    /// A role or one of its sessions.
    Arn(String),
    Service(String),
    /// Federated and canonical users: nobody here is one.
    Foreign,
}

/// How a principal is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    No,
    /// As one of an account: its own policies have the last word.
    ByAccount,
    Yes,
}

impl Principals {
    pub fn parse(value: &Value) -> Result<Self, PolicyError> {
        let invalid =
            || PolicyError::new(format!("Principal: expected \"*\" or a map, found {value}"));
        if value == "*" {
            return Ok(Principals::Everyone);
        }
        let mut listed = Vec::new();
        for (kind, names) in value.as_object().ok_or_else(invalid)? {
            let names = super::policy::texts(kind, names)?;
            let parsed: Result<Vec<_>, _> =
                names.iter().map(|name| Principal::parse(kind, name)).collect();
            listed.extend(parsed?);
        }
        Ok(Principals::Listed(listed))
    }

    pub fn names(&self, caller: &Caller) -> Named {
        match self {
            Principals::Everyone => Named::Yes,
            Principals::Listed(listed) => {
                listed.iter().map(|one| one.names(caller)).max().unwrap_or(Named::No)
            }
        }
    }
}

impl Principal {
    fn parse(kind: &str, name: &str) -> Result<Self, PolicyError> {
        let is_account = |text: &str| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        match kind {
            "AWS" if name == "*" => Ok(Principal::Everyone),
            "AWS" if is_account(name) => Ok(Principal::Account(name.to_owned())),
            "AWS" if name.starts_with("arn:") && !name.contains(['*', '?']) => {
                match name.strip_suffix(":root").and_then(|arn| arn.rsplit(':').next()) {
                    Some(account) => Ok(Principal::Account(account.to_owned())),
                    None => Ok(Principal::Arn(name.to_owned())),
                }
            }
            "Service" => Ok(Principal::Service(name.to_owned())),
            "Federated" | "CanonicalUser" => Ok(Principal::Foreign),
            _ => {
                Err(PolicyError::new(format!("Invalid principal in policy: \"{kind}\":\"{name}\"")))
            }
        }
    }

    fn names(&self, caller: &Caller) -> Named {
        let yes = |named: bool| if named { Named::Yes } else { Named::No };
        match (self, caller) {
            (Principal::Everyone, _) => Named::Yes,
            (Principal::Account(account), Caller::Role(session)) => {
                if session.account() == account { Named::ByAccount } else { Named::No }
            }
            (Principal::Arn(arn), Caller::Role(session)) => {
                yes(*arn == session.role_arn || *arn == session.arn())
            }
            (Principal::Service(name), Caller::Service(service)) => yes(*name == service.principal),
            (
                Principal::Account(_)
                | Principal::Arn(_)
                | Principal::Service(_)
                | Principal::Foreign,
                _,
            ) => Named::No,
        }
    }
}
