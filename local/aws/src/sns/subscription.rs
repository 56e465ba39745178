//! Subscriptions: who gets a topic's messages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Sns, invalid};
use crate::wire::{ServiceError, page, read};

/// A subscription; its ARN is the topic's with an id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subscription {
    pub arn: String,
    pub topic: String,
    pub protocol: String,
    pub endpoint: String,
    pub attributes: BTreeMap<String, String>,
    /// Waits for `ConfirmSubscription` with this token.
    pub pending: Option<String>,
}

impl Subscription {
    pub fn is_pending(&self) -> bool {
        self.pending.is_some()
    }

    pub fn is_raw(&self) -> bool {
        self.attributes.get("RawMessageDelivery").is_some_and(|value| value == "true")
    }

    /// Whether its filter policy lets a message through: attributes against lists of values.
    pub fn wants(&self, attributes: &Map<String, Value>, message: &str) -> bool {
        let Some(policy) = self.attributes.get("FilterPolicy") else {
            return true;
        };
        let on_body =
            self.attributes.get("FilterPolicyScope").is_some_and(|scope| scope == "MessageBody");
        let subject = if on_body {
            serde_json::from_str(message).unwrap_or_default()
        } else {
            attributes.iter().map(|(name, value)| (name.clone(), attribute_value(value))).collect()
        };
        // Filter policies are event patterns of one level.
        let pattern = crate::eventbridge::Pattern::parse(policy);
        pattern.is_ok_and(|pattern| pattern.matches(&subject))
    }
}

fn attribute_value(attribute: &Value) -> Value {
    let text = attribute["StringValue"].as_str().unwrap_or_default();
    match attribute["DataType"].as_str().unwrap_or_default() {
        "Number" | "String.Array" => serde_json::from_str(text).unwrap_or_default(),
        _ => text.into(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Subscribe {
    topic_arn: String,
    protocol: String,
    endpoint: Option<String>,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

fn no_subscription() -> ServiceError {
    ServiceError::new("NotFound", "Subscription does not exist").status(404)
}

impl Sns {
    pub(super) fn subscribe(&self, input: Value) -> Result<Value, ServiceError> {
        self.topic_arn(&input)?;
        let subscribe: Subscribe = read(input)?;
        let endpoint = subscribe.endpoint.unwrap_or_default();
        let fits = match subscribe.protocol.as_str() {
            "sqs" => endpoint.contains(":sqs:"),
            "lambda" => endpoint.contains(":lambda:"),
            "http" => endpoint.starts_with("http://"),
            "email" | "email-json" => endpoint.contains('@'),
            _ => {
                return Err(invalid(format!(
                    "the protocol {} is not offered here",
                    subscribe.protocol
                )));
            }
        };
        if !fits {
            return Err(invalid(format!("{} endpoint", subscribe.protocol)));
        }
        if let Some(policy) = subscribe.attributes.get("FilterPolicy") {
            crate::eventbridge::Pattern::parse(policy)
                .map_err(|reason| invalid(format!("FilterPolicy: {reason}")))?;
        }
        let existing = self.subscriptions.list(&format!("{}:", subscribe.topic_arn))?;
        let same = existing.into_iter().find(|(_, existing)| {
            existing.protocol == subscribe.protocol && existing.endpoint == endpoint
        });
        if let Some((arn, _)) = same {
            return Ok(json!({"SubscriptionArn": arn}));
        }
        let unconfirmed = subscribe.protocol.starts_with("email");
        let subscription = Subscription {
            arn: format!("{}:{}", subscribe.topic_arn, Uuid::new_v4()),
            topic: subscribe.topic_arn,
            protocol: subscribe.protocol,
            endpoint,
            attributes: subscribe.attributes,
            pending: unconfirmed.then(|| Uuid::new_v4().simple().to_string()),
        };
        self.subscriptions.put(&subscription.arn, &subscription)?;
        let arn = if unconfirmed { "pending confirmation" } else { &subscription.arn };
        Ok(json!({"SubscriptionArn": arn}))
    }

    pub(super) fn confirm_subscription(&self, input: &Value) -> Result<Value, ServiceError> {
        let topic = self.topic_arn(input)?;
        let token = input["Token"].as_str().unwrap_or_default();
        let pending = self.subscriptions.list(&format!("{topic}:"))?;
        let found =
            pending.into_iter().find(|(_, pending)| pending.pending.as_deref() == Some(token));
        let (arn, _) = found.ok_or_else(|| invalid("Token"))?;
        self.subscriptions.update(&arn, |subscription| {
            subscription.pending = None;
            Ok(())
        })?;
        Ok(json!({"SubscriptionArn": arn}))
    }

    pub(super) fn unsubscribe(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = input["SubscriptionArn"].as_str().ok_or_else(|| invalid("SubscriptionArn"))?;
        self.subscriptions.delete(arn)?;
        Ok(json!({}))
    }

    pub(super) fn list_subscriptions(
        &self,
        input: &Value,
        topic: Option<&str>,
    ) -> Result<Value, ServiceError> {
        let prefix = topic.map(|topic| format!("{topic}:")).unwrap_or_default();
        let shown = self.subscriptions.list(&prefix)?.into_iter().map(|(arn, subscription)| {
            let pending = subscription.is_pending();
            json!({
                "SubscriptionArn": if pending { "PendingConfirmation".to_owned() } else { arn },
                "Owner": self.settings.account_id,
                "Protocol": subscription.protocol,
                "Endpoint": subscription.endpoint,
                "TopicArn": subscription.topic,
            })
        });
        let (shown, next) = page(shown.collect(), None, 100, input["NextToken"].as_str())?;
        let shown: Vec<Value> = shown;
        Ok(json!({"Subscriptions": shown, "NextToken": next}))
    }

    pub(super) fn get_subscription_attributes(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = input["SubscriptionArn"].as_str().ok_or_else(|| invalid("SubscriptionArn"))?;
        let subscription = self.subscriptions.get(arn)?.ok_or_else(no_subscription)?;
        let mut attributes = json!({
            "SubscriptionArn": arn,
            "TopicArn": subscription.topic,
            "Protocol": subscription.protocol,
            "Endpoint": subscription.endpoint,
            "Owner": self.settings.account_id,
            "RawMessageDelivery": subscription.is_raw().to_string(),
            "PendingConfirmation": subscription.is_pending().to_string(),
        });
        for (name, value) in subscription.attributes {
            attributes[name] = value.into();
        }
        Ok(json!({"Attributes": attributes}))
    }

    pub(super) fn set_subscription_attributes(&self, input: &Value) -> Result<Value, ServiceError> {
        let text = |member: &str| input[member].as_str().unwrap_or_default().to_owned();
        if text("AttributeName") == "FilterPolicy" {
            crate::eventbridge::Pattern::parse(&text("AttributeValue"))
                .map_err(|reason| invalid(format!("FilterPolicy: {reason}")))?;
        }
        let changed = self.subscriptions.update(&text("SubscriptionArn"), |subscription| {
            subscription.attributes.insert(text("AttributeName"), text("AttributeValue"));
            Ok(())
        })?;
        changed.map(|()| json!({})).ok_or_else(no_subscription)
    }
}
