//! A Task's `Resource` and how its history events name it.

/// A Task's `Resource` ARN, taken apart once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    pub arn: String,
    pub kind: ResourceKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceKind {
    /// `arn:aws:lambda:…:function:…`: the function itself, with
    /// `LambdaFunction…` events.
    Lambda,
    /// `arn:aws:states:::service:action`: an optimised integration, or
    /// `aws-sdk:service` for any other API, with `Task…` events.
    Service {
        /// `athena`, `aws-sdk:s3`: the events' `resourceType`.
        service: String,
        /// `startQueryExecution`, without the pattern.
        action: String,
        pattern: Pattern,
    },
    /// `arn:aws:states:…:activity:…` and anything else, with `Activity…` events.
    Activity,
}

/// How long a service task waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    RequestResponse,
    /// `.sync`
    Sync,
    /// `.sync:2`: as `.sync`, with JSON instead of text in the result.
    Sync2,
    /// `.waitForTaskToken`
    WaitForTaskToken,
}

impl Pattern {
    pub fn suffix(self) -> &'static str {
        match self {
            Self::RequestResponse => "",
            Self::Sync => ".sync",
            Self::Sync2 => ".sync:2",
            Self::WaitForTaskToken => ".waitForTaskToken",
        }
    }
}

impl Resource {
    pub fn parse(arn: &str) -> Self {
        Self { arn: arn.to_owned(), kind: kind(arn) }
    }

    /// Whether the context object has a `Task.Token`: recorded case
    /// `callback/callback.test_sync_with_task_token` has one for `.sync` too.
    pub fn has_token(&self) -> bool {
        match &self.kind {
            ResourceKind::Lambda => false,
            ResourceKind::Activity => true,
            ResourceKind::Service { pattern, .. } => *pattern != Pattern::RequestResponse,
        }
    }

    /// Whether somebody else reports on the task, heartbeats included.
    pub fn takes_heartbeats(&self) -> bool {
        match &self.kind {
            ResourceKind::Lambda => false,
            ResourceKind::Activity => true,
            ResourceKind::Service { pattern, .. } => *pattern == Pattern::WaitForTaskToken,
        }
    }

    /// Who is named when the result is too large: the service, or the ARN.
    pub(crate) fn origin(&self) -> &str {
        match &self.kind {
            ResourceKind::Service { service, .. } => service,
            ResourceKind::Lambda | ResourceKind::Activity => &self.arn,
        }
    }
}

fn kind(arn: &str) -> ResourceKind {
    let mut parts = arn.splitn(6, ':');
    let service = parts.nth(2);
    let account = (parts.next(), parts.next());
    match (service, parts.next()) {
        (Some("lambda"), Some(rest)) if rest.starts_with("function:") => ResourceKind::Lambda,
        (Some("states"), Some(rest)) if account == (Some(""), Some("")) => integration(rest),
        _ => ResourceKind::Activity,
    }
}

fn integration(rest: &str) -> ResourceKind {
    let (rest, pattern) = [Pattern::Sync2, Pattern::Sync, Pattern::WaitForTaskToken]
        .into_iter()
        .find_map(|pattern| Some((rest.strip_suffix(pattern.suffix())?, pattern)))
        .unwrap_or((rest, Pattern::RequestResponse));
    let split = match rest.strip_prefix("aws-sdk:") {
        Some(sdk) => sdk.find(':').map(|at| at + "aws-sdk:".len()),
        None => rest.find(':'),
    };
    match split {
        Some(at) => ResourceKind::Service {
            service: rest[..at].to_owned(),
            action: rest[at + 1..].to_owned(),
            pattern,
        },
        None => ResourceKind::Activity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integrations_are_taken_apart() {
        let service = |service: &str, action: &str, pattern| ResourceKind::Service {
            service: service.into(),
            action: action.into(),
            pattern,
        };
        for (arn, expected) in [
            (
                "arn:aws:states:::athena:startQueryExecution.sync",
                service("athena", "startQueryExecution", Pattern::Sync),
            ),
            (
                "arn:aws:states:::states:startExecution.sync:2",
                service("states", "startExecution", Pattern::Sync2),
            ),
            (
                "arn:aws:states:::aws-sdk:s3:listBuckets",
                service("aws-sdk:s3", "listBuckets", Pattern::RequestResponse),
            ),
            ("arn:aws:lambda:us-east-1:123456789012:function:load:live", ResourceKind::Lambda),
            ("arn:aws:states:us-east-1:123456789012:activity:walk", ResourceKind::Activity),
        ] {
            assert_eq!(Resource::parse(arn).kind, expected, "{arn}");
        }
    }
}
