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

use super::key::Numbering;

/// Groups, and the states of their aggregates.
pub(super) struct Table {
    groups: Groups,
    /// The number of each row's group.
    numbers: Vec<usize>,
    keys: Vec<(Arc<dyn PhysicalExpr>, Numbering)>,
    aggregates: Vec<Aggregate>,
    schema: SchemaRef,
    reservation: MemoryReservation,
}

/// What became of a batch.
pub(super) enum Taken {
    Yes,
    /// Keys are dense no more, or memory is short: no other is to come.
    AsTheLast,
    Not,
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
        let input = first.schema();
        let keys = stage.group_expr().expr().iter().map(|(expr, _)| -> Result<_> {
            Ok((expr.clone(), Numbering::of(&expr.data_type(&input)?)))
        });
        let mut keys = keys.collect::<Result<Vec<_>>>()?;
        let Some(values) = numbers(&mut keys, first)? else { return Ok(None) };
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

    /// Takes the rows of a batch.
    pub fn take(&mut self, batch: &RecordBatch) -> Result<Taken> {
        let Some(values) = numbers(&mut self.keys, batch)? else { return Ok(Taken::Not) };
        let dense = self.groups.number(&views(&values), &mut self.numbers);
        let mut size = self.groups.size() + self.numbers.capacity() * size_of::<usize>();
        size += self.keys.iter().map(|(_, numbering)| numbering.size()).sum::<usize>();
        for aggregate in &mut self.aggregates {
            let arguments = arrays(&aggregate.arguments, batch)?;
            let filter = aggregate.filter.as_ref().map(|filter| array(filter, batch));
            let filter = filter.transpose()?;
            aggregate.states.update_batch(
                &arguments,
                &self.numbers,
                filter.as_ref().map(AsArray::as_boolean),
                self.groups.len(),
            )?;
            size += aggregate.states.size();
        }
        let more = self.reservation.try_resize(size).is_ok() && dense;
        Ok(if more { Taken::Yes } else { Taken::AsTheLast })
    }

    /// The groups' keys and the states of their aggregates, in batches of so many rows.
    pub fn into_batches(mut self, rows: usize) -> Result<Vec<RecordBatch>> {
        let mut columns = Vec::with_capacity(self.schema.fields().len());
        let count = self.groups.len();
        let keys = self.groups.into_keys().into_iter().zip(&self.keys);
        for ((keys, (_, numbering)), field) in keys.zip(self.schema.fields()) {
            columns.push(numbering.values(keys, field.data_type())?);
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

/// The keys of rows; `None` where they are texts, and too many different ones.
fn numbers(
    keys: &mut [(Arc<dyn PhysicalExpr>, Numbering)],
    batch: &RecordBatch,
) -> Result<Option<Vec<Int64Array>>> {
    keys.iter_mut().map(|(key, numbering)| numbering.number(&array(key, batch)?)).collect()
}

fn views(values: &[Int64Array]) -> Vec<Key<'_>> {
    values.iter().map(|values| Key { values: values.values(), nulls: values.nulls() }).collect()
}
