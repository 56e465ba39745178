//! Which rows of a batch go to which partition.

use std::collections::HashMap;
use std::ops::Range;

use datafusion::arrow::array::{ArrayRef, UInt32Array};
use datafusion::arrow::compute::{partition, take_record_batch};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;

use crate::sql::write_value;

/// The values of a partition, as texts; `None` is NULL.
pub(super) type Values = Vec<Option<String>>;

/// Rows of a batch that go to one partition: runs, ascending.
pub(super) struct Share {
    runs: Vec<Range<usize>>,
}

impl Share {
    /// These rows of the batch.
    pub fn of(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        match self.runs.as_slice() {
            [run] => Ok(batch.slice(run.start, run.len())),
            runs => {
                let rows = runs.iter().cloned().flatten();
                let rows: UInt32Array =
                    rows.map(|row| u32::try_from(row).unwrap_or(u32::MAX)).collect();
                Ok(take_record_batch(batch, &rows)?)
            }
        }
    }
}

/// The partitions of a batch, by the first row of each, and their rows.
pub(super) fn dealt(keys: &[ArrayRef], rows: usize) -> Result<Vec<(Values, Share)>> {
    if keys.is_empty() {
        return Ok(vec![(Vec::new(), Share { runs: std::iter::once(0..rows).collect() })]);
    }
    let mut found: Vec<(Values, Share)> = Vec::new();
    let mut places: HashMap<Values, usize> = HashMap::new();
    let mut values: Values = vec![None; keys.len()];
    for run in partition(keys)?.ranges() {
        for (value, key) in values.iter_mut().zip(keys) {
            let mut text = value.take().unwrap_or_default();
            text.clear();
            *value = write_value(key.as_ref(), run.start, &mut text).then_some(text);
        }
        let place = places.get(&values).copied().unwrap_or_else(|| {
            places.insert(values.clone(), found.len());
            found.push((values.clone(), Share { runs: Vec::new() }));
            found.len() - 1
        });
        found[place].1.runs.push(run);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{AsArray, Int64Array, StringArray};
    use datafusion::arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn each_row_goes_to_the_partition_of_its_values() {
        let day = StringArray::from(vec![Some("a"), Some("a"), None, Some("b"), Some("a"), None]);
        let zone = Int64Array::from(vec![1, 1, 1, 1, 2, 1]);
        let row: ArrayRef = Arc::new(Int64Array::from_iter_values(0..6));
        let batch = RecordBatch::try_from_iter([("row", row)]).unwrap();
        let shown = |keys: &[ArrayRef]| -> Vec<String> {
            let found = dealt(keys, 6).unwrap();
            let shown = found.into_iter().map(|(values, share)| {
                let share = share.of(&batch).unwrap();
                let rows = share.column(0).as_primitive::<Int64Type>().values().to_vec();
                format!("{values:?} {rows:?}")
            });
            shown.collect()
        };
        assert_eq!(shown(&[]), ["[] [0, 1, 2, 3, 4, 5]"]);
        let keys: [ArrayRef; 2] = [Arc::new(day), Arc::new(zone)];
        assert_eq!(
            shown(&keys),
            [
                r#"[Some("a"), Some("1")] [0, 1]"#,
                r#"[None, Some("1")] [2, 5]"#,
                r#"[Some("b"), Some("1")] [3]"#,
                r#"[Some("a"), Some("2")] [4]"#,
            ]
        );
    }
}
