//! `max` and `min`, which take NaN only where there is no number.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray};
use datafusion::arrow::compute::{and, is_not_null, nullif};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, FieldRef, Float32Type, Float64Type,
};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF,
    SetMonotonicity, Signature, StatisticsArgs,
};

/// DataFusion's `max` or `min` with Trino's order of floating numbers; others as they are.
pub(in crate::trino) fn with_numbers_first(inner: Arc<AggregateUDF>) -> Arc<AggregateUDF> {
    let greatest = inner.name() == "max";
    Arc::new(AggregateUDF::new_from_impl(Extreme { inner, greatest }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Extreme {
    inner: Arc<AggregateUDF>,
    greatest: bool,
}

impl Extreme {
    fn inner(&self) -> &dyn AggregateUDFImpl {
        self.inner.inner().as_ref()
    }
}

fn is_floating(arguments: &AccumulatorArgs) -> bool {
    matches!(arguments.return_field.data_type(), DataType::Float32 | DataType::Float64)
}

impl AggregateUDFImpl for Extreme {
    fn name(&self) -> &str {
        self.inner().name()
    }

    fn signature(&self) -> &Signature {
        self.inner().signature()
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        self.inner().coerce_types(given)
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        self.inner().return_type(given)
    }

    fn return_field(&self, given: &[FieldRef]) -> Result<FieldRef> {
        self.inner().return_field(given)
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        self.inner().state_fields(arguments)
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        let greatest = self.greatest;
        match arguments.return_field.data_type() {
            DataType::Float32 => Ok(Box::new(Best::<Float32Type> { greatest, value: None })),
            DataType::Float64 => Ok(Box::new(Best::<Float64Type> { greatest, value: None })),
            _ => self.inner().accumulator(arguments),
        }
    }

    fn groups_accumulator_supported(&self, arguments: AccumulatorArgs) -> bool {
        is_floating(&arguments) || self.inner().groups_accumulator_supported(arguments)
    }

    fn create_groups_accumulator(
        &self,
        arguments: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        let greatest = self.greatest;
        match arguments.return_field.data_type() {
            DataType::Float32 => {
                Ok(Box::new(BestOfGroups::<Float32Type> { greatest, values: Vec::new() }))
            }
            DataType::Float64 => {
                Ok(Box::new(BestOfGroups::<Float64Type> { greatest, values: Vec::new() }))
            }
            _ => self.inner().create_groups_accumulator(arguments),
        }
    }

    fn create_sliding_accumulator(
        &self,
        arguments: AccumulatorArgs,
    ) -> Result<Box<dyn Accumulator>> {
        let floating = is_floating(&arguments);
        let inner = self.inner().create_sliding_accumulator(arguments)?;
        if floating && self.greatest {
            return Ok(Box::new(NanFirst { inner }));
        }
        Ok(inner)
    }

    fn is_descending(&self) -> Option<bool> {
        self.inner().is_descending()
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        self.inner().order_sensitivity()
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        self.inner().reverse_expr()
    }

    fn value_from_stats(&self, arguments: &StatisticsArgs) -> Option<ScalarValue> {
        self.inner().value_from_stats(arguments)
    }

    fn set_monotonicity(&self, kind: &DataType) -> SetMonotonicity {
        match kind {
            DataType::Float32 | DataType::Float64 => SetMonotonicity::NotMonotonic,
            kind => self.inner().set_monotonicity(kind),
        }
    }
}

/// A floating number.
trait Floating: ArrowPrimitiveType + std::fmt::Debug {
    fn is_nan(value: Self::Native) -> bool;

    /// NaN, before all numbers in Arrow's order, or after them.
    fn nan(first: bool) -> Self::Native;
}

impl Floating for Float32Type {
    fn is_nan(value: f32) -> bool {
        value.is_nan()
    }

    fn nan(first: bool) -> f32 {
        f32::NAN.copysign(if first { -1.0 } else { 1.0 })
    }
}

impl Floating for Float64Type {
    fn is_nan(value: f64) -> bool {
        value.is_nan()
    }

    fn nan(first: bool) -> f64 {
        f64::NAN.copysign(if first { -1.0 } else { 1.0 })
    }
}

/// The better of the best so far and another value. A best that is NaN is the worst to
/// Arrow, which filters rows by it.
fn better<T: Floating>(
    greatest: bool,
    best: Option<T::Native>,
    value: T::Native,
) -> Option<T::Native>
where
    T::Native: PartialOrd,
{
    let Some(best) = best else {
        return Some(if T::is_nan(value) { T::nan(greatest) } else { value });
    };
    if T::is_nan(value) {
        return Some(best);
    }
    let takes = if T::is_nan(best) {
        true
    } else if greatest {
        value > best
    } else {
        value < best
    };
    Some(if takes { value } else { best })
}

#[derive(Debug)]
struct Best<T: Floating> {
    greatest: bool,
    value: Option<T::Native>,
}

impl<T: Floating> Accumulator for Best<T>
where
    T::Native: PartialOrd,
{
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        for value in columns[0].as_primitive::<T>().iter().flatten() {
            self.value = better::<T>(self.greatest, self.value, value);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&PrimitiveArray::<T>::from_iter([self.value]), 0)
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}

struct BestOfGroups<T: Floating> {
    greatest: bool,
    values: Vec<Option<T::Native>>,
}

impl<T: Floating> GroupsAccumulator for BestOfGroups<T>
where
    T::Native: PartialOrd,
{
    fn update_batch(
        &mut self,
        columns: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        count: usize,
    ) -> Result<()> {
        self.values.resize(count, None);
        let values = columns[0].as_primitive::<T>();
        for (row, group) in groups.iter().enumerate() {
            let counts = filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
            if counts && values.is_valid(row) {
                let best = &mut self.values[*group];
                *best = better::<T>(self.greatest, *best, values.value(row));
            }
        }
        Ok(())
    }

    fn evaluate(&mut self, emitted: EmitTo) -> Result<ArrayRef> {
        let values = emitted.take_needed(&mut self.values);
        Ok(Arc::new(values.into_iter().collect::<PrimitiveArray<T>>()))
    }

    fn state(&mut self, emitted: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emitted)?])
    }

    fn merge_batch(&mut self, columns: &[ArrayRef], groups: &[usize], count: usize) -> Result<()> {
        self.update_batch(columns, groups, None, count)
    }

    fn convert_to_state(
        &self,
        columns: &[ArrayRef],
        filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let Some(filter) = filter else { return Ok(vec![columns[0].clone()]) };
        let counts = and(filter, &is_not_null(filter)?)?;
        let left_out = datafusion::arrow::compute::not(&counts)?;
        Ok(vec![nullif(&columns[0], &left_out)?])
    }

    fn size(&self) -> usize {
        self.values.capacity() * size_of::<Option<T::Native>>()
    }
}

