//! Functions as tasks: by their ARN, and by `lambda:invoke`.

use asl::Failure;
use serde_json::{Value, json};

use super::Task;
use super::optimised;
use super::shape::with_metadata_of_lambda;
use crate::lambda::Answer;
use crate::stand_in::Call;
use crate::wire::ServiceError;

/// `"Resource": "arn:aws:lambda:…"`: the parameters are the event, the answer is the result.
pub async fn function(task: &Task<'_>) -> Result<Value, Failure> {
    let input = json!({
        "FunctionName": task.call.resource.arn,
        "Payload": task.call.parameters.as_ref(),
    });
    match call(task, input).await {
        Ok((_, Some(answer))) => outcome(&answer),
        Ok((_, None)) => Ok(Value::Null),
        Err(error) => Err(optimised::failure("lambda", &error)),
    }
}

/// `lambda:invoke`: `{"FunctionName", "Payload", …}`, answered with the payload and the response's metadata.
pub async fn invoke(task: &Task<'_>) -> Result<Value, Failure> {
    let answered = call(task, task.call.parameters.as_ref().clone()).await;
    let (status, answer) = answered.map_err(|error| optimised::failure("lambda", &error))?;
    let payload = answer.as_ref().map(outcome).transpose()?;
    let mut response = json!({"ExecutedVersion": "$LATEST"});
    if let Some(payload) = payload {
        response["Payload"] = payload;
    }
    let length = answer.as_ref().map_or(0, |answer| answer.payload.len());
    let trace = task.trace().unwrap_or_default();
    let mut response = with_metadata_of_lambda(response, length, trace);
    response["StatusCode"] = status.into();
    Ok(response)
}

/// The invocation, over the network between.
pub async fn call(task: &Task<'_>, input: Value) -> Result<(u16, Option<Answer>), ServiceError> {
    let call = Call { service: "lambda", action: "Invoke", input: &input.clone() };
    let (services, caller) = (task.services.clone(), task.caller.clone());
    let trace = task.trace();
    let work = async move { services.invoke(&caller, &input, trace).await };
    task.services.over_network(call, work).await
}

/// A function's error is the task's: named by its `errorType`, with the whole document as its cause.
fn outcome(answer: &Answer) -> Result<Value, Failure> {
    let text = String::from_utf8_lossy(&answer.payload);
    let document: Value =
        serde_json::from_str(&text).unwrap_or_else(|_| Value::from(text.as_ref()));
    if answer.function_error.is_none() {
        return Ok(document);
    }
    match document["errorType"].as_str().filter(|name| !name.is_empty()) {
        Some(name) => Err(Failure::new(name, text)),
        None => Err(Failure::new(
            "Lambda.Unknown",
            format!(
                "The cause could not be determined because Lambda did not return an error type. Returned payload: {text}"
            ),
        )),
    }
}
