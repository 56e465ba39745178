//! Delivery of one message to a topic's subscriptions. Queues get it before Publish answers, the others after.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::message::Published;
use super::subscription::Subscription;
use super::{Sns, invalid};
use crate::Services;
use crate::iam::Caller;
use crate::wire::ServiceError;

/// How long an HTTP endpoint may take, as on AWS.
const HTTP_LIMIT: Duration = Duration::from_secs(15);

impl Sns {
    pub(super) fn hand_out(
        &self,
        topic: &str,
        message: &Published,
        by_protocol: &Map<String, Value>,
    ) -> Result<(), ServiceError> {
        let services = self.link.require()?;
        for (_, subscription) in self.subscriptions.list(&format!("{topic}:"))? {
            let wanted = !subscription.is_pending()
                && subscription.wants(&message.message_attributes, &message.message);
            if !wanted {
                continue;
            }
            let mut message = message.clone();
            if let Some(text) = by_protocol.get(&subscription.protocol).and_then(Value::as_str) {
                text.clone_into(&mut message.message);
            }
            let (services, endpoint) = (services.clone(), self.settings.endpoint.clone());
            if subscription.protocol == "sqs" {
                if let Err(error) = queue(&services, &endpoint, &subscription, &message) {
                    bury(&services, &subscription, &message, &error);
                }
            } else {
                tokio::spawn(async move {
                    let delivered = match subscription.protocol.as_str() {
                        "lambda" => function(&services, &endpoint, &subscription, &message).await,
                        _ => post(&endpoint, &subscription, &message).await,
                    };
                    if let Err(error) = delivered {
                        bury(&services, &subscription, &message, &error);
                    }
                });
            }
        }
        Ok(())
    }
}

/// The notification document. <https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html>
fn document(endpoint: &str, subscription: &Subscription, message: &Published) -> Value {
    let mut document = json!({
        "Type": "Notification",
        "MessageId": message.message_id,
        "TopicArn": subscription.topic,
        "Subject": message.subject,
        "Message": message.message,
        "Timestamp": message.published.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
        "SignatureVersion": "1",
        "Signature": "LOCAL",
        "SigningCertURL": format!("{endpoint}/SimpleNotificationService.pem"),
        "UnsubscribeURL": format!("{endpoint}/?Action=Unsubscribe&SubscriptionArn={}", subscription.arn),
    });
    if message.subject.is_none()
        && let Some(members) = document.as_object_mut()
    {
        members.shift_remove("Subject");
    }
    if !message.message_attributes.is_empty() {
        let attributes = message.message_attributes.iter().map(|(name, attribute)| {
            let value =
                if attribute["BinaryValue"].is_null() { "StringValue" } else { "BinaryValue" };
            (name.clone(), json!({"Type": attribute["DataType"], "Value": attribute[value]}))
        });
        document["MessageAttributes"] = attributes.collect::<Map<_, _>>().into();
    }
    document
}

fn queue(
    services: &Services,
    endpoint: &str,
    subscription: &Subscription,
    message: &Published,
) -> Result<(), ServiceError> {
    let (body, attributes) = if subscription.is_raw() {
        let attributes = Value::Object(message.message_attributes.clone());
        (message.message.clone(), Some(attributes))
    } else {
        (document(endpoint, subscription, message).to_string(), None)
    };
    let sent =
        services.send_to_queue(&sender(subscription), &subscription.endpoint, &body, attributes);
    sent.map(|_| ())
}

async fn function(
    services: &Services,
    endpoint: &str,
    subscription: &Subscription,
    message: &Published,
) -> Result<(), ServiceError> {
    let event = json!({"Records": [{
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": subscription.arn,
        "Sns": document(endpoint, subscription, message),
    }]});
    let input = json!({
        "FunctionName": subscription.endpoint,
        "InvocationType": "Event",
        "Payload": event,
    });
    services.invoke(&sender(subscription), &input, None).await.map(|_| ())
}

/// A plain POST, to addresses of this machine alone: a topic must not reach out of it.
async fn post(
    endpoint: &str,
    subscription: &Subscription,
    message: &Published,
) -> Result<(), ServiceError> {
    let uri: http::Uri = subscription.endpoint.parse().map_err(|_| invalid("http endpoint"))?;
    let host = uri.host().unwrap_or_default();
    if !["127.0.0.1", "localhost", "[::1]"].contains(&host) {
        return Err(invalid(format!("http endpoint: {host} is not this machine")));
    }
    let body = if subscription.is_raw() {
        message.message.clone()
    } else {
        document(endpoint, subscription, message).to_string()
    };
    let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Length: {}\r\nx-amz-sns-message-type: Notification\r\nx-amz-sns-message-id: {}\r\nx-amz-sns-topic-arn: {}\r\nx-amz-sns-subscription-arn: {}\r\nConnection: close\r\n\r\n{body}",
        body.len(),
        message.message_id,
        subscription.topic,
        subscription.arn,
    );
    let exchange = async {
        let mut stream =
            TcpStream::connect((host.trim_matches(['[', ']']), uri.port_u16().unwrap_or(80)))
                .await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.take(1024).read_to_end(&mut answer).await?;
        std::io::Result::Ok(answer)
    };
    let answer = match tokio::time::timeout(HTTP_LIMIT, exchange).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(ServiceError::internal(error)),
        Err(_) => return Err(ServiceError::internal("the endpoint did not answer in time")),
    };
    let status = answer.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    if status.starts_with(b"2") {
        return Ok(());
    }
    Err(ServiceError::internal(format!(
        "the endpoint answered {}",
        String::from_utf8_lossy(status)
    )))
}

/// SNS itself, for a topic: the receiver's own policy must let it in.
fn sender(subscription: &Subscription) -> Caller {
    Caller::service("sns.amazonaws.com", Some(&subscription.topic))
}

/// To the subscription's dead-letter queue, if it has one.
fn bury(
    services: &Services,
    subscription: &Subscription,
    message: &Published,
    error: &ServiceError,
) {
    tracing::warn!(%error, subscription = subscription.arn, "a message was not delivered");
    let policy = subscription.attributes.get("RedrivePolicy");
    let policy: Value =
        policy.and_then(|policy| serde_json::from_str(policy).ok()).unwrap_or_default();
    if let Some(arn) = policy["deadLetterTargetArn"].as_str()
        && let Err(error) =
            services.send_to_queue(&sender(subscription), arn, &message.message, None)
    {
        tracing::warn!(%error, arn, "a dead letter was not delivered");
    }
}
