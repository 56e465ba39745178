//! `CAST`, `TRY_CAST` and typed literals.

mod from_text;
mod function;
mod nested;
mod number;
mod time;
mod to_text;

pub(in crate::trino) use from_text::{parse_decimal, parse_timestamp};
pub(super) use function::functions;
pub(in crate::trino) use number::{pow10, rescale};
pub(in crate::trino) use time::{from_instants, instants, times_of_day};
pub(in crate::trino) use to_text::pad;

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryArray, new_null_array};
use datafusion::common::Result;

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

/// Casts an array from one Trino type to another.
pub(in crate::trino) fn cast_array(
    array: &ArrayRef,
    from: &TrinoType,
    to: &TrinoType,
    on_failure: OnFailure,
) -> Result<ArrayRef> {
    use TrinoType::{
        Array as List, Bigint, Boolean, Char, Date, Decimal, Double, Integer, Json, Map, Real, Row,
        Smallint, Timestamp, TimestampWithZone, Tinyint, Unknown, Uuid, Varbinary, Varchar,
    };
    if from == to {
        return Ok(array.clone());
    }
    match (from, to) {
        (Unknown, _) => Ok(new_null_array(&to.to_arrow(), array.len())),
        (_, Json) => Ok(super::json::to_json(array, from)),
        (Json, _) => super::json::from_json(array, to, on_failure),
        (Char(from), Varchar(length)) => Ok(to_text::shorten(&pad(array, *from), *length)),
        (Varchar(_) | Uuid, Varchar(length)) => Ok(to_text::shorten(array, *length)),
        (Varchar(_) | Char(_), Char(length)) => Ok(to_text::to_char(array, *length)),
        (Varchar(_), Varbinary) => {
            let bytes: BinaryArray =
                array.as_string::<i32>().iter().map(|text| text.map(str::as_bytes)).collect();
            Ok(Arc::new(bytes))
        }
        (_, Varchar(length)) => to_text::to_text(array, from, *length, on_failure),
        (Varchar(_) | Char(_), _) => from_text::from_text(array, to, on_failure),
        (Boolean | Tinyint | Smallint | Integer | Bigint | Real | Double | Decimal(..), _)
            if to.is_numeric() || *to == Boolean =>
        {
            number::cast(array, from, to, on_failure)
        }
        (
            Date | Timestamp(_) | TimestampWithZone(_),
            Date | Timestamp(_) | TimestampWithZone(_) | TrinoType::Time(_),
        )
        | (TrinoType::Time(_), TrinoType::Time(_)) => time::cast(array, from, to),
        (List(_), List(_)) | (Map(..), Map(..)) | (Row(_), Row(_)) => {
            nested::cast(array, from, to, on_failure)
        }
        (Varbinary, Varbinary) => Ok(array.clone()),
        _ => Err(Failure::type_mismatch(format!("Cannot cast {from} to {to}")).into()),
    }
}
