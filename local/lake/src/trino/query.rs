//! Runs a Trino statement and leaves its result behind.

use std::sync::Arc;
use std::time::Instant;

use datafusion::arrow::datatypes::{Field, Schema};
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use super::schemas::Visible;
use super::statement::TrinoStatement;
use super::table_version::{KnownVersion, TableVersion};
use super::{create_table_as, explain, iceberg, insert, planning, unload, view};
use crate::Lake;
use crate::sql::{
    ColumnInfo, CsvResult, Failure, QueryContext, QueryError, QueryOutput, StatementKind, TextRows,
    write_text,
};
use crate::tables::Scanned;

/// A statement about to run.
#[derive(Clone)]
pub(crate) struct Running<'a> {
    pub lake: &'a Lake,
    pub context: &'a QueryContext,
    pub text: &'a str,
    pub kind: StatementKind,
    pub scanned: Scanned,
    pub begun: Instant,
    /// The versions of tables that the statement asks for.
    pub versions: Versions,
}

/// The versions of tables a statement asks for, by their numbers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Versions(pub(super) Arc<[KnownVersion]>);

impl Running<'_> {
    pub(super) fn visible(&self) -> Visible {
        let visible = Visible::new(self.lake, self.scanned.clone(), self.text);
        Visible { versions: self.versions.clone(), ..visible }
    }

    pub fn output(&self, location: String, columns: Vec<ColumnInfo>) -> QueryOutput {
        let elapsed = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        QueryOutput {
            kind: self.kind,
            columns,
            output_location: location,
            manifest: None,
            update_count: None,
            rows: 0,
            scanned_bytes: self.scanned.bytes(),
            written_bytes: 0,
            planning_milliseconds: 0,
            execution_milliseconds: elapsed,
        }
    }

    /// A `.txt` result.
    pub fn text(&self, rows: &TextRows) -> Result<QueryOutput, QueryError> {
        let place = self.context.output_location.join(&format!("{}.txt", self.context.query_id));
        write_text(&self.lake.store, &place, rows)?;
        let mut output = self.output(place.to_string(), rows.columns.clone());
        output.rows = rows.lines.len() as u64;
        Ok(output)
    }
}

/// Runs a statement until it ends or is cancelled.
pub(crate) async fn execute(
    running: &Running<'_>,
    statement: TrinoStatement,
    cancel: &CancellationToken,
) -> Result<QueryOutput, QueryError> {
    let run = async {
        match statement {
            TrinoStatement::Query(query) => select(running, &query).await,
            TrinoStatement::CreateTableAs(create) => create_table_as::run(running, &create).await,
            TrinoStatement::Insert { table, columns, query } => {
                insert::run(running, &table, &columns, &query).await
            }
            TrinoStatement::Unload { query, location, properties } => {
                unload::run(running, &query, &location, &properties).await
            }
            TrinoStatement::CreateView { name, replace, text, query } => {
                view::create(running, &name, replace, &text, &query).await
            }
            TrinoStatement::DropView { name, if_exists } => view::drop(running, &name, if_exists),
            TrinoStatement::Explain { analyze, statement } => {
                explain::run(running, analyze, &statement).await
            }
            TrinoStatement::ShowFunctions { pattern } => {
                explain::functions(running, pattern.as_deref())
            }
            TrinoStatement::Change(change) => iceberg::change(running, &change).await,
            TrinoStatement::ExternalFunctions { names } => Err(Failure::not_supported(format!(
                "external functions are not supported here: {}",
                names.join(", ")
            ))
            .into()),
            TrinoStatement::TimeTravel { versions, statement } => {
                time_travel(running, &versions, *statement, cancel).await
            }
            TrinoStatement::Prepared(_) => Err(Failure::not_supported(
                "prepared statements belong to a workgroup: the Athena service runs them",
            )
            .into()),
        }
    };
    tokio::select! {
        done = run => done,
        () = cancel.cancelled() => Err(QueryError::Cancelled),
    }
}

/// A statement that reads earlier states of tables.
async fn time_travel(
    running: &Running<'_>,
    versions: &[TableVersion],
    statement: TrinoStatement,
    cancel: &CancellationToken,
) -> Result<QueryOutput, QueryError> {
    if matches!(statement, TrinoStatement::CreateView { .. }) {
        return Err(Failure::not_supported("views of earlier states are not supported here").into());
    }
    let mut known = Vec::with_capacity(versions.len());
    for version in versions {
        known.push(version.known(running).await?);
    }
    let running = Running { versions: Versions(known.into()), ..running.clone() };
    Box::pin(execute(&running, statement, cancel)).await
}

/// SELECT: `<id>.csv`.
async fn select(
    running: &Running<'_>,
    query: &datafusion::sql::sqlparser::ast::Query,
) -> Result<QueryOutput, QueryError> {
    let state = planning::session(&running.visible(), running.context)?;
    let plan = planning::plan(&state, query).await?;
    let names = planning::shown_names(&plan);
    let planned = running.begun.elapsed();
    let mut stream = planning::frame(state, plan).execute_stream().await?;
    let fields: Vec<Field> = stream
        .schema()
        .fields()
        .iter()
        .zip(names)
        .map(|(field, name)| field.as_ref().clone().with_name(name))
        .collect();
    let place = running.context.output_location.join(&format!("{}.csv", running.context.query_id));
    let mut result = CsvResult::begin(&running.lake.store, place.clone(), &Schema::new(fields))?;
    while let Some(batch) = stream.next().await {
        result.write(&batch?)?;
    }
    let (columns, rows) = result.finish()?;
    let mut output = running.output(place.to_string(), columns);
    output.rows = rows;
    output.planning_milliseconds = u64::try_from(planned.as_millis()).unwrap_or(u64::MAX);
    Ok(output)
}

/// The rows of a query, for tests that look at values and leave nothing behind.
#[cfg(test)]
pub(crate) async fn collect(
    lake: &Lake,
    context: &QueryContext,
    text: &str,
) -> Result<Vec<datafusion::arrow::record_batch::RecordBatch>, QueryError> {
    let parsed = super::statement::parse(text, Some(&[]))
        .map_err(|error| QueryError::trino("SYNTAX_ERROR", error.message))?;
    let TrinoStatement::Query(query) = parsed else {
        return Err(Failure::not_supported("only queries have rows").into());
    };
    let state = planning::session(&Visible::new(lake, Scanned::default(), text), context)?;
    let plan = planning::plan(&state, &query).await?;
    Ok(planning::frame(state, plan).collect().await?)
}
