//! Log events: written in batches, read by stream or searched by group.

use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Logs;
use super::group::{group_name, text};
use crate::wire::{ServiceError, read};

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS aws_log_events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        log_group TEXT NOT NULL, log_stream TEXT NOT NULL,
        timestamp INTEGER NOT NULL, ingested INTEGER NOT NULL, message TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS aws_log_events_by_stream
        ON aws_log_events (log_group, log_stream, timestamp, id);";

/// Events of one answer, as AWS bounds them.
const MOST_EVENTS: i64 = 10_000;

/// Bytes of one `PutLogEvents`, in which every event counts for so many more than its message.
/// Source: <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html>
const LARGEST_BATCH: usize = 1_048_576;
const EVENT_OVERHEAD: usize = 26;

#[derive(Deserialize)]
struct PutLogEvents {
    #[serde(rename = "logGroupName")]
    group: String,
    #[serde(rename = "logStreamName")]
    stream: String,
    #[serde(rename = "logEvents")]
    events: Vec<InputEvent>,
}

#[derive(Deserialize)]
struct InputEvent {
    timestamp: i64,
    message: String,
}

struct StoredEvent {
    id: i64,
    stream: String,
    timestamp: i64,
    ingested: i64,
    message: String,
}

/// Which events, oldest first unless `newest_first`.
struct Selection<'a> {
    group: &'a str,
    stream: Option<&'a str>,
    stream_prefix: &'a str,
    from: i64,
    /// Exclusive.
    until: i64,
    newest_first: bool,
    skip: i64,
    limit: i64,
}

impl Logs {
    pub(super) fn put_log_events(&self, input: Value) -> Result<Value, ServiceError> {
        let put: PutLogEvents = read(input)?;
        self.require_stream(&put.group, &put.stream)?;
        let size: usize = put.events.iter().map(|event| event.message.len() + EVENT_OVERHEAD).sum();
        if size > LARGEST_BATCH {
            return Err(ServiceError::new(
                "InvalidParameterException",
                format!("Upload too large: {size} bytes exceeds limit of {LARGEST_BATCH}"),
            ));
        }
        let lines = put.events.into_iter().map(|event| (event.timestamp, event.message)).collect();
        self.write(&put.group, &put.stream, lines)?;
        Ok(json!({"nextSequenceToken": "0"}))
    }

    pub(super) fn write(
        &self,
        group: &str,
        stream: &str,
        lines: Vec<(i64, String)>,
    ) -> Result<(), ServiceError> {
        let ingested = lake::clock::now().as_millisecond();
        self.database.write(|transaction| {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO aws_log_events (log_group, log_stream, timestamp, ingested, message)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for (timestamp, message) in lines {
                insert.execute(params![group, stream, timestamp, ingested, message])?;
            }
            Ok(())
        })
    }

    pub(super) fn erase(&self, group: &str, stream: Option<&str>) -> Result<(), ServiceError> {
        self.database.write(|transaction| {
            transaction.execute(
                "DELETE FROM aws_log_events
                 WHERE log_group = ?1 AND (?2 IS NULL OR log_stream = ?2)",
                params![group, stream],
            )?;
            Ok(())
        })
    }

    /// First and last timestamp of a stream.
    pub(super) fn span(
        &self,
        group: &str,
        stream: &str,
    ) -> Result<(Option<i64>, Option<i64>), ServiceError> {
        self.database.read(|transaction| {
            Ok(transaction
                .prepare_cached(
                    "SELECT min(timestamp), max(timestamp) FROM aws_log_events
                     WHERE log_group = ?1 AND log_stream = ?2",
                )?
                .query_row(params![group, stream], |row| Ok((row.get(0)?, row.get(1)?)))?)
        })
    }

