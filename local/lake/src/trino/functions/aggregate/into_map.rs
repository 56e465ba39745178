//! `map_agg(k, v)`, `map_union(m)` and `histogram(x)`.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray, new_empty_array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};

use crate::sql::{Failure, TrinoType};

pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    [("map_agg", Source::Pairs), ("map_union", Source::Maps), ("histogram", Source::Keys)]
        .into_iter()
        .map(|(name, source)| {
            let signature = Signature::user_defined(Volatility::Immutable);
            Arc::new(AggregateUDF::new_from_impl(IntoMap { name, source, signature }))
        })
        .collect()
}

/// What the entries come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Source {
    Pairs,
    Maps,
    /// Keys alone: the values are their counts.
    Keys,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct IntoMap {
    name: &'static str,
    source: Source,
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
        let wanted = if self.source == Source::Pairs { 2 } else { 1 };
        let maps = given.iter().all(|kind| matches!(kind, DataType::Map(..)));
        if given.len() == wanted && (maps || self.source != Source::Maps) {
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
        Ok(match self.source {
            Source::Pairs => TrinoType::Map(kind(0), kind(1)),
            Source::Maps => *kind(0),
            Source::Keys => TrinoType::Map(kind(0), Box::new(TrinoType::Bigint)),
        }
        .to_arrow())
    }

    fn accumulator(&self, arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Entries {
            source: self.source,
            any: false,
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
    source: Source,
    /// Whether a map came, if only an empty one.
    any: bool,
    kind: DataType,
    places: HashMap<ScalarValue, usize>,
    keys: Vec<ScalarValue>,
    values: Vec<ScalarValue>,
}

impl Entries {
    fn add(&mut self, key: ScalarValue, value: ScalarValue) {
        match self.places.get(&key) {
            Some(place) if self.source == Source::Keys => {
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
        if self.source == Source::Maps {
            return self.merge_batch(columns);
        }
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
            self.any = true;
            let entries = maps.value(row);
            for at in 0..entries.len() {
                let value = if self.source == Source::Keys {
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
        if self.keys.is_empty() && !self.any {
            return ScalarValue::try_from(&self.kind);
        }
        let DataType::Map(entries, _) = &self.kind else {
            return Err(Failure::type_mismatch("a map").into());
        };
        let DataType::Struct(fields) = entries.data_type() else {
            return Err(Failure::type_mismatch("a map").into());
        };
        let items = |items: &[ScalarValue], kind: &DataType| match items {
            [] => Ok(new_empty_array(kind)),
            items => ScalarValue::iter_to_array(items.iter().cloned()),
        };
        let keys = items(&self.keys, fields[0].data_type())?;
        let values = items(&self.values, fields[1].data_type())?;
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
