//! How the columns of a file become those of a table. Each format says which do, and how; this does it.

use std::error::Error;
use std::io;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Array, ListArray, MapArray, PrimitiveArray, StructArray,
    new_null_array,
};
use datafusion::arrow::compute::{CastOptions, cast_with_options};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, TimestampMillisecondType,
};
use datafusion::common::{DataFusionError, Result, ScalarValue};

use crate::sql::{Failure, TrinoType};
use crate::trino::text_to;

/// Nanoseconds of a millisecond.
const NANOSECONDS: i128 = 1_000_000;
/// One more than the largest number of 64 bits.
const WRAPPED: i128 = 1 << 64;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fit {
    /// The values have the table's type.
    Same,
    /// Not in the file: this value in every row.
    Missing(ScalarValue),
    /// Cast to one type after the other; a value that has no place there is an error.
    Cast(Vec<DataType>),
    /// Texts or bytes, cut to the length of the table's type.
    Text,
    /// Decimals of nanoseconds since the epoch, rounded half up as Athena does.
    Nanoseconds,
    /// Whole milliseconds since the epoch.
    Milliseconds,
    /// The digits of a decimal as a number of two's complement, the highest byte first.
    Digits,
    List(Box<Fit>),
    Map(Box<Fit>, Box<Fit>),
    /// Of each field of the table's type: its place in the file's.
    Row(Vec<(usize, Fit)>),
}

impl Fit {
    /// A column, or a field of a row, that the file does not have.
    pub fn null(declared: &TrinoType) -> Result<Self> {
        Ok(Self::Missing(ScalarValue::try_from(&declared.to_arrow())?))
    }

    /// The values of the file as the table's type.
    pub fn apply(&self, found: &ArrayRef, declared: &TrinoType) -> Result<ArrayRef> {
        match self {
            Self::Same => Ok(found.clone()),
            Self::Missing(value) if value.is_null() => {
                Ok(new_null_array(&declared.to_arrow(), found.len()))
            }
            Self::Missing(value) => value.to_array_of_size(found.len()),
            Self::Cast(through) => {
                through.iter().try_fold(found.clone(), |array, kind| cast(&array, kind))
            }
            Self::Text => text(found, declared),
            Self::Nanoseconds => nanoseconds(found.as_primitive()),
            Self::Milliseconds => {
                let whole = cast(found, &DataType::Int64)?;
                cast(&whole, &declared.to_arrow())
            }
            Self::Digits => digits(found, declared),
            Self::List(item) => list(found.as_list(), item, declared),
            Self::Map(key, value) => map(found.as_map(), key, value, declared),
            Self::Row(fields) => row(found.as_struct(), fields, declared),
        }
    }
}

/// The failure that a library hands back inside its own error.
pub(super) fn failure_within(error: &(dyn Error + 'static)) -> Option<Failure> {
    let mut cause = Some(error);
    while let Some(found) = cause {
        let inner = found.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        let failure = found.downcast_ref::<Failure>().or_else(|| inner?.downcast_ref());
        if let Some(failure) = failure {
            return Some(failure.clone());
        }
        cause = found.source();
    }
    None
}

/// What an error says, without the names of what it passed through.
pub(super) fn words(error: &DataFusionError) -> String {
    failure_within(error).map_or_else(|| error.strip_backtrace(), |failure| failure.message)
}

fn cast(array: &ArrayRef, kind: &DataType) -> Result<ArrayRef> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    Ok(cast_with_options(array, kind, &options)?)
}

fn text(found: &ArrayRef, declared: &TrinoType) -> Result<ArrayRef> {
    let texts = cast(found, &DataType::Utf8)?;
    match declared {
        TrinoType::Varchar(None) => Ok(texts),
        bounded => text_to(&texts, bounded),
    }
}

fn nanoseconds(found: &PrimitiveArray<Decimal128Type>) -> Result<ArrayRef> {
    let rounded = found.try_unary::<_, TimestampMillisecondType, Failure>(|value| {
        let out_of_range =
            || Failure::new("HIVE_BAD_DATA", "Nanos field of timestamp is out of range".to_owned());
        // Some writers split a time before 1970 into seconds and negative nanoseconds, which Trino refuses; the library
        // takes them for that much less than 2^64. No time of whole microseconds lies there otherwise.
        if (WRAPPED / 2..WRAPPED).contains(&value) && (value - WRAPPED) % 1_000 == 0 {
            return Err(out_of_range());
        }
        i64::try_from((value + NANOSECONDS / 2).div_euclid(NANOSECONDS)).map_err(|_| out_of_range())
    })?;
    Ok(Arc::new(rounded))
}