    pub(super) fn get_log_events(&self, input: &Value) -> Result<Value, ServiceError> {
        let group = group_name(input)?;
        let stream = text(input, "logStreamName")?;
        self.require_stream(group, stream)?;
        let from_head = input["startFromHead"] == true || !input["nextToken"].is_null();
        let skip = position(input, "f/")?;
        let mut events = self.select(&Selection {
            newest_first: !from_head,
            stream: Some(stream),
            ..selection(input, group, skip)
        })?;
        if !from_head {
            events.reverse();
        }
        let next = skip + count(&events);
        let events: Vec<Value> = events
            .into_iter()
            .map(|event| {
                json!({"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested})
            })
            .collect();
        Ok(json!({
            "events": events,
            "nextForwardToken": format!("f/{next}"),
            "nextBackwardToken": format!("f/{skip}"),
        }))
    }

    pub(super) fn filter_log_events(&self, input: &Value) -> Result<Value, ServiceError> {
        let group = group_name(input)?;
        self.require_group(group)?;
        let terms = Terms::parse(input["filterPattern"].as_str().unwrap_or_default())?;
        let names: Vec<&str> = input["logStreamNames"]
            .as_array()
            .map(|names| names.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let skip = position(input, "f/")?;
        let chosen = selection(input, group, skip);
        let (limit, mut read, mut events) = (chosen.limit, skip, Vec::new());
        let mut complete = false;
        while !complete && (count(&events)) < limit {
            let batch = self.select(&Selection { skip: read, ..selection(input, group, skip) })?;
            complete = (count(&batch)) < limit;
            for event in batch {
                read += 1;
                let wanted = (names.is_empty() || names.contains(&event.stream.as_str()))
                    && terms.match_text(&event.message);
                if wanted {
                    events.push(json!({
                        "logStreamName": event.stream,
                        "timestamp": event.timestamp,
                        "message": event.message,
                        "ingestionTime": event.ingested,
                        "eventId": format!("{:056}", event.id),
                    }));
                }
                if count(&events) == limit {
                    complete = false;
                    break;
                }
            }
        }
        let next = (!complete).then(|| format!("f/{read}"));
        Ok(json!({"events": events, "searchedLogStreams": [], "nextToken": next}))
    }

    fn select(&self, selection: &Selection<'_>) -> Result<Vec<StoredEvent>, ServiceError> {
        let order = if selection.newest_first { "DESC" } else { "ASC" };
        let query = format!(
            "SELECT id, log_stream, timestamp, ingested, message FROM aws_log_events
             WHERE log_group = ?1 AND (?2 IS NULL OR log_stream = ?2)
               AND substr(log_stream, 1, length(?3)) = ?3
               AND timestamp >= ?4 AND timestamp < ?5
             ORDER BY timestamp {order}, id {order} LIMIT ?6 OFFSET ?7"
        );
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(&query)?;
            let rows = statement.query_map(
                params![
                    selection.group,
                    selection.stream,
                    selection.stream_prefix,
                    selection.from,
                    selection.until,
                    selection.limit,
                    selection.skip,
                ],
                |row| {
                    Ok(StoredEvent {
                        id: row.get(0)?,
                        stream: row.get(1)?,
                        timestamp: row.get(2)?,
                        ingested: row.get(3)?,
                        message: row.get(4)?,
                    })
                },
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn count<T>(items: &[T]) -> i64 {
    i64::try_from(items.len()).unwrap_or(i64::MAX)
}

fn selection<'a>(input: &'a Value, group: &'a str, skip: i64) -> Selection<'a> {
    Selection {
        group,
        stream: None,
        stream_prefix: input["logStreamNamePrefix"].as_str().unwrap_or_default(),
        from: input["startTime"].as_i64().unwrap_or(0),
        until: input["endTime"].as_i64().unwrap_or(i64::MAX),
        newest_first: false,
        skip,
        limit: input["limit"].as_i64().unwrap_or(MOST_EVENTS).clamp(1, MOST_EVENTS),
    }
}

fn position(input: &Value, prefix: &str) -> Result<i64, ServiceError> {
    let Some(token) = input["nextToken"].as_str() else {
        return Ok(0);
    };
    token.strip_prefix(prefix).and_then(|position| position.parse().ok()).ok_or_else(|| {
        ServiceError::new("InvalidParameterException", "The specified nextToken is invalid.")
    })
}

/// A filter pattern of plain terms: all must occur, `"quoted ones"` as they stand, `-terms` must not.
struct Terms(Vec<(bool, String)>);

impl Terms {
    fn parse(pattern: &str) -> Result<Self, ServiceError> {
        let pattern = pattern.trim();
        if pattern.starts_with(['{', '[', '%']) {
            return Err(ServiceError::new(
                "InvalidParameterException",
                format!("Invalid filter pattern: only terms are offered here, not '{pattern}'"),
            ));
        }
        let mut terms = Vec::new();
        let mut rest = pattern;
        while !rest.is_empty() {
            let (wanted, after) = match rest.strip_prefix('-') {
                Some(after) => (false, after),
                None => (true, rest),
            };
            let (term, after) = match after.strip_prefix('"') {
                Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
                None => after.split_once(' ').unwrap_or((after, "")),
            };
            terms.push((wanted, term.to_owned()));
            rest = after.trim_start();
        }
        Ok(Terms(terms))
    }

    fn match_text(&self, text: &str) -> bool {
        self.0.iter().all(|(wanted, term)| text.contains(term.as_str()) == *wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::Terms;

    #[test]
    fn terms_select_lines() {
        for (pattern, line, expected) in [
            ("", "anything", true),
            ("ERROR", "an ERROR here", true),
            ("ERROR load", "ERROR in load", true),
            ("ERROR -load", "ERROR in load", false),
            ("\"Task timed out\"", "x Task timed out after", true),
        ] {
            assert_eq!(Terms::parse(pattern).unwrap().match_text(line), expected, "{pattern}");
        }
        assert!(Terms::parse("{ $.level = \"ERROR\" }").is_err());
    }
}
