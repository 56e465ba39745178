//! Messages: sent, hidden, deleted, moved, counted.

use rusqlite::{OptionalExtension, Transaction, params};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Sqs;
use super::attributes::{md5_of, md5_of_attributes};
use super::queue::{Queue, missing};
use crate::wire::{ServiceError, read};

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS aws_sqs_messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL, message_id TEXT NOT NULL, body TEXT NOT NULL, attributes TEXT NOT NULL,
        sent INTEGER NOT NULL, visible INTEGER NOT NULL,
        receives INTEGER NOT NULL DEFAULT 0, first_received INTEGER, receipt TEXT,
        group_id TEXT, deduplication_id TEXT, trace TEXT, source TEXT
    );
    CREATE INDEX IF NOT EXISTS aws_sqs_messages_by_queue ON aws_sqs_messages (queue, visible, id);
    CREATE TABLE IF NOT EXISTS aws_sqs_deduplication (
        queue TEXT NOT NULL, deduplication_id TEXT NOT NULL, sent INTEGER NOT NULL, answer TEXT NOT NULL,
        PRIMARY KEY (queue, deduplication_id)
    ) WITHOUT ROWID;";

/// FIFO queues remember deduplication ids for five minutes.
const DEDUPLICATION_MS: i64 = 300_000;

