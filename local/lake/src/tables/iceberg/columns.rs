//! Types of columns: Iceberg's, the engine's and the catalog's.

use iceberg::{Field, ListType, MapType, Primitive, Schema, Type};
use serde_json::json;

use crate::catalog::Column;
use crate::sql::{Failure, TrinoType};

/// Where a type was named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// DDL, whose `timestamp` is Iceberg's.
    Definition,
    /// The columns of a query, which have a precision.
    Query,
}

/// The engine's type of a column.
///
/// Errors: `NOT_SUPPORTED` of `fixed`, which Athena does not read.
pub(crate) fn trino_type(kind: &Type) -> Result<TrinoType, Failure> {
    Ok(match kind {
        Type::Primitive(primitive) => match primitive {
            Primitive::Boolean => TrinoType::Boolean,
            Primitive::Int => TrinoType::Integer,
            Primitive::Long => TrinoType::Bigint,
            Primitive::Float => TrinoType::Real,
            Primitive::Double => TrinoType::Double,
            Primitive::Decimal(precision, scale) => {
                TrinoType::Decimal(*precision, scale.cast_signed())
            }
            Primitive::Date => TrinoType::Date,
            Primitive::Time => TrinoType::Time(6),
            Primitive::Timestamp => TrinoType::Timestamp(6),
            Primitive::Timestamptz => TrinoType::TimestampWithZone(6),
            Primitive::String => TrinoType::Varchar(None),
            Primitive::Uuid => TrinoType::Uuid,
            Primitive::Binary => TrinoType::Varbinary,
            Primitive::Fixed(_) => {
                return Err(Failure::not_supported(format!(
                    "columns of the Iceberg type {primitive} are not supported in Athena"
                )));
            }
        },
        Type::List(list) => TrinoType::Array(Box::new(trino_type(&list.element)?)),
        Type::Map(map) => {
            TrinoType::Map(Box::new(trino_type(&map.key)?), Box::new(trino_type(&map.value)?))
        }
        Type::Struct(fields) => TrinoType::Row(
            fields
                .iter()
                .map(|field| Ok((Some(field.name.to_lowercase()), trino_type(&field.kind)?)))
                .collect::<Result<_, Failure>>()?,
        ),
    })
}

/// The type of a new column; its parts have no ids yet.
///
/// Errors: `NOT_SUPPORTED`. Source: user guide, querying-iceberg-supported-data-types.md; Trino's
/// `TypeConverter`.
pub(crate) fn file_type(kind: &TrinoType, source: Source) -> Result<Type, Failure> {
    let precise = |precision: u8, zone: &str, found: Primitive| match (source, precision) {
        (Source::Definition, 3) | (_, 6) => Ok(found),
        _ => Err(Failure::not_supported(format!(
            "Timestamp precision ({precision}) not supported for Iceberg. Use \"timestamp(6){zone}\" instead."
        ))),
    };
    Ok(Type::Primitive(match kind {
        TrinoType::Boolean => Primitive::Boolean,
        TrinoType::Integer => Primitive::Int,
        TrinoType::Bigint => Primitive::Long,
        TrinoType::Real => Primitive::Float,
        TrinoType::Double => Primitive::Double,
        TrinoType::Decimal(precision, scale) => {
            Primitive::Decimal(*precision, scale.cast_unsigned())
        }
        TrinoType::Date => Primitive::Date,
        TrinoType::Varchar(_) => Primitive::String,
        TrinoType::Varbinary => Primitive::Binary,
        TrinoType::Uuid => Primitive::Uuid,
        TrinoType::Timestamp(precision) => precise(*precision, "", Primitive::Timestamp)?,
        TrinoType::TimestampWithZone(precision) if source == Source::Query => {
            precise(*precision, " with time zone", Primitive::Timestamptz)?
        }
        TrinoType::Time(6) if source == Source::Query => Primitive::Time,
        TrinoType::Array(item) => {
            let element = file_type(item, source)?;
            let list = ListType { element_id: 0, element_required: false, element };
            return Ok(Type::List(Box::new(list)));
        }
        TrinoType::Map(key, value) => {
            let (key, value) = (file_type(key, source)?, file_type(value, source)?);
            let map = MapType { key_id: 0, key, value_id: 0, value_required: false, value };
            return Ok(Type::Map(Box::new(map)));
        }
        TrinoType::Row(fields) => {
            let unnamed = || {
                Failure::not_supported(
                    "Row type field does not have a name: ".to_owned() + &kind.to_string(),
                )
            };
            let fields = fields.iter().map(|(name, kind)| {
                Ok(Field {
                    id: 0,
                    name: name.clone().ok_or_else(unnamed)?,
                    required: false,
                    kind: file_type(kind, source)?,
                    doc: None,
                })
            });
            return Ok(Type::Struct(fields.collect::<Result<_, Failure>>()?));
        }
        TrinoType::Tinyint
        | TrinoType::Smallint
        | TrinoType::Char(_)
        | TrinoType::Time(_)
        | TrinoType::TimeWithZone(_)
        | TrinoType::TimestampWithZone(_)
        | TrinoType::IntervalYearMonth
        | TrinoType::IntervalDaySecond
        | TrinoType::Json
        | TrinoType::IpAddress
        | TrinoType::Unknown => {
            return Err(Failure::not_supported(format!("Type not supported for Iceberg: {kind}")));
        }
    }))
}

/// The columns as the catalog shows them. Source: Iceberg's `IcebergToGlueConverter`.
pub(crate) fn hive_columns(schema: &Schema) -> Vec<Column> {
    let columns = schema.fields.iter().map(|field| {
        let mut column = Column::new(field.name.to_lowercase(), hive_type(&field.kind));
        column.comment.clone_from(&field.doc);
        let parameters = json!({
            "iceberg.field.current": "true",
            "iceberg.field.id": field.id.to_string(),
            "iceberg.field.optional": (!field.required).to_string(),
        });
        column.rest.insert("Parameters".to_owned(), parameters);
        column
    });
    columns.collect()
}

fn hive_type(kind: &Type) -> String {
    match kind {
        Type::Primitive(primitive) => match primitive {
            Primitive::Long => "bigint".to_owned(),
            Primitive::Time | Primitive::Uuid => "string".to_owned(),
            Primitive::Timestamp | Primitive::Timestamptz => "timestamp".to_owned(),
            Primitive::Fixed(_) => "binary".to_owned(),
            Primitive::Decimal(precision, scale) => format!("decimal({precision},{scale})"),
            other => other.to_string(),
        },
        Type::List(list) => format!("array<{}>", hive_type(&list.element)),
        Type::Map(map) => format!("map<{},{}>", hive_type(&map.key), hive_type(&map.value)),
        Type::Struct(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|field| format!("{}:{}", field.name, hive_type(&field.kind)));
            format!("struct<{}>", fields.collect::<Vec<_>>().join(","))
        }
    }
}
