//! Files under a Hive table that this room reads itself: in threads of their own, a batch at a time; at once where there
//! is one thread. How bytes become columns is each format's own matter (`text`, `orc`, `avro`).

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, Statistics};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::statistics::StatisticsArgs;
use datafusion::physical_plan::stream::{
    RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter,
};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};

use futures::{Stream, TryStreamExt as _, stream};

use super::lines::Packing;
use super::provider::{FileToScan, HiveTable};
use super::{Format, Scanned, TableDefinition, avro, estimate, orc, text};
use crate::sql::{Failure, TrinoType};
use crate::store::{Store, is_single_threaded};

/// Rows of a batch.
pub(super) const ROWS: usize = 8_192;
/// Files that can be are cut into pieces no smaller than this, to be read side by side.
const LEAST_PIECE: u64 = 8 * 1024 * 1024;

/// A column a reader is asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The column's place in the table.
    pub at: usize,
    pub name: String,
    pub kind: TrinoType,
}

#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub file: FileToScan,
    /// Bytes; `None`: the whole file.
    pub range: Option<Range<u64>>,
}

pub(super) struct FileScan {
    reading: Reading,
    partitions: Vec<Vec<Piece>>,
    /// Of each output column: which wanted one it is, or which constant.
    sources: Vec<Source>,
    schema: SchemaRef,
    limit: Option<usize>,
    expected: Arc<Statistics>,
    properties: Arc<PlanProperties>,
}

/// What is read, of whichever file.
#[derive(Clone)]
pub(super) struct Reading {
    pub store: Store,
    pub scanned: Scanned,
    pub definition: Arc<TableDefinition>,
    pub wanted: Vec<Wanted>,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Read(usize),
    Constant(usize),
}

impl FileScan {
    pub fn new(
        table: &HiveTable,
        constants: Vec<FieldRef>,
        files: Vec<FileToScan>,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
        count: usize,
    ) -> Result<Self> {
        let definition = &table.definition;
        let fields = [definition.fields(), constants].concat();
        let all: Vec<usize> = (0..fields.len()).collect();
        let columns = projection.unwrap_or(&all);
        let (mut wanted, mut sources) = (Vec::new(), Vec::new());
        for at in columns {
            if let Some((name, kind)) = definition.columns.get(*at) {
                sources.push(Source::Read(wanted.len()));
                wanted.push(Wanted { at: *at, name: name.clone(), kind: kind.clone() });
            } else {
                sources.push(Source::Constant(at - definition.columns.len()));
            }
        }
        let schema =
            Arc::new(Schema::new(columns.iter().map(|at| fields[*at].clone()).collect::<Vec<_>>()));
        let listed: Vec<&FileToScan> = files.iter().collect();
        let expected = estimate::of(&listed, definition.format, &Schema::new(fields), &schema);
        let partitions = pieces(definition.format, files, count)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            reading: Reading {
                store: table.lake.store.clone(),
                scanned: table.scanned.clone(),
                definition: Arc::new(definition.clone()),
                wanted,
            },
            partitions,
            sources,
            schema,
            limit,
            expected: Arc::new(expected),
            properties: Arc::new(properties),
        })
    }
}

/// Whether a file of the format can be read in pieces.
fn is_cut(format: Format, key: &str) -> Result<bool, Failure> {
    Ok(match format {
        Format::OpenCsv | Format::Delimited | Format::OpenxJson | Format::HiveJson => {
            Packing::of(key)? == Packing::Plain
        }
        // By its stripes.
        Format::Orc => true,
        Format::Avro | Format::Parquet => false,
    })
}

/// Cuts large files and deals the pieces to `count` readers.
fn pieces(format: Format, files: Vec<FileToScan>, count: usize) -> Result<Vec<Vec<Piece>>> {
    let total: u64 = files.iter().map(|file| file.file.size).sum();
    let share = (total / count.max(1) as u64 + 1).max(LEAST_PIECE);
    let mut found: Vec<(u64, Piece)> = Vec::new();
    for file in files {
        let size = file.file.size;
        if is_cut(format, file.file.url.key())? && size > share {
            let mut start = 0;
            while start < size {
                let end = size.min(start + share);
                found.push((end - start, Piece { file: file.clone(), range: Some(start..end) }));
                start = end;
            }
        } else {
            found.push((size, Piece { file, range: None }));
        }
    }
    let mut partitions: Vec<(u64, Vec<Piece>)> =
        vec![(0, Vec::new()); count.clamp(1, found.len().max(1))];
    for (weight, piece) in found {
        let lightest =
            partitions.iter_mut().min_by_key(|(weight, _)| *weight).expect("there is a partition");
        lightest.0 += weight;
        lightest.1.push(piece);
    }
    Ok(partitions.into_iter().map(|(_, pieces)| pieces).collect())
}

