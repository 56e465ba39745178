//! A Lambda function as the template has it.
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::identity::Identity;
use super::role::Role;
use super::scope::{Account, plain};
use super::text_of;

#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    pub name: String,
    pub arn: String,
    pub role_arn: String,
    /// The role SAM makes for it, if it was given none.
    pub role: Option<Role>,
    /// The last folder of `CodeUri`, which is the name of the binary too.
    pub package: String,
    pub handler: String,
    pub runtime: String,
    pub architecture: String,
    pub timeout_seconds: u64,
    pub memory_mb: u64,
    pub environment: BTreeMap<String, String>,
    /// Where its log lines go; `/aws/lambda/<name>` unless it says otherwise.
    pub log_group: String,
    /// Everything the template says of it, globals included.
    pub properties: Value,
}

impl Function {
    /// Defaults are Lambda's: 3 seconds, 128 MB, `x86_64`.
    pub(super) fn of(
        identity: &Identity,
        (role_id, role): (&str, &Identity),
        properties: Value,
        has_vpc: bool,
        account: &Account,
    ) -> Result<Self, String> {
        let package = text_of(&properties, "CodeUri")
            .and_then(|uri| {
                Path::new(uri.trim_end_matches('/'))
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
            })
            .ok_or("a function without CodeUri: expected the folder of its package")?;
        let number = |name: &str, default: u64| match text_of(&properties, name) {
            None => Ok(default),
            Some(text) => {
                text.parse().map_err(|_| format!("{name}: expected a whole number, found {text:?}"))
            }
        };
        let (timeout_seconds, memory_mb) = (number("Timeout", 3)?, number("MemorySize", 128)?);
        let variables = properties.pointer("/Environment/Variables").and_then(Value::as_object);
        let environment = variables
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), plain(value)))
            .collect();
        let log_group = properties.pointer("/LoggingConfig/LogGroup").map(plain);
        let given = text_of(&properties, "Role");
        let role = match given {
            Some(_) => None,
            None => Some(Role::of_function(role_id, role, &properties, has_vpc, account)?),
        };
        let role_arn =
            given.or_else(|| role.as_ref().map(|role| role.arn.clone())).unwrap_or_default();
        Ok(Self {
            name: identity.name.clone(),
            arn: identity.attribute("Arn").unwrap_or_default(),
            role_arn,
            role,
            package,
            handler: text_of(&properties, "Handler").unwrap_or_else(|| "bootstrap".to_owned()),
            runtime: text_of(&properties, "Runtime")
                .unwrap_or_else(|| "provided.al2023".to_owned()),
            architecture: properties
                .pointer("/Architectures/0")
                .map_or_else(|| "x86_64".to_owned(), plain),
            timeout_seconds,
            memory_mb,
            environment,
            log_group: log_group.unwrap_or_else(|| format!("/aws/lambda/{}", identity.name)),
            properties,
        })
    }
}
