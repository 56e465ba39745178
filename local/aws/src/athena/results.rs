//! GetQueryResults: a finished query's rows, a page of the result object at a time.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use lake::sql::ColumnInfo;
use lake::{S3Url, StoreError};
use serde_json::{Value, json};

use super::Athena;
use super::permission::called;
use super::query::{QueryExecution, State};
use super::refusal::{invalid, page_size, text};
use super::result_rows::{Format, ResultRows};
use crate::iam::{Caller, Need};
use crate::wire::ServiceError;

/// Source: <https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html>
const LARGEST_PAGE: u64 = 1000;

/// A place in a result object, opaque to clients.
struct Token<'a> {
    query: &'a str,
    offset: u64,
}

impl<'a> Token<'a> {
    fn encode(&self) -> String {
        BASE64.encode(format!("{} {}", self.query, self.offset))
    }

    /// The token's offset, if it is of this query.
    fn decode(query: &'a str, text: &str) -> Option<Self> {
        let bytes = BASE64.decode(text).ok()?;
        let (of, offset) = std::str::from_utf8(&bytes).ok()?.split_once(' ')?;
        (of == query).then_some(Token { query, offset: offset.parse().ok()? })
    }
}

impl Athena {
    /// Who asks must be allowed to read the result object.
    /// <https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html>
    pub(super) fn get_query_results(
        &self,
        caller: &Caller,
        input: &Value,
    ) -> Result<Value, ServiceError> {
        let id = text(input, "QueryExecutionId")?;
        let size = page_size(input, 1, LARGEST_PAGE)?.unwrap_or(LARGEST_PAGE);
        let result_type = input["QueryResultType"].as_str().unwrap_or("DATA_ROWS");
        if result_type != "DATA_ROWS" {
            return Err(invalid(format!("QueryResultType {result_type} is not supported here")));
        }
        let query = self.query(id)?;
        match query.state {
            State::Succeeded => {}
            State::Queued | State::Running => {
                let state = query.state.as_str();
                let message = format!("Query has not yet finished. Current state: {state}");
                return Err(invalid(message));
            }
            State::Failed | State::Cancelled => {
                let state = query.state.as_str();
                let message =
                    format!("Query did not finish successfully. Final query state: {state}");
                return Err(invalid(message));
            }
        }
        let offset = match input["NextToken"].as_str() {
            None => 0,
            Some(token) => {
                Token::decode(id, token).ok_or_else(|| invalid("Invalid NextToken"))?.offset
            }
        };
        self.admit_reader(caller, &query)?;
        let (rows, next) = self.rows(&query, offset, size)?;
        let columns: Vec<Value> = query.answer.columns.iter().map(column).collect();
        let mut page = json!({
            "UpdateCount": query.answer.update_count.unwrap_or(0),
            "ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": columns}},
        });
        if let Some(offset) = next {
            page["NextToken"] = Token { query: id, offset }.encode().into();
        }
        Ok(page)
    }

    fn admit_reader(&self, caller: &Caller, query: &QueryExecution) -> Result<(), ServiceError> {
        let (Some(services), Some(object)) = (self.link.services(), &query.answer.object) else {
            return Ok(());
        };
        let place: S3Url = object.parse().map_err(ServiceError::internal)?;
        let need = Need::s3("s3:GetObject", place.bucket(), Some(place.key()));
        let allowed = services.authorise(caller, &called(need));
        allowed.map_err(|refusal| refusal.of_service("athena"))
    }

    /// Up to `most` rows from `offset`, and where the next ones begin.
    fn rows(
        &self,
        query: &QueryExecution,
        offset: u64,
        most: u64,
    ) -> Result<(Vec<Value>, Option<u64>), ServiceError> {
        let Some(object) = &query.answer.object else {
            return Ok((Vec::new(), None));
        };
        let place: S3Url = object.parse().map_err(ServiceError::internal)?;
        let opened = self.executions.lake.store.get(place.bucket(), place.key(), None);
        let (object, reader) = opened.map_err(|error| match error {
            StoreError::Database(error) => error.into(),
            _ => invalid("Could not find results"),
        })?;
        let format = if query.substatement == "SELECT" { Format::Csv } else { Format::Lines };
        let mut result = ResultRows::new(reader, object.size, offset, format);
        let mut rows = Vec::new();
        while (rows.len() as u64) < most {
            match result.next().map_err(ServiceError::internal)? {
                Some(values) => rows.push(row(values)),
                None => return Ok((rows, None)),
            }
        }
        let next = result.offset();
        Ok((rows, (next < object.size).then_some(next)))
    }
}

/// A missing VarCharValue is NULL.
fn row(values: Vec<Option<String>>) -> Value {
    let data: Vec<Value> = values
        .into_iter()
        .map(|value| match value {
            Some(text) => json!({"VarCharValue": text}),
            None => json!({}),
        })
        .collect();
    json!({"Data": data})
}

fn column(column: &ColumnInfo) -> Value {
    json!({
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": column.name,
        "Label": column.name,
        "Type": column.type_name,
        "Precision": column.precision,
        "Scale": column.scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": column.case_sensitive,
    })
}
