//! Writes a plan's rows into a table's files, one writer for each of its streams.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt;
use tokio::task::JoinSet;

use super::functions::{OnFailure, cast_array};
use super::planning;
use super::query::Running;
use crate::sql::{Failure, QueryError, TrinoType, write_manifest};
use crate::tables::{TableWriter, WriterPlan, Written};

/// Where the rows go, with the type of each column there.
pub(super) struct Target {
    pub plan: Arc<WriterPlan>,
    pub columns: Vec<TrinoType>,
}

/// Runs a plan into a target.
pub(super) async fn run(state: SessionState, plan: LogicalPlan, target: Target) -> Result<Written> {
    let streams = planning::frame(state, plan).execute_stream_partitioned().await?;
    let target = Arc::new(target);
    let mut tasks = JoinSet::new();
    for stream in streams {
        tasks.spawn(one(stream, target.clone()));
    }
    let mut all = Written::default();
    while let Some(done) = tasks.join_next().await {
        let written =
            done.map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))??;
        all.files.extend(written.files);
        all.rows += written.rows;
        all.bytes += written.bytes;
    }
    all.files.sort();
    Ok(all)
}

async fn one(mut stream: SendableRecordBatchStream, target: Arc<Target>) -> Result<Written> {
    let mut writer = TableWriter::new(target.plan.clone());
    let fields: Vec<_> = stream
        .schema()
        .fields()
        .iter()
        .zip(&target.columns)
        .map(|(field, kind)| crate::sql::field_of(field.name(), kind))
        .collect();
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    while let Some(batch) = stream.next().await {
        writer.write(&typed(&batch?, &schema, &target.columns)?)?;
    }
    writer.finish()
}

/// A batch with the target's types.
pub(super) fn typed(
    batch: &RecordBatch,
    schema: &SchemaRef,
    kinds: &[TrinoType],
) -> Result<RecordBatch> {
    let from = batch.schema();
    let columns: Vec<ArrayRef> = batch
        .columns()
        .iter()
        .zip(from.fields())
        .zip(kinds)
        .map(|((column, field), kind)| {
            if *column.data_type() == kind.to_arrow() {
                Ok(column.clone())
            } else {
                let cast = cast_array(column, &TrinoType::of_field(field), kind, OnFailure::Fail)?;
                if *cast.data_type() == kind.to_arrow() {
                    Ok(cast)
                } else {
                    Ok(datafusion::arrow::compute::cast(&cast, &kind.to_arrow())?)
                }
            }
        })
        .collect::<Result<_>>()?;
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

/// The manifest of a statement that wrote files; its URL.
pub(super) fn manifest(running: &Running<'_>, files: &[String]) -> Result<String, QueryError> {
    let context = running.context;
    let place = context.output_location.join(&format!("{}-manifest.csv", context.query_id));
    write_manifest(&running.lake.store, &place, files)?;
    Ok(place.to_string())
}

/// Whether every type may stand in a Hive table.
pub(super) fn check_types(columns: &[(String, TrinoType)]) -> Result<Vec<String>, Failure> {
    columns.iter().map(|(_, kind)| kind.to_hive()).collect()
}
