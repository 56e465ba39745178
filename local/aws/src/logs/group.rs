//! Log groups and log streams.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Logs;
use crate::wire::{ServiceError, page};

#[derive(Serialize, Deserialize)]
pub struct Group {
    pub created: i64,
    pub retention_days: Option<u64>,
}

#[derive(Serialize, Deserialize)]
pub struct Stream {
    pub created: i64,
}

/// A member that must be there.
pub(super) fn text<'a>(input: &'a Value, member: &str) -> Result<&'a str, ServiceError> {
    input[member].as_str().filter(|text| !text.is_empty()).ok_or_else(|| {
        ServiceError::new(
            "InvalidParameterException",
            format!("1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"),
        )
    })
}

/// The group a request means, by name or by ARN.
pub(super) fn group_name(input: &Value) -> Result<&str, ServiceError> {
    match input["logGroupIdentifier"].as_str() {
        Some(identifier) => Ok(identifier
            .split_once(":log-group:")
            .map_or(identifier, |(_, name)| name.trim_end_matches(":*"))),
        None => text(input, "logGroupName"),
    }
}

fn not_found(what: &str) -> ServiceError {
    ServiceError::new(
        "ResourceNotFoundException",
        format!("The specified log {what} does not exist."),
    )
}

fn exists(what: &str) -> ServiceError {
    ServiceError::new(
        "ResourceAlreadyExistsException",
        format!("The specified log {what} already exists"),
    )
}

/// `<group>:<stream>`: no name may hold a colon.
fn stream_key(group: &str, stream: &str) -> String {
    format!("{group}:{stream}")
}

impl Logs {
    fn arn(&self, group: &str) -> String {
        self.settings.arn("logs", &format!("log-group:{group}"))
    }

    pub(super) fn require_group(&self, group: &str) -> Result<(), ServiceError> {
        match self.groups.get(group)? {
            Some(_) => Ok(()),
            None => Err(not_found("group")),
        }
    }

    pub(super) fn require_stream(&self, group: &str, stream: &str) -> Result<(), ServiceError> {
        self.require_group(group)?;
        match self.streams.get(&stream_key(group, stream))? {
            Some(_) => Ok(()),
            None => Err(not_found("stream")),
        }
    }

    pub(super) fn ensure(&self, group: &str, stream: &str) -> Result<(), ServiceError> {
        let key = stream_key(group, stream);
        if self.streams.get(&key)?.is_some() {
            return Ok(());
        }
        let created = lake::clock::now().as_millisecond();
        let new = Group { created, retention_days: None };
        self.groups.insert(group, &new)?;
        self.streams.insert(&key, &Stream { created })?;
        Ok(())
    }

    pub(super) fn create_log_group(&self, input: &Value) -> Result<Value, ServiceError> {
        let group = Group { created: lake::clock::now().as_millisecond(), retention_days: None };
        if self.groups.insert(text(input, "logGroupName")?, &group)? {
            Ok(Value::Null)
        } else {
            Err(exists("group"))
        }
    }

    pub(super) fn describe_log_groups(&self, input: &Value) -> Result<Value, ServiceError> {
        let prefix = input["logGroupNamePrefix"].as_str().unwrap_or_default();
        let pattern = input["logGroupNamePattern"].as_str().unwrap_or_default();
        let groups = self.groups.list(prefix)?;
        let groups = groups.into_iter().filter(|(name, _)| name.contains(pattern)).collect();
        let (groups, next) =
            page(groups, input["limit"].as_u64(), 50, input["nextToken"].as_str())?;
        let groups: Vec<Value> = groups
            .into_iter()
            .map(|(name, group)| {
                let mut shown = json!({
                    "logGroupName": name,
                    "creationTime": group.created,
                    "metricFilterCount": 0,
                    "arn": format!("{}:*", self.arn(&name)),
                    "logGroupArn": self.arn(&name),
                    "logGroupClass": "STANDARD",
                    "storedBytes": 0,
                });
                if let Some(days) = group.retention_days {
                    shown["retentionInDays"] = days.into();
                }
                shown
            })
            .collect();
        Ok(json!({"logGroups": groups, "nextToken": next}))
    }

    pub(super) fn delete_log_group(&self, input: &Value) -> Result<Value, ServiceError> {
        let group = text(input, "logGroupName")?;
        if !self.groups.delete(group)? {
            return Err(not_found("group"));
        }
        for (key, _) in self.streams.list(&stream_key(group, ""))? {
            self.streams.delete(&key)?;
        }
        self.erase(group, None)?;
        Ok(Value::Null)
    }

    pub(super) fn set_retention(
        &self,
        input: &Value,
        days: Option<u64>,
    ) -> Result<Value, ServiceError> {
        let changed = self.groups.update(text(input, "logGroupName")?, |group| {
            group.retention_days = days;
            Ok(Value::Null)
        })?;
        changed.ok_or_else(|| not_found("group"))
    }

    pub(super) fn create_log_stream(&self, input: &Value) -> Result<Value, ServiceError> {
        let group = text(input, "logGroupName")?;
        self.require_group(group)?;
        let stream = Stream { created: lake::clock::now().as_millisecond() };
        let key = stream_key(group, text(input, "logStreamName")?);
        if self.streams.insert(&key, &stream)? { Ok(Value::Null) } else { Err(exists("stream")) }
    }

    pub(super) fn describe_log_streams(&self, input: &Value) -> Result<Value, ServiceError> {
        let group = group_name(input)?;
        self.require_group(group)?;
        let own = stream_key(group, "");
        let prefix = input["logStreamNamePrefix"].as_str().unwrap_or_default();
        let mut streams = Vec::new();
        for (key, stream) in self.streams.list(&stream_key(group, prefix))? {
            let name = key[own.len()..].to_owned();
            let (first, last) = self.span(group, &name)?;
            streams.push(json!({
                "logStreamName": name,
                "creationTime": stream.created,
                "firstEventTimestamp": first,
                "lastEventTimestamp": last,
                "lastIngestionTime": last,
                "arn": format!("{}:log-stream:{name}", self.arn(group)),
                "storedBytes": 0,
            }));
        }
        if input["orderBy"] == "LastEventTime" {
            streams.sort_by_key(|stream| stream["lastEventTimestamp"].as_i64());
        }
        if input["descending"] == true {
            streams.reverse();
        }
        let (streams, next) =
            page(streams, input["limit"].as_u64(), 50, input["nextToken"].as_str())?;
        Ok(json!({"logStreams": streams, "nextToken": next}))
    }

    pub(super) fn delete_log_stream(&self, input: &Value) -> Result<Value, ServiceError> {
        let group = text(input, "logGroupName")?;
        let stream = text(input, "logStreamName")?;
        self.require_group(group)?;
        if !self.streams.delete(&stream_key(group, stream))? {
            return Err(not_found("stream"));
        }
        self.erase(group, Some(stream))?;
        Ok(Value::Null)
    }
}
