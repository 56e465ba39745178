//! `CAST`, `TRY_CAST` and typed literals.

mod address;
mod from_text;
mod function;
mod nested;
mod number;
mod time;
mod to_text;

pub(in crate::trino) use address::{from_sixteen, sixteen};
pub(in crate::trino) use from_text::parse_decimal;
pub(in crate::trino) use function::literal_type;
pub(super) use function::{functions, is_castable, type_named};
pub(in crate::trino) use number::{decimal_text, pow10, rescale};
pub(in crate::trino) use to_text::{pad, write_scientific_double};

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryArray, new_null_array};
use datafusion::arrow::compute::concat;
use datafusion::common::Result;

use crate::moment::Zone;
use crate::sql::{Failure, TrinoType};

/// What a value that cannot be cast becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::trino) enum OnFailure {
    Fail,
    Null,
}

impl OnFailure {
    /// NULL or the failure, as it is asked for.
    fn settle<T>(self, found: Result<T, Failure>) -> Result<Option<T>> {
        match (found, self) {
            (Ok(value), _) => Ok(Some(value)),
            (Err(_), Self::Null) => Ok(None),
            (Err(failure), Self::Fail) => Err(failure.into()),
        }
    }
}

/// Casts to a type of parts: NULL in place of a value of which any part cannot be cast.
fn whole_or_null(
    array: &ArrayRef,
    from: &TrinoType,
    to: &TrinoType,
    zone: Zone,
) -> Result<ArrayRef> {
    if let Ok(found) = cast_in_zone(array, from, to, OnFailure::Fail, zone) {
        return Ok(found);
    }
    let rows: Vec<ArrayRef> = (0..array.len())
        .map(|row| {
            cast_in_zone(&array.slice(row, 1), from, to, OnFailure::Fail, zone)
                .unwrap_or_else(|_| new_null_array(&to.to_arrow(), 1))
        })
        .collect();
    let rows: Vec<&dyn Array> = rows.iter().map(AsRef::as_ref).collect();
    Ok(concat(&rows)?)
}

/// Casts an array from one Trino type to another, where no zone of a session is asked for.
pub(in crate::trino) fn cast_array(
    array: &ArrayRef,
    from: &TrinoType,
    to: &TrinoType,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    cast_in_zone(array, from, to, on_failure, Zone::UTC)
}

/// Casts an array from one Trino type to another in a session's zone.
pub(in crate::trino) fn cast_in_zone(
    array: &ArrayRef,
    from: &TrinoType,
    to: &TrinoType,
    on_failure: OnFailure,
    zone: Zone,
) -> Result<ArrayRef> {
    use TrinoType::{
        Array as List, Bigint, Boolean, Char, Decimal, Double, Integer, IpAddress, Json, Map, Real,
        Row, Smallint, Tinyint, Unknown, Uuid, Varbinary, Varchar,
    };
    if from == to {
        return Ok(array.clone());
    }
    if on_failure == OnFailure::Null && matches!(to, List(_) | Map(..) | Row(_)) {
        return whole_or_null(array, from, to, zone);
    }
    match (from, to) {
        (Unknown, _) => Ok(new_null_array(&to.to_arrow(), array.len())),
        (_, Json) => Ok(super::json::to_json(array, from)),
        (Json, Varchar(Some(length))) => super::json::to_short_text(array, *length, on_failure),
        (Json, _) => super::json::from_json(array, to, on_failure),
        (Varchar(_) | Char(_), Uuid | IpAddress) => address::from_text(array, to, on_failure),
        (Varbinary, Uuid | IpAddress) => address::from_bytes(array, to, on_failure),
        (Uuid | IpAddress, Varbinary) => Ok(address::to_bytes(array)),
        (Char(from), Varchar(length)) => Ok(to_text::shorten(&pad(array, *from), *length)),
        (Varchar(_), Varchar(length)) => Ok(to_text::shorten(array, *length)),
        (Varchar(_) | Char(_), Char(length)) => Ok(to_text::to_char(array, *length)),
        (Varchar(_), Varbinary) => {
            let bytes: BinaryArray =
                array.as_string::<i32>().iter().map(|text| text.map(str::as_bytes)).collect();
            Ok(Arc::new(bytes))
        }
        (_, Varchar(length)) => to_text::to_text(array, from, *length, on_failure),
        (Varchar(_) | Char(_), _) => from_text::from_text(array, to, on_failure, zone),
        (Boolean | Tinyint | Smallint | Integer | Bigint | Real | Double | Decimal(..), _)
            if to.is_numeric() || *to == Boolean =>
        {
            number::cast(array, from, to, on_failure)
        }
        (from, to) if time::is_temporal(from) && time::is_temporal(to) => {
            time::cast(array, from, to, on_failure, zone)
        }
        (List(_), List(_)) | (Map(..), Map(..)) | (Row(_), Row(_)) => {
            nested::cast(array, from, to, on_failure, zone)
        }
        (Varbinary, Varbinary) => Ok(array.clone()),
        _ => Err(Failure::type_mismatch(format!("Cannot cast {from} to {to}")).into()),
    }
}
