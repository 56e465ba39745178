//! Reading data files: columns by their ids, rows that are gone left out.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, RecordBatch, RecordBatchOptions, StringArray, new_null_array,
};
use datafusion::arrow::datatypes::{DataType, Field as ArrowField, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::RowNumber;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderOptions, RowSelection};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use iceberg::{DataFile, Field};

use super::arrays::{engine_arrow, id_of, to_engine};
use super::parquet_file::ParquetFile;
use super::provider::POSITION_COLUMN;
use super::table::parsed;
use crate::sql::Failure;
use crate::store::BucketStore;
use crate::tables::estimate;

/// A column a scan gives.
#[derive(Clone, Debug)]
pub(super) enum ScanColumn {
    Field(Field),
    /// The path of the file.
    Path,
    /// The place of the row in its file.
    Position,
}

/// A file to read.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub file: DataFile,
    /// Places of rows that are gone, ascending.
    pub deleted: Arc<[u64]>,
}

#[derive(Debug)]
pub(super) struct IcebergScan {
    table: String,
    streams: Vec<Vec<Task>>,
    columns: Arc<[ScanColumn]>,
    /// The ids of columns of files that have none, by their names.
    names: Arc<BTreeMap<String, i32>>,
    schema: SchemaRef,
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
}

impl IcebergScan {
    /// Deals the files to at most `streams` streams, each new one to the lightest.
    pub fn new(
        table: String,
        tasks: Vec<Task>,
        columns: Vec<ScanColumn>,
        schema: SchemaRef,
        streams: usize,
        limit: Option<usize>,
    ) -> Self {
        let mut dealt: Vec<(i64, Vec<Task>)> =
            vec![(0, Vec::new()); streams.clamp(1, tasks.len().max(1))];
        for task in tasks {
            let lightest =
                dealt.iter_mut().min_by_key(|(weight, _)| *weight).expect("there is a stream");
            lightest.0 += task.file.file_size_in_bytes;
            lightest.1.push(task);
        }
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(dealt.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            table,
            streams: dealt.into_iter().map(|(_, tasks)| tasks).collect(),
            columns: columns.into(),
            names: Arc::default(),
            schema,
            limit,
            properties: Arc::new(properties),
        }
    }
}

impl IcebergScan {
    /// The same with names of columns for files that have no ids.
    pub fn with_names(self, names: Arc<BTreeMap<String, i32>>) -> Self {
        Self { names, ..self }
    }
}

impl DisplayAs for IcebergScan {
    fn fmt_as(&self, _: DisplayFormatType, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: usize = self.streams.iter().map(Vec::len).sum();
        write!(out, "IcebergScan: table={}, files={files}", self.table)
    }
}

impl ExecutionPlan for IcebergScan {
    fn name(&self) -> &'static str {
        "IcebergScan"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn statistics_from_inputs(
        &self,
        _: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        if args.partition().is_some() {
            return Ok(Arc::new(Statistics::new_unknown(&self.schema)));
        }
        let rows = self.streams.iter().flatten().map(|task| {
            usize::try_from(task.file.record_count).unwrap_or(0).saturating_sub(task.deleted.len())
        });
        Ok(Arc::new(estimate::of_rows(rows.sum(), &self.schema)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let reader = Arc::new(TaskReader {
            columns: self.columns.clone(),
            names: self.names.clone(),
            schema: self.schema.clone(),
            limit: self.limit,
            context,
        });
        let tasks = self.streams[partition].clone();
        let batches = stream::iter(tasks)
            .then(move |task| {
                let reader = reader.clone();
                async move { reader.read(task).await }
            })
            .try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), batches)))
    }
}

struct TaskReader {
    columns: Arc<[ScanColumn]>,
    names: Arc<BTreeMap<String, i32>>,
    schema: SchemaRef,
    limit: Option<usize>,
    context: Arc<TaskContext>,
}

/// Where a column of the scan is found in the batches of a file.
enum Found {
    At(usize, Field),
    Missing(DataType),
    Path,
    Position,
}

