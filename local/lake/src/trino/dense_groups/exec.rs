//! The operator: rows in, groups with the states of their aggregates out.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::{EmptyRecordBatchStream, RecordBatchStreamAdapter};
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt, TryStreamExt, stream};

use super::table::{Table, Taken};

/// Answers what the stage it stands for answers, a group perhaps in several rows, as first stages may.
#[derive(Debug)]
pub(super) struct DenseGroupsExec {
    stage: Arc<AggregateExec>,
}

impl DenseGroupsExec {
    pub fn instead_of(stage: AggregateExec) -> Self {
        Self { stage: Arc::new(stage) }
    }
}

impl DisplayAs for DenseGroupsExec {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DenseGroupsExec: ")?;
        self.stage.fmt_as(kind, f)
    }
}

impl ExecutionPlan for DenseGroupsExec {
    fn name(&self) -> &'static str {
        "DenseGroupsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.stage.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.stage.children()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.stage.apply_expressions(f)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let stage = self.stage.clone().replace_children(children, options)?;
        let Some(stage) = stage.downcast_ref::<AggregateExec>() else {
            return internal_err!("an aggregation with other rows is {}", stage.name());
        };
        Ok(Arc::new(Self::instead_of(stage.clone())))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
        )
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let rows = self.stage.input().execute(partition, context.clone())?;
        let work = Work { stage: self.stage.clone(), schema: self.schema(), context };
        let out = stream::once(work.run(rows)).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), out)))
    }
}

struct Work {
    stage: Arc<AggregateExec>,
    schema: SchemaRef,
    context: Arc<TaskContext>,
}

impl Work {
    /// Groups rows as long as their keys are dense. The stage itself takes those that are left.
    async fn run(self, mut rows: SendableRecordBatchStream) -> Result<SendableRecordBatchStream> {
        let mut table: Option<Table> = None;
        while let Some(batch) = rows.next().await.transpose()? {
            if batch.num_rows() == 0 {
                continue;
            }
            let known = match &mut table {
                Some(known) => known,
                None => match self.table(&batch)? {
                    Some(new) => table.insert(new),
                    None => return self.by_the_stage(first(batch).chain(rows)),
                },
            };
            let rest = match known.take(&batch)? {
                Taken::Yes => continue,
                Taken::AsTheLast => self.by_the_stage(rows)?,
                Taken::Not => self.by_the_stage(first(batch).chain(rows))?,
            };
            return self.answer(table, Some(rest));
        }
        self.answer(table, None)
    }

    fn table(&self, first: &RecordBatch) -> Result<Option<Table>> {
        let reservation = MemoryConsumer::new("DenseGroups").register(self.context.memory_pool());
        Table::suits(&self.stage, first, self.schema.clone(), reservation)
    }

    fn answer(
        &self,
        table: Option<Table>,
        rest: Option<SendableRecordBatchStream>,
    ) -> Result<SendableRecordBatchStream> {
        let size = self.context.session_config().batch_size();
        let batches = table.map(|table| table.into_batches(size)).transpose()?;
        let rest =
            rest.unwrap_or_else(|| Box::pin(EmptyRecordBatchStream::new(self.schema.clone())));
        let all = stream::iter(batches.into_iter().flatten().map(Ok)).chain(rest);
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), all)))
    }

    /// What DataFusion's stage makes of rows.
    fn by_the_stage(
        &self,
        rows: impl stream::Stream<Item = Result<RecordBatch>> + Send + 'static,
    ) -> Result<SendableRecordBatchStream> {
        let schema = self.stage.input().schema();
        let rows = Box::pin(RecordBatchStreamAdapter::new(schema.clone(), rows));
        let rows = Rows { schema: schema.clone(), once: Mutex::new(Some(rows)) };
        let input =
            StreamingTableExec::try_new(schema, vec![Arc::new(rows)], None, [], false, None)?;
        let recompute = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
        let stage = self.stage.clone().replace_children(vec![Arc::new(input)], recompute)?;
        stage.execute(0, self.context.clone())
    }
}

fn first(batch: RecordBatch) -> impl stream::Stream<Item = Result<RecordBatch>> {
    stream::once(async { Ok(batch) })
}

/// Rows under way, as an input.
struct Rows {
    schema: SchemaRef,
    once: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Rows {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Rows")
    }
}

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self.once.lock().unwrap_or_else(PoisonError::into_inner).take();
        rows.unwrap_or_else(|| Box::pin(EmptyRecordBatchStream::new(self.schema.clone())))
    }
}