impl fmt::Debug for FileScan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FileScan({})", self.reading.definition.full_name())
    }
}

impl DisplayAs for FileScan {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: usize = self.partitions.iter().map(Vec::len).sum();
        let table = self.reading.definition.full_name();
        write!(formatter, "{}: table={table}, pieces={files}", self.name())
    }
}

impl ExecutionPlan for FileScan {
    fn name(&self) -> &'static str {
        match self.reading.definition.format {
            Format::Orc => "OrcScan",
            Format::Avro => "AvroScan",
            Format::OpenCsv | Format::Delimited | Format::OpenxJson | Format::HiveJson => {
                "TextScan"
            }
            Format::Parquet => "ParquetScan",
        }
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
        Ok(match args.partition() {
            None => self.expected.clone(),
            Some(_) => Arc::new(Statistics::new_unknown(&self.schema)),
        })
    }

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut builder = RecordBatchReceiverStreamBuilder::new(self.schema.clone(), 2);
        let sender = builder.tx();
        let mut reader = PieceReader {
            reading: self.reading.clone(),
            sources: self.sources.clone(),
            schema: self.schema.clone(),
            left: self.limit.unwrap_or(usize::MAX),
        };
        let pieces = self.partitions[partition].clone();
        if is_single_threaded() {
            return Ok(Box::pin(RecordBatchStreamAdapter::new(
                self.schema.clone(),
                stream::once(async move { reader.read_all(&pieces) }).try_flatten(),
            )));
        }
        builder.spawn_blocking(move || {
            for piece in pieces {
                if reader.left == 0 {
                    break;
                }
                let more =
                    reader.read(&piece, &mut |batch| sender.blocking_send(Ok(batch)).is_ok())?;
                if !more {
                    break;
                }
            }
            Ok(())
        });
        Ok(builder.build())
    }
}

struct PieceReader {
    reading: Reading,
    sources: Vec<Source>,
    schema: SchemaRef,
    /// Rows still asked for.
    left: usize,
}

impl PieceReader {
    /// Reads all pieces at once.
    fn read_all(
        &mut self,
        pieces: &[Piece],
    ) -> Result<impl Stream<Item = Result<RecordBatch>> + use<>> {
        let mut batches = Vec::new();
        for piece in pieces {
            let more = self.left > 0
                && self.read(piece, &mut |batch| {
                    batches.push(Ok(batch));
                    true
                })?;
            if !more {
                break;
            }
        }
        Ok(stream::iter(batches))
    }

    /// Reads a piece; false once nobody listens or enough rows are read.
    fn read(&mut self, piece: &Piece, send: &mut dyn FnMut(RecordBatch) -> bool) -> Result<bool> {
        let Self { reading, sources, schema, left } = self;
        let mut rows = Rows { file: &piece.file, sources, schema, left, send };
        match reading.definition.format {
            Format::OpenCsv | Format::Delimited | Format::OpenxJson | Format::HiveJson => {
                text::read(reading, piece, &mut rows)
            }
            Format::Orc => orc::read(reading, piece, &mut rows),
            Format::Avro => avro::read(reading, piece, &mut rows),
            Format::Parquet => unreachable!("parquet_scan reads Parquet files"),
        }
    }
}

/// Where what is read of a piece goes.
pub(super) struct Rows<'a> {
    file: &'a FileToScan,
    sources: &'a [Source],
    schema: &'a SchemaRef,
    left: &'a mut usize,
    send: &'a mut dyn FnMut(RecordBatch) -> bool,
}

impl Rows<'_> {
    /// Rows still asked for.
    pub fn left(&self) -> usize {
        *self.left
    }

    /// Sends rows of the columns wanted, in their order; false once nobody listens or enough rows are read.
    pub fn send(&mut self, read: &[ArrayRef], rows: usize) -> Result<bool> {
        let columns = self
            .sources
            .iter()
            .map(|source| match source {
                Source::Read(at) => Ok(read[*at].clone()),
                Source::Constant(at) => self.file.values[*at].to_array_of_size(rows),
            })
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?;
        let batch = batch.slice(0, rows.min(*self.left));
        *self.left -= batch.num_rows();
        Ok((self.send)(batch) && *self.left > 0)
    }
}
