//! Events: their envelope, and the way from a bus to the targets of matching rules.

use jiff::Timestamp;
use lake::store::{ObjectEvent, ObjectEventKind};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::delivery::{Delivery, Sender};
use super::pattern::Pattern;
use super::rule::Rule;
use super::transformer::{RuleVariables, input};
use super::{EventBridge, Notice};
use crate::wire::{ServiceError, read};

/// Entries of one `PutEvents`.
const MOST_ENTRIES: usize = 10;

/// Bytes of all entries of one `PutEvents`.
const LARGEST_ENTRIES: usize = 1024 * 1024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    source: Option<String>,
    detail_type: Option<String>,
    detail: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
    time: Option<f64>,
    event_bus_name: Option<String>,
}

impl Entry {
    /// In bytes, as EventBridge counts.
    /// Source: <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html>
    fn size(&self) -> usize {
        let texts = [&self.source, &self.detail_type, &self.detail];
        let texts = texts.into_iter().flatten().map(String::len).sum::<usize>();
        let time = self.time.map_or(0, |_| 14);
        texts + time + self.resources.iter().map(String::len).sum::<usize>()
    }
}

impl Notice {
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html>
    pub fn of_object(event: &ObjectEvent) -> Self {
        let mut object = json!({"key": event.key, "sequencer": event.sequencer});
        if let Some(size) = event.size {
            object["size"] = size.into();
        }
        if let Some(etag) = &event.etag {
            object["etag"] = etag.as_str().into();
        }
        if let Some(version) = event.version_id.as_ref().filter(|version| *version != "null") {
            object["version-id"] = version.as_str().into();
        }
        let mut detail = json!({
            "version": "0",
            "bucket": {"name": event.bucket},
            "object": object,
            "request-id": Uuid::new_v4().simple().to_string()[..16].to_uppercase(),
            "requester": "local",
            "source-ip-address": "127.0.0.1",
            "reason": event.reason,
        });
        match event.kind {
            ObjectEventKind::Created => {}
            ObjectEventKind::Deleted => detail["deletion-type"] = "Permanently Deleted".into(),
            ObjectEventKind::DeleteMarkerCreated => {
                detail["deletion-type"] = "Delete Marker Created".into();
            }
        }
        Notice {
            source: "aws.s3".to_owned(),
            detail_type: event.kind.detail_type().to_owned(),
            resources: vec![format!("arn:aws:s3:::{}", event.bucket)],
            detail,
        }
    }
}

impl EventBridge {
    fn envelope(&self, notice: &Notice, time: Timestamp) -> Value {
        json!({
            "version": "0",
            "id": Uuid::new_v4().to_string(),
            "detail-type": notice.detail_type,
            "source": notice.source,
            "account": self.settings.account_id,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "region": self.settings.region,
            "resources": notice.resources,
            "detail": notice.detail,
        })
    }

    /// Sends a notice of a service on, by the default bus.
    pub fn publish(&self, notice: &Notice) -> Result<(), ServiceError> {
        let event = self.envelope(notice, lake::clock::now());
        self.route("default", &event)
    }

    pub(super) fn put_events(&self, request: &Value) -> Result<Value, ServiceError> {
        let entries: Vec<Entry> = read(request["Entries"].clone())?;
        if entries.is_empty() || entries.len() > MOST_ENTRIES {
            return Err(ServiceError::new(
                "ValidationException",
                format!(
                    "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and {MOST_ENTRIES}"
                ),
            ));
        }
        if entries.iter().map(Entry::size).sum::<usize>() > LARGEST_ENTRIES {
            return Err(ServiceError::new(
                "ValidationException",
                "Total size of the entries in the request is over the limit.",
            ));
        }
        let mut failures = 0;
        let mut answers = Vec::new();
        for entry in entries {
            match self.put_event(entry) {
                Ok(id) => answers.push(json!({"EventId": id})),
                Err(error) => {
                    failures += 1;
                    answers.push(json!({"ErrorCode": error.code, "ErrorMessage": error.message}));
                }
            }
        }
        Ok(json!({"FailedEntryCount": failures, "Entries": answers}))
    }

