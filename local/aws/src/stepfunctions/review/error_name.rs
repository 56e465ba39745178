//! Error names in `Retry` and `Catch` that no operation of the Task's service raises.
//!
//! What a function calls its errors is the function's own; whoever knows the functions holds
//! those names to them.

use asl::{Pattern, Remark, Resource, ResourceKind, StateOutline, nearest};
use serde_json::Value;

use super::signature::Integration;

/// Before the dot of an integration's errors, and those that no API names.
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html>.
const PREFIXES: [(&str, &str, &[&str]); 19] = [
    ("aws-sdk:athena", "Athena", &["AthenaException"]),
    ("aws-sdk:cloudwatch", "CloudWatch", &["CloudWatchException"]),
    ("aws-sdk:cloudwatchlogs", "CloudWatchLogs", &["CloudWatchLogsException"]),
    ("aws-sdk:eventbridge", "EventBridge", &["EventBridgeException"]),
    ("aws-sdk:glue", "Glue", &["GlueException"]),
    ("aws-sdk:lambda", "Lambda", &["LambdaException"]),
    ("aws-sdk:s3", "S3", &["S3Exception"]),
    ("aws-sdk:scheduler", "Scheduler", &["SchedulerException"]),
    ("aws-sdk:sfn", "Sfn", &["SfnException"]),
    ("aws-sdk:sns", "Sns", &["SnsException"]),
    ("aws-sdk:sqs", "Sqs", &["SqsException"]),
    ("aws-sdk:sts", "Sts", &["StsException"]),
    ("athena", "Athena", &["AthenaException", "AmazonAthenaException"]),
    (
        "events",
        "EventBridge",
        &["EventBridgeException", "AmazonEventBridgeException", "FailedEntry"],
    ),
    ("glue", "Glue", &["GlueException", "AWSGlueException"]),
    ("lambda", "Lambda", &["LambdaException", "AWSLambdaException", "ServiceException"]),
    ("sns", "SNS", &["SnsException", "AmazonSNSException"]),
    ("sqs", "SQS", &["SqsException", "AmazonSQSException"]),
    ("states", "StepFunctions", &["SfnException", "AWSStepFunctionsException", "ExecutionFailed"]),
];

/// Raised by the SDK that Step Functions calls every service with, or common to all APIs.
const COMMON: [&str; 14] = [
    "AbortedException",
    "AccessDeniedException",
    "ApiCallAttemptTimeoutException",
    "ApiCallTimeoutException",
    "ClientExecutionTimeoutException",
    "ExpiredTokenException",
    "InternalFailure",
    "RequestLimitExceeded",
    "SdkClientException",
    "SdkException",
    "ServiceUnavailable",
    "ThrottlingException",
    "Unknown",
    "ValidationException",
];

/// Errors of a function's run that no API names.
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.
const RUNTIME_FAMILIES: [&str; 4] = ["Extension", "Function", "Runtime", "Sandbox"];

pub fn remarks(state: &StateOutline, resource: &Resource) -> Vec<Remark> {
    let ResourceKind::Service { service, pattern, .. } = &resource.kind else { return Vec::new() };
    // Whoever answers a token names the error.
    if *pattern == Pattern::WaitForTaskToken {
        return Vec::new();
    }
    let mut remarks = Vec::new();
    for member in ["Retry", "Catch"] {
        for (pointer, handler) in state.handlers(member) {
            let names = handler["ErrorEquals"].as_array().into_iter().flatten();
            let pointer = format!("{pointer}/ErrorEquals");
            for name in names.filter_map(Value::as_str) {
                remarks.extend(remark(name, service, &pointer));
            }
        }
    }
    remarks
}

fn remark(name: &str, service: &str, at: &str) -> Option<Remark> {
    // The language speaks of its own names.
    if name.starts_with("States.") || name.starts_with("State.") {
        return None;
    }
    let family = PREFIXES.iter().find(|(known, ..)| *known == service);
    let (_, prefix, own) = family?;
    let integration = Integration::named(service)?;
    match name.split_once('.') {
        Some((found, class)) if found == *prefix => {
            let names = || integration.errors.iter().chain(*own).chain(&COMMON).copied();
            let known = names().any(|known| class == known || class == format!("{known}Exception"));
            if known {
                return None;
            }
            let meant = nearest(class, names());
            let expected = match meant {
                Some(meant) => format!("{prefix}.{meant}?"),
                None => format!("{prefix}. and one of {}", integration.errors.join(", ")),
            };
            let found = format!("{service} raises no {name}");
            let remark = if meant.is_some() {
                Remark::error("error-of-no-service", at, found)
            } else {
                Remark::warning("error-of-no-service", at, found)
            };
            Some(remark.expected(expected).advice("correct the name: as it is, it handles nothing"))
        }
        // A function's own error, or a nested execution's.
        _ if service == "lambda" => misspelt_family(name, prefix, at),
        _ if service == "states" => None,
        _ => Some(
            Remark::error("error-of-no-service", at, format!("{service} raises no {name}"))
                .expected(format!("a name that begins with {prefix}. or States."))
                .advice("remove it, or move it to the Task that raises it"),
        ),
    }
}

/// `lambda.Unknown`, `Sanbox.Timedout`: a function's own families are not so near to these.
fn misspelt_family(name: &str, prefix: &str, at: &str) -> Option<Remark> {
    let (family, class) = name.split_once('.')?;
    let known = RUNTIME_FAMILIES.into_iter().chain([prefix]);
    let meant = nearest(family, known)?;
    Some(
        Remark::warning("error-of-no-service", at, format!("Lambda raises no {name}"))
            .expected(format!("{meant}.{class}?"))
            .advice("correct the name, unless a function of yours calls its error so"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_their_service() {
        for (name, service, fits) in [
            ("States.ALL", "athena", true),
            ("Athena.TooManyRequestsException", "athena", true),
            ("Athena.AmazonAthenaException", "athena", true),
            ("Athena.TooManyRequestException", "athena", false),
            ("SNS.SnsException", "sns", true),
            ("SQS.SqsException", "sns", false),
            ("SQS.QueueDoesNotExistException", "sqs", true),
            ("Source.Throttled", "lambda", true),
            ("Sandbox.Timedout", "lambda", true),
            ("Sanbox.Timedout", "lambda", false),
            ("Lambda.Unknown", "lambda", true),
            ("Lambda.TooManyRequestException", "lambda", false),
            ("Source.Throttled", "athena", false),
            ("Anything", "dynamodb", true),
            ("S3.NoSuchKeyException", "aws-sdk:s3", true),
            ("Sfn.ExecutionDoesNotExistException", "aws-sdk:sfn", true),
            ("Sfn.ExecutionDoesNotExistExeption", "aws-sdk:sfn", false),
            ("StepFunctions.ExecutionDoesNotExistException", "aws-sdk:sfn", false),
        ] {
            assert_eq!(remark(name, service, "").is_none(), fits, "{name} of {service}");
        }
    }
}
