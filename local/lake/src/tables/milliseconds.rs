//! Timestamps finer than milliseconds, rounded to them as Athena reads them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, PrimitiveArray, TimestampMillisecondArray};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, FieldRef, Schema, TimeUnit, TimestampMicrosecondType,
    TimestampNanosecondType,
};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use kernels::{microseconds_to_milliseconds, nanoseconds_to_milliseconds};

/// Whether values of a file's type are rounded to those of a table's.
pub(super) fn are_rounded(found: &DataType, declared: &DataType) -> bool {
    matches!(
        (found, declared),
        (
            DataType::Timestamp(TimeUnit::Microsecond | TimeUnit::Nanosecond, _),
            DataType::Timestamp(TimeUnit::Millisecond, None)
        )
    )
}

/// The values of a column, half up.
#[derive(Debug)]
pub(super) struct Milliseconds {
    pub of: Arc<dyn PhysicalExpr>,
}

impl PartialEq for Milliseconds {
    fn eq(&self, other: &Self) -> bool {
        self.of.eq(&other.of)
    }
}

impl Eq for Milliseconds {}

impl Hash for Milliseconds {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.of.hash(state);
    }
}

impl fmt::Display for Milliseconds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "milliseconds({})", self.of)
    }
}

fn rounded<T: ArrowPrimitiveType<Native = i64>>(
    values: &PrimitiveArray<T>,
    to_milliseconds: fn(&[i64]) -> Vec<i64>,
) -> TimestampMillisecondArray {
    TimestampMillisecondArray::new(to_milliseconds(values.values()).into(), values.nulls().cloned())
}

impl PhysicalExpr for Milliseconds {
    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        let field = self.of.return_field(schema)?;
        let kind = DataType::Timestamp(TimeUnit::Millisecond, None);
        Ok(Arc::new(field.as_ref().clone().with_data_type(kind)))
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let values = self.of.evaluate(batch)?.into_array(batch.num_rows())?;
        let found = match values.data_type() {
            DataType::Timestamp(TimeUnit::Microsecond, _) => rounded(
                values.as_primitive::<TimestampMicrosecondType>(),
                microseconds_to_milliseconds,
            ),
            _ => rounded(
                values.as_primitive::<TimestampNanosecondType>(),
                nanoseconds_to_milliseconds,
            ),
        };
        Ok(ColumnarValue::Array(Arc::new(found)))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.of]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        Ok(Arc::new(Self { of: children.pop().unwrap_or_else(|| self.of.clone()) }))
    }

    fn fmt_sql(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
