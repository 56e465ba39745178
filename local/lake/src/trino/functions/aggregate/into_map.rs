//! `map_agg(k, v)` and `histogram(x)`.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};

use crate::sql::{Failure, TrinoType};

pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    [("map_agg", false), ("histogram", true)]
        .into_iter()
        .map(|(name, counting)| {
            let signature = Signature::user_defined(Volatility::Immutable);
            Arc::new(AggregateUDF::new_from_impl(IntoMap { name, counting, signature }))
        })
        .collect()
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct IntoMap {
    name: &'static str,
    /// Whether the values are counts of the keys.
    counting: bool,
    signature: Signature,
}

impl AggregateUDFImpl for IntoMap {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if given.len() == if self.counting { 1 } else { 2 } {
            return Ok(given.iter().map(|kind| TrinoType::of_arrow(kind).to_arrow()).collect());
        }
        Err(Failure::new(
            "FUNCTION_NOT_FOUND",
            format!("Unexpected parameters for function {}", self.name),
        )
        .into())
    }

    fn return_type(&self, given: &[DataType]) -> Result<DataType> {
        let kind =
            |at: usize| Box::new(given.get(at).map_or(TrinoType::Unknown, TrinoType::of_arrow));
        let value = if self.counting { Box::new(TrinoType::Bigint) } else { kind(1) };
        Ok(TrinoType::Map(kind(0), value).to_arrow())
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Entries {
            counting: self.counting,
            kind: arguments.return_field.data_type().clone(),
            places: HashMap::new(),
            keys: Vec::new(),
            values: Vec::new(),
        }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(
            format!("{}[entries]", arguments.name),
            arguments.return_field.data_type().clone(),
            true,
        ))])
    }
}

#[derive(Debug)]
struct Entries {
    counting: bool,
    kind: DataType,
    places: HashMap<ScalarValue, usize>,
    keys: Vec<ScalarValue>,
    values: Vec<ScalarValue>,
}

impl Entries {
    fn add(&mut self, key: ScalarValue, value: ScalarValue) {
        match self.places.get(&key) {
            Some(place) if self.counting => {
                if let (ScalarValue::Int64(Some(known)), ScalarValue::Int64(Some(more))) =
                    (&mut self.values[*place], &value)
                {
                    *known += more;
                }
            }
            // One of several values of a key: the first.
            Some(_) => {}
            None => {
                self.places.insert(key.clone(), self.keys.len());
                self.keys.push(key);
                self.values.push(value);
            }
        }
    }
}

impl Accumulator for Entries {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        let keys = &columns[0];
        for row in 0..keys.len() {
            if keys.is_null(row) {
                continue;
            }
            let value = match columns.get(1) {
                Some(values) => ScalarValue::try_from_array(values, row)?,
                None => ScalarValue::Int64(Some(1)),
            };
            self.add(ScalarValue::try_from_array(keys, row)?, value);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let maps = states[0].as_map();
        for row in (0..maps.len()).filter(|row| maps.is_valid(*row)) {
            let entries = maps.value(row);
            for at in 0..entries.len() {
                let value = if self.counting {
                    ScalarValue::Int64(Some(
                        entries.column(1).as_primitive::<Int64Type>().value(at),
                    ))
                } else {
                    ScalarValue::try_from_array(entries.column(1), at)?
                };
                self.add(ScalarValue::try_from_array(entries.column(0), at)?, value);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        if self.keys.is_empty() {
            return ScalarValue::try_from(&self.kind);
        }
        let DataType::Map(entries, _) = &self.kind else {
            return Err(Failure::type_mismatch("a map").into());
        };
        let DataType::Struct(fields) = entries.data_type() else {
            return Err(Failure::type_mismatch("a map").into());
        };
        let keys = ScalarValue::iter_to_array(self.keys.iter().cloned())?;
        let values = ScalarValue::iter_to_array(self.values.iter().cloned())?;
        let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
        let offsets = OffsetBuffer::from_lengths([self.keys.len()]);
        Ok(ScalarValue::Map(Arc::new(MapArray::try_new(
            entries.clone(),
            offsets,
            pairs,
            None,
            false,
        )?)))
    }

    fn size(&self) -> usize {
        size_of_val(self)
            + self.keys.iter().chain(&self.values).map(|value| value.size() * 2).sum::<usize>()
    }
}
