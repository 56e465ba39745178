//! What a call needs to be allowed: an action of IAM on a resource.

use std::borrow::Cow;

use super::context::Context;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Need {
    /// As IAM spells it: `s3:GetObject`.
    pub action: Cow<'static, str>,
    /// An ARN, or `*` where the action knows no resources.
    pub resource: String,
    /// Condition keys of this call, beside the caller's.
    pub context: Context,
}

impl Need {
    pub fn new(action: impl Into<Cow<'static, str>>, resource: impl Into<String>) -> Self {
        Need { action: action.into(), resource: resource.into(), context: Context::default() }
    }

    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.context = self.context.with(key, value);
        self
    }

    #[must_use]
    pub fn with_some(mut self, key: &str, value: Option<impl Into<String>>) -> Self {
        self.context = self.context.with_some(key, value);
        self
    }

    /// An action on an object, or on a bucket where there is no key.
    pub fn s3(action: &'static str, bucket: &str, key: Option<&str>) -> Self {
        let resource = match key {
            Some(key) => format!("arn:aws:s3:::{bucket}/{key}"),
            None => format!("arn:aws:s3:::{bucket}"),
        };
        Need::new(action, resource)
    }
}
