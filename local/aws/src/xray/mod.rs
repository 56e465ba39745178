//! X-Ray: the traces of executions, from what Step Functions and Lambda here write and what functions send to the
//! daemon, which is a UDP port of this process.

mod daemon;
mod document;
mod header;
mod rest;

use std::net::SocketAddr;
use std::sync::Arc;

use lake::Database;
use rusqlite::params;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::wire::ServiceError;

pub use header::TraceHeader;

/// A row is a segment, or a subsegment that came by itself. Times are seconds since 1970.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS aws_segments (
        trace TEXT NOT NULL, id TEXT NOT NULL, start REAL NOT NULL, document TEXT NOT NULL,
        PRIMARY KEY (trace, id)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS aws_segments_by_start ON aws_segments (start);";

/// Trace ids of one `BatchGetTraces`.
/// Source: <https://docs.aws.amazon.com/xray/latest/api/API_BatchGetTraces.html>
const MOST_TRACES: usize = 5;

/// The X-Ray service. To be opened inside a Tokio runtime, which listens for it.
pub struct XRay {
    database: Arc<Database>,
    daemon: SocketAddr,
    _listener: JoinSet<()>,
}

impl XRay {
    pub fn open(database: &Arc<Database>) -> Result<Self, ServiceError> {
        database.install(SCHEMA)?;
        let (daemon, listener) = daemon::listen(database).map_err(ServiceError::internal)?;
        Ok(XRay { database: database.clone(), daemon, _listener: listener })
    }

    /// Where functions send their subsegments: `AWS_XRAY_DAEMON_ADDRESS`.
    pub fn daemon(&self) -> SocketAddr {
        self.daemon
    }

    /// Keeps a segment that a service of ours has made.
    pub fn record(&self, document: &Value) {
        if let Err(error) = put(&self.database, document) {
            tracing::warn!(%error, "a segment was not kept");
        }
    }

    pub fn operation(&self, action: &str, input: &Value) -> Result<Value, ServiceError> {
        match action {
            "PutTraceSegments" => self.put_trace_segments(input),
            "BatchGetTraces" => self.batch_get_traces(input),
            "GetTraceSummaries" => self.get_trace_summaries(input),
            _ => Err(ServiceError::unknown_operation("X-Ray", action)),
        }
    }

    fn put_trace_segments(&self, input: &Value) -> Result<Value, ServiceError> {
        let mut unprocessed = Vec::new();
        for text in texts(input, "TraceSegmentDocuments")? {
            let document: Value = serde_json::from_str(text).unwrap_or_default();
            if let Err(error) = put(&self.database, &document) {
                unprocessed.push(json!({
                    "Id": document["id"], "ErrorCode": error.code, "Message": error.message,
                }));
            }
        }
        Ok(json!({"UnprocessedTraceSegments": unprocessed}))
    }

    fn batch_get_traces(&self, input: &Value) -> Result<Value, ServiceError> {
        let ids = texts(input, "TraceIds")?;
        if ids.len() > MOST_TRACES {
            return Err(invalid(format!("TraceIds has more than {MOST_TRACES} members")));
        }
        let (mut traces, mut unprocessed) = (Vec::new(), Vec::new());
        for id in ids {
            match self.segments(id)? {
                segments if segments.is_empty() => unprocessed.push(id),
                segments => traces.push(document::trace(id, segments)),
            }
        }
        Ok(json!({"Traces": traces, "UnprocessedTraceIds": unprocessed}))
    }

