//! SNS: topics whose messages are kept, and delivered to queues, functions and HTTP endpoints of this machine.
//!
//! Own implementation: `winterbaume-sns` keeps everything in memory and delivers nothing. E-mail subscriptions wait for
//! a confirmation that nobody sends, as on AWS before the click; what would have been sent is in the topic's messages.

mod delivery;
mod message;
mod subscription;
mod topic;

use std::sync::Arc;

use lake::{Database, Lake};
use serde_json::Value;

use crate::Settings;
use crate::collection::Collection;
use crate::services::Link;
use crate::wire::ServiceError;

pub use message::Published;
use subscription::Subscription;
use topic::Topic;

/// The SNS service.
pub struct Sns {
    settings: Arc<Settings>,
    database: Arc<Database>,
    link: Link,
    topics: Collection<Topic>,
    subscriptions: Collection<Subscription>,
}

impl Sns {
    pub fn open(lake: &Lake, settings: Arc<Settings>, link: Link) -> Result<Self, ServiceError> {
        let database = lake.database().clone();
        database.install(message::SCHEMA)?;
        Ok(Sns {
            settings,
            link,
            topics: Collection::open(&database, "sns/topic")?,
            subscriptions: Collection::open(&database, "sns/subscription")?,
            database,
        })
    }

    pub fn operation(&self, action: &str, input: Value) -> Result<Value, ServiceError> {
        match action {
            "Publish" => self.publish(input),
            "PublishBatch" => self.publish_batch(&input),
            "CreateTopic" => self.create_topic(input),
            "DeleteTopic" => self.delete_topic(&input),
            "ListTopics" => self.list_topics(&input),
            "GetTopicAttributes" => self.get_topic_attributes(&input),
            "SetTopicAttributes" => self.set_topic_attributes(&input),
            "Subscribe" => self.subscribe(input),
            "ConfirmSubscription" => self.confirm_subscription(&input),
            "Unsubscribe" => self.unsubscribe(&input),
            "ListSubscriptions" => self.list_subscriptions(&input, None),
            "ListSubscriptionsByTopic" => {
                let topic = self.topic_arn(&input)?.to_owned();
                self.list_subscriptions(&input, Some(&topic))
            }
            "GetSubscriptionAttributes" => self.get_subscription_attributes(&input),
            "SetSubscriptionAttributes" => self.set_subscription_attributes(&input),
            "TagResource" => self.tag_resource(&input),
            "UntagResource" => self.untag_resource(&input),
            "ListTagsForResource" => self.list_tags_for_resource(&input),
            _ => Err(ServiceError::unknown_operation("SNS", action)),
        }
    }
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidParameter", format!("Invalid parameter: {}", message.into()))
}
