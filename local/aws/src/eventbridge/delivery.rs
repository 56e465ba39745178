//! Delivery to targets: what an ARN means and what is called for it.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::Services;
use crate::iam::Caller;
use crate::wire::ServiceError;

/// Attempts at a target that fails for reasons of its own. (AWS goes on for 24 hours and 185 attempts.)
const ATTEMPTS: u32 = 3;

const EVENTS: &str = "events.amazonaws.com";
const SCHEDULER: &str = "scheduler.amazonaws.com";

/// What goes to one target.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The rule's or schedule's ARN, for dead letters.
    pub source_arn: String,
    pub target_arn: String,
    pub input: String,
    pub dead_letter_arn: Option<String>,
    pub sender: Sender,
}

/// On whose behalf a target is called.
#[derive(Clone, Debug)]
pub enum Sender {
    /// With a role as that role, otherwise as EventBridge itself, which the target's own policy must let in.
    Rule { role_arn: Option<String> },
    /// Always as the schedule's role. `group_arn` is what Scheduler takes it on for.
    Schedule { role_arn: String, group_arn: String },
}

impl Sender {
    /// Who calls the target.
    fn caller(&self, services: &Services, delivery: &Delivery) -> Result<Caller, ServiceError> {
        let (principal, source, role) = match self {
            Sender::Rule { role_arn: Some(role) } => (EVENTS, &delivery.source_arn, role),
            // Nobody but a role may start executions; where any role is accepted, none is needed.
            Sender::Rule { role_arn: None } if delivery.service() == "states" => {
                return if services.settings().any_role {
                    Ok(Caller::Root)
                } else {
                    Err(ServiceError::new("AccessDeniedException", "the target has no RoleArn"))
                };
            }
            Sender::Rule { role_arn: None } => return Ok(self.own(delivery)),
            Sender::Schedule { role_arn, group_arn } => (SCHEDULER, group_arn, role_arn),
        };
        services.assume(principal, source, role).map_err(|refusal| refusal.of_service("sts"))?;
        Ok(Caller::role(role, Uuid::new_v4().simple().to_string()))
    }

    /// Who sends dead letters: a rule's are EventBridge's own.
    fn own(&self, delivery: &Delivery) -> Caller {
        match self {
            Sender::Rule { .. } => Caller::service(EVENTS, Some(&delivery.source_arn)),
            Sender::Schedule { role_arn, .. } => {
                Caller::role(role_arn, Uuid::new_v4().simple().to_string())
            }
        }
    }
}

impl Delivery {
    fn service(&self) -> &str {
        self.target_arn.split(':').nth(2).unwrap_or_default()
    }

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
            let caller = self.sender.own(&self);
            services.send_to_queue(&caller, queue, &self.input, Some(attributes))?;
        }
        Err(error)
    }
}

fn is_transient(error: &ServiceError) -> bool {
    error.status >= 500 || error.status == 429
}

async fn call(services: &Services, delivery: &Delivery) -> Result<Value, ServiceError> {
    let (arn, input) = (&delivery.target_arn, &delivery.input);
    let caller = delivery.sender.caller(services, delivery)?;
    match delivery.service() {
        "states" => {
            let start = json!({"stateMachineArn": arn, "input": input});
            services.dispatch_as(&caller, "states", "StartExecution", start).await
        }
        "lambda" => {
            let payload: Value =
                serde_json::from_str(input).unwrap_or_else(|_| input.as_str().into());
            let invoke =
                json!({"FunctionName": arn, "InvocationType": "Event", "Payload": payload});
            let (status, _) = services.invoke(&caller, &invoke, None).await?;
            Ok(json!({"StatusCode": status}))
        }
        "sqs" => services.send_to_queue(&caller, arn, input, None),
        "sns" => {
            let publish = json!({"TopicArn": arn, "Message": input});
            services.dispatch_as(&caller, "sns", "Publish", publish).await
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
