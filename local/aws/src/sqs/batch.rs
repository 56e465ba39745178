//! Batches: the single operations over up to ten entries, each with its own success or failure.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::Sqs;
use crate::wire::ServiceError;

/// SQS's limit of entries in one batch.
const MOST_ENTRIES: usize = 10;

/// SQS's limit of the messages of one batch, in bytes.
const LARGEST_BATCH: usize = 1024 * 1024;

impl Sqs {
    pub(super) fn batch(&self, action: &str, input: &Value) -> Result<Value, ServiceError> {
        let queue = self.queue_of(input)?;
        let url = self.url(&queue.name);
        let entries = checked(input["Entries"].as_array())?;
        if action == "SendMessageBatch" {
            check_size(entries)?;
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            let mut single = entry.clone();
            single["QueueUrl"] = url.clone().into();
            let done = match action {
                "SendMessageBatch" => self.send_message(single),
                "DeleteMessageBatch" => self.delete_message(&single),
                _ => self.change_message_visibility(&single),
            };
            match done {
                Ok(mut answer) => {
                    if answer.is_null() {
                        answer = json!({});
                    }
                    answer["Id"] = entry["Id"].clone();
                    successful.push(answer);
                }
                Err(error) => failed.push(json!({
                    "Id": entry["Id"],
                    "SenderFault": error.status < 500,
                    "Code": error.code,
                    "Message": error.message,
                })),
            }
        }
        let mut answer = json!({"Successful": successful});
        if !failed.is_empty() {
            answer["Failed"] = failed.into();
        }
        Ok(answer)
    }
}

/// All messages together are held to what one may have.
fn check_size(entries: &[Value]) -> Result<(), ServiceError> {
    let attributes = |entry: &Value| match &entry["MessageAttributes"] {
        Value::Object(attributes) if !attributes.is_empty() => {
            entry["MessageAttributes"].to_string().len()
        }
        _ => 0,
    };
    let body = |entry: &Value| entry["MessageBody"].as_str().map_or(0, str::len);
    let sent: usize = entries.iter().map(|entry| body(entry) + attributes(entry)).sum();
    if sent > LARGEST_BATCH {
        return Err(ServiceError::new(
            "BatchRequestTooLong",
            format!(
                "Batch requests cannot be longer than {LARGEST_BATCH} bytes. You have sent {sent} bytes."
            ),
        ));
    }
    Ok(())
}

fn checked(entries: Option<&Vec<Value>>) -> Result<&Vec<Value>, ServiceError> {
    let entries = entries.filter(|entries| !entries.is_empty()).ok_or_else(|| {
        ServiceError::new("EmptyBatchRequest", "There should be at least one entry in the request.")
    })?;
    if entries.len() > MOST_ENTRIES {
        return Err(ServiceError::new(
            "TooManyEntriesInBatchRequest",
            format!(
                "Maximum number of entries per request are 10. You have sent {}.",
                entries.len()
            ),
        ));
    }
    let mut ids = HashSet::new();
    for entry in entries {
        let id = entry["Id"].as_str().unwrap_or_default();
        if !ids.insert(id) {
            return Err(ServiceError::new(
                "BatchEntryIdsNotDistinct",
                format!("Id {id} repeated."),
            ));
        }
    }
    Ok(entries)
}
