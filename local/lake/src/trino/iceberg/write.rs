//! A plan's rows as data files, one writer for each of its streams.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use futures::StreamExt;
use iceberg::DataFile;
use tokio::task::JoinSet;

use crate::sql::{ColumnInfo, QueryError, QueryOutput, TrinoType, field_of, write_metadata};
use crate::tables::iceberg::{DataWriter, DataWriterPlan};
use crate::trino::planning;
use crate::trino::query::Running;
use crate::trino::write::typed;

/// Runs a plan, whose columns are the table's, into data files; also how many rows there are.
pub(super) async fn run(
    state: SessionState,
    plan: LogicalPlan,
    writer: DataWriterPlan,
    kinds: Vec<TrinoType>,
) -> Result<(Vec<DataFile>, u64)> {
    let streams = planning::frame(state, plan).execute_stream_partitioned().await?;
    let (writer, kinds) = (Arc::new(writer), Arc::<[TrinoType]>::from(kinds));
    let mut tasks = JoinSet::new();
    for stream in streams {
        tasks.spawn(one(stream, writer.clone(), kinds.clone()));
    }
    let (mut files, mut rows) = (Vec::new(), 0);
    while let Some(done) = tasks.join_next().await {
        let (written, count) =
            done.map_err(|error| DataFusionError::External(Box::new(error)))??;
        files.extend(written);
        rows += count;
    }
    files.sort_by(|one, other| one.file_path.cmp(&other.file_path));
    Ok((files, rows))
}

/// The same by one writer, so that a partition becomes one file.
pub(super) async fn run_as_one(
    state: SessionState,
    plan: LogicalPlan,
    writer: DataWriterPlan,
    kinds: Vec<TrinoType>,
) -> Result<(Vec<DataFile>, u64)> {
    let stream = planning::frame(state, plan).execute_stream().await?;
    one(stream, Arc::new(writer), kinds.into()).await
}

async fn one(
    mut stream: SendableRecordBatchStream,
    plan: Arc<DataWriterPlan>,
    kinds: Arc<[TrinoType]>,
) -> Result<(Vec<DataFile>, u64)> {
    let mut writer = DataWriter::new(plan);
    let fields: Vec<_> = stream
        .schema()
        .fields()
        .iter()
        .zip(kinds.iter())
        .map(|(field, kind)| field_of(field.name(), kind))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    while let Some(batch) = stream.next().await {
        let batch = typed(&batch?, &schema, &kinds)?;
        writer.write(batch.columns(), batch.num_rows())?;
    }
    let rows = writer.rows;
    Ok((writer.finish()?, rows))
}

/// The result of a statement that changed rows: `suffix` ends the name of the result that Athena names and does
/// not write.
pub(super) fn finished(
    running: &Running<'_>,
    suffix: &str,
    rows: u64,
    bytes: u64,
) -> std::result::Result<QueryOutput, QueryError> {
    let context = running.context;
    let place = context.output_location.join(&format!("{}{suffix}", context.query_id));
    write_metadata(&running.lake.store, &place, &ColumnInfo::rows())?;
    let mut output = running.output(place.to_string(), ColumnInfo::rows());
    output.update_count = Some(rows);
    output.written_bytes = bytes;
    Ok(output)
}

/// Bytes of files.
pub(super) fn bytes<'a>(files: impl IntoIterator<Item = &'a DataFile>) -> u64 {
    files.into_iter().map(|file| u64::try_from(file.file_size_in_bytes).unwrap_or(0)).sum()
}
