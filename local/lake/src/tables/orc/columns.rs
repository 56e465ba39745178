//! Which columns of an ORC file are the table's, and how their types become the table's.
//! Source: Trino's readers of ORC columns (`LongColumnReader` and its neighbours).

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields};
use orc_rust::schema::{ArrowSchemaOptions, DataType as Orc, NamedColumn, RootDataType};

use crate::sql::{Failure, TrinoType};
use crate::tables::TableDefinition;
use crate::tables::file_scan::Wanted;
use crate::tables::fit::Fit;

/// How the library decodes timestamps without loss: as nanoseconds since the epoch.
const NANOSECONDS: DataType = DataType::Decimal128(38, 9);

/// A column of the table in a file.
pub(super) struct Column<'a> {
    /// `None` where the file has no such column.
    pub found: Option<&'a NamedColumn>,
    pub fit: Fit,
}

/// The columns wanted, in their order: by their place in the table, or by their names where the table says so.
///
/// Errors: `HIVE_BAD_DATA` for a type that does not become the table's, `HIVE_FILE_MISSING_COLUMN_NAMES`.
pub(super) fn columns<'a>(
    root: &'a RootDataType,
    definition: &TableDefinition,
    wanted: &[Wanted],
    file: &str,
) -> Result<Vec<Column<'a>>, Failure> {
    let by_name = definition
        .parameters
        .get("orc.column.index.access")
        .is_some_and(|value| value.eq_ignore_ascii_case("false"));
    let children = root.children();
    if by_name && !children.is_empty() && children.iter().all(|child| is_placeholder(child.name()))
    {
        return Err(Failure::new(
            "HIVE_FILE_MISSING_COLUMN_NAMES",
            format!("ORC file does not contain column names in the footer: {file}"),
        ));
    }
    wanted
        .iter()
        .map(|column| {
            let found = if by_name {
                children.iter().find(|child| child.name().to_lowercase() == column.name)
            } else {
                children.get(column.at)
            };
            let fit = match found {
                None => Fit::null(&column.kind).map_err(|error| no_null(&error))?,
                Some(found) => {
                    let path = format!(".{}", found.name());
                    fit(found.data_type(), &column.kind, &path, file)?
                }
            };
            Ok(Column { found, fit })
        })
        .collect()
}

fn no_null(error: &datafusion::error::DataFusionError) -> Failure {
    Failure::new("GENERIC_INTERNAL_ERROR", error.to_string())
}

/// The names of columns that old Hives wrote: `_col0`, `_col1`.
fn is_placeholder(name: &str) -> bool {
    name.strip_prefix("_col")
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|letter| letter.is_ascii_digit()))
}

