//! Which fields of an Avro file are the table's columns, and how their types become the table's: as Avro resolves a
//! writer's schema to a reader's, the reader's being made of the table's columns.
//! Source: <https://avro.apache.org/docs/1.11.1/specification/#schema-resolution>, Trino's `AvroHiveFileUtils`.

use super::literal::Literal;
use super::schema::Avro;
use crate::sql::{Failure, TrinoType};
use crate::tables::file_scan::Wanted;
use crate::tables::fit::Fit;

/// A column of the table in a file.
pub(super) struct Column {
    /// The field's place; `None` where the file has no such field.
    pub place: Option<usize>,
    pub fit: Fit,
}

/// What is wrong with reading a file, in Trino's words and ours.
pub(super) fn unread(file: &str, what: &str) -> Failure {
    Failure::new("HIVE_CURSOR_ERROR", format!("Failed to read Avro file: {file}: {what}"))
}

/// The columns wanted, in their order, by their names in lower case.
///
/// Errors: `HIVE_CURSOR_ERROR` for a type that does not become the table's, and for a field that neither file nor
/// schema of the table has a value of.
pub(super) fn columns(
    fields: &[(String, Avro)],
    literal: Option<&Literal>,
    wanted: &[Wanted],
    file: &str,
) -> Result<Vec<Column>, Failure> {
    wanted.iter().map(|column| one(fields, literal, column, file)).collect()
}

fn one(
    fields: &[(String, Avro)],
    literal: Option<&Literal>,
    column: &Wanted,
    file: &str,
) -> Result<Column, Failure> {
    let internal = |error: datafusion::error::DataFusionError| unread(file, &error.to_string());
    let said = literal.map(|literal| literal.field(&column.name)).transpose()?;
    let mut place = position(fields, &column.name);
    if let Some(said) = &said {
        place = place.or_else(|| said.aliases().find_map(|alias| position(fields, alias)));
    }
    let fit = match (place, &said) {
        (Some(place), _) => fit(&fields[place].1, &column.kind).map_err(|mismatch| {
            let what = format!("column '{}': {mismatch}", column.name);
            match mismatch {
                Mismatch::Union => Failure::not_supported(format!(
                    "unions of several types cannot be read here: {what} of {file}"
                )),
                Mismatch::Types { .. } | Mismatch::Internal(_) => unread(file, &what),
            }
        })?,
        (None, None) => Fit::null(&column.kind).map_err(internal)?,
        (None, Some(said)) => {
            let value = said.default(&column.kind).ok_or_else(|| {
                unread(file, &format!("Found record, missing required field {}", column.name))
            })?;
            Fit::Missing(value.map_err(internal)?)
        }
    };
    // NULLs need not be read.
    let place = place.filter(|_| !matches!(fit, Fit::Missing(_)));
    Ok(Column { place, fit })
}

fn position(fields: &[(String, Avro)], name: &str) -> Option<usize> {
    let lower = name.to_lowercase();
    let exact = fields.iter().position(|(found, _)| found == name);
    exact.or_else(|| fields.iter().position(|(found, _)| found.to_lowercase() == lower))
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Mismatch {
    #[error("found {found}, expecting {expected}")]
    Types { found: String, expected: &'static str },
    #[error("found a union")]
    Union,
    #[error("{0}")]
    Internal(String),
}

fn fit(found: &Avro, declared: &TrinoType) -> Result<Fit, Mismatch> {
    use TrinoType::{
        Array, Bigint, Boolean, Char, Date, Decimal, Double, Integer, Map, Real, Row, Smallint,
        Timestamp, Tinyint, Varbinary, Varchar,
    };
    let null = || Fit::null(declared).map_err(|error| Mismatch::Internal(error.strip_backtrace()));
    let target = declared.to_arrow();
    Ok(match (found, declared) {
        (Avro::Union(parts), _) => match parts.as_slice() {
            [Avro::Null, part] | [part, Avro::Null] => fit(part, declared)?,
            _ => return Err(Mismatch::Union),
        },
        (Avro::Null, _) => null()?,
        (Avro::Boolean, Boolean)
        | (Avro::Int, Integer)
        | (Avro::Long, Bigint)
        | (Avro::Float, Real)
        | (Avro::Double, Double)
        | (Avro::Bytes, Varbinary) => Fit::Same,
        (Avro::Int, Tinyint | Smallint | Bigint | Real | Double | Date)
        | (Avro::Long, Real | Double)
        | (Avro::Float, Double)
        | (Avro::Text | Avro::Fixed(_), Varbinary) => Fit::Cast(vec![target]),
        (Avro::Int | Avro::Long, Timestamp(_)) => Fit::Milliseconds,
        (Avro::Text | Avro::Bytes | Avro::Symbol(_), Varchar(_) | Char(_)) => Fit::Text,
        (Avro::Bytes, Decimal(..)) => Fit::Digits,
        (Avro::Array(part), Array(item)) => Fit::List(Box::new(fit(part, item)?)),
        (Avro::Map(part), Map(key, value)) => {
            Fit::Map(Box::new(fit(&Avro::Text, key)?), Box::new(fit(part, value)?))
        }
        (Avro::Record(parts), Row(fields)) => {
            let fields = fields.iter().map(|(name, kind)| {
                match position(parts, name.as_deref().unwrap_or_default()) {
                    Some(place) => Ok((place, fit(&parts[place].1, kind)?)),
                    None => Fit::null(kind)
                        .map(|null| (0, null))
                        .map_err(|error| Mismatch::Internal(error.strip_backtrace())),
                }
            });
            Fit::Row(fields.collect::<Result<_, Mismatch>>()?)
        }
        (found, declared) => {
            return Err(Mismatch::Types { found: found.to_string(), expected: name(declared) });
        }
    })
}

/// Avro's name of the type that values of the table's are kept as.
fn name(declared: &TrinoType) -> &'static str {
    match declared {
        TrinoType::Boolean => "boolean",
        TrinoType::Tinyint | TrinoType::Smallint | TrinoType::Integer | TrinoType::Date => "int",
        TrinoType::Bigint | TrinoType::Timestamp(_) => "long",
        TrinoType::Real => "float",
        TrinoType::Double => "double",
        TrinoType::Varchar(_) | TrinoType::Char(_) => "string",
        TrinoType::Array(_) => "array",
        TrinoType::Map(..) => "map",
        TrinoType::Row(_) => "record",
        _ => "bytes",
    }
}
