//! Between arrays, maps and rows: their parts, one by one.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use super::{OnFailure, cast_in_zone};
use crate::moment::Zone;
use crate::sql::{Failure, TrinoType};

pub(super) fn cast(
    array: &ArrayRef,
    from: &TrinoType,
    to: &TrinoType,
    on_failure: OnFailure,
    zone: Zone,
) -> Result<ArrayRef> {
    match (from, to, to.to_arrow()) {
        (TrinoType::Array(from), TrinoType::Array(to), DataType::List(field)) => {
            let list = array.as_list::<i32>();
            let items = cast_in_zone(list.values(), from, to, on_failure, zone)?;
            Ok(Arc::new(ListArray::try_new(
                field,
                list.offsets().clone(),
                items,
                list.nulls().cloned(),
            )?))
        }
        (
            TrinoType::Map(key, value),
            TrinoType::Map(to_key, to_value),
            DataType::Map(entries, _),
        ) => {
            let map = array.as_map();
            let keys = cast_in_zone(map.keys(), key, to_key, on_failure, zone)?;
            let values = cast_in_zone(map.values(), value, to_value, on_failure, zone)?;
            let DataType::Struct(fields) = entries.data_type() else {
                return Err(Failure::type_mismatch("a map has entries").into());
            };
            let pairs = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
            Ok(Arc::new(MapArray::try_new(
                entries,
                map.offsets().clone(),
                pairs,
                map.nulls().cloned(),
                false,
            )?))
        }
        (TrinoType::Row(from), TrinoType::Row(to), DataType::Struct(fields))
            if from.len() == to.len() =>
        {
            let row = array.as_struct();
            let columns = row
                .columns()
                .iter()
                .zip(from.iter().zip(to))
                .map(|(column, (from, to))| cast_in_zone(column, &from.1, &to.1, on_failure, zone))
                .collect::<Result<Vec<_>>>()?;
            Ok(Arc::new(StructArray::try_new_with_length(
                fields,
                columns,
                row.nulls().cloned(),
                row.len(),
            )?))
        }
        _ => Err(Failure::type_mismatch(format!("Cannot cast {from} to {to}")).into()),
    }
}
