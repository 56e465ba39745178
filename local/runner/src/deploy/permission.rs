//! Roles with their policies, and the policies of buckets, queues and topics.
use http::Method;
use serde_json::{Value, json};

use super::already;
use crate::cloud::{CallError, Cloud};
use crate::template::{PolicyKind, Role, Stack};

/// Creates a role or brings it up to date: what the template no longer grants is taken away.
pub async fn role(cloud: &Cloud, role: &Role) -> Result<(), CallError> {
    let named = json!({"RoleName": role.name});
    let with = |members: Value| {
        let mut input = named.clone();
        for (name, value) in members.as_object().into_iter().flatten() {
            input[name] = value.clone();
        }
        input
    };
    let trust = role.trust.to_string();
    let create = with(json!({"AssumeRolePolicyDocument": trust}));
    if already(cloud.call("iam", "CreateRole", create).await, "EntityAlreadyExists")? {
        let update = with(json!({"PolicyDocument": trust}));
        cloud.call("iam", "UpdateAssumeRolePolicy", update).await?;
    }
    for (name, document) in &role.policies {
        let put = with(json!({"PolicyName": name, "PolicyDocument": document.to_string()}));
        cloud.call("iam", "PutRolePolicy", put).await?;
    }
    for arn in &role.managed {
        cloud.call("iam", "AttachRolePolicy", with(json!({"PolicyArn": arn}))).await?;
    }
    let inline = cloud.call("iam", "ListRolePolicies", named.clone()).await?;
    for name in texts(&inline["PolicyNames"]) {
        if !role.policies.iter().any(|(kept, _)| *kept == name) {
            cloud.call("iam", "DeleteRolePolicy", with(json!({"PolicyName": name}))).await?;
        }
    }
    let attached = cloud.call("iam", "ListAttachedRolePolicies", named.clone()).await?;
    let attached = attached["AttachedPolicies"].as_array().cloned().unwrap_or_default();
    for arn in attached.iter().filter_map(|policy| policy["PolicyArn"].as_str()) {
        if !role.managed.iter().any(|kept| kept == arn) {
            cloud.call("iam", "DetachRolePolicy", with(json!({"PolicyArn": arn}))).await?;
        }
    }
    Ok(())
}

/// The policies of all resources that have one, and none where the template has none any more.
pub async fn resources(stack: &Stack, cloud: &Cloud) -> Result<(), CallError> {
    for (_, properties) in stack.policies(PolicyKind::Bucket) {
        let bucket = text(&properties["Bucket"]);
        let document = properties["PolicyDocument"].to_string();
        cloud.s3(Method::PUT, &format!("/{bucket}?policy"), document).await?;
    }
    for (_, properties) in stack.policies(PolicyKind::Queue) {
        for url in texts(&properties["Queues"]) {
            let policy = properties["PolicyDocument"].to_string();
            let input = json!({"QueueUrl": url, "Attributes": {"Policy": policy}});
            cloud.call("sqs", "SetQueueAttributes", input).await?;
        }
    }
    for (_, properties) in stack.policies(PolicyKind::Topic) {
        for topic in texts(&properties["Topics"]) {
            let input = json!({
                "TopicArn": topic,
                "AttributeName": "Policy",
                "AttributeValue": properties["PolicyDocument"].to_string(),
            });
            cloud.call("sns", "SetTopicAttributes", input).await?;
        }
    }
    Ok(())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(text).collect()
}
