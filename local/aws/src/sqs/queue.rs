//! Queues and their attributes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Sqs;
use crate::wire::{ServiceError, page, read};

/// A queue of this account. Attributes are text, as the API has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Queue {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub created: i64,
    pub modified: i64,
}

/// Attributes that can be set, with AWS's defaults.
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
const SETTABLE: [(&str, Option<&str>); 15] = [
    ("ContentBasedDeduplication", None),
    ("DeduplicationScope", None),
    ("DelaySeconds", Some("0")),
    ("FifoQueue", None),
    ("FifoThroughputLimit", None),
    ("KmsDataKeyReusePeriodSeconds", None),
    ("KmsMasterKeyId", None),
    ("MaximumMessageSize", Some("1048576")),
    ("MessageRetentionPeriod", Some("345600")),
    ("Policy", None),
    ("ReceiveMessageWaitTimeSeconds", Some("0")),
    ("RedriveAllowPolicy", None),
    ("RedrivePolicy", None),
    ("SqsManagedSseEnabled", Some("true")),
    ("VisibilityTimeout", Some("30")),
];

/// Where messages go that were received too often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redrive {
    pub dead_letter_arn: String,
    pub max_receive_count: u64,
}

impl Queue {
    /// A numeric attribute.
    pub fn number(&self, name: &str) -> i64 {
        let default = SETTABLE.iter().find(|(known, _)| *known == name);
        let text = self
            .attributes
            .get(name)
            .map(String::as_str)
            .or_else(|| default.and_then(|(_, value)| *value));
        text.and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    pub fn is_fifo(&self) -> bool {
        Queue::is_fifo_name(&self.name)
    }

    fn is_fifo_name(name: &str) -> bool {
        std::path::Path::new(name).extension().is_some_and(|extension| extension == "fifo")
    }

    pub fn redrive(&self) -> Option<Redrive> {
        let policy: Value = serde_json::from_str(self.attributes.get("RedrivePolicy")?).ok()?;
        let count = &policy["maxReceiveCount"];
        Some(Redrive {
            dead_letter_arn: policy["deadLetterTargetArn"].as_str()?.to_owned(),
            max_receive_count: count.as_u64().or_else(|| count.as_str()?.parse().ok())?,
        })
    }

    fn set(&mut self, attributes: BTreeMap<String, String>) -> Result<(), ServiceError> {
        for (name, value) in attributes {
            if !SETTABLE.iter().any(|(known, _)| *known == name) {
                return Err(ServiceError::new(
                    "InvalidAttributeName",
                    format!("Unknown Attribute {name}."),
                ));
            }
            let (least, most) = match name.as_str() {
                "DelaySeconds" => (0, 900),
                "MaximumMessageSize" => (1024, 1_048_576),
                "MessageRetentionPeriod" => (60, 1_209_600),
                "ReceiveMessageWaitTimeSeconds" => (0, 20),
                "VisibilityTimeout" => (0, 43_200),
                _ => {
                    self.attributes.insert(name, value);
                    continue;
                }
            };
            if !value.parse::<i64>().is_ok_and(|number| (least..=most).contains(&number)) {
                return Err(invalid_attribute(&name));
            }
            self.attributes.insert(name, value);
        }
        if self.attributes.contains_key("RedrivePolicy") && self.redrive().is_none() {
            return Err(invalid_attribute("RedrivePolicy"));
        }
        self.modified = lake::clock::now().as_second();
        Ok(())
    }
}

fn invalid_attribute(name: &str) -> ServiceError {
    ServiceError::new("InvalidAttributeValue", format!("Invalid value for the parameter {name}."))
}

pub(super) fn no_queue() -> ServiceError {
    ServiceError::new("QueueDoesNotExist", "The specified queue does not exist.")
}

pub(super) fn missing(parameter: &str) -> ServiceError {
    ServiceError::new(
        "MissingParameter",
        format!("The request must contain the parameter {parameter}."),
    )
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateQueue {
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default, rename = "tags")]
    tags: BTreeMap<String, String>,
}

impl Sqs {
    pub fn url(&self, queue: &str) -> String {
        let (endpoint, account) = (&self.settings.endpoint, &self.settings.account_id);
        format!("{endpoint}/{account}/{queue}")
    }

    /// The queue's policy as text; `None` if it has none, or there is no such queue.
    pub fn policy(&self, queue: &str) -> Result<Option<String>, ServiceError> {
        Ok(self.queues.get(queue)?.and_then(|queue| queue.attributes.get("Policy").cloned()))
    }

    pub fn arn(&self, queue: &str) -> String {
        self.settings.arn("sqs", queue)
    }

    /// The queue a request's `QueueUrl` means. Only its last segment counts, so that URLs outlive a port.
    pub(super) fn queue_of(&self, input: &Value) -> Result<Queue, ServiceError> {
        let url = input["QueueUrl"].as_str().ok_or_else(|| missing("QueueUrl"))?;
        let name = url.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        self.queues.get(name)?.ok_or_else(no_queue)
    }

    pub(super) fn queue_of_arn(&self, arn: &str) -> Result<Queue, ServiceError> {
        let name = arn.rsplit(':').next().unwrap_or_default();
        self.queues.get(name)?.ok_or_else(no_queue)
    }

