//! Topics.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Sns, invalid};
use crate::wire::{ServiceError, page, read};

/// A topic of this account. Attributes are text, as the API has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Topic {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
}

impl Topic {
    pub fn is_fifo(&self) -> bool {
        self.attributes.get("FifoTopic").is_some_and(|value| value == "true")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateTopic {
    name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

pub(super) fn no_topic() -> ServiceError {
    ServiceError::new("NotFound", "Topic does not exist").status(404)
}

impl Sns {
    pub(super) fn topic_arn<'a>(&self, input: &'a Value) -> Result<&'a str, ServiceError> {
        let arn = input["TopicArn"].as_str().or(input["ResourceArn"].as_str());
        let arn = arn.ok_or_else(|| invalid("TopicArn"))?;
        if self.topics.get(arn)?.is_none() {
            return Err(no_topic());
        }
        Ok(arn)
    }

    /// The topic's policy as text; `None` if it was given none, or there is no such topic.
    pub fn policy(&self, arn: &str) -> Result<Option<String>, ServiceError> {
        Ok(self.topics.get(arn)?.and_then(|topic| topic.attributes.get("Policy").cloned()))
    }

    pub(super) fn topic(&self, arn: &str) -> Result<Topic, ServiceError> {
        self.topics.get(arn)?.ok_or_else(no_topic)
    }

    fn change_topic(
        &self,
        input: &Value,
        change: impl FnOnce(&mut Topic) -> Result<(), ServiceError>,
    ) -> Result<Value, ServiceError> {
        let changed = self.topics.update(self.topic_arn(input)?, change)?;
        changed.map(|()| json!({})).ok_or_else(no_topic)
    }

    pub(super) fn create_topic(&self, input: Value) -> Result<Value, ServiceError> {
        let create: CreateTopic = read(input)?;
        let stem = create.name.strip_suffix(".fifo").unwrap_or(&create.name);
        let valid = (1..=256).contains(&create.name.len())
            && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let fifo = create.attributes.get("FifoTopic").is_some_and(|value| value == "true");
        if !valid || fifo != (stem.len() < create.name.len()) {
            return Err(invalid("Topic Name"));
        }
        let arn = self.settings.arn("sns", &create.name);
        let topic = Topic {
            name: create.name,
            attributes: create.attributes,
            tags: create.tags.into_iter().map(|tag| (tag.key, tag.value)).collect(),
        };
        if !self.topics.insert(&arn, &topic)? {
            let existing = self.topic(&arn)?;
            let same = topic
                .attributes
                .iter()
                .all(|(name, value)| existing.attributes.get(name) == Some(value));
            if !same {
                return Err(invalid(
                    "Attributes Reason: Topic already exists with different attributes",
                ));
            }
        }
        Ok(json!({"TopicArn": arn}))
    }

    /// Deleting what is not there succeeds. Its subscriptions go with it, its messages stay to be read.
    pub(super) fn delete_topic(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = input["TopicArn"].as_str().ok_or_else(|| invalid("TopicArn"))?;
        self.topics.delete(arn)?;
        for (key, _) in self.subscriptions.list(&format!("{arn}:"))? {
            self.subscriptions.delete(&key)?;
        }
        Ok(json!({}))
    }

    pub(super) fn list_topics(&self, input: &Value) -> Result<Value, ServiceError> {
        let arns: Vec<Value> =
            self.topics.list("")?.into_iter().map(|(arn, _)| json!({"TopicArn": arn})).collect();
        let (arns, next) = page(arns, None, 100, input["NextToken"].as_str())?;
        Ok(json!({"Topics": arns, "NextToken": next}))
    }

    pub(super) fn get_topic_attributes(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = self.topic_arn(input)?;
        let topic = self.topic(arn)?;
        let subscriptions = self.subscriptions.list(&format!("{arn}:"))?;
        let pending = subscriptions.iter().filter(|(_, subscription)| subscription.is_pending());
        let pending = pending.count();
        let mut attributes: Map<String, Value> = Map::new();
        attributes.insert("TopicArn".into(), arn.into());
        attributes.insert("Owner".into(), self.settings.account_id.as_str().into());
        attributes.insert("DisplayName".into(), "".into());
        attributes.insert("SubscriptionsDeleted".into(), "0".into());
        attributes.insert("SubscriptionsPending".into(), pending.to_string().into());
        attributes.insert(
            "SubscriptionsConfirmed".into(),
            (subscriptions.len() - pending).to_string().into(),
        );
        attributes.extend(topic.attributes.into_iter().map(|(name, value)| (name, value.into())));
        Ok(json!({"Attributes": attributes}))
    }

    pub(super) fn set_topic_attributes(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = input["AttributeName"].as_str().ok_or_else(|| invalid("AttributeName"))?;
        let value = input["AttributeValue"].as_str().unwrap_or_default();
        self.change_topic(input, |topic| {
            topic.attributes.insert(name.to_owned(), value.to_owned());
            Ok(())
        })
    }

    pub(super) fn tag_resource(&self, input: &Value) -> Result<Value, ServiceError> {
        let tags: Vec<Tag> = read(input["Tags"].clone())?;
        self.change_topic(input, |topic| {
            topic.tags.extend(tags.into_iter().map(|tag| (tag.key, tag.value)));
            Ok(())
        })
    }

    pub(super) fn untag_resource(&self, input: &Value) -> Result<Value, ServiceError> {
        let keys: Vec<String> = read(input["TagKeys"].clone())?;
        self.change_topic(input, |topic| {
            topic.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })
    }

    pub(super) fn list_tags_for_resource(&self, input: &Value) -> Result<Value, ServiceError> {
        let topic = self.topic(self.topic_arn(input)?)?;
        let tags = topic.tags.into_iter().map(|(key, value)| json!({"Key": key, "Value": value}));
        Ok(json!({"Tags": tags.collect::<Vec<_>>()}))
    }
}
