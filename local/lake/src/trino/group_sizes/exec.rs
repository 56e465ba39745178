//! The operator: rows in, the sizes of their groups out.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array as _, ArrayRef, AsArray, Int64Array, RecordBatch};
use datafusion::arrow::buffer::ScalarBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type, SchemaRef, UInt64Type};
use datafusion::common::runtime::JoinSet;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, exec_datafusion_err, internal_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::StreamExt;
use tokio::sync::mpsc::Sender;

use super::buckets::{BUCKETS, Buckets, Dealt};
use super::count::Counts;

/// Answers one column, the sizes of the groups of rows whose key is the same, in no order.
#[derive(Debug)]
pub(super) struct GroupSizesExec {
    input: Arc<dyn ExecutionPlan>,
    key: Arc<dyn PhysicalExpr>,
    properties: Arc<PlanProperties>,
}

impl GroupSizesExec {
    pub fn new(
        input: Arc<dyn ExecutionPlan>,
        key: Arc<dyn PhysicalExpr>,
        schema: SchemaRef,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self { input, key, properties: Arc::new(properties) }
    }
}

impl DisplayAs for GroupSizesExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupSizesExec: key={}", self.key)
    }
}

impl ExecutionPlan for GroupSizesExec {
    fn name(&self) -> &'static str {
        "GroupSizesExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        f(&self.key)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("GroupSizesExec has one input");
        };
        Ok(Arc::new(Self::new(input, self.key.clone(), self.schema())))
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
        if partition != 0 {
            return internal_err!("GroupSizesExec has one partition, and not {partition}");
        }
        let streams = (0..self.input.properties().partitioning.partition_count())
            .map(|at| self.input.execute(at, context.clone()))
            .collect::<Result<Vec<_>>>()?;
        let work = Work { key: self.key.clone(), schema: self.schema(), context };
        let mut builder = RecordBatchReceiverStream::builder(self.schema(), 2);
        let out = builder.tx();
        builder.spawn(async move { work.run(streams, out).await });
        Ok(builder.build())
    }
}

#[derive(Clone)]
struct Work {
    key: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
    context: Arc<TaskContext>,
}

impl Work {
    async fn run(
        self,
        streams: Vec<SendableRecordBatchStream>,
        out: Sender<Result<RecordBatch>>,
    ) -> Result<()> {
        let side_by_side = streams.len();
        let mut dealing = JoinSet::new();
        for stream in streams {
            dealing.spawn(self.clone().deal(stream));
        }
        let dealt = Arc::new(Dealt { streams: all(dealing).await? });
        if let Some(nulls) = dealt.nulls()
            && out.send(self.batch(vec![nulls])).await.is_err()
        {
            return Ok(());
        }
        let mut counting = JoinSet::new();
        for first in 0..side_by_side {
            let buckets = (first..BUCKETS).step_by(side_by_side);
            counting.spawn(self.clone().count(dealt.clone(), buckets, out.clone()));
        }
        all(counting).await.map(drop)
    }

    /// Deals out the keys of a stream.
    async fn deal(self, mut stream: SendableRecordBatchStream) -> Result<Buckets> {
        let mut buckets = Buckets::new(&self.context);
        let mut keys = Vec::new();
        while let Some(batch) = stream.next().await {
            let batch = batch?;
            let values = bits(&self.key.evaluate(&batch)?.into_array(batch.num_rows())?)?;
            keys.clear();
            match values.nulls().filter(|nulls| nulls.null_count() > 0) {
                None => keys.extend(values.values().iter().map(|value| value.cast_unsigned())),
                Some(nulls) => {
                    buckets.nulls += nulls.null_count() as u64;
                    keys.extend(nulls.valid_indices().map(|row| values.value(row).cast_unsigned()));
                }
            }
            buckets.add(&keys);
            buckets.settle(&self.context)?;
        }
        buckets.finish();
        buckets.settle(&self.context)?;
        Ok(buckets)
    }

    /// Counts buckets, and sends the sizes of their groups. Stops when nobody wants them any more.
    async fn count(
        self,
        dealt: Arc<Dealt>,
        buckets: impl Iterator<Item = usize> + Send,
        out: Sender<Result<RecordBatch>>,
    ) -> Result<()> {
        let mut counts = Counts::with_room_for(0);
        let mut sizes = Vec::new();
        let most = self.context.session_config().batch_size();
        for bucket in buckets {
            sizes.extend(dealt.sizes(bucket, &mut counts)?);
            while sizes.len() >= most {
                let rest = sizes.split_off(most);
                let batch = self.batch(std::mem::replace(&mut sizes, rest));
                if out.send(batch).await.is_err() {
                    return Ok(());
                }
            }
            tokio::task::consume_budget().await;
        }
        if !sizes.is_empty() {
            // Nobody who wants them is no error.
            let _ = out.send(self.batch(sizes)).await;
        }
        Ok(())
    }

    fn batch(&self, sizes: Vec<i64>) -> Result<RecordBatch> {
        let sizes: ArrayRef = Arc::new(Int64Array::from(sizes));
        Ok(RecordBatch::try_new(self.schema.clone(), vec![sizes])?)
    }
}

/// Waits for all; the first error ends the others.
async fn all<T: Send + 'static>(mut tasks: JoinSet<Result<T>>) -> Result<Vec<T>> {
    let mut done = Vec::with_capacity(tasks.len());
    while let Some(ended) = tasks.join_next().await {
        done.push(ended.map_err(|error| exec_datafusion_err!("counting groups: {error}"))??);
    }
    Ok(done)
}

/// Values as the 64-bit numbers that have their bits.
fn bits(values: &ArrayRef) -> Result<Int64Array> {
    let wide = match values.data_type() {
        DataType::UInt64 => {
            let (_, numbers, nulls) = values.as_primitive::<UInt64Type>().clone().into_parts();
            return Ok(Int64Array::new(ScalarBuffer::from(numbers.into_inner()), nulls));
        }
        DataType::Date32 | DataType::Time32(_) => {
            cast(&cast(values, &DataType::Int32)?, &DataType::Int64)?
        }
        _ => cast(values, &DataType::Int64)?,
    };
    Ok(wide.as_primitive::<Int64Type>().clone())
}