    pub(super) fn create_queue(&self, input: Value) -> Result<Value, ServiceError> {
        let create: CreateQueue = read(input)?;
        let name = create.queue_name;
        let stem = name.strip_suffix(".fifo").unwrap_or(&name);
        let valid = (1..=80).contains(&name.len())
            && !stem.is_empty()
            && stem.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !valid {
            return Err(ServiceError::new(
                "InvalidParameterValue",
                "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
            ));
        }
        let fifo = create.attributes.get("FifoQueue").is_some_and(|value| value == "true");
        if fifo != Queue::is_fifo_name(&name) {
            return Err(ServiceError::new(
                "InvalidParameterValue",
                "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.",
            ));
        }
        let mut queue = Queue {
            name: name.clone(),
            attributes: BTreeMap::new(),
            tags: create.tags,
            created: lake::clock::now().as_second(),
            modified: 0,
        };
        let asked = create.attributes.clone();
        queue.set(create.attributes)?;
        if !self.queues.insert(&name, &queue)? {
            let existing = self.queues.get(&name)?.ok_or_else(no_queue)?;
            let same = asked.iter().all(|(key, value)| existing.shown(key).as_ref() == Some(value));
            if !same {
                return Err(ServiceError::new(
                    "QueueNameExists",
                    "A queue already exists with the same name and a different value for an attribute",
                ));
            }
        }
        Ok(json!({"QueueUrl": self.url(&name)}))
    }

    pub(super) fn get_queue_url(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = input["QueueName"].as_str().ok_or_else(|| missing("QueueName"))?;
        let queue = self.queues.get(name)?.ok_or_else(no_queue)?;
        Ok(json!({"QueueUrl": self.url(&queue.name)}))
    }

    pub(super) fn list_queues(&self, input: &Value) -> Result<Value, ServiceError> {
        let queues = self.queues.list(input["QueueNamePrefix"].as_str().unwrap_or_default())?;
        let urls = queues.iter().map(|(name, _)| self.url(name)).collect();
        let size = input["MaxResults"].as_u64();
        let (urls, next) = page(urls, size, 1000, input["NextToken"].as_str())?;
        Ok(json!({"QueueUrls": urls, "NextToken": next}))
    }

    pub(super) fn delete_queue(&self, input: &Value) -> Result<Value, ServiceError> {
        let queue = self.queue_of(input)?;
        self.queues.delete(&queue.name)?;
        self.purge(&queue.name)?;
        Ok(Value::Null)
    }

    pub(super) fn purge_queue(&self, input: &Value) -> Result<Value, ServiceError> {
        let queue = self.queue_of(input)?;
        self.purge(&queue.name)?;
        Ok(Value::Null)
    }

    pub(super) fn get_queue_attributes(&self, input: &Value) -> Result<Value, ServiceError> {
        let queue = self.queue_of(input)?;
        let asked: Vec<&str> = input["AttributeNames"]
            .as_array()
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let counts = self.counts(&queue.name)?;
        let mut all = vec![
            ("QueueArn".to_owned(), self.arn(&queue.name)),
            ("CreatedTimestamp".to_owned(), queue.created.to_string()),
            ("LastModifiedTimestamp".to_owned(), queue.modified.to_string()),
            ("ApproximateNumberOfMessages".to_owned(), counts.visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible".to_owned(), counts.in_flight.to_string()),
            ("ApproximateNumberOfMessagesDelayed".to_owned(), counts.delayed.to_string()),
        ];
        for (name, _) in SETTABLE {
            all.extend(queue.shown(name).map(|value| (name.to_owned(), value)));
        }
        let wanted = |name: &str| asked.contains(&"All") || asked.contains(&name);
        let attributes: Map<String, Value> = all
            .into_iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, value)| (name, Value::String(value)))
            .collect();
        Ok(json!({"Attributes": attributes}))
    }

    pub(super) fn set_queue_attributes(&self, input: &Value) -> Result<Value, ServiceError> {
        let queue = self.queue_of(input)?;
        let attributes: BTreeMap<String, String> = read(input["Attributes"].clone())?;
        self.queues.update(&queue.name, |queue| queue.set(attributes))?;
        Ok(Value::Null)
    }

    pub(super) fn list_dead_letter_source_queues(
        &self,
        input: &Value,
    ) -> Result<Value, ServiceError> {
        let arn = self.arn(&self.queue_of(input)?.name);
        let sources = self.queues.values()?.into_iter();
        let urls: Vec<String> = sources
            .filter(|queue| queue.redrive().is_some_and(|redrive| redrive.dead_letter_arn == arn))
            .map(|queue| self.url(&queue.name))
            .collect();
        Ok(json!({"queueUrls": urls}))
    }

    pub(super) fn tag_queue(&self, input: &Value) -> Result<Value, ServiceError> {
        let queue = self.queue_of(input)?;
        let tags: BTreeMap<String, String> = read(input["Tags"].clone())?;
        self.queues.update(&queue.name, |queue| {
            queue.tags.extend(tags);
            Ok(())
        })?;
        Ok(Value::Null)
    }

    pub(super) fn untag_queue(&self, input: &Value) -> Result<Value, ServiceError> {
        let queue = self.queue_of(input)?;
        let keys: Vec<String> = read(input["TagKeys"].clone())?;
        self.queues.update(&queue.name, |queue| {
            queue.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })?;
        Ok(Value::Null)
    }

    pub(super) fn list_queue_tags(&self, input: &Value) -> Result<Value, ServiceError> {
        Ok(json!({"Tags": self.queue_of(input)?.tags}))
    }
}

impl Queue {
    /// A settable attribute as `GetQueueAttributes` shows it.
    fn shown(&self, name: &str) -> Option<String> {
        self.attributes.get(name).cloned().or_else(|| {
            let (_, default) = SETTABLE.iter().find(|(known, _)| *known == name)?;
            default.map(str::to_owned)
        })
    }
}
