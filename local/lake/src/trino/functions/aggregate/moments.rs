//! `skewness(x)` and `kurtosis(x)`, by central moments that are merged.
#![expect(clippy::cast_precision_loss, reason = "counts of rows become doubles in Trino too")]

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility,
};

use crate::sql::{Failure, TrinoType};
use crate::trino::functions::coerces;

pub(super) fn functions() -> Vec<Arc<AggregateUDF>> {
    [Shape::Skewness, Shape::Kurtosis]
        .into_iter()
        .map(|shape| {
            let signature = Signature::user_defined(Volatility::Immutable);
            Arc::new(AggregateUDF::new_from_impl(OfMoments { shape, signature }))
        })
        .collect()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shape {
    Skewness,
    Kurtosis,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct OfMoments {
    shape: Shape,
    signature: Signature,
}

impl AggregateUDFImpl for OfMoments {
    fn name(&self) -> &str {
        match self.shape {
            Shape::Skewness => "skewness",
            Shape::Kurtosis => "kurtosis",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        match given {
            [kind] if coerces(&TrinoType::of_arrow(kind), &TrinoType::Double) => {
                Ok(vec![DataType::Float64])
            }
            _ => Err(Failure::new(
                "FUNCTION_NOT_FOUND",
                format!(
                    "Unexpected parameters for function {0}. Expected: {0}(double)",
                    self.name()
                ),
            )
            .into()),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Sample { shape: self.shape, moments: Moments::default() }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let field = |part: &str, kind: DataType| {
            Arc::new(Field::new(format!("{}[{part}]", arguments.name), kind, true))
        };
        let mut fields = vec![field("count", DataType::Int64)];
        let parts = ["mean", "m2", "m3", "m4"];
        fields.extend(parts.into_iter().map(|part| field(part, DataType::Float64)));
        Ok(fields)
    }
}

/// A count, a mean, and the sums of the second to fourth powers of the distances from it.
#[derive(Clone, Copy, Debug, Default)]
struct Moments {
    count: i64,
    mean: f64,
    m2: f64,
    m3: f64,
    m4: f64,
}

impl Moments {
    fn of(value: f64) -> Self {
        Self { count: 1, mean: value, ..Self::default() }
    }

    /// The moments of both samples together.
    fn merged(self, other: Self) -> Self {
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { other } else { self };
        }
        let (one, two) = (self.count as f64, other.count as f64);
        let all = one + two;
        let delta = other.mean - self.mean;
        let square = delta * delta;
        Self {
            count: self.count + other.count,
            mean: self.mean + delta * two / all,
            m2: self.m2 + other.m2 + square * one * two / all,
            m3: self.m3
                + other.m3
                + square * delta * one * two * (one - two) / (all * all)
                + 3.0 * delta * (one * other.m2 - two * self.m2) / all,
            m4: self.m4
                + other.m4
                + square * square * one * two * (one * one - one * two + two * two)
                    / (all * all * all)
                + 6.0 * square * (one * one * other.m2 + two * two * self.m2) / (all * all)
                + 4.0 * delta * (one * other.m3 - two * self.m3) / all,
        }
    }
}

#[derive(Debug)]
struct Sample {
    shape: Shape,
    moments: Moments,
}

impl Accumulator for Sample {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        for value in columns[0].as_primitive::<Float64Type>().iter().flatten() {
            self.moments = self.moments.merged(Moments::of(value));
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let counts = states[0].as_primitive::<Int64Type>();
        let part = |at: usize, row: usize| states[at].as_primitive::<Float64Type>().value(row);
        for row in (0..counts.len()).filter(|row| counts.is_valid(*row)) {
            self.moments = self.moments.merged(Moments {
                count: counts.value(row),
                mean: part(1, row),
                m2: part(2, row),
                m3: part(3, row),
                m4: part(4, row),
            });
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let Moments { count, mean, m2, m3, m4 } = self.moments;
        let mut state = vec![ScalarValue::Int64(Some(count))];
        state.extend([mean, m2, m3, m4].map(|part| ScalarValue::Float64(Some(part))));
        Ok(state)
    }

    /// NULL of fewer rows than a moment needs.
    fn evaluate(&mut self) -> Result<ScalarValue> {
        let Moments { count, m2, m3, m4, .. } = self.moments;
        let n = count as f64;
        Ok(ScalarValue::Float64(match self.shape {
            Shape::Skewness => (count >= 3).then(|| n.sqrt() * m3 / m2.powf(1.5)),
            Shape::Kurtosis => (count >= 4).then(|| {
                let rest = (n - 2.0) * (n - 3.0);
                (n - 1.0) * n * (n + 1.0) / rest * m4 / (m2 * m2) - 3.0 * (n - 1.0).powi(2) / rest
            }),
        }))
    }

    fn size(&self) -> usize {
        size_of_val(self)
    }
}
