//! Receiving: messages handed out for a while, or moved to the dead-letter queue when that happened too often.

use std::time::Duration;

use rusqlite::{Row, Transaction, params};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::Instant;
use uuid::Uuid;

use super::Sqs;
use super::attributes::{md5_of, md5_of_attributes, selected};
use super::message::{members, now, without_nulls};
use super::queue::Queue;
use crate::wire::{ServiceError, read};

/// How often a long poll looks for messages of another process.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

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

impl Sqs {
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