/// An accumulator in whose order NaN is the last, made one where it is the first: NaN with a
/// sign stands before all numbers.
#[derive(Debug)]
struct NanFirst {
    inner: Box<dyn Accumulator>,
}

fn nan_first(columns: &[ArrayRef]) -> Vec<ArrayRef> {
    let changed = |array: &ArrayRef| -> ArrayRef {
        if let Some(reals) = array.as_primitive_opt::<Float32Type>() {
            let turn = |value: f32| if value.is_nan() { Float32Type::nan(true) } else { value };
            return Arc::new(reals.unary::<_, Float32Type>(turn));
        }
        match array.as_primitive_opt::<Float64Type>() {
            Some(doubles) => {
                let turn = |value: f64| if value.is_nan() { Float64Type::nan(true) } else { value };
                Arc::new(doubles.unary::<_, Float64Type>(turn))
            }
            None => array.clone(),
        }
    };
    columns.iter().map(changed).collect()
}

impl Accumulator for NanFirst {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        self.inner.update_batch(&nan_first(columns))
    }

    fn retract_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        self.inner.retract_batch(&nan_first(columns))
    }

    fn supports_retract_batch(&self) -> bool {
        self.inner.supports_retract_batch()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge_batch(&nan_first(states))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.inner.state()
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.inner.evaluate()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size()
    }
}
