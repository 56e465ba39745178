//! How queries stand: GetQueryExecution and its siblings, StopQueryExecution.

use serde_json::{Value, json};

use super::query::{QueryExecution, State};
use super::refusal::{constraint, invalid, page_size, text};
use super::{Athena, now};
use crate::wire::ServiceError;

/// Source: <https://docs.aws.amazon.com/athena/latest/APIReference/API_BatchGetQueryExecution.html>
const LARGEST_BATCH: usize = 50;
const LARGEST_LIST: u64 = 50;

fn not_found(id: &str) -> ServiceError {
    invalid(format!("QueryExecution {id} was not found"))
}

impl Athena {
    pub(super) fn query(&self, id: &str) -> Result<QueryExecution, ServiceError> {
        self.executions.get(id)?.ok_or_else(|| not_found(id))
    }

    /// The workgroup of a query, if there is such a query.
    pub fn workgroup_of(&self, id: &str) -> Option<String> {
        self.executions.get(id).ok().flatten().map(|query| query.workgroup)
    }

    /// Waits until a query has ended, without polling where this process runs it.
    pub async fn finished(&self, id: &str) -> Result<QueryExecution, ServiceError> {
        self.executions.finished(id).await?.ok_or_else(|| not_found(id))
    }

    pub(super) fn get_query_execution(&self, input: &Value) -> Result<Value, ServiceError> {
        let query = self.query(text(input, "QueryExecutionId")?)?;
        Ok(json!({"QueryExecution": query.shape(now())}))
    }

    pub(super) fn batch_get_query_execution(&self, input: &Value) -> Result<Value, ServiceError> {
        let ids = input["QueryExecutionIds"].as_array().map(Vec::as_slice).unwrap_or_default();
        if ids.is_empty() || ids.len() > LARGEST_BATCH {
            let lengths = format!("Member must have length between 1 and {LARGEST_BATCH}");
            return Err(constraint(&ids.len().to_string(), "queryExecutionIds", &lengths));
        }
        let (mut found, mut unprocessed) = (Vec::new(), Vec::new());
        for id in ids.iter().filter_map(Value::as_str) {
            match self.executions.get(id)? {
                Some(query) => found.push(query.shape(now())),
                None => unprocessed.push(json!({
                    "QueryExecutionId": id,
                    "ErrorCode": "INVALID_INPUT",
                    "ErrorMessage": not_found(id).message,
                })),
            }
        }
        Ok(json!({"QueryExecutions": found, "UnprocessedQueryExecutionIds": unprocessed}))
    }

    pub(super) fn list_query_executions(&self, input: &Value) -> Result<Value, ServiceError> {
        let group = self.work_group_of(input)?;
        let asked = page_size(input, 0, LARGEST_LIST)?.filter(|size| *size > 0);
        let size = asked.unwrap_or(LARGEST_LIST);
        let before = match input["NextToken"].as_str() {
            None => i64::MAX,
            Some(token) => token.parse().map_err(|_| invalid("Invalid pagination token"))?,
        };
        let count = i64::try_from(size).unwrap_or(i64::MAX);
        // One more than asked for tells whether there is a next page.
        let mut listed = self.executions.queries.list(&group.name, before, count + 1)?;
        let more = listed.len() as u64 > size;
        listed.truncate(usize::try_from(size).unwrap_or(usize::MAX));
        let next = listed.last().filter(|_| more).map(|(place, _)| place.to_string());
        let ids: Vec<String> = listed.into_iter().map(|(_, id)| id).collect();
        Ok(json!({"QueryExecutionIds": ids, "NextToken": next}))
    }

    pub(super) fn stop_query_execution(&self, input: &Value) -> Result<Value, ServiceError> {
        let query = self.query(text(input, "QueryExecutionId")?)?;
        self.executions.stop(&query.id)?;
        Ok(json!({}))
    }

    pub(super) fn get_query_runtime_statistics(
        &self,
        input: &Value,
    ) -> Result<Value, ServiceError> {
        let query = self.query(text(input, "QueryExecutionId")?)?;
        let timeline = query.timeline(now());
        let mut statistics = json!({"Timeline": {
            "QueryQueueTimeInMillis": timeline.queue,
            "ServicePreProcessingTimeInMillis": timeline.preprocessing,
            "QueryPlanningTimeInMillis": timeline.planning,
            "EngineExecutionTimeInMillis": timeline.engine,
            "ServiceProcessingTimeInMillis": timeline.processing,
            "TotalExecutionTimeInMillis": timeline.total(),
        }});
        if query.state == State::Succeeded {
            statistics["Rows"] = json!({
                "InputBytes": timeline.scanned_bytes,
                "OutputBytes": timeline.written_bytes,
                "OutputRows": query.answer.update_count.unwrap_or(query.answer.rows),
            });
        }
        Ok(json!({"QueryRuntimeStatistics": statistics}))
    }
}
