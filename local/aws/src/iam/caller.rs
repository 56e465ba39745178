//! Who calls: the account's root, a session of a role, or a service of AWS on its own behalf.

use std::sync::Arc;

use super::context::Context;
use crate::Settings;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Credentials that no role was given: everything is allowed.
    Root,
    Role(Arc<Session>),
    Service(Service),
}

/// Somebody who has taken on a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub role_arn: String,
    pub name: String,
    /// The function the session's credentials were made for: `lambda:SourceFunctionArn`.
    pub function_arn: Option<String>,
}

/// A service's own principal, with what it acts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// `events.amazonaws.com`
    pub principal: String,
    /// `aws:SourceArn`: the rule, alarm or topic.
    pub source_arn: Option<String>,
}

impl Session {
    pub fn account(&self) -> &str {
        self.role_arn.split(':').nth(4).unwrap_or_default()
    }

    /// The role's name without its path.
    pub fn role(&self) -> &str {
        self.role_arn.rsplit('/').next().unwrap_or_default()
    }

    /// `arn:aws:sts::123456789012:assumed-role/NAME/SESSION`
    pub fn arn(&self) -> String {
        format!("arn:aws:sts::{}:assumed-role/{}/{}", self.account(), self.role(), self.name)
    }
}

impl Caller {
    pub fn role(role_arn: &str, session: impl Into<String>) -> Self {
        Caller::Role(Arc::new(Session {
            role_arn: role_arn.to_owned(),
            name: session.into(),
            function_arn: None,
        }))
    }

    pub fn service(principal: &str, source_arn: Option<&str>) -> Self {
        Caller::Service(Service {
            principal: principal.to_owned(),
            source_arn: source_arn.map(str::to_owned),
        })
    }

    /// As messages name it.
    pub fn arn(&self, account: &str) -> String {
        match self {
            Caller::Root => format!("arn:aws:iam::{account}:root"),
            Caller::Role(session) => session.arn(),
            Caller::Service(service) => service.principal.clone(),
        }
    }

    /// As records name it: sessions of one role are one.
    pub fn principal(&self) -> &str {
        match self {
            Caller::Root => "root",
            Caller::Role(session) => &session.role_arn,
            Caller::Service(service) => &service.principal,
        }
    }

    /// The condition keys every call of this caller has. The loopback is a secure transport: nobody listens in.
    pub fn context(&self, settings: &Settings) -> Context {
        let account = &settings.account_id;
        let context = Context::default()
            .with("aws:SecureTransport", "true")
            .with("aws:RequestedRegion", settings.region.as_str());
        match self {
            Caller::Root => context
                .with("aws:PrincipalArn", self.arn(account))
                .with("aws:PrincipalAccount", account.as_str())
                .with("aws:PrincipalIsAWSService", "false")
                .with("aws:PrincipalType", "Account"),
            Caller::Role(session) => context
                .with("aws:PrincipalArn", session.role_arn.as_str())
                .with("aws:PrincipalAccount", session.account())
                .with("aws:PrincipalIsAWSService", "false")
                .with("aws:PrincipalType", "AssumedRole")
                .with_some("lambda:SourceFunctionArn", session.function_arn.as_deref()),
            Caller::Service(service) => context
                .with("aws:PrincipalIsAWSService", "true")
                .with("aws:PrincipalServiceName", service.principal.as_str())
                .with("aws:SourceAccount", account.as_str())
                .with_some("aws:SourceArn", service.source_arn.as_deref()),
        }
    }
}
