//! Delivery to targets: what an ARN means and what is called for it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Services;
use crate::wire::ServiceError;

/// Attempts at a target that fails for reasons of its own. (AWS goes on for 24 hours and 185 attempts.)
const ATTEMPTS: u32 = 3;

/// What goes to one target.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The rule's or schedule's ARN, for dead letters.
    pub source_arn: String,
    pub target_arn: String,
    pub input: String,
    pub dead_letter_arn: Option<String>,
}

impl Delivery {
    /// Calls the target, again after a pause where that may help; a last failure becomes a dead letter.
    pub async fn run(self, services: &Services) -> Result<Value, ServiceError> {
        let mut attempt = 1;
        let error = loop {
            match call(services, &self).await {
                Ok(answer) => return Ok(answer),
                Err(error) if attempt < ATTEMPTS && is_transient(&error) => {
                    tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
                    attempt += 1;
                }
                Err(error) => break error,
            }
        };
        tracing::warn!(%error, target = self.target_arn, "an event was not delivered");
        if let Some(queue) = &self.dead_letter_arn {
            let text = |value: &str| json!({"DataType": "String", "StringValue": value});
            let attributes = json!({
                "RULE_ARN": text(&self.source_arn),
                "TARGET_ARN": text(&self.target_arn),
                "ERROR_CODE": text(&error.code),
                "ERROR_MESSAGE": text(&error.message),
                "RETRY_ATTEMPTS": text(&(attempt - 1).to_string()),
            });
            services.sqs().send_to_arn(queue, &self.input, Some(attributes))?;
        }
        Err(error)
    }
}

fn is_transient(error: &ServiceError) -> bool {
    error.status >= 500 || error.status == 429
}

async fn call(services: &Services, delivery: &Delivery) -> Result<Value, ServiceError> {
    let (arn, input) = (&delivery.target_arn, &delivery.input);
    match arn.split(':').nth(2).unwrap_or_default() {
        "states" => {
            let start = json!({"stateMachineArn": arn, "input": input});
            services.dispatch("states", "StartExecution", start).await
        }
        "lambda" => {
            let payload: Value =
                serde_json::from_str(input).unwrap_or_else(|_| input.as_str().into());
            let invoke =
                json!({"FunctionName": arn, "InvocationType": "Event", "Payload": payload});
            let (status, _) = services.lambda().invoke_json(&invoke).await?;
            Ok(json!({"StatusCode": status}))
        }
        "sqs" => services.sqs().send_to_arn(arn, input, None),
        "sns" => {
            let publish = json!({"TopicArn": arn, "Message": input});
            services.dispatch("sns", "Publish", publish).await
        }
        "logs" => {
            let group = arn.split_once(":log-group:").map_or(arn.as_str(), |(_, name)| name);
            let line = (lake::clock::now(), input.clone());
            services.logs().append(group.trim_end_matches(":*"), "events", vec![line])?;
            Ok(Value::Null)
        }
        _ => Err(ServiceError::new(
            "ValidationException",
            format!("{arn} is not offered here as a target"),
        )),
    }
}