    fn put_event(&self, entry: Entry) -> Result<Value, ServiceError> {
        let required = |value: Option<String>, name: &str| {
            value.filter(|value| !value.is_empty()).ok_or_else(|| {
                ServiceError::new(
                    "InvalidArgument",
                    format!(
                        "Parameter {name} is not valid. Reason: {name} is a required argument."
                    ),
                )
            })
        };
        let malformed = || ServiceError::new("MalformedDetail", "Detail is malformed.");
        let source = required(entry.source, "Source")?;
        let detail_type = required(entry.detail_type, "DetailType")?;
        let detail: Value =
            serde_json::from_str(&required(entry.detail, "Detail")?).map_err(|_| malformed())?;
        if !detail.is_object() {
            return Err(malformed());
        }
        if source.starts_with("aws.") {
            return Err(ServiceError::new(
                "NotAuthorizedForSourceException",
                "Not authorized for the source.",
            ));
        }
        #[expect(clippy::cast_possible_truncation, reason = "seconds of this age")]
        let time = entry.time.and_then(|seconds| Timestamp::from_second(seconds as i64).ok());
        let notice = Notice { source, detail_type, resources: entry.resources, detail };
        let event = self.envelope(&notice, time.unwrap_or_else(lake::clock::now));
        let bus = entry.event_bus_name.unwrap_or_else(|| "default".to_owned());
        let bus = bus.rsplit('/').next().unwrap_or_default();
        self.require_bus(bus)?;
        self.route(bus, &event)?;
        Ok(event["id"].clone())
    }

    /// Starts the deliveries of one event; each is a task of its own.
    fn route(&self, bus: &str, event: &Value) -> Result<(), ServiceError> {
        let rules = self.rules.list(&format!("{bus}/"))?;
        for (_, rule) in rules {
            let pattern = rule.pattern.as_deref().and_then(|pattern| Pattern::parse(pattern).ok());
            if rule.enabled && pattern.is_some_and(|pattern| pattern.matches(event)) {
                self.deliver(&rule, event);
            }
        }
        Ok(())
    }

    /// Sends an event to all targets of a rule.
    pub(super) fn deliver(&self, rule: &Rule, event: &Value) {
        let arn = self.rule_arn(rule);
        for target in &rule.targets {
            let variables = RuleVariables { rule_arn: &arn, rule_name: &rule.name };
            let delivery = Delivery {
                source_arn: arn.clone(),
                target_arn: target.arn.clone(),
                input: input(target, event, &variables),
                dead_letter_arn: target
                    .dead_letter_config
                    .as_ref()
                    .and_then(|letters| letters.arn.clone()),
                sender: Sender::Rule {
                    role_arn: target
                        .other
                        .get("RoleArn")
                        .and_then(Value::as_str)
                        .map(str::to_owned),
                },
            };
            let Some(services) = self.link.services() else {
                return;
            };
            tokio::spawn(async move {
                // A failure has been logged, and became a dead letter where there is a queue for it.
                let _ = delivery.run(&services).await;
            });
        }
    }

    /// Fires the rules whose schedule has come, once for all processes of the data directory.
    pub fn tick(&self, since: Timestamp, now: Timestamp) -> Result<(), ServiceError> {
        for (key, rule) in self.rules.list("")? {
            let Some(schedule) = rule.schedule.as_deref().filter(|_| rule.enabled) else {
                continue;
            };
            let Ok(expression) = crate::scheduler::Expression::parse(schedule) else {
                continue;
            };
            let from = Timestamp::from_second(rule.last_fired).unwrap_or_default().max(since);
            let Some(due) = expression.next(from, &jiff::tz::TimeZone::UTC, since) else {
                continue;
            };
            if due > now {
                continue;
            }
            let claimed = self.rules.update(&key, |stored| {
                let first = stored.last_fired < due.as_second();
                stored.last_fired = stored.last_fired.max(due.as_second());
                Ok(first)
            })?;
            if claimed == Some(true) {
                let notice = Notice {
                    source: "aws.events".to_owned(),
                    detail_type: "Scheduled Event".to_owned(),
                    resources: vec![self.rule_arn(&rule)],
                    detail: json!({}),
                };
                let event = self.envelope(&notice, due);
                self.deliver(&rule, &event);
            }
        }
        Ok(())
    }
}