impl TaskReader {
    async fn read(
        &self,
        task: Task,
    ) -> Result<impl Stream<Item = Result<RecordBatch>> + Send + use<>> {
        let url = parsed(&task.file.file_path)?;
        let bucket = ObjectStoreUrl::parse(format!("s3://{}", url.bucket()))?;
        let file = ParquetFile {
            store: self.context.runtime_env().object_store(bucket)?,
            path: BucketStore::path(url.key()),
            size: u64::try_from(task.file.file_size_in_bytes).unwrap_or(0),
        };
        let mut options = ArrowReaderOptions::new();
        if self.columns.iter().any(|column| matches!(column, ScanColumn::Position)) {
            let position = ArrowField::new(POSITION_COLUMN, DataType::Int64, false)
                .with_extension_type(RowNumber);
            options = options.with_virtual_columns(vec![Arc::new(position)])?;
        }
        let broken = |error: datafusion::parquet::errors::ParquetError| unreadable(&url, error);
        let mut builder = file.open(options).await.map_err(broken)?;
        let (roots, found) = self.places(builder.schema(), &task.file)?;
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        builder = builder
            .with_projection(mask)
            .with_batch_size(self.context.session_config().batch_size());
        if !task.deleted.is_empty() {
            let rows = builder.metadata().file_metadata().num_rows();
            let rows = usize::try_from(rows).unwrap_or(usize::MAX);
            builder = builder.with_row_selection(selection(&task.deleted, rows));
        }
        if let Some(limit) = self.limit {
            builder = builder.with_limit(limit);
        }
        let batches = builder.build().map_err(broken)?;
        let (path, schema) = (task.file.file_path, self.schema.clone());
        Ok(batches.map(move |batch| {
            let batch = batch.map_err(|error| unreadable(&url, error))?;
            shaped(&batch, &found, &path, &schema)
        }))
    }

    /// The roots of the file to read, ascending, and where each column is among them.
    fn places(&self, file: &SchemaRef, of: &DataFile) -> Result<(Vec<usize>, Vec<Found>)> {
        let has_ids = file.fields().iter().any(|field| id_of(field).is_some());
        let known = |column: &Field| {
            file.fields().iter().position(|field| {
                let found =
                    if has_ids { id_of(field) } else { self.names.get(field.name()).copied() };
                found == Some(column.id)
            })
        };
        // The names of a mapping are of columns, not of their parts.
        let is_lost = |column: &ScanColumn| match column {
            ScanColumn::Field(field) => self.names.is_empty() || field.kind.primitive().is_none(),
            ScanColumn::Path | ScanColumn::Position => false,
        };
        if !has_ids && self.columns.iter().any(is_lost) {
            return Err(Failure::not_supported(format!(
                "files of Iceberg tables without the ids of columns are not read here: {}",
                of.file_path
            ))
            .into());
        }
        let mut roots: Vec<usize> = self
            .columns
            .iter()
            .filter_map(|column| match column {
                ScanColumn::Field(field) => known(field),
                ScanColumn::Path | ScanColumn::Position => None,
            })
            .collect();
        roots.sort_unstable();
        roots.dedup();
        let found = self.columns.iter().map(|column| {
            Ok(match column {
                ScanColumn::Path => Found::Path,
                ScanColumn::Position => Found::Position,
                ScanColumn::Field(field) => match known(field) {
                    Some(root) => {
                        let at = roots.binary_search(&root).expect("the root is read");
                        Found::At(at, field.clone())
                    }
                    None => Found::Missing(engine_arrow(&field.kind)?),
                },
            })
        });
        let found = found.collect::<Result<_, Failure>>()?;
        Ok((roots, found))
    }
}

fn unreadable(
    url: &crate::S3Url,
    error: datafusion::parquet::errors::ParquetError,
) -> datafusion::error::DataFusionError {
    use datafusion::parquet::errors::ParquetError;
    match error {
        // A limit of bytes or a file that is gone says it in its own words.
        ParquetError::External(cause) => datafusion::error::DataFusionError::External(cause),
        other => Failure::new(
            "ICEBERG_CANNOT_OPEN_SPLIT",
            format!("Error opening Iceberg split {url}: {other}"),
        )
        .into(),
    }
}

/// All rows but those that are gone.
fn selection(deleted: &[u64], rows: usize) -> RowSelection {
    let mut kept = Vec::with_capacity(deleted.len() + 1);
    let mut begin = 0;
    for place in deleted {
        let place = usize::try_from(*place).unwrap_or(usize::MAX).min(rows);
        if place > begin {
            kept.push(begin..place);
        }
        begin = place + 1;
    }
    if begin < rows {
        kept.push(begin..rows);
    }
    RowSelection::from_consecutive_ranges(kept.into_iter(), rows)
}

/// A batch of a file as the scan gives it.
fn shaped(
    batch: &RecordBatch,
    found: &[Found],
    path: &str,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let rows = batch.num_rows();
    let columns = found.iter().map(|column| {
        Ok(match column {
            Found::At(at, field) => to_engine(batch.column(*at), &field.kind)?,
            Found::Missing(kind) => new_null_array(kind, rows),
            Found::Path => Arc::new(StringArray::from(vec![path; rows])) as ArrayRef,
            // Virtual columns come after those of the file.
            Found::Position => batch.column(batch.num_columns() - 1).clone(),
        })
    });
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(
        schema.clone(),
        columns.collect::<Result<_>>()?,
        &options,
    )?)
}
