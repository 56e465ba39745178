//! What columns files of a format may have.

use super::FileFormat;
use crate::sql::{Failure, TrinoType};

/// Whether files of the format can hold such columns.
///
/// Errors: `NOT_SUPPORTED`, with the column's name and type; of Avro in Trino's words (`HiveStorageFormat`).
pub(crate) fn check_columns(
    format: FileFormat,
    columns: &[(String, TrinoType)],
) -> Result<(), Failure> {
    match format {
        FileFormat::Parquet | FileFormat::Text { .. } | FileFormat::Json => Ok(()),
        FileFormat::Orc => columns.iter().try_for_each(|(name, kind)| orc(name, kind)),
        FileFormat::Avro => columns.iter().try_for_each(|(name, kind)| {
            avro_name(name, name)?;
            avro(name, kind)
        }),
    }
}

/// The library writes flat columns alone, and no decimals.
fn orc(name: &str, kind: &TrinoType) -> Result<(), Failure> {
    use TrinoType::{Array, Decimal, Map, Row};
    match kind {
        Array(_) | Decimal(..) | Map(..) | Row(_) => Err(Failure::not_supported(format!(
            "column '{name}' of type {kind} cannot be written as ORC here"
        ))),
        _ => Ok(()),
    }
}

fn avro(name: &str, kind: &TrinoType) -> Result<(), Failure> {
    let unsupported = |what: &str, advice: &str| {
        Err(Failure::not_supported(format!(
            "Column '{name}' {what}, which is not supported by Avro.{advice}"
        )))
    };
    match kind {
        TrinoType::Tinyint => unsupported("is tinyint", " Use integer instead."),
        TrinoType::Smallint => unsupported("is smallint", " Use integer instead."),
        TrinoType::Array(item) => avro(name, item),
        TrinoType::Map(key, value) => match key.as_ref() {
            TrinoType::Varchar(_) => avro(name, value),
            _ => unsupported("has a non-varchar map key", ""),
        },
        TrinoType::Row(fields) => fields.iter().try_for_each(|(field, kind)| {
            avro_name(name, field.as_deref().unwrap_or_default())?;
            avro(name, kind)
        }),
        _ => Ok(()),
    }
}

fn avro_name(column: &str, name: &str) -> Result<(), Failure> {
    let plain = name.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'_');
    if plain && name.bytes().next().is_some_and(|first| !first.is_ascii_digit()) {
        return Ok(());
    }
    Err(Failure::not_supported(format!(
        "Column '{column}' has the name '{name}', which is not supported by Avro"
    )))
}