fn digits(found: &ArrayRef, declared: &TrinoType) -> Result<ArrayRef> {
    let bytes = cast(found, &DataType::Binary)?;
    let numbers: Decimal128Array = bytes
        .as_binary::<i32>()
        .iter()
        .map(|bytes| bytes.map(number).transpose())
        .collect::<Result<_, _>>()?;
    let DataType::Decimal128(precision, scale) = declared.to_arrow() else {
        return Err(Failure::type_mismatch(format!("{declared} is no decimal")).into());
    };
    let numbers = numbers.with_precision_and_scale(precision, scale)?;
    numbers.validate_decimal_precision(precision)?;
    Ok(Arc::new(numbers))
}

/// A number of two's complement, the highest byte first.
pub(super) fn number(
    bytes: &[u8],
) -> Result<<Decimal128Type as ArrowPrimitiveType>::Native, Failure> {
    let sign = if bytes.first().is_some_and(|first| first.leading_ones() > 0) { 0xff } else { 0 };
    let excess = bytes.len().saturating_sub(16);
    if bytes[..excess].iter().any(|byte| *byte != sign) {
        return Err(Failure::new("HIVE_BAD_DATA", "a decimal has more than 38 digits"));
    }
    let mut wide = [sign; 16];
    let bytes = &bytes[excess..];
    wide[16 - bytes.len()..].copy_from_slice(bytes);
    Ok(i128::from_be_bytes(wide))
}

fn list(found: &ListArray, item: &Fit, declared: &TrinoType) -> Result<ArrayRef> {
    let (TrinoType::Array(kind), DataType::List(field)) = (declared, declared.to_arrow()) else {
        return Err(Failure::type_mismatch(format!("{declared} is no array")).into());
    };
    let items = item.apply(found.values(), kind)?;
    let lists = ListArray::try_new(field, found.offsets().clone(), items, found.nulls().cloned())?;
    Ok(Arc::new(lists))
}

fn map(found: &MapArray, key: &Fit, value: &Fit, declared: &TrinoType) -> Result<ArrayRef> {
    let (TrinoType::Map(key_kind, value_kind), DataType::Map(field, sorted)) =
        (declared, declared.to_arrow())
    else {
        return Err(Failure::type_mismatch(format!("{declared} is no map")).into());
    };
    let DataType::Struct(fields) = field.data_type() else {
        return Err(Failure::type_mismatch(format!("{declared} has no entries")).into());
    };
    let columns =
        vec![key.apply(found.keys(), key_kind)?, value.apply(found.values(), value_kind)?];
    let entries = StructArray::try_new(fields.clone(), columns, None)?;
    let (offsets, nulls) = (found.offsets().clone(), found.nulls().cloned());
    Ok(Arc::new(MapArray::try_new(field, offsets, entries, nulls, sorted)?))
}

fn row(found: &StructArray, places: &[(usize, Fit)], declared: &TrinoType) -> Result<ArrayRef> {
    let (TrinoType::Row(kinds), DataType::Struct(fields)) = (declared, declared.to_arrow()) else {
        return Err(Failure::type_mismatch(format!("{declared} is no row")).into());
    };
    let columns = places
        .iter()
        .zip(kinds)
        .map(|((place, fit), (_, kind))| match fit {
            Fit::Missing(_) => {
                // Of as many rows as the row has, whichever columns it has.
                let rows: ArrayRef = new_null_array(&DataType::Null, found.len());
                fit.apply(&rows, kind)
            }
            fit => fit.apply(found.column(*place), kind),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new(fields, columns, found.nulls().cloned())?))
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn digits_of_any_length_are_numbers() {
        for (bytes, expected) in [
            (&[][..], 0),
            (&[0x00], 0),
            (&[0x7f], 127),
            (&[0x80], -128),
            (&[0xff], -1),
            (&[0x00, 0xff], 255),
            (&[0x04, 0xd2], 1_234),
            (&[0xff; 20], -1),
        ] {
            assert_eq!(number(bytes).unwrap(), expected, "{bytes:?}");
        }
        assert!(number(&[1; 17]).is_err());
    }
}
