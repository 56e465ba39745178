//! Denied calls in AWS's words.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>

use super::decision::{Denial, Origin};
use super::need::Need;
use crate::wire::ServiceError;

/// A call that is not allowed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", self.message())]
pub struct Refusal {
    caller: String,
    action: String,
    resource: String,
    reason: Box<Reason>,
}

#[derive(Clone, Debug, PartialEq)]
enum Reason {
    Denied(Denial),
    /// The policies cannot be read.
    Unreadable(ServiceError),
}

impl Refusal {
    pub fn new(caller: String, need: &Need, denial: Denial) -> Self {
        Refusal {
            caller,
            action: need.action.to_string(),
            resource: need.resource.clone(),
            reason: Box::new(Reason::Denied(denial)),
        }
    }

    pub fn unreadable(need: &Need, error: ServiceError) -> Self {
        Refusal {
            caller: String::new(),
            action: need.action.to_string(),
            resource: need.resource.clone(),
            reason: Box::new(Reason::Unreadable(error)),
        }
    }

    pub fn action(&self) -> &str {
        &self.action
    }

    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// `User: … is not authorized to perform: … on resource: … because no identity-based policy allows the … action`
    pub fn message(&self) -> String {
        self.worded(&self.action, &format!(" on resource: {}", self.resource))
    }

    fn worded(&self, action: &str, resource: &str) -> String {
        let why = match self.reason.as_ref() {
            Reason::Unreadable(error) => return error.message.clone(),
            Reason::Denied(Denial::Implicit) => {
                let kind = if self.caller.starts_with("arn:") { "identity" } else { "resource" };
                format!("because no {kind}-based policy allows the {action} action")
            }
            Reason::Denied(Denial::Explicit { from: Origin::Identity, .. }) => {
                "with an explicit deny in an identity-based policy".to_owned()
            }
            Reason::Denied(Denial::Explicit { from: Origin::Resource, .. }) => {
                "with an explicit deny in a resource-based policy".to_owned()
            }
            Reason::Denied(Denial::Undecided { statement, what }) => {
                format!("because {statement} cannot be decided: {what}")
            }
        };
        format!("User: {} is not authorized to perform: {action}{resource} {why}", self.caller)
    }

    /// As a service answers it. `service` is the name that requests are signed for.
    pub fn of_service(&self, service: &str) -> ServiceError {
        let error = |code: &'static str, message: String, status: u16| {
            ServiceError::new(code, message).status(status)
        };
        match service {
            "s3" => error("AccessDenied", self.of_s3(), 403),
            // SQS writes its actions small, SNS its own name large.
            "sqs" => {
                let action = self.action.to_lowercase();
                let resource = format!(" on resource: {}", self.resource);
                error("AccessDeniedException", self.worded(&action, &resource), 403)
            }
            "sns" => {
                let action = self.action.replacen("sns:", "SNS:", 1);
                let resource = format!(" on resource: {}", self.resource);
                error("AuthorizationError", self.worded(&action, &resource), 403)
            }
            // Metrics are no resources.
            "monitoring" => error("AccessDenied", self.worded(&self.action, ""), 403),
            "iam" | "sts" => error("AccessDenied", self.message(), 403),
            "lambda" | "scheduler" => error("AccessDeniedException", self.message(), 403),
            _ => error("AccessDeniedException", self.message(), 400),
        }
    }

    /// S3 puts the resource in quotes.
    pub fn of_s3(&self) -> String {
        self.worded(&self.action, &format!(" on resource: \"{}\"", self.resource))
    }
}

/// An access key that was given out here and is not known any more.
pub fn unknown_key() -> ServiceError {
    ServiceError::new(
        "UnrecognizedClientException",
        "The security token included in the request is invalid.",
    )
    .status(403)
}
