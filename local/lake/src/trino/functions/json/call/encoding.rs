//! JSON as SQL's texts and bytes.

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryArray, StringArray};
use datafusion::common::Result;

use super::clauses::Format;
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::cast::{OnFailure, cast_array};

/// Refuses a type that JSON is not read from.
pub(super) fn check_input(kind: &TrinoType, format: Format) -> Result<(), Failure> {
    let readable = match kind {
        TrinoType::Unknown => true,
        TrinoType::Varchar(_) | TrinoType::Char(_) => {
            matches!(format, Format::Plain | Format::Json)
        }
        TrinoType::Varbinary => true,
        _ => false,
    };
    if readable {
        return Ok(());
    }
    Err(Failure::type_mismatch(format!(
        "Cannot read input of type {kind} as JSON using formatting {}",
        format.words()
    )))
}

/// Refuses a type that JSON is not written as.
pub(super) fn check_output(kind: &TrinoType, format: Format) -> Result<(), Failure> {
    let writable = match kind {
        TrinoType::Varchar(_) | TrinoType::Char(_) => {
            matches!(format, Format::Plain | Format::Json)
        }
        TrinoType::Varbinary => true,
        _ => false,
    };
    if writable {
        return Ok(());
    }
    Err(Failure::type_mismatch(format!(
        "Cannot output JSON value as {kind} using formatting {}",
        format.words()
    )))
}

/// The texts of JSON columns; bytes that are no text in their encoding are `None` in `Some`.
pub(super) struct Texts {
    array: ArrayRef,
    format: Format,
}

impl Texts {
    pub fn new(array: ArrayRef, format: Format) -> Self {
        Self { array, format }
    }

    pub fn is_null(&self, row: usize) -> bool {
        self.array.is_null(row) || self.array.data_type().is_null()
    }

    /// `None` where the bytes are no text in their encoding.
    pub fn text(&self, row: usize) -> Option<std::borrow::Cow<'_, str>> {
        if let Some(texts) = self.array.as_string_opt::<i32>() {
            return Some(texts.value(row).into());
        }
        let bytes = self.array.as_binary_opt::<i32>()?.value(row);
        decoded(bytes, self.format)
    }
}

fn decoded(bytes: &[u8], format: Format) -> Option<std::borrow::Cow<'_, str>> {
    match format {
        Format::Plain | Format::Json | Format::Utf8 => {
            std::str::from_utf8(bytes).ok().map(Into::into)
        }
        Format::Utf16 => {
            let (units, rest) = bytes.as_chunks::<2>();
            let units = units.iter().map(|unit| u16::from_le_bytes(*unit));
            let text: Option<String> =
                char::decode_utf16(units).collect::<std::result::Result<_, _>>().ok();
            text.filter(|_| rest.is_empty()).map(Into::into)
        }
        Format::Utf32 => {
            let (units, rest) = bytes.as_chunks::<4>();
            let text: Option<String> =
                units.iter().map(|unit| char::from_u32(u32::from_le_bytes(*unit))).collect();
            text.filter(|_| rest.is_empty()).map(Into::into)
        }
    }
}

/// Texts as the type a call returns.
pub(super) fn output(
    texts: Vec<Option<String>>,
    kind: &TrinoType,
    format: Format,
) -> Result<ArrayRef> {
    if *kind != TrinoType::Varbinary {
        let texts: ArrayRef = std::sync::Arc::new(StringArray::from(texts));
        return cast_array(&texts, &TrinoType::Varchar(None), kind, OnFailure::Fail);
    }
    let encoded = |text: String| -> Vec<u8> {
        match format {
            Format::Plain | Format::Json | Format::Utf8 => text.into_bytes(),
            Format::Utf16 => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Format::Utf32 => text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
        }
    };
    let bytes: BinaryArray = texts.into_iter().map(|text| text.map(encoded)).collect();
    Ok(std::sync::Arc::new(bytes))
}
