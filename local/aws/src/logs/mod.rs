//! CloudWatch Logs: groups, streams and their events, which functions and clients write and people read.
//!
//! Own implementation: `winterbaume-cloudwatchlogs` (13,000 lines) keeps events in memory; the Lambda host needs a
//! writer in process and a reader in the next command.

mod event;
mod group;

use std::sync::Arc;

use jiff::Timestamp;
use lake::Database;
use serde_json::Value;

use crate::Settings;
use crate::collection::Collection;
use crate::wire::ServiceError;

use group::{Group, Stream};

/// Bytes that CloudWatch Logs bills for an event: its text, and 26 bytes of its own.
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
pub(crate) fn billed_bytes(message: &str) -> u64 {
    message.len() as u64 + 26
}

/// The CloudWatch Logs service.
pub struct Logs {
    settings: Arc<Settings>,
    database: Arc<Database>,
    groups: Collection<Group>,
    streams: Collection<Stream>,
}

impl Logs {
    pub fn open(lake: &lake::Lake, settings: Arc<Settings>) -> Result<Self, ServiceError> {
        let database = lake.database().clone();
        database.install(event::SCHEMA)?;
        Ok(Logs {
            settings,
            groups: Collection::open(&database, "logs/group")?,
            streams: Collection::open(&database, "logs/stream")?,
            database,
        })
    }

    pub fn operation(&self, action: &str, input: Value) -> Result<Value, ServiceError> {
        match action {
            "CreateLogGroup" => self.create_log_group(&input),
            "DescribeLogGroups" => self.describe_log_groups(&input),
            "DeleteLogGroup" => self.delete_log_group(&input),
            "PutRetentionPolicy" => self.set_retention(&input, input["retentionInDays"].as_u64()),
            "DeleteRetentionPolicy" => self.set_retention(&input, None),
            "CreateLogStream" => self.create_log_stream(&input),
            "DescribeLogStreams" => self.describe_log_streams(&input),
            "DeleteLogStream" => self.delete_log_stream(&input),
            "PutLogEvents" => self.put_log_events(input),
            "GetLogEvents" => self.get_log_events(&input),
            "FilterLogEvents" => self.filter_log_events(&input),
            _ => Err(ServiceError::unknown_operation("CloudWatch Logs", action)),
        }
    }

    /// Writes lines into a stream, making group and stream where they are missing (as Lambda's own role may).
    pub fn append(
        &self,
        group: &str,
        stream: &str,
        lines: Vec<(Timestamp, String)>,
    ) -> Result<(), ServiceError> {
        self.ensure(group, stream)?;
        let lines = lines.into_iter().map(|(time, text)| (time.as_millisecond(), text)).collect();
        self.write(group, stream, lines)
    }
}
