//! Buckets, queues, topics, the workgroup and the database.
use http::Method;
use serde_json::{Value, json};

use super::{already, pick};
use crate::cloud::{CallError, Cloud};

pub async fn bucket(cloud: &Cloud, name: &str, properties: &Value) -> Result<(), CallError> {
    match cloud.s3(Method::PUT, &format!("/{name}"), "").await {
        Ok(()) => {}
        Err(error) if error.code() == "BucketAlreadyOwnedByYou" => {}
        Err(error) => return Err(error),
    }
    if let Some(status) =
        properties.pointer("/VersioningConfiguration/Status").and_then(Value::as_str)
    {
        let body = format!(
            r#"<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>{status}</Status></VersioningConfiguration>"#
        );
        cloud.s3(Method::PUT, &format!("/{name}?versioning"), body).await?;
    }
    if properties.pointer("/NotificationConfiguration/EventBridgeConfiguration").is_some() {
        let body = r#"<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EventBridgeConfiguration></EventBridgeConfiguration></NotificationConfiguration>"#;
        cloud.s3(Method::PUT, &format!("/{name}?notification"), body).await?;
    }
    Ok(())
}

pub async fn queue(cloud: &Cloud, name: &str, properties: &Value) -> Result<(), CallError> {
    const ATTRIBUTES: [&str; 11] = [
        "DelaySeconds",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "VisibilityTimeout",
        "RedrivePolicy",
        "RedriveAllowPolicy",
        "FifoQueue",
        "ContentBasedDeduplication",
        "SqsManagedSseEnabled",
        "KmsMasterKeyId",
    ];
    let attributes = ATTRIBUTES
        .iter()
        .filter_map(|attribute| Some(((*attribute).to_owned(), text(properties.get(attribute)?))));
    let attributes: serde_json::Map<_, _> = attributes.collect();
    let made = cloud
        .call("sqs", "CreateQueue", json!({"QueueName": name, "Attributes": attributes}))
        .await;
    if already(made, "QueueNameExists")? {
        let url =
            cloud.call("sqs", "GetQueueUrl", json!({"QueueName": name})).await?["QueueUrl"].clone();
        let mutable: serde_json::Map<_, _> =
            attributes.into_iter().filter(|(attribute, _)| attribute != "FifoQueue").collect();
        cloud
            .call("sqs", "SetQueueAttributes", json!({"QueueUrl": url, "Attributes": mutable}))
            .await?;
    }
    Ok(())
}

/// Attributes are texts, objects among them as JSON.
fn text(value: &Value) -> Value {
    match value {
        Value::String(_) => value.clone(),
        other => Value::String(other.to_string()),
    }
}

pub async fn topic(cloud: &Cloud, name: &str, properties: &Value) -> Result<(), CallError> {
    let attributes =
        pick(properties, &[("DisplayName", "DisplayName"), ("KmsMasterKeyId", "KmsMasterKeyId")]);
    let made =
        cloud.call("sns", "CreateTopic", json!({"Name": name, "Attributes": attributes})).await?;
    let inline = properties.get("Subscription").and_then(Value::as_array);
    for subscription in inline.into_iter().flatten() {
        let mut subscription = subscription.clone();
        subscription["TopicArn"] = made["TopicArn"].clone();
        self::subscription(cloud, &subscription).await?;
    }
    Ok(())
}

pub async fn subscription(cloud: &Cloud, properties: &Value) -> Result<(), CallError> {
    let input = pick(
        properties,
        &[("TopicArn", "TopicArn"), ("Protocol", "Protocol"), ("Endpoint", "Endpoint")],
    );
    cloud.call("sns", "Subscribe", Value::Object(input)).await.map(drop)
}

pub async fn work_group(cloud: &Cloud, name: &str, properties: &Value) -> Result<(), CallError> {
    let configuration =
        properties.get("WorkGroupConfiguration").cloned().unwrap_or_else(|| json!({}));
    let mut input = pick(properties, &[("Description", "Description"), ("Tags", "Tags")]);
    input.insert("Name".to_owned(), name.into());
    input.insert("Configuration".to_owned(), configuration.clone());
    if cloud.call("athena", "GetWorkGroup", json!({"WorkGroup": name})).await.is_err() {
        cloud.call("athena", "CreateWorkGroup", Value::Object(input)).await.map(drop)
    } else {
        let mut updates = configuration;
        if let Some(results) =
            updates.as_object_mut().and_then(|map| map.remove("ResultConfiguration"))
        {
            updates["ResultConfigurationUpdates"] = results;
        }
        let mut input = pick(properties, &[("Description", "Description"), ("State", "State")]);
        input.insert("WorkGroup".to_owned(), name.into());
        input.insert("ConfigurationUpdates".to_owned(), updates);
        cloud.call("athena", "UpdateWorkGroup", Value::Object(input)).await.map(drop)
    }
}

pub async fn database(cloud: &Cloud, properties: &Value) -> Result<(), CallError> {
    let input = properties.get("DatabaseInput").cloned().unwrap_or_default();
    let made = cloud.call("glue", "CreateDatabase", json!({"DatabaseInput": input})).await;
    if already(made, "AlreadyExistsException")? {
        let name = input.get("Name").cloned().unwrap_or_default();
        cloud.call("glue", "UpdateDatabase", json!({"Name": name, "DatabaseInput": input})).await?;
    }
    Ok(())
}
