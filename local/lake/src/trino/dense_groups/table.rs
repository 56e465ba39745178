//! The groups of one stream with the states of their aggregates.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::AggregateExec;
use kernels::{Groups, Key};

use super::key::{from_numbers, to_numbers};

/// Groups, and the states of their aggregates.
pub(super) struct Table {
    groups: Groups,
    /// The number of each row's group.
    numbers: Vec<usize>,
    keys: Vec<Arc<dyn PhysicalExpr>>,
    aggregates: Vec<Aggregate>,
    schema: SchemaRef,
    reservation: MemoryReservation,
}

struct Aggregate {
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    filter: Option<Arc<dyn PhysicalExpr>>,
    states: Box<dyn GroupsAccumulator>,
}

impl Table {
    /// A table that suits a first batch of rows, which it does not take yet; `None` if its keys are not dense.
    pub fn suits(
        stage: &AggregateExec,
        first: &RecordBatch,
        schema: SchemaRef,
        reservation: MemoryReservation,
    ) -> Result<Option<Self>> {
        let keys: Vec<_> = stage.group_expr().expr().iter().map(|(expr, _)| expr.clone()).collect();
        let values = numbers(&keys, first)?;
        let Some(groups) = Groups::laid_over(&views(&values)) else { return Ok(None) };
        let aggregates = stage.aggr_expr().iter().zip(stage.filter_expr()).map(
            |(function, filter)| -> Result<Aggregate> {
                Ok(Aggregate {
                    arguments: function.expressions(),
                    filter: filter.clone(),
                    states: function.create_groups_accumulator()?,
                })
            },
        );
        let aggregates = aggregates.collect::<Result<_>>()?;
        Ok(Some(Self { groups, numbers: Vec::new(), keys, aggregates, schema, reservation }))
    }

    /// Takes the rows of a batch. Answers whether the next may come too: not when keys are dense no more, or memory is
    /// short.
    pub fn take(&mut self, batch: &RecordBatch) -> Result<bool> {
        let values = numbers(&self.keys, batch)?;
        let dense = self.groups.number(&views(&values), &mut self.numbers);
        let mut size = self.groups.size() + self.numbers.capacity() * size_of::<usize>();
        for aggregate in &mut self.aggregates {
            let arguments = arrays(&aggregate.arguments, batch)?;
            let filter = aggregate.filter.as_ref().map(|filter| array(filter, batch));
            let filter = filter.transpose()?;
            aggregate.states.update_batch(
                &arguments,
                &self.numbers,
                filter.as_ref().map(|filter| filter.as_boolean()),
                self.groups.len(),
            )?;
            size += aggregate.states.size();
        }
        Ok(self.reservation.try_resize(size).is_ok() && dense)
    }

    /// The groups' keys and the states of their aggregates, in batches of so many rows.
    pub fn into_batches(mut self, rows: usize) -> Result<Vec<RecordBatch>> {
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        let count = self.groups.len();
        for (keys, field) in self.groups.into_keys().into_iter().zip(self.schema.fields()) {
            columns.push(from_numbers(keys, field.data_type())?);
        }
        for aggregate in &mut self.aggregates {
            columns.extend(aggregate.states.state(EmitTo::All)?);
        }
        let all = RecordBatch::try_new(self.schema, columns)?;
        let batches = (0..count).step_by(rows);
        Ok(batches.map(|start| all.slice(start, rows.min(count - start))).collect())
    }
}

fn array(expr: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<ArrayRef> {
    expr.evaluate(batch)?.into_array(batch.num_rows())
}

fn arrays(exprs: &[Arc<dyn PhysicalExpr>], batch: &RecordBatch) -> Result<Vec<ArrayRef>> {
    exprs.iter().map(|expr| array(expr, batch)).collect()
}

fn numbers(keys: &[Arc<dyn PhysicalExpr>], batch: &RecordBatch) -> Result<Vec<Int64Array>> {
    keys.iter().map(|key| to_numbers(&array(key, batch)?)).collect()
}

fn views(values: &[Int64Array]) -> Vec<Key<'_>> {
    values.iter().map(|values| Key { values: values.values(), nulls: values.nulls() }).collect()
}
