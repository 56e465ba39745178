//! A query as Athena reports it: its state, then all pages of its result.

use aws_sdk_athena::Client;
use aws_sdk_athena::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_athena::types::{
    QueryExecution, QueryExecutionState, QueryExecutionStatistics, QueryExecutionStatus, Row,
    StatementType,
};
use shared::error::{ErrorName, NamedError};
use shared::storage::sdk_reason;

use crate::result::{Column, QueryResult};

/// `ErrorCategory` of a fault of Athena's own (Athena user guide, "Error reference").
const SYSTEM_ERROR: i32 = 1;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum QueryError {
    #[error("query {id} is {state}")]
    NotFinished { id: String, state: String },
    #[error("query {id} {state}: {reason}")]
    Failed { id: String, state: String, reason: String, transient: bool },
    #[error("Athena did not answer about query {id}: {reason}")]
    Unavailable { id: String, reason: String },
    #[error("Athena refuses to answer about query {id}: {reason}")]
    Refused { id: String, reason: String },
}

impl NamedError for QueryError {
    fn name(&self) -> ErrorName {
        match self {
            Self::NotFinished { .. } => ErrorName::AthenaNotFinished,
            Self::Failed { transient: true, .. } | Self::Unavailable { .. } => {
                ErrorName::AthenaQueryTransient
            }
            Self::Failed { .. } | Self::Refused { .. } => ErrorName::AthenaQueryFailed,
        }
    }
}

/// The result of query `id`, or why there is none.
pub async fn result(athena: &Client, id: &str) -> Result<QueryResult, QueryError> {
    let answer = athena.get_query_execution().query_execution_id(id).send().await;
    let execution = answer.map_err(|error| unanswered(id, &error))?.query_execution;
    let execution = execution.unwrap_or_else(|| QueryExecution::builder().build());
    finished(id, execution.status())?;

    let mut result = QueryResult {
        columns: Vec::new(),
        rows: Vec::new(),
        bytes_scanned: bytes_scanned(&execution),
    };
    // 1,000 rows a page (Athena API reference, "GetQueryResults").
    let mut pages = athena.get_query_results().query_execution_id(id).into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| unanswered(id, &error))?;
        let Some(set) = page.result_set else { continue };
        let columns = set.result_set_metadata.and_then(|metadata| metadata.column_info);
        if result.columns.is_empty() {
            result.columns = columns.unwrap_or_default().into_iter().map(Column::from).collect();
        }
        result.rows.extend(set.rows.unwrap_or_default().into_iter().map(cells));
    }
    if has_header(execution.statement_type()) && !result.rows.is_empty() {
        result.rows.remove(0);
    }
    Ok(result)
}

/// NULL is a datum without a value; an empty text has one.
fn cells(row: Row) -> Vec<Option<String>> {
    row.data.unwrap_or_default().into_iter().map(|datum| datum.var_char_value).collect()
}

/// The first row of a SELECT's result names the columns; SHOW and DDL have no such row.
fn has_header(statement: Option<&StatementType>) -> bool {
    statement == Some(&StatementType::Dml)
}

fn bytes_scanned(execution: &QueryExecution) -> u64 {
    let scanned = execution.statistics().and_then(QueryExecutionStatistics::data_scanned_in_bytes);
    scanned.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default()
}

fn finished(id: &str, status: Option<&QueryExecutionStatus>) -> Result<(), QueryError> {
    let id = id.to_owned();
    let state = status.and_then(QueryExecutionStatus::state);
    let name = state.map_or("in no state", QueryExecutionState::as_str).to_owned();
    match state {
        Some(QueryExecutionState::Succeeded) => Ok(()),
        Some(QueryExecutionState::Queued | QueryExecutionState::Running) | None => {
            Err(QueryError::NotFinished { id, state: name })
        }
        // A state that is added to Athena one day is no success.
        Some(_) => {
            let error = status.and_then(QueryExecutionStatus::athena_error);
            let transient =
                error.is_some_and(|e| e.retryable() || e.error_category() == Some(SYSTEM_ERROR));
            let reason = status.and_then(QueryExecutionStatus::state_change_reason);
            let reason = reason.unwrap_or("Athena gives no reason").to_owned();
            Err(QueryError::Failed { id, state: name, reason, transient })
        }
    }
}

/// Throttling and 5xx have been retried by the SDK; what is left of 4xx is ours.
fn unanswered<E>(id: &str, error: &SdkError<E>) -> QueryError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let id = id.to_owned();
    let refused = matches!(
        error.code(),
        Some("InvalidRequestException" | "AccessDeniedException" | "ValidationException")
    );
    let reason = sdk_reason(error);
    if refused {
        QueryError::Refused { id, reason }
    } else {
        QueryError::Unavailable { id, reason }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_athena::types::AthenaError;

    use super::*;

    #[test]
    fn every_state_has_its_name() {
        let check = |state: Option<&str>, retryable, expected: Result<(), ErrorName>| {
            let error = AthenaError::builder().retryable(retryable).build();
            let status = QueryExecutionStatus::builder()
                .set_state(state.map(QueryExecutionState::from))
                .state_change_reason("HIVE_BAD_DATA: no")
                .athena_error(error)
                .build();
            let found = finished("q", Some(&status)).map_err(|error| error.name());
            assert_eq!(found, expected, "{state:?}");
        };
        check(Some("SUCCEEDED"), false, Ok(()));
        check(Some("QUEUED"), false, Err(ErrorName::AthenaNotFinished));
        check(Some("RUNNING"), false, Err(ErrorName::AthenaNotFinished));
        check(Some("FAILED"), false, Err(ErrorName::AthenaQueryFailed));
        check(Some("FAILED"), true, Err(ErrorName::AthenaQueryTransient));
        check(Some("CANCELLED"), false, Err(ErrorName::AthenaQueryFailed));
        check(Some("FORGOTTEN"), false, Err(ErrorName::AthenaQueryFailed));
        check(None, false, Err(ErrorName::AthenaNotFinished));
    }

    #[test]
    fn only_select_has_a_header() {
        assert!(has_header(Some(&StatementType::Dml)));
        assert!(!has_header(Some(&StatementType::Utility)));
        assert!(!has_header(Some(&StatementType::Ddl)));
        assert!(!has_header(None));
    }
}
