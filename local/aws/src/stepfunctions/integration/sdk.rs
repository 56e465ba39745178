//! `aws-sdk:<service>:<action>`: any operation of any service here, in the words of the SDK for Java 2.

use asl::Failure;
use serde_json::{Value, json};
use uuid::Uuid;

use super::shape::{Times, to_camel, to_pascal, with_texts, with_times};
use super::{Task, s3};
use crate::wire::ServiceError;

/// Name in the ARN, signing name, the SDK's name, and whether the API spells members in camelCase.
const SERVICES: [(&str, &str, &str, bool); 12] = [
    ("athena", "athena", "Athena", false),
    ("cloudwatch", "monitoring", "CloudWatch", false),
    ("cloudwatchlogs", "logs", "CloudWatchLogs", true),
    ("eventbridge", "events", "EventBridge", false),
    ("glue", "glue", "Glue", false),
    ("lambda", "lambda", "Lambda", false),
    ("s3", "s3", "S3", false),
    ("scheduler", "scheduler", "Scheduler", false),
    ("sfn", "states", "Sfn", true),
    ("sns", "sns", "Sns", false),
    ("sqs", "sqs", "Sqs", false),
    ("sts", "sts", "Sts", false),
];

/// Codes that the services' models do not name: the error is `<Sdk>Exception`.
const UNMODELLED: [&str; 8] = [
    "AccessDenied",
    "InternalFailure",
    "InvalidParameterValue",
    "MissingParameter",
    "PreconditionFailed",
    "SerializationException",
    "UnknownOperationException",
    "ValidationException",
];

pub async fn request(task: &Task<'_>, name: &str, action: &str) -> Result<Value, Failure> {
    let known = SERVICES.iter().find(|(known, ..)| *known == name);
    let Some((_, service, sdk_name, camel)) = known else {
        return Err(task.not_offered());
    };
    let operation = format!("{}{}", action[..1].to_ascii_uppercase(), &action[1..]);
    let answered = match (*service, operation.as_str()) {
        ("s3", _) => {
            let input = task.call.parameters.as_ref();
            let permitted = task.services.permit(&task.caller, "s3", &operation, input);
            permitted.and_then(|()| {
                let execution = &task.call.execution;
                task.service.with_store(execution, |store| s3::operation(store, &operation, input))
            })
        }
        ("lambda", "Invoke") => invoke(task).await,
        _ => {
            let input = with_texts(&task.call.parameters);
            let input = if *camel { to_camel(input) } else { input };
            task.dispatch(service, &operation, input).await
        }
    };
    let output = answered.map_err(|error| failure(sdk_name, &error))?;
    let output = match output {
        Value::Null => json!({}),
        output if *camel => to_pascal(output),
        output => output,
    };
    Ok(with_times(output, Times::Iso))
}

/// As the SDK answers it: the payload is text, and a function's error is no failure.
async fn invoke(task: &Task<'_>) -> Result<Value, ServiceError> {
    let (status, answer) = super::lambda::call(task, task.call.parameters.as_ref().clone()).await?;
    let mut output = json!({"ExecutedVersion": "$LATEST"});
    if let Some(answer) = answer {
        if let Some(error) = answer.function_error {
            output["FunctionError"] = error.into();
        }
        output["Payload"] = String::from_utf8_lossy(&answer.payload).into();
    }
    output["StatusCode"] = status.into();
    Ok(output)
}

fn failure(sdk_name: &str, error: &ServiceError) -> Failure {
    let code = error.code.as_ref();
    // Of the services here Glue alone has a denial in its model.
    let is_unmodelled =
        UNMODELLED.contains(&code) || (code == "AccessDeniedException" && sdk_name != "Glue");
    let class = if is_unmodelled {
        format!("{sdk_name}Exception")
    } else if code.ends_with("Exception") {
        code.to_owned()
    } else {
        format!("{code}Exception")
    };
    let (id, status, message) = (Uuid::new_v4(), error.status, &error.message);
    let cause = if sdk_name == "S3" {
        let extended = Uuid::new_v4().simple();
        format!(
            "{message} (Service: S3, Status Code: {status}, Request ID: {id}, Extended Request ID: {extended})"
        )
    } else {
        format!(
            "{message} (Service: {sdk_name}, Status Code: {status}, Request ID: {id}) (SDK Attempt Count: 1)"
        )
    };
    Failure::new(format!("{sdk_name}.{class}"), cause)
}
