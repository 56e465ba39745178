//! Text files under a Hive table: read in threads of their own, a batch at a time; at once where there is one thread.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::{
    RecordBatchReceiverStreamBuilder, RecordBatchStreamAdapter,
};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};

use futures::{Stream, TryStreamExt as _, stream};

use super::lines::{Lines, Packing};
use super::provider::{FileToScan, HiveTable};
use super::{Format, Scanned, TableDefinition, delimited, json_lines, open_csv};
use crate::sql::{Failure, TrinoType};
use crate::store::{Store, is_single_threaded};

/// Rows of a batch.
const ROWS: usize = 8_192;
/// Bytes of lines after which a batch ends, however few its rows are.
const BYTES: usize = 64 * 1024 * 1024;
/// Plain files are cut into pieces no smaller than this, to be read side by side.
const LEAST_PIECE: u64 = 8 * 1024 * 1024;

/// A column a reader is asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The column's place in the table.
    pub at: usize,
    pub name: String,
    pub kind: TrinoType,
}

/// Turns lines into columns.
pub(super) trait LineReader: Send {
    fn line(&mut self, line: &[u8]) -> Result<(), Failure>;
    fn rows(&self) -> usize;
    /// The columns wanted, in their order; the reader begins anew.
    fn finish(&mut self) -> Result<Vec<ArrayRef>>;
}

#[derive(Debug, Clone)]
struct Piece {
    file: FileToScan,
    /// `None`: the whole file.
    range: Option<Range<u64>>,
}

pub(super) struct TextScan {
    store: Store,
    scanned: Scanned,
    definition: Arc<TableDefinition>,
    partitions: Vec<Vec<Piece>>,
    wanted: Vec<Wanted>,
    /// Of each output column: which wanted one it is, or which constant.
    sources: Vec<Source>,
    schema: SchemaRef,
    limit: Option<usize>,
    properties: Arc<PlanProperties>,
}

#[derive(Debug, Clone, Copy)]
enum Source {
    Read(usize),
    Constant(usize),
}

impl TextScan {
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
        let partitions = pieces(files, count)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema.clone()),
            Partitioning::UnknownPartitioning(partitions.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Ok(Self {
            store: table.lake.store.clone(),
            scanned: table.scanned.clone(),
            definition: Arc::new(definition.clone()),
            partitions,
            wanted,
            sources,
            schema,
            limit,
            properties: Arc::new(properties),
        })
    }
}

/// Cuts large plain files and deals the pieces to `count` readers.
fn pieces(files: Vec<FileToScan>, count: usize) -> Result<Vec<Vec<Piece>>> {
    let total: u64 = files.iter().map(|file| file.file.size).sum();
    let share = (total / count.max(1) as u64 + 1).max(LEAST_PIECE);
    let mut found: Vec<(u64, Piece)> = Vec::new();
    for file in files {
        let size = file.file.size;
        if Packing::of(file.file.url.key())? == Packing::Plain && size > share {
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

impl fmt::Debug for TextScan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TextScan({})", self.definition.full_name())
    }
}

impl DisplayAs for TextScan {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: usize = self.partitions.iter().map(Vec::len).sum();
        write!(formatter, "TextScan: table={}, pieces={files}", self.definition.full_name())
    }
}

impl ExecutionPlan for TextScan {
    fn name(&self) -> &'static str {
        "TextScan"
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

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut builder = RecordBatchReceiverStreamBuilder::new(self.schema.clone(), 2);
        let sender = builder.tx();
        let mut reader = PieceReader {
            store: self.store.clone(),
            scanned: self.scanned.clone(),
            definition: self.definition.clone(),
            wanted: self.wanted.clone(),
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
                let more = reader.read(&piece, |batch| sender.blocking_send(Ok(batch)).is_ok())?;
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
    store: Store,
    scanned: Scanned,
    definition: Arc<TableDefinition>,
    wanted: Vec<Wanted>,
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
                && self.read(piece, |batch| {
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
    fn read(&mut self, piece: &Piece, mut send: impl FnMut(RecordBatch) -> bool) -> Result<bool> {
        let file = &piece.file;
        let mut lines =
            Lines::open(&self.store, &file.file, piece.range.clone(), self.scanned.clone())?;
        if piece.range.as_ref().is_none_or(|range| range.start == 0) {
            for _ in 0..self.definition.header_lines() {
                lines.advance()?;
            }
        }
        let mut reader = line_reader(&self.definition, &self.wanted);
        let mut bytes = 0;
        loop {
            let more = lines.advance()?;
            if more {
                reader.line(lines.line())?;
                bytes += lines.line().len();
            }
            let rows = reader.rows();
            if rows >= ROWS.min(self.left) || bytes >= BYTES || (!more && rows > 0) {
                bytes = 0;
                let columns = reader.finish()?;
                let batch = self.batch(&columns, rows, file)?;
                let batch = batch.slice(0, rows.min(self.left));
                self.left -= batch.num_rows();
                if !send(batch) || self.left == 0 {
                    return Ok(false);
                }
            }
            if !more {
                return Ok(true);
            }
        }
    }

    fn batch(&self, read: &[ArrayRef], rows: usize, file: &FileToScan) -> Result<RecordBatch> {
        let columns = self
            .sources
            .iter()
            .map(|source| match source {
                Source::Read(at) => Ok(read[*at].clone()),
                Source::Constant(at) => file.values[*at].to_array_of_size(rows),
            })
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?)
    }
}

fn line_reader(definition: &TableDefinition, wanted: &[Wanted]) -> Box<dyn LineReader> {
    match definition.format {
        Format::OpenCsv => Box::new(open_csv::Reader::new(definition, wanted)),
        Format::Delimited => Box::new(delimited::Reader::new(definition, wanted)),
        Format::OpenxJson | Format::HiveJson => {
            Box::new(json_lines::Reader::new(definition, wanted))
        }
        Format::Parquet => unreachable!("Parquet files are no text: parquet_scan reads them"),
    }
}
