//! `$in_order(array(row(value, key, …)), 'al df')`: the values in the order of their keys,
//! for aggregates that are ordered inside a window.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::Result;

use super::{Chosen, range};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::call::Call;
use crate::trino::functions::function::{Function, Plan, unexpected};

pub(super) const FUNCTIONS: &[Function] = &[Function::new("$in_order", types, in_order)];

fn types(given: &[TrinoType]) -> Result<Plan, Failure> {
    if let [TrinoType::Array(item), TrinoType::Varchar(_)] = given
        && let TrinoType::Row(fields) = item.as_ref()
        && let Some((_, value)) = fields.first()
    {
        return Ok(Plan::given(given, TrinoType::Array(Box::new(value.clone()))));
    }
    Err(unexpected("$in_order", given, "array(row(value, key, ...)), varchar"))
}

/// `a` or `d` for the direction of each key, `f` or `l` for where NULL stands.
fn in_order(call: &Call) -> Result<ArrayRef> {
    let list = call.lists(0)?;
    let keys = call.constant_text(1).unwrap_or_default();
    let rows = list.values().as_struct();
    let fields = keys
        .split(' ')
        .zip(&rows.columns()[1..])
        .map(|(key, column)| {
            let options =
                SortOptions { descending: key.starts_with('d'), nulls_first: key.ends_with('f') };
            SortField::new_with_options(column.data_type().clone(), options)
        })
        .collect();
    let ordered = RowConverter::new(fields)?.convert_columns(&rows.columns()[1..])?;
    let mut chosen = Chosen::new();
    for row in 0..call.rows {
        if list.is_null(row) {
            chosen.null();
            continue;
        }
        let mut places: Vec<usize> = range(&list, row).collect();
        places.sort_by(|one, other| ordered.row(*one).cmp(&ordered.row(*other)));
        chosen.row(places);
    }
    chosen.build(rows.column(0), &call.result)
}