/// Message counts of a queue.
pub(super) struct Counts {
    pub visible: i64,
    pub in_flight: i64,
    pub delayed: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage {
    message_body: Option<String>,
    delay_seconds: Option<i64>,
    #[serde(default)]
    message_attributes: Map<String, Value>,
    #[serde(default)]
    message_system_attributes: Map<String, Value>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

/// Milliseconds since the epoch.
pub(super) fn now() -> i64 {
    lake::clock::now().as_millisecond()
}

impl Sqs {
    pub(super) fn send_message(&self, input: Value) -> Result<Value, ServiceError> {
        let queue = self.queue_of(&input)?;
        self.send(&queue, &read(input)?)
    }

    /// Sends on behalf of another service, which knows the queue by its ARN.
    pub fn send_to_arn(
        &self,
        arn: &str,
        body: &str,
        attributes: Option<Value>,
    ) -> Result<Value, ServiceError> {
        let queue = self.queue_of_arn(arn)?;
        let group = queue.is_fifo().then(|| "default".to_owned());
        let message = SendMessage {
            message_body: Some(body.to_owned()),
            delay_seconds: None,
            message_attributes: match attributes {
                Some(Value::Object(attributes)) => attributes,
                _ => Map::new(),
            },
            message_system_attributes: Map::new(),
            message_deduplication_id: group.is_some().then(|| Uuid::new_v4().to_string()),
            message_group_id: group,
        };
        self.send(&queue, &message)
    }

    fn send(&self, queue: &Queue, message: &SendMessage) -> Result<Value, ServiceError> {
        let body = message
            .message_body
            .as_deref()
            .filter(|body| !body.is_empty())
            .ok_or_else(|| missing("MessageBody"))?;
        let attributes = Value::Object(message.message_attributes.clone()).to_string();
        let most = queue.number("MaximumMessageSize");
        if i64::try_from(body.len() + attributes.len() - 2).unwrap_or(i64::MAX) > most {
            return Err(ServiceError::new(
                "InvalidParameterValue",
                format!(
                    "One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
                ),
            ));
        }
        let deduplication = deduplication_id(queue, message, body)?;
        let message_id = Uuid::new_v4().to_string();
        let answer = json!({
            "MessageId": message_id,
            "MD5OfMessageBody": md5_of(body),
            "MD5OfMessageAttributes": md5_of_attributes(&message.message_attributes),
        });
        let answer = without_nulls(answer);
        let now = now();
        let delay = message.delay_seconds.unwrap_or_else(|| queue.number("DelaySeconds"));
        let answer = self.database.write(|transaction| {
            if let Some(id) = &deduplication
                && let Some(earlier) = deduplicate(transaction, queue, id, &answer, now)?
            {
                return Ok::<_, ServiceError>(earlier);
            }
            transaction.execute(
                "INSERT INTO aws_sqs_messages
                 (queue, message_id, body, attributes, sent, visible, group_id, deduplication_id, trace)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                params![
                    queue.name,
                    message_id,
                    body,
                    attributes,
                    now,
                    now + delay.clamp(0, 900) * 1000,
                    message.message_group_id,
                    deduplication,
                    message.message_system_attributes.get("AWSTraceHeader").map(|header| {
                        header["StringValue"].as_str().unwrap_or_default().to_owned()
                    }),
                ],
            )?;
            Ok(answer.clone())
        })?;
        self.arrivals.notify_waiters();
        Ok(answer)
    }

    pub(super) fn delete_message(&self, input: &Value) -> Result<Value, ServiceError> {
        let queue = self.queue_of(input)?;
        let receipt = receipt_of(input)?;
        self.database.write(|transaction| {
            transaction.execute(
                "DELETE FROM aws_sqs_messages WHERE queue = ?1 AND receipt = ?2",
                params![queue.name, receipt],
            )?;
            Ok(Value::Null)
        })
    }

    pub(super) fn change_message_visibility(&self, input: &Value) -> Result<Value, ServiceError> {
        let queue = self.queue_of(input)?;
        let receipt = receipt_of(input)?;
        let seconds =
            input["VisibilityTimeout"].as_i64().filter(|seconds| (0..=43_200).contains(seconds));
        let Some(seconds) = seconds else {
            return Err(ServiceError::new(
                "InvalidParameterValue",
                "VisibilityTimeout is between 0 and 43200 seconds",
            ));
        };
        let changed = self.database.write(|transaction| {
            transaction
                .execute(
                    "UPDATE aws_sqs_messages SET visible = ?3
                     WHERE queue = ?1 AND receipt = ?2 AND visible > ?4",
                    params![queue.name, receipt, now() + seconds * 1000, now()],
                )
                .map_err(ServiceError::from)
        })?;
        if changed == 0 {
            return Err(ServiceError::new(
                "MessageNotInflight",
                "The specified message isn't in flight.",
            ));
        }
        self.arrivals.notify_waiters();
        Ok(Value::Null)
    }

    /// Sends dead letters back to the queue they came from, all at once.
    pub(super) fn start_message_move_task(&self, input: &Value) -> Result<Value, ServiceError> {
        let arn = input["SourceArn"].as_str().ok_or_else(|| missing("SourceArn"))?;
        let queue = self.queue_of_arn(arn)?;
        let destination = match input["DestinationArn"].as_str() {
            Some(arn) => Some(self.queue_of_arn(arn)?.name),
            None => None,
        };
        let prefix = self.arn("");
        self.database.write(|transaction| {
            transaction.execute(
                "UPDATE aws_sqs_messages
                 SET queue = coalesce(?2, substr(source, length(?3) + 1)), receives = 0, receipt = NULL,
                     visible = ?4, source = NULL
                 WHERE queue = ?1 AND (?2 IS NOT NULL OR source IS NOT NULL)",
                params![queue.name, destination, prefix, now()],
            )?;
            Ok::<_, ServiceError>(())
        })?;
        self.arrivals.notify_waiters();
        Ok(json!({"TaskHandle": Uuid::new_v4().to_string()}))
    }

    pub(super) fn purge(&self, queue: &str) -> Result<(), ServiceError> {
        self.database.write(|transaction| {
            transaction.execute("DELETE FROM aws_sqs_messages WHERE queue = ?1", [queue])?;
            Ok(())
        })
    }

    pub(super) fn counts(&self, queue: &str) -> Result<Counts, ServiceError> {
        self.database.read(|transaction| {
            Ok(transaction.query_row(
                "SELECT count(*) FILTER (WHERE visible <= ?2),
                        count(*) FILTER (WHERE visible > ?2 AND receipt IS NOT NULL),
                        count(*) FILTER (WHERE visible > ?2 AND receipt IS NULL)
                 FROM aws_sqs_messages WHERE queue = ?1",
                params![queue, now()],
                |row| {
                    Ok(Counts {
                        visible: row.get(0)?,
                        in_flight: row.get(1)?,
                        delayed: row.get(2)?,
                    })
                },
            )?)
        })
    }
}

fn receipt_of(input: &Value) -> Result<&str, ServiceError> {
    input["ReceiptHandle"].as_str().ok_or_else(|| missing("ReceiptHandle"))
}

fn deduplication_id(
    queue: &Queue,
    message: &SendMessage,
    body: &str,
) -> Result<Option<String>, ServiceError> {
    if !queue.is_fifo() {
        return Ok(None);
    }
    if message.message_group_id.is_none() {
        return Err(missing("MessageGroupId"));
    }
    if let Some(id) = &message.message_deduplication_id {
        return Ok(Some(id.clone()));
    }
    let by_content = queue.attributes.get("ContentBasedDeduplication");
    if by_content.is_some_and(|value| value == "true") {
        return Ok(Some(md5_of(body)));
    }
    Err(ServiceError::new(
        "InvalidParameterValue",
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    ))
}

/// The answer to the earlier message of this id, or this one's remembered.
fn deduplicate(
    transaction: &Transaction<'_>,
    queue: &Queue,
    id: &str,
    answer: &Value,
    now: i64,
) -> Result<Option<Value>, ServiceError> {
    transaction
        .execute("DELETE FROM aws_sqs_deduplication WHERE sent < ?1", [now - DEDUPLICATION_MS])?;
    let earlier: Option<String> = transaction
        .query_row(
            "SELECT answer FROM aws_sqs_deduplication WHERE queue = ?1 AND deduplication_id = ?2",
            [&queue.name, id],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(earlier) = earlier {
        return Ok(serde_json::from_str(&earlier).ok());
    }
    transaction.execute(
        "INSERT INTO aws_sqs_deduplication VALUES (?1, ?2, ?3, ?4)",
        params![queue.name, id, now, answer.to_string()],
    )?;
    Ok(None)
}

pub(super) fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

pub(super) fn without_nulls(value: Value) -> Value {
    let kept = members(value).into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(kept.collect())
}
