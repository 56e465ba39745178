//! The rows of a Parquet file as JSON objects, without a table.

use bytes::Bytes;
use datafusion::arrow::compute::cast;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};

use crate::sql::TrinoType;
use crate::trino::json_value;

/// At most `most` rows, each with all columns by their names; times and dates are texts.
///
/// # Errors
/// What of the file cannot be read.
pub fn parquet_items(bytes: Bytes, most: usize) -> Result<Vec<Value>, String> {
    let text = |error: &dyn std::error::Error| error.to_string();
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| text(&error))?;
    let reader = builder.with_limit(most).build().map_err(|error| text(&error))?;
    let mut items = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| text(&error))?;
        let schema = batch.schema();
        let columns = schema.fields().iter().zip(batch.columns()).map(|(field, column)| {
            let plain = TrinoType::of_file(field.data_type()).to_arrow();
            cast(column, &plain).map(|column| (field.name(), column))
        });
        let columns: Vec<_> = columns.collect::<Result<_, _>>().map_err(|error| text(&error))?;
        for row in 0..batch.num_rows() {
            let members = columns
                .iter()
                .map(|(name, column)| ((*name).clone(), json_value(column.as_ref(), row)));
            items.push(Value::Object(members.collect::<Map<_, _>>()));
        }
    }
    Ok(items)
}
