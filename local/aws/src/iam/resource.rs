//! Whose policy has a say about a resource.

use std::fmt;

/// The owner of a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    Bucket(String),
    Queue(String),
    /// By its ARN.
    Topic(String),
    Function(String),
    /// The policy is the role's trust policy.
    Role(String),
}

impl Owner {
    /// Of an ARN that an action is on; `None` of what has no policy of its own.
    pub fn of(arn: &str) -> Option<Self> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let [_, _, service, _, _, resource] = parts.as_slice() else { return None };
        match *service {
            "s3" => {
                let bucket = resource.split('/').next().unwrap_or_default();
                Some(Owner::Bucket(bucket.to_owned()))
            }
            "sqs" => Some(Owner::Queue((*resource).to_owned())),
            "sns" => Some(Owner::Topic(parts[..5].join(":") + ":" + resource.split(':').next()?)),
            "lambda" => {
                let name = resource.strip_prefix("function:")?.split(':').next()?;
                Some(Owner::Function(name.to_owned()))
            }
            "iam" => {
                let name = resource.strip_prefix("role/")?.rsplit('/').next()?;
                Some(Owner::Role(name.to_owned()))
            }
            _ => None,
        }
    }

    /// Whether a pattern in its policy is of it, and not of another queue that has the same policy.
    pub fn is_meant(&self, pattern: &str) -> bool {
        match (self, Self::of(pattern)) {
            (Owner::Queue(name), Some(Owner::Queue(other))) => {
                other.contains(['*', '?', '$']) || *name == other
            }
            _ => true,
        }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Bucket(name) => write!(f, "bucket {name}"),
            Owner::Queue(name) => write!(f, "queue {name}"),
            Owner::Topic(arn) => write!(f, "topic {}", arn.rsplit(':').next().unwrap_or_default()),
            Owner::Function(name) => write!(f, "function {name}"),
            Owner::Role(name) => write!(f, "role {name}"),
        }
    }
}
