//! What is known of a call beside who, what and on what: condition keys and their values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Keys that this endpoint knows the truth about: one that a call does not have is truly absent. A condition on any
/// other key cannot be decided and counts against the call.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>
const KNOWN: [&str; 25] = [
    "aws:calledvia",
    "aws:calledviafirst",
    "aws:calledvialast",
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalisawsservice",
    "aws:principalservicename",
    "aws:principaltype",
    "aws:requestedregion",
    "aws:securetransport",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:viaawsservice",
    "cloudwatch:namespace",
    "iam:passedtoservice",
    "lambda:sourcefunctionarn",
    "s3:delimiter",
    "s3:if-match",
    "s3:if-none-match",
    "s3:max-keys",
    "s3:prefix",
    "s3:versionid",
    "s3:x-amz-server-side-encryption",
    "states:statemachinequalifier",
    "sts:rolesessionname",
];

/// Condition keys with their values. Keys are compared without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Context(BTreeMap<String, Vec<String>>);

/// Something in a policy that cannot be decided here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    #[error("the condition key {0} is not known here")]
    Key(String),
    #[error("the condition operator {0} is not evaluated here")]
    Operator(String),
}

impl Context {
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.0.entry(key.to_lowercase()).or_default().push(value.into());
        self
    }

    #[must_use]
    pub fn with_some(self, key: &str, value: Option<impl Into<String>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// Both; this one's values come first.
    #[must_use]
    pub fn and(mut self, other: &Context) -> Self {
        for (key, values) in &other.0 {
            self.0.entry(key.clone()).or_default().extend(values.iter().cloned());
        }
        self
    }

    /// The values of a key; `None` where the call has none.
    pub fn get(&self, key: &str) -> Result<Option<&[String]>, Unsupported> {
        let key = key.to_lowercase();
        if !KNOWN.contains(&key.as_str()) {
            return Err(Unsupported::Key(key));
        }
        Ok(self.0.get(&key).map(Vec::as_slice))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
