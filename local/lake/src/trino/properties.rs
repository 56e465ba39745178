//! The properties of CTAS and UNLOAD: `WITH (format = 'PARQUET', …)`.

use datafusion::sql::sqlparser::ast::{Expr, UnaryOperator, Value};

use super::statement::Properties;
use crate::S3Url;
use crate::sql::Failure;
use crate::tables::{Compression, FileFormat};

/// What a statement says about the files it writes.
pub(super) struct WriteProperties {
    pub format: FileFormat,
    pub compression: Compression,
    pub location: Option<S3Url>,
    pub partitioned_by: Vec<String>,
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("INVALID_TABLE_PROPERTY", message)
}

/// Reads the properties of CTAS; `unload` those of UNLOAD, which has fewer.
pub(super) fn read(properties: &Properties, unload: bool) -> Result<WriteProperties, Failure> {
    let mut format = if unload { None } else { Some("PARQUET".to_owned()) };
    let mut compression: Option<String> = None;
    let mut level: Option<i64> = None;
    let mut delimiter: Option<String> = None;
    let mut location = None;
    let mut partitioned_by = Vec::new();
    for (name, value) in properties {
        match name.as_str() {
            "format" => format = Some(text(name, value)?.to_uppercase()),
            "write_compression" | "parquet_compression" | "compression" | "orc_compression" => {
                if compression.replace(text(name, value)?.to_uppercase()).is_some() {
                    return Err(invalid("only one compression property may be given"));
                }
            }
            "compression_level" => level = Some(integer(name, value)?),
            "field_delimiter" => delimiter = Some(text(name, value)?),
            "external_location" if !unload => {
                let place = text(name, value)?;
                location = Some(
                    place
                        .parse::<S3Url>()
                        .map_err(|error| invalid(format!("external_location: {error}")))?
                        .folder(),
                );
            }
            "partitioned_by" => partitioned_by = names(name, value)?,
            "table_type" if text(name, value)?.eq_ignore_ascii_case("hive") => {}
            "table_type" => {
                return Err(invalid(format!("Invalid value for table property '{name}': {value}")));
            }
            "bucketed_by" | "bucket_count" => {
                return Err(Failure::not_supported("bucketed tables are not supported here"));
            }
            "is_external" if !unload => {}
            other => {
                return Err(invalid(format!(
                    "Catalog 'awsdatacatalog' table property '{other}' does not exist"
                )));
            }
        }
    }
    let format = format.ok_or_else(|| invalid("UNLOAD needs a 'format'"))?;
    let format = match format.as_str() {
        "PARQUET" => FileFormat::Parquet,
        "TEXTFILE" => FileFormat::Text { delimiter: byte(delimiter.as_deref())? },
        "JSON" => FileFormat::Json,
        "ORC" => FileFormat::Orc,
        "AVRO" => FileFormat::Avro,
        "ION" => {
            return Err(Failure::not_supported(format!(
                "files of the format {format} are not written here"
            )));
        }
        other => {
            return Err(invalid(format!("Invalid value [{other}] for table property 'format'")));
        }
    };
    Ok(WriteProperties {
        format,
        compression: codec(format, compression.as_deref(), level)?,
        location,
        partitioned_by,
    })
}

/// How files of a format are packed; `name` is in upper case. Where nothing is said ORC and Avro are deflated, the others
/// gzipped. Source: user guide, compression-support-hive.md.
///
/// Errors: `INVALID_TABLE_PROPERTY` for what Athena does not pack the format with, `NOT_SUPPORTED` for what is not
/// offered here.
pub(super) fn codec(
    format: FileFormat,
    name: Option<&str>,
    level: Option<i64>,
) -> Result<Compression, Failure> {
    let (called, standard) = match format {
        FileFormat::Orc => ("ORC", "ZLIB"),
        FileFormat::Avro => ("AVRO", "DEFLATE"),
        FileFormat::Parquet | FileFormat::Text { .. } | FileFormat::Json => ("", "GZIP"),
    };
    let codec = match (format, name.unwrap_or(standard)) {
        (_, "NONE" | "UNCOMPRESSED") => Compression::None,
        (_, "SNAPPY") => Compression::Snappy,
        (_, "ZSTD") => Compression::Zstd(zstd_level(level)?),
        (FileFormat::Orc, "ZLIB") | (FileFormat::Avro, "DEFLATE") => Compression::Deflate,
        (FileFormat::Orc, "LZ4") => Compression::Lz4,
        (FileFormat::Avro, "BZIP2") => {
            return Err(Failure::not_supported("files of AVRO are not packed by BZIP2 here"));
        }
        (FileFormat::Orc | FileFormat::Avro, other) => {
            return Err(invalid(format!("compression {other} is not supported for {called}")));
        }
        (_, "GZIP") => Compression::Gzip,
        (_, other) => return Err(invalid(format!("compression {other} is not supported here"))),
    };
    match codec {
        Compression::Zstd(level) if level != 3 && !called.is_empty() => {
            Err(Failure::not_supported(format!(
                "files of {called} are not packed with compression_level {level} here, but 3"
            )))
        }
        Compression::Zstd(_) => Ok(codec),
        _ if level.is_some() => Err(invalid("compression_level is for ZSTD alone")),
        _ => Ok(codec),
    }
}

fn zstd_level(level: Option<i64>) -> Result<i32, Failure> {
    let level = level.unwrap_or(3);
    i32::try_from(level).ok().filter(|level| (1..=22).contains(level)).ok_or_else(|| {
        invalid(format!("compression_level must be between 1 and 22, found {level}"))
    })
}

fn byte(delimiter: Option<&str>) -> Result<u8, Failure> {
    match delimiter {
        None => Ok(1),
        Some("\\t") => Ok(b'\t'),
        Some(text) => match text.as_bytes() {
            [byte] => Ok(*byte),
            _ => Err(invalid(format!("field_delimiter must be one character, found '{text}'"))),
        },
    }
}

pub(super) fn text(name: &str, value: &Expr) -> Result<String, Failure> {
    match value {
        Expr::Value(found) => match &found.value {
            Value::SingleQuotedString(text) => Ok(text.clone()),
            Value::Boolean(value) => Ok(value.to_string()),
            _ => Err(invalid(format!("Invalid value for table property '{name}': {value}"))),
        },
        _ => Err(invalid(format!("Invalid value for table property '{name}': {value}"))),
    }
}

pub(super) fn integer(name: &str, value: &Expr) -> Result<i64, Failure> {
    let refused = || invalid(format!("Invalid value for table property '{name}': {value}"));
    match value {
        Expr::Value(found) => match &found.value {
            Value::Number(digits, _) => digits.parse().map_err(|_| refused()),
            _ => Err(refused()),
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => integer(name, expr).map(|value| -value),
        _ => Err(refused()),
    }
}

pub(super) fn names(name: &str, value: &Expr) -> Result<Vec<String>, Failure> {
    match value {
        Expr::Array(array) => array
            .elem
            .iter()
            .map(|element| text(name, element).map(|text| text.to_lowercase()))
            .collect(),
        _ => Err(invalid(format!("Invalid value for table property '{name}': {value}"))),
    }
}