    fn get_trace_summaries(&self, input: &Value) -> Result<Value, ServiceError> {
        let time = |member: &str| {
            input[member].as_f64().ok_or_else(|| invalid(format!("{member} is missing")))
        };
        let (from, until) = (time("StartTime")?, time("EndTime")?);
        if input.get("FilterExpression").is_some_and(|filter| !filter.is_null()) {
            return Err(invalid("filter expressions are not offered here"));
        }
        let ids: Vec<String> = self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT trace FROM aws_segments WHERE start >= ?1 AND start < ?2
                 GROUP BY trace ORDER BY min(start)",
            )?;
            let rows = statement.query_map(params![from, until], |row| row.get(0))?;
            Ok::<_, ServiceError>(rows.collect::<Result<_, _>>()?)
        })?;
        let mut summaries = Vec::new();
        for id in &ids {
            summaries.push(document::summary(id, &self.segments(id)?));
        }
        Ok(json!({"TraceSummaries": summaries, "TracesProcessedCount": ids.len()}))
    }

    /// The documents of a trace, the earliest first.
    fn segments(&self, trace: &str) -> Result<Vec<Value>, ServiceError> {
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT document FROM aws_segments WHERE trace = ?1 ORDER BY start, id",
            )?;
            let rows = statement.query_map([trace], |row| row.get::<_, String>(0))?;
            rows.map(|text| serde_json::from_str(&text?).map_err(ServiceError::internal)).collect()
        })
    }
}

/// Keeps a document, in the place of an earlier one with its id (an `in_progress` one).
fn put(database: &Database, document: &Value) -> Result<(), ServiceError> {
    let text = |member: &str| {
        document[member].as_str().ok_or_else(|| invalid(format!("the segment has no {member}")))
    };
    let (trace, id) = (text("trace_id")?, text("id")?);
    let start = document["start_time"].as_f64();
    let start = start.ok_or_else(|| invalid("the segment has no start_time"))?;
    database.write(|transaction| {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO aws_segments VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![trace, id, start, document.to_string()])?;
        Ok(())
    })
}

fn texts<'a>(input: &'a Value, member: &str) -> Result<Vec<&'a str>, ServiceError> {
    let members = input[member].as_array();
    let members = members.ok_or_else(|| invalid(format!("{member} is missing")))?;
    Ok(members.iter().filter_map(Value::as_str).collect())
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new("InvalidRequestException", message)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lake::Lake;

    use super::*;

    #[tokio::test]
    async fn what_the_daemon_hears_is_part_of_its_trace() {
        let lake = Lake::temporary().unwrap();
        let xray = XRay::open(lake.database()).unwrap();
        xray.record(&json!({
            "trace_id": "1-a-b", "id": "f", "name": "load", "start_time": 10.0, "end_time": 12.0,
        }));
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let call = json!({
            "type": "subsegment", "trace_id": "1-a-b", "id": "c", "parent_id": "i", "name": "S3",
            "start_time": 10.5, "end_time": 11.0, "error": true,
        });
        let invocation = json!({
            "type": "subsegment", "trace_id": "1-a-b", "id": "i", "parent_id": "f",
            "name": "invocation", "start_time": 10.2, "end_time": 11.5,
        });
        let header = json!({"format": "json", "version": 1});
        for text in [
            "no segment".to_owned(),
            format!("{header}\n{call}"),
            format!("{header}\n{invocation}"),
        ] {
            socket.send_to(text.as_bytes(), xray.daemon()).unwrap();
        }
        let all = async {
            while xray.segments("1-a-b").unwrap().len() < 3 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), all).await.unwrap();
        let input = json!({"TraceIds": ["1-a-b", "1-c-d"]});
        let answer = xray.operation("BatchGetTraces", &input).unwrap();
        assert_eq!(answer["UnprocessedTraceIds"], json!(["1-c-d"]));
        let segments = answer["Traces"][0]["Segments"].as_array().unwrap();
        assert_eq!(segments.len(), 1);
        let document: Value =
            serde_json::from_str(segments[0]["Document"].as_str().unwrap()).unwrap();
        assert_eq!(document["subsegments"][0]["name"], "invocation");
        assert_eq!(document["subsegments"][0]["subsegments"][0]["name"], "S3");
        let input = json!({"StartTime": 0.0, "EndTime": 100.0});
        let answer = xray.operation("GetTraceSummaries", &input).unwrap();
        let expected = json!([{"Id": "1-a-b", "Duration": 2.0, "ResponseTime": 2.0, "HasError": true, "HasFault": false}]);
        assert_eq!(answer["TraceSummaries"], expected);
    }
}
