//! SQS: queues with visibility timeouts, dead-letter redrive and first-in-first-out order, on the data directory's
//! database: dead letters outlast the process that sent them, and another process may read them.
//!
//! Own implementation: `winterbaume-sqs` keeps queues in memory and saves its state as a whole, so two processes on one
//! data directory would overwrite each other's messages.

mod attributes;
mod batch;
mod message;
mod queue;
mod receive;

use std::sync::Arc;

use lake::Database;
use serde_json::Value;
use tokio::sync::Notify;

use crate::Settings;
use crate::collection::Collection;
use crate::wire::ServiceError;

pub use queue::Queue;

/// The SQS service.
pub struct Sqs {
    settings: Arc<Settings>,
    database: Arc<Database>,
    queues: Collection<Queue>,
    /// Wakes receivers of this process that poll long.
    arrivals: Notify,
}

impl Sqs {
    pub fn open(lake: &lake::Lake, settings: Arc<Settings>) -> Result<Self, ServiceError> {
        let database = lake.database().clone();
        database.install(message::SCHEMA)?;
        Ok(Sqs {
            settings,
            queues: Collection::open(&database, "sqs/queue")?,
            database,
            arrivals: Notify::new(),
        })
    }

    pub async fn operation(&self, action: &str, input: Value) -> Result<Value, ServiceError> {
        match action {
            "ReceiveMessage" => self.receive_message(input).await,
            "CreateQueue" => self.create_queue(input),
            "GetQueueUrl" => self.get_queue_url(&input),
            "ListQueues" => self.list_queues(&input),
            "DeleteQueue" => self.delete_queue(&input),
            "PurgeQueue" => self.purge_queue(&input),
            "GetQueueAttributes" => self.get_queue_attributes(&input),
            "SetQueueAttributes" => self.set_queue_attributes(&input),
            "ListDeadLetterSourceQueues" => self.list_dead_letter_source_queues(&input),
            "TagQueue" => self.tag_queue(&input),
            "UntagQueue" => self.untag_queue(&input),
            "ListQueueTags" => self.list_queue_tags(&input),
            "SendMessage" => self.send_message(input),
            "DeleteMessage" => self.delete_message(&input),
            "ChangeMessageVisibility" => self.change_message_visibility(&input),
            "SendMessageBatch" | "DeleteMessageBatch" | "ChangeMessageVisibilityBatch" => {
                self.batch(action, &input)
            }
            "StartMessageMoveTask" => self.start_message_move_task(&input),
            _ => Err(ServiceError::unknown_operation("SQS", action)),
        }
    }
}

/// The code of the time when SQS spoke awsQuery, which clients still know some errors by (`x-amzn-query-error`).
pub fn query_code(code: &str) -> Option<&'static str> {
    match code {
        "QueueDoesNotExist" => Some("AWS.SimpleQueueService.NonExistentQueue"),
        "QueueNameExists" => Some("QueueAlreadyExists"),
        "EmptyBatchRequest" => Some("AWS.SimpleQueueService.EmptyBatchRequest"),
        "TooManyEntriesInBatchRequest" => {
            Some("AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
        }
        "BatchRequestTooLong" => Some("AWS.SimpleQueueService.BatchRequestTooLong"),
        "BatchEntryIdsNotDistinct" => Some("AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
        "MessageNotInflight" => Some("AWS.SimpleQueueService.MessageNotInflight"),
        _ => None,
    }
}
