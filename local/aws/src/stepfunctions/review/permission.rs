//! The actions that a state machine's role must allow for a state to work at all.
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html>, "IAM
//! policies" of each integration.

use asl::{Pattern as WaitPattern, Resource, ResourceKind, StateOutline};

use crate::iam::{Context, Pattern};

/// Optimised integrations: what starts the work, and what waiting for its end takes besides.
const OPTIMISED: [(&str, &str, &[&str], &[&str]); 11] = [
    (
        "athena",
        "startQueryExecution",
        &["athena:StartQueryExecution", "athena:GetDataCatalog"],
        &["athena:GetQueryExecution", "athena:StopQueryExecution"],
    ),
    (
        "batch",
        "submitJob",
        &["batch:SubmitJob"],
        &[
            "batch:DescribeJobs",
            "batch:TerminateJob",
            "events:PutTargets",
            "events:PutRule",
            "events:DescribeRule",
        ],
    ),
    ("dynamodb", "deleteItem", &["dynamodb:DeleteItem"], &[]),
    ("dynamodb", "getItem", &["dynamodb:GetItem"], &[]),
    ("dynamodb", "putItem", &["dynamodb:PutItem"], &[]),
    ("dynamodb", "updateItem", &["dynamodb:UpdateItem"], &[]),
    (
        "ecs",
        "runTask",
        &["ecs:RunTask"],
        &[
            "ecs:DescribeTasks",
            "ecs:StopTask",
            "events:PutTargets",
            "events:PutRule",
            "events:DescribeRule",
        ],
    ),
    ("events", "putEvents", &["events:PutEvents"], &[]),
    (
        "glue",
        "startJobRun",
        &["glue:StartJobRun"],
        &["glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"],
    ),
    ("lambda", "invoke", &["lambda:InvokeFunction"], &[]),
    (
        "states",
        "startExecution",
        &["states:StartExecution"],
        &[
            "states:DescribeExecution",
            "states:StopExecution",
            "events:PutTargets",
            "events:PutRule",
            "events:DescribeRule",
        ],
    ),
];

/// Services whose actions have another prefix than `aws-sdk` resources.
const PREFIXES: [(&str, &str); 3] =
    [("cloudwatchlogs", "logs"), ("eventbridge", "events"), ("sfn", "states")];

/// Operations whose action has another name.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html>.
const RENAMED: [(&str, &str, &str); 8] = [
    ("lambda", "Invoke", "InvokeFunction"),
    ("s3", "HeadBucket", "ListBucket"),
    ("s3", "HeadObject", "GetObject"),
    ("s3", "ListBuckets", "ListAllMyBuckets"),
    ("s3", "ListObjects", "ListBucket"),
    ("s3", "ListObjectsV2", "ListBucket"),
    ("s3", "CopyObject", "PutObject"),
    ("s3", "DeleteObjects", "DeleteObject"),
];

/// Services whose operations are actions of the same name, apart from [`RENAMED`].
const NAMED_ALIKE: [&str; 12] = [
    "athena",
    "cloudwatch",
    "cloudwatchlogs",
    "eventbridge",
    "glue",
    "lambda",
    "s3",
    "scheduler",
    "sfn",
    "sns",
    "sqs",
    "sts",
];

/// What the role of a state machine with this state must allow, on some resource.
pub fn actions(state: &StateOutline) -> Vec<String> {
    let mut actions = state.resource().map(|resource| of(&resource)).unwrap_or_default();
    if state.is_distributed_map() {
        let children = ["StartExecution", "DescribeExecution", "StopExecution"];
        actions.extend(children.map(|action| format!("states:{action}")));
        for member in ["ItemReader", "ResultWriter"] {
            let resource = state.value[member]["Resource"].as_str().map(Resource::parse);
            actions.extend(resource.iter().flat_map(of));
        }
    }
    actions
}

fn of(resource: &Resource) -> Vec<String> {
    let ResourceKind::Service { service, action, pattern } = &resource.kind else {
        let function = resource.kind == ResourceKind::Lambda;
        return if function { vec!["lambda:InvokeFunction".to_owned()] } else { Vec::new() };
    };
    let optimised = OPTIMISED.iter().find(|(known, verb, ..)| known == service && verb == action);
    if let Some((_, _, start, wait)) = optimised {
        let waits = matches!(pattern, WaitPattern::Sync | WaitPattern::Sync2);
        let wait = if waits { *wait } else { &[] };
        return start.iter().chain(wait).map(|action| (*action).to_owned()).collect();
    }
    let name = service.strip_prefix("aws-sdk:").unwrap_or(service);
    let name = if name == "events" { "eventbridge" } else { name };
    if !NAMED_ALIKE.contains(&name) {
        return Vec::new();
    }
    let operation = format!("{}{}", action[..1].to_ascii_uppercase(), &action[1..]);
    let renamed = RENAMED.iter().find(|(known, from, _)| *known == name && *from == operation);
    let action = renamed.map_or(operation.as_str(), |(_, _, to)| to);
    let prefix = PREFIXES.iter().find(|(known, _)| *known == name).map_or(name, |(_, iam)| iam);
    vec![format!("{prefix}:{action}")]
}

/// Whether a policy's action, with its `*` and `?`, covers this one. Capitals do not count.
pub fn allowed(pattern: &str, action: &str) -> bool {
    let pattern = Pattern::without_variables(&pattern.to_lowercase());
    pattern.matches(&action.to_lowercase(), &Context::default()) == Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_takes_more_than_starting() {
        for (arn, expected) in [
            (
                "arn:aws:states:::athena:startQueryExecution.sync",
                "athena:StartQueryExecution athena:GetDataCatalog athena:GetQueryExecution athena:StopQueryExecution",
            ),
            ("arn:aws:states:::athena:getQueryResults", "athena:GetQueryResults"),
            ("arn:aws:states:::sns:publish", "sns:Publish"),
            ("arn:aws:states:::aws-sdk:s3:listObjectsV2", "s3:ListBucket"),
            ("arn:aws:states:::aws-sdk:sfn:startExecution", "states:StartExecution"),
            ("arn:aws:lambda:us-east-1:123456789012:function:f", "lambda:InvokeFunction"),
            ("arn:aws:states:::aws-sdk:ec2:runInstances", ""),
        ] {
            assert_eq!(of(&Resource::parse(arn)).join(" "), expected, "{arn}");
        }
    }

    #[test]
    fn a_policy_names_actions_by_pattern() {
        for (pattern, expected) in [
            ("sqs:SendMessage", true),
            ("sqs:sendmessage", true),
            ("sqs:*", true),
            ("*", true),
            ("sqs:Send*", true),
            ("s?s:*Message", true),
            ("sqs:Receive*", false),
            ("sqs:SendMessageBatch", false),
        ] {
            assert_eq!(allowed(pattern, "sqs:SendMessage"), expected, "{pattern}");
        }
    }
}
