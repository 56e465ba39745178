//! Messages: sent, received for a while, deleted or moved to the dead-letter queue.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::Sqs;
use super::attributes::{md5_of, md5_of_attributes, selected};
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

/// How often a long poll looks for messages of another process.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

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

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiveMessage {
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<u64>,
    #[serde(default, alias = "MessageSystemAttributeNames")]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

struct Stored {
    id: i64,
    message_id: String,
    body: String,
    attributes: String,
    sent: i64,
    receives: i64,
    first_received: Option<i64>,
    group_id: Option<String>,
    deduplication_id: Option<String>,
    trace: Option<String>,
    source: Option<String>,
}

fn now() -> i64 {
    Timestamp::now().as_millisecond()
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

    pub(super) async fn receive_message(&self, input: Value) -> Result<Value, ServiceError> {
        let queue = self.queue_of(&input)?;
        let receive: ReceiveMessage = read(input)?;
        let wait = receive.wait_time_seconds.unwrap_or_else(|| {
            u64::try_from(queue.number("ReceiveMessageWaitTimeSeconds")).unwrap_or(0)
        });
        let deadline = Instant::now() + Duration::from_secs(wait.min(20));
        loop {
            let arrived = self.arrivals.notified();
            let messages = self.receive(&queue, &receive)?;
            if !messages.is_empty() {
                return Ok(json!({"Messages": messages}));
            }
            if Instant::now() >= deadline {
                return Ok(json!({}));
            }
            let again = (Instant::now() + LOOK_AGAIN).min(deadline);
            tokio::select! {
                () = arrived => {}
                () = tokio::time::sleep_until(again) => {}
            }
        }
    }

    fn receive(&self, queue: &Queue, asked: &ReceiveMessage) -> Result<Vec<Value>, ServiceError> {
        let most = asked.max_number_of_messages.unwrap_or(1);
        if !(1..=10).contains(&most) {
            return Err(ServiceError::new(
                "InvalidParameterValue",
                format!(
                    "Value {most} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
                ),
            ));
        }
        let now = now();
        let timeout = asked.visibility_timeout.unwrap_or_else(|| queue.number("VisibilityTimeout"));
        self.database.write(|transaction| {
            let retention = queue.number("MessageRetentionPeriod") * 1000;
            transaction.execute(
                "DELETE FROM aws_sqs_messages WHERE queue = ?1 AND sent < ?2",
                params![queue.name, now - retention],
            )?;
            self.move_dead_letters(transaction, queue, now)?;
            let mut messages = Vec::new();
            for stored in visible(transaction, queue, now, most)? {
                let receipt = Uuid::new_v4().to_string();
                transaction.execute(
                    "UPDATE aws_sqs_messages SET visible = ?2, receives = receives + 1, receipt = ?3,
                     first_received = coalesce(first_received, ?4) WHERE id = ?1",
                    params![stored.id, now + timeout * 1000, receipt, now],
                )?;
                messages.push(self.shown(&stored, asked, &receipt, now));
            }
            Ok(messages)
        })
    }

    fn shown(&self, stored: &Stored, asked: &ReceiveMessage, receipt: &str, now: i64) -> Value {
        let system = json!({
            "SenderId": self.settings.account_id,
            "SentTimestamp": stored.sent.to_string(),
            "ApproximateReceiveCount": (stored.receives + 1).to_string(),
            "ApproximateFirstReceiveTimestamp": stored.first_received.unwrap_or(now).to_string(),
            "MessageGroupId": stored.group_id,
            "MessageDeduplicationId": stored.deduplication_id,
            "SequenceNumber": stored.group_id.is_some().then(|| format!("{:020}", stored.id)),
            "AWSTraceHeader": stored.trace,
            "DeadLetterQueueSourceArn": stored.source,
        });
        let system = members(without_nulls(system));
        let attributes = serde_json::from_str(&stored.attributes).map(members).unwrap_or_default();
        let attributes = selected(attributes, &asked.message_attribute_names);
        let mut message = json!({
            "MessageId": stored.message_id,
            "ReceiptHandle": receipt,
            "MD5OfBody": md5_of(&stored.body),
            "Body": stored.body,
        });
        let system = selected(system, &asked.attribute_names);
        if !system.is_empty() {
            message["Attributes"] = Value::Object(system);
        }
        if !attributes.is_empty() {
            message["MD5OfMessageAttributes"] = md5_of_attributes(&attributes).into();
            message["MessageAttributes"] = Value::Object(attributes);
        }
        message
    }

    /// Messages received as often as the redrive policy allows move on instead of being received again.
    fn move_dead_letters(
        &self,
        transaction: &Transaction<'_>,
        queue: &Queue,
        now: i64,
    ) -> Result<(), ServiceError> {
        let Some(redrive) = queue.redrive() else {
            return Ok(());
        };
        let target = redrive.dead_letter_arn.rsplit(':').next().unwrap_or_default();
        transaction.execute(
            "UPDATE aws_sqs_messages SET queue = ?2, receipt = NULL, source = ?3
             WHERE queue = ?1 AND visible <= ?4 AND receives >= ?5",
            params![
                queue.name,
                target,
                self.arn(&queue.name),
                now,
                i64::try_from(redrive.max_receive_count).unwrap_or(i64::MAX),
            ],
        )?;
        Ok(())
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

/// Messages to hand out: oldest first; in FIFO queues none of a group that is being worked on.
fn visible(
    transaction: &Transaction<'_>,
    queue: &Queue,
    now: i64,
    most: i64,
) -> Result<Vec<Stored>, ServiceError> {
    let mut statement = transaction.prepare_cached(
        "SELECT id, message_id, body, attributes, sent, receives, first_received, group_id,
                deduplication_id, trace, source
         FROM aws_sqs_messages AS message
         WHERE queue = ?1 AND visible <= ?2
           AND (group_id IS NULL OR NOT ?4 OR NOT EXISTS (
               SELECT 1 FROM aws_sqs_messages AS earlier
               WHERE earlier.queue = message.queue AND earlier.group_id = message.group_id
                 AND earlier.id < message.id AND earlier.visible > ?2))
         ORDER BY id LIMIT ?3",
    )?;
    let rows = statement.query_map(params![queue.name, now, most, queue.is_fifo()], stored)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn stored(row: &Row<'_>) -> Result<Stored, rusqlite::Error> {
    Ok(Stored {
        id: row.get(0)?,
        message_id: row.get(1)?,
        body: row.get(2)?,
        attributes: row.get(3)?,
        sent: row.get(4)?,
        receives: row.get(5)?,
        first_received: row.get(6)?,
        group_id: row.get(7)?,
        deduplication_id: row.get(8)?,
        trace: row.get(9)?,
        source: row.get(10)?,
    })
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

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn without_nulls(value: Value) -> Value {
    let kept = members(value).into_iter().filter(|(_, value)| !value.is_null());
    Value::Object(kept.collect())
}
