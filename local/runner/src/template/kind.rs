//! The resource types that this side of the house knows.
use super::document::{Node, Problem};

/// A resource's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Bucket,
    Function,
    StateMachine,
    Queue,
    Topic,
    Subscription,
    WorkGroup,
    Database,
    LogGroup,
    Role,
    Rule,
    Schedule,
    Alarm,
    Dashboard,
    /// Without a service of its own: it says who may do what to another resource.
    Policy(PolicyKind),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    Bucket,
    Queue,
    Topic,
    Managed,
}

const TYPES: [(&str, Kind); 20] = [
    ("AWS::S3::Bucket", Kind::Bucket),
    ("AWS::S3::BucketPolicy", Kind::Policy(PolicyKind::Bucket)),
    ("AWS::Serverless::Function", Kind::Function),
    ("AWS::Serverless::StateMachine", Kind::StateMachine),
    ("AWS::SQS::Queue", Kind::Queue),
    ("AWS::SQS::QueuePolicy", Kind::Policy(PolicyKind::Queue)),
    ("AWS::SNS::Topic", Kind::Topic),
    ("AWS::SNS::TopicPolicy", Kind::Policy(PolicyKind::Topic)),
    ("AWS::SNS::Subscription", Kind::Subscription),
    ("AWS::Athena::WorkGroup", Kind::WorkGroup),
    ("AWS::Glue::Database", Kind::Database),
    ("AWS::Logs::LogGroup", Kind::LogGroup),
    ("AWS::IAM::Role", Kind::Role),
    ("AWS::IAM::ManagedPolicy", Kind::Policy(PolicyKind::Managed)),
    ("AWS::IAM::Policy", Kind::Policy(PolicyKind::Managed)),
    ("AWS::Events::Rule", Kind::Rule),
    ("AWS::Scheduler::Schedule", Kind::Schedule),
    ("AWS::CloudWatch::Alarm", Kind::Alarm),
    ("AWS::CloudWatch::CompositeAlarm", Kind::Alarm),
    ("AWS::CloudWatch::Dashboard", Kind::Dashboard),
];

impl Kind {
    pub fn of(resource: &Node) -> Result<Self, Problem> {
        let node = resource
            .get("Type")
            .ok_or_else(|| Problem::new(resource.place, "a resource without Type"))?;
        let name = node.literal()?;
        TYPES.into_iter().find(|(known, _)| *known == name).map(|(_, kind)| kind).ok_or_else(|| {
            let known: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
            Problem::new(
                node.place,
                format!("{name} is not known locally; known are {}", known.join(", ")),
            )
        })
    }

    /// The property that names the resource, where one may be given.
    pub fn name_property(self) -> Option<&'static str> {
        match self {
            Self::Bucket => Some("BucketName"),
            Self::Function => Some("FunctionName"),
            Self::StateMachine | Self::WorkGroup | Self::Rule | Self::Schedule => Some("Name"),
            Self::Queue => Some("QueueName"),
            Self::Topic => Some("TopicName"),
            Self::LogGroup => Some("LogGroupName"),
            Self::Role => Some("RoleName"),
            Self::Alarm => Some("AlarmName"),
            Self::Dashboard => Some("DashboardName"),
            Self::Subscription | Self::Database | Self::Policy(_) => None,
        }
    }
}
