//! Optimised integrations: errors and responses in the words of the SDK that Step Functions itself uses for them.

use asl::Failure;
use serde_json::Value;
use uuid::Uuid;

use super::Task;
use super::shape::{Times, to_camel, to_pascal, with_metadata, with_texts, with_times};
use crate::wire::ServiceError;

/// How Step Functions speaks of a service.
struct Integration {
    /// In the resource's ARN.
    name: &'static str,
    /// The service's signing name.
    service: &'static str,
    /// Before the dot of an error's name.
    prefix: &'static str,
    /// In a cause.
    sdk_name: &'static str,
    /// The error of what the API's model does not name.
    base_error: &'static str,
    /// The response carries HTTP metadata, of this content type.
    metadata: Option<&'static str>,
    actions: &'static [&'static str],
}

const INTEGRATIONS: [Integration; 7] = [
    Integration {
        name: "athena",
        service: "athena",
        prefix: "Athena",
        sdk_name: "AmazonAthena",
        base_error: "AmazonAthenaException",
        metadata: Some("application/x-amz-json-1.1"),
        actions: &[
            "startQueryExecution",
            "stopQueryExecution",
            "getQueryExecution",
            "getQueryResults",
        ],
    },
    Integration {
        name: "events",
        service: "events",
        prefix: "EventBridge",
        sdk_name: "AmazonEventBridge",
        base_error: "AmazonEventBridgeException",
        metadata: None,
        actions: &["putEvents"],
    },
    Integration {
        name: "glue",
        service: "glue",
        prefix: "Glue",
        sdk_name: "AWSGlue",
        base_error: "AWSGlueException",
        metadata: Some("application/x-amz-json-1.1"),
        actions: &["startJobRun"],
    },
    Integration {
        name: "lambda",
        service: "lambda",
        prefix: "Lambda",
        sdk_name: "AWSLambda",
        base_error: "AWSLambdaException",
        metadata: Some("application/json"),
        actions: &["invoke"],
    },
    Integration {
        name: "sns",
        service: "sns",
        prefix: "SNS",
        sdk_name: "AmazonSNS",
        base_error: "AmazonSNSException",
        metadata: Some("text/xml"),
        actions: &["publish"],
    },
    Integration {
        name: "sqs",
        service: "sqs",
        prefix: "SQS",
        sdk_name: "AmazonSQS",
        base_error: "AmazonSQSException",
        metadata: Some("application/x-amz-json-1.0"),
        actions: &["sendMessage"],
    },
    Integration {
        name: "states",
        service: "states",
        prefix: "StepFunctions",
        sdk_name: "AWSStepFunctions",
        base_error: "AWSStepFunctionsException",
        metadata: Some("application/x-amz-json-1.0"),
        actions: &["startExecution"],
    },
];

/// Codes that no service's model names.
const UNMODELLED: [&str; 9] = [
    "AccessDeniedException",
    "InternalFailure",
    "InvalidParameterValue",
    "MissingParameter",
    "RequestEntityTooLargeException",
    "SerializationException",
    "ThrottlingException",
    "UnknownOperationException",
    "ValidationException",
];

fn find(name: &str) -> Option<&'static Integration> {
    INTEGRATIONS.iter().find(|integration| integration.name == name)
}

pub async fn request(task: &Task<'_>, name: &str, action: &str) -> Result<Value, Failure> {
    let integration = find(name).filter(|integration| integration.actions.contains(&action));
    let Some(integration) = integration else {
        return Err(task.not_offered());
    };
    let mut input = with_texts(&task.call.parameters);
    if name == "states" {
        input = to_camel(input);
    }
    let operation = format!("{}{}", action[..1].to_ascii_uppercase(), &action[1..]);
    let answered = task.dispatch(integration.service, &operation, input).await;
    let mut output = answered.map_err(|error| failure(name, &error))?;
    if name == "states" {
        output = to_pascal(output);
    }
    if output["FailedEntryCount"].as_u64().is_some_and(|count| count > 0) {
        return Err(Failure::new("EventBridge.FailedEntry", output.to_string()));
    }
    let output = with_times(output, Times::Milliseconds);
    Ok(match integration.metadata {
        Some(content_type) => with_metadata(output, content_type),
        None => output,
    })
}

/// `Athena.InvalidRequestException`, with the SDK's text as its cause.
pub fn failure(name: &str, error: &ServiceError) -> Failure {
    let Some(integration) = find(name) else {
        return Failure::new(asl::error_name::RUNTIME, error.to_string());
    };
    let code = error.code.as_ref();
    let class = if UNMODELLED.contains(&code) {
        integration.base_error.to_owned()
    } else if code.ends_with("Exception") {
        code.to_owned()
    } else {
        format!("{code}Exception")
    };
    Failure::new(
        format!("{}.{class}", integration.prefix),
        format!(
            "{} (Service: {}; Status Code: {}; Error Code: {code}; Request ID: {}; Proxy: null)",
            error.message,
            integration.sdk_name,
            error.status,
            Uuid::new_v4(),
        ),
    )
}
