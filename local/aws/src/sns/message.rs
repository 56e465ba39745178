//! Messages: published once, kept, and handed to every subscription.

use jiff::Timestamp;
use rusqlite::params;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Sns, invalid};
use crate::wire::{ServiceError, read};

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS aws_sns_messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        topic TEXT NOT NULL, message_id TEXT NOT NULL, subject TEXT, message TEXT NOT NULL,
        attributes TEXT NOT NULL, published INTEGER NOT NULL
    );
    CREATE INDEX IF NOT EXISTS aws_sns_messages_by_topic ON aws_sns_messages (topic, id);";

/// SNS's limit of a message, bytes.
const LARGEST_MESSAGE: usize = 256 * 1024;

/// A published message as it is kept.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Published {
    pub message_id: String,
    pub subject: Option<String>,
    pub message: String,
    /// `{"name": {"DataType", "StringValue"}}`
    pub message_attributes: Map<String, Value>,
    #[serde(rename = "Timestamp")]
    pub published: Timestamp,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Publish {
    #[serde(alias = "TargetArn")]
    topic_arn: Option<String>,
    phone_number: Option<String>,
    message: Option<String>,
    subject: Option<String>,
    message_structure: Option<String>,
    #[serde(default)]
    message_attributes: Map<String, Value>,
    message_group_id: Option<String>,
}

impl Sns {
    pub(super) fn publish(&self, input: Value) -> Result<Value, ServiceError> {
        let publish: Publish = read(input)?;
        let arn = match (&publish.topic_arn, &publish.phone_number) {
            (Some(arn), _) => arn,
            (None, Some(_)) => {
                return Err(invalid("PhoneNumber Reason: text messages are not offered here"));
            }
            (None, None) => {
                return Err(invalid(
                    "TopicArn or TargetArn Reason: no value for required parameter",
                ));
            }
        };
        let topic = self.topic(arn)?;
        let text = publish.message.filter(|text| !text.is_empty());
        let text = text.ok_or_else(|| invalid("Empty message"))?;
        if text.len() > LARGEST_MESSAGE {
            return Err(invalid("Message too long"));
        }
        if topic.is_fifo() && publish.message_group_id.is_none() {
            return Err(invalid("The MessageGroupId parameter is required for FIFO topics"));
        }
        // With `MessageStructure: json` there is a text for each protocol.
        let by_protocol = if publish.message_structure.as_deref() == Some("json") {
            let texts: Map<String, Value> = serde_json::from_str(&text)
                .map_err(|_| invalid("Message Structure - No JSON message body is parseable"))?;
            if !texts.contains_key("default") {
                return Err(invalid("Message Structure - No default entry in JSON message body"));
            }
            texts
        } else {
            Map::new()
        };
        let message = Published {
            message_id: Uuid::new_v4().to_string(),
            subject: publish.subject,
            message: by_protocol
                .get("default")
                .and_then(Value::as_str)
                .map_or_else(|| text.clone(), str::to_owned),
            message_attributes: publish.message_attributes,
            published: lake::clock::now(),
        };
        let sequence = self.keep(arn, &message)?;
        self.hand_out(arn, &message, &by_protocol)?;
        let mut answer = json!({"MessageId": message.message_id});
        if topic.is_fifo() {
            answer["SequenceNumber"] = format!("{sequence:020}").into();
        }
        Ok(answer)
    }

    pub(super) fn publish_batch(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = self.topic_arn(input)?;
        let entries = input["PublishBatchRequestEntries"].as_array().cloned().unwrap_or_default();
        if entries.is_empty() || entries.len() > 10 {
            return Err(invalid("a batch has 1 to 10 entries"));
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for mut entry in entries {
            let id = entry["Id"].clone();
            entry["TopicArn"] = arn.into();
            match self.publish(entry) {
                Ok(mut answer) => {
                    answer["Id"] = id;
                    successful.push(answer);
                }
                Err(error) => failed.push(json!({
                    "Id": id,
                    "Code": error.code,
                    "Message": error.message,
                    "SenderFault": error.status < 500,
                })),
            }
        }
        Ok(json!({"Successful": successful, "Failed": failed}))
    }

    fn keep(&self, topic: &str, message: &Published) -> Result<i64, ServiceError> {
        self.database.write(|transaction| {
            transaction.execute(
                "INSERT INTO aws_sns_messages (topic, message_id, subject, message, attributes, published)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    topic,
                    message.message_id,
                    message.subject,
                    message.message,
                    Value::Object(message.message_attributes.clone()).to_string(),
                    message.published.as_millisecond(),
                ],
            )?;
            Ok(transaction.last_insert_rowid())
        })
    }

    /// Everything published to a topic (name or ARN), oldest first: for tests and the console. AWS has no such call.
    pub fn published(&self, topic: &str) -> Result<Vec<Published>, ServiceError> {
        let arn =
            if topic.contains(':') { topic.to_owned() } else { self.settings.arn("sns", topic) };
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT message_id, subject, message, attributes, published
                 FROM aws_sns_messages WHERE topic = ?1 ORDER BY id",
            )?;
            let rows = statement.query_map([arn], |row| {
                let attributes: String = row.get(3)?;
                Ok(Published {
                    message_id: row.get(0)?,
                    subject: row.get(1)?,
                    message: row.get(2)?,
                    message_attributes: serde_json::from_str(&attributes).unwrap_or_default(),
                    published: Timestamp::from_millisecond(row.get(4)?).unwrap_or_default(),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
