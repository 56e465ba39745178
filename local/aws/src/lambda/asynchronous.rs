//! Asynchronous invocation (`InvocationType: Event`): answered at once, tried again, then a dead letter.

use std::time::Duration;

use serde_json::json;

use super::invocation::{Answer, Invocation, error_of};
use super::{Lambda, credential};
use crate::services::Services;
use crate::wire::ServiceError;

/// Lambda waits one minute before the second attempt and two before the third.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
const WAITS: [Duration; 2] = [Duration::from_mins(1), Duration::from_mins(2)];

impl Lambda {
    pub(super) fn queue(&self, invocation: Invocation) {
        let Some(services) = self.link.services() else {
            return;
        };
        tokio::spawn(async move {
            let attempts = invocation.function.retry_attempts as usize;
            let mut waits = WAITS.into_iter().take(attempts);
            loop {
                let answer = services.lambda().invoke(invocation.clone()).await;
                if matches!(&answer, Ok(answer) if answer.function_error.is_none()) {
                    return;
                }
                match waits.next() {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => return bury(&services, &invocation, &answer).await,
                }
            }
        });
    }
}

/// The event itself goes to the dead-letter queue or topic, the error into its attributes.
async fn bury(services: &Services, invocation: &Invocation, answer: &Result<Answer, ServiceError>) {
    let function = &invocation.function;
    let message = match answer {
        Ok(answer) => error_of(answer)["errorMessage"].as_str().unwrap_or_default().to_owned(),
        Err(error) => error.to_string(),
    };
    tracing::warn!(function = function.name, message, "an asynchronous invocation failed");
    let Some(arn) = &function.dead_letter_arn else {
        return;
    };
    let text = |value: &str| json!({"DataType": "String", "StringValue": value});
    let attributes = json!({
        "ErrorMessage": text(if message.is_empty() { "unknown" } else { &message }),
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
    });
    let body = String::from_utf8_lossy(&invocation.payload).into_owned();
    let caller = credential::caller(function);
    let sent = if arn.contains(":sns:") {
        let input = json!({"TopicArn": arn, "Message": body, "MessageAttributes": attributes});
        services.dispatch_as(&caller, "sns", "Publish", input).await
    } else {
        services.send_to_queue(&caller, arn, &body, Some(attributes))
    };
    if let Err(error) = sent {
        tracing::warn!(%error, arn, "a dead letter was not delivered");
    }
}