fn fit(found: &Orc, declared: &TrinoType, path: &str, file: &str) -> Result<Fit, Failure> {
    use TrinoType::{
        Array, Bigint, Boolean, Char, Date, Decimal, Double, Integer, Map, Real, Row, Smallint,
        Timestamp, Tinyint, Varbinary, Varchar,
    };
    let target = declared.to_arrow();
    Ok(match (found, declared) {
        (Orc::Boolean { .. }, Boolean)
        | (Orc::Byte { .. }, Tinyint)
        | (Orc::Float { .. }, Real)
        | (Orc::Double { .. }, Double)
        | (Orc::Binary { .. }, Varbinary) => Fit::Same,
        (Orc::Float { .. }, Double) => Fit::Cast(vec![target]),
        (
            Orc::Short { .. } | Orc::Int { .. } | Orc::Long { .. } | Orc::Date { .. },
            Smallint | Integer | Bigint | Date,
        ) => whole(&decoded(found), target),
        (
            Orc::String { .. } | Orc::Varchar { .. } | Orc::Char { .. } | Orc::Binary { .. },
            Varchar(_) | Char(_),
        ) => Fit::Text,
        (Orc::String { .. } | Orc::Varchar { .. } | Orc::Char { .. }, Varbinary)
        | (Orc::Decimal { .. }, Decimal(..)) => Fit::Cast(vec![target]),
        (Orc::Timestamp { .. }, Timestamp(_)) => Fit::Nanoseconds,
        (Orc::List { child, .. }, Array(item)) => {
            Fit::List(Box::new(fit(child, item, &format!("{path}.item"), file)?))
        }
        (Orc::Map { key, value, .. }, Map(key_kind, value_kind)) => Fit::Map(
            Box::new(fit(key, key_kind, &format!("{path}.key"), file)?),
            Box::new(fit(value, value_kind, &format!("{path}.value"), file)?),
        ),
        (Orc::Struct { children, .. }, Row(fields)) => {
            let fields = fields.iter().map(|(name, kind)| {
                let name = name.as_deref().unwrap_or_default().to_lowercase();
                let place = children.iter().position(|child| child.name().to_lowercase() == name);
                let Some(place) = place else {
                    return Ok((0, Fit::null(kind).map_err(|error| no_null(&error))?));
                };
                let child = &children[place];
                let path = format!("{path}.{}", child.name());
                Ok((place, fit(child.data_type(), kind, &path, file)?))
            });
            Fit::Row(fields.collect::<Result<_, Failure>>()?)
        }
        _ => {
            return Err(super::malformed(
                &format!(
                    "Cannot read SQL type '{declared}' from ORC stream '{path}' of type {} with attributes {{}}",
                    kind(found)
                ),
                file,
            ));
        }
    })
}

/// Whole numbers and days, which ORC keeps alike.
fn whole(from: &DataType, to: DataType) -> Fit {
    match (from, &to) {
        (from, to) if from == to => Fit::Same,
        (DataType::Int32, DataType::Date32) | (DataType::Date32, DataType::Int32) => {
            Fit::Cast(vec![to])
        }
        (DataType::Date32, _) | (_, DataType::Date32) => Fit::Cast(vec![DataType::Int32, to]),
        _ => Fit::Cast(vec![to]),
    }
}

/// The Arrow type that the library decodes values to.
pub(super) fn decoded(kind: &Orc) -> DataType {
    match kind {
        Orc::Timestamp { .. } | Orc::TimestampWithLocalTimezone { .. } => NANOSECONDS,
        Orc::List { child, .. } => DataType::new_list(decoded(child), true),
        Orc::Map { key, value, .. } => {
            let key = Field::new("key", decoded(key), false);
            let value = Field::new("value", decoded(value), true);
            let entries = DataType::Struct(Fields::from(vec![key, value]));
            DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
        }
        Orc::Struct { children, .. } => DataType::Struct(children.iter().map(field).collect()),
        other => other.to_arrow_data_type_with_options(ArrowSchemaOptions::new()),
    }
}

/// A column as the library decodes it.
pub(super) fn field(column: &NamedColumn) -> Field {
    Field::new(column.name(), decoded(column.data_type()), true)
}

/// ORC's name of a type.
fn kind(of: &Orc) -> &'static str {
    match of {
        Orc::Boolean { .. } => "BOOLEAN",
        Orc::Byte { .. } => "BYTE",
        Orc::Short { .. } => "SHORT",
        Orc::Int { .. } => "INT",
        Orc::Long { .. } => "LONG",
        Orc::Float { .. } => "FLOAT",
        Orc::Double { .. } => "DOUBLE",
        Orc::String { .. } => "STRING",
        Orc::Varchar { .. } => "VARCHAR",
        Orc::Char { .. } => "CHAR",
        Orc::Binary { .. } => "BINARY",
        Orc::Decimal { .. } => "DECIMAL",
        Orc::Timestamp { .. } => "TIMESTAMP",
        Orc::TimestampWithLocalTimezone { .. } => "TIMESTAMP_INSTANT",
        Orc::Date { .. } => "DATE",
        Orc::Struct { .. } => "STRUCT",
        Orc::List { .. } => "LIST",
        Orc::Map { .. } => "MAP",
        Orc::Union { .. } => "UNION",
    }
}
