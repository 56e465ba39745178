//! Trino's types: their texts, their Arrow form, and Athena's column descriptions.
#![expect(clippy::match_same_arms, reason = "one arm a line of the user guide's tables")]

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::type_text;
use crate::moment::Layout;
use datafusion::arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};

/// The key of a field's metadata that carries a Trino type Arrow cannot tell.
pub const TYPE_KEY: &str = "trino";
/// What the Arrow name of a row's field begins with that has no name: `$field0`.
pub const UNNAMED_FIELD: &str = "$field";

/// Bytes of the Arrow form of addresses and UUIDs: their 16 and zeros after them. No file has
/// values of these widths, so that the Arrow type alone tells the Trino type, and the order of
/// the bytes is the order of the values.
pub const ADDRESS_WIDTH: i32 = 100;
pub const UUID_WIDTH: i32 = 101;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TrinoType {
    Boolean,
    Tinyint,
    Smallint,
    Integer,
    Bigint,
    Real,
    Double,
    Decimal(u8, i8),
    /// `None` is unbounded.
    Varchar(Option<u32>),
    Char(u32),
    Varbinary,
    Date,
    Time(u8),
    TimeWithZone(u8),
    Timestamp(u8),
    TimestampWithZone(u8),
    IntervalYearMonth,
    IntervalDaySecond,
    Json,
    Uuid,
    IpAddress,
    Unknown,
    Array(Box<TrinoType>),
    Map(Box<TrinoType>, Box<TrinoType>),
    Row(Vec<(Option<String>, TrinoType)>),
}

impl TrinoType {
    /// Reads a type as Trino or Hive writes it; `None` when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        type_text::read(text)
    }

    /// The Arrow type values of this type have.
    pub fn to_arrow(&self) -> DataType {
        match self {
            Self::Boolean => DataType::Boolean,
            Self::Tinyint => DataType::Int8,
            Self::Smallint => DataType::Int16,
            Self::Integer => DataType::Int32,
            Self::Bigint => DataType::Int64,
            Self::Real => DataType::Float32,
            Self::Double => DataType::Float64,
            Self::Decimal(precision, scale) => DataType::Decimal128(*precision, *scale),
            Self::Varchar(_) | Self::Char(_) => DataType::Utf8,
            // No other values are large texts.
            Self::Json => DataType::LargeUtf8,
            Self::Uuid => DataType::FixedSizeBinary(UUID_WIDTH),
            Self::IpAddress => DataType::FixedSizeBinary(ADDRESS_WIDTH),
            Self::Varbinary => DataType::Binary,
            Self::Date => DataType::Date32,
            Self::Time(_)
            | Self::TimeWithZone(_)
            | Self::Timestamp(_)
            | Self::TimestampWithZone(_) => match Layout::of(self) {
                Some(layout) => DataType::FixedSizeBinary(layout.width()),
                None => DataType::Timestamp(TimeUnit::Millisecond, None),
            },
            Self::IntervalYearMonth => DataType::Interval(IntervalUnit::YearMonth),
            Self::IntervalDaySecond => DataType::Duration(TimeUnit::Millisecond),
            Self::Unknown => DataType::Null,
            Self::Array(item) => DataType::List(Arc::new(field_of("item", item))),
            Self::Map(key, value) => {
                let entries = DataType::Struct(Fields::from(vec![
                    field_of("key", key).with_nullable(false),
                    field_of("value", value),
                ]));
                DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
            }
            Self::Row(fields) => DataType::Struct(
                fields
                    .iter()
                    .enumerate()
                    .map(|(at, (name, kind))| {
                        let name = name.clone().unwrap_or_else(|| format!("{UNNAMED_FIELD}{at}"));
                        field_of(&name, kind)
                    })
                    .collect(),
            ),
        }
    }

    /// The type of a column, from its Arrow type and metadata.
    pub fn of_field(field: &Field) -> Self {
        if let Some(found) = field.metadata().get(TYPE_KEY).and_then(|text| Self::parse(text)) {
            return found;
        }
        Self::of_arrow(field.data_type())
    }

    pub fn of_arrow(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Boolean,
            DataType::Int8 => Self::Tinyint,
            DataType::Int16 | DataType::UInt8 => Self::Smallint,
            DataType::Int32 | DataType::UInt16 => Self::Integer,
            DataType::Int64 | DataType::UInt32 | DataType::UInt64 => Self::Bigint,
            DataType::Float16 | DataType::Float32 => Self::Real,
            DataType::Float64 => Self::Double,
            DataType::Decimal32(precision, scale)
            | DataType::Decimal64(precision, scale)
            | DataType::Decimal128(precision, scale)
            | DataType::Decimal256(precision, scale) => Self::Decimal(*precision, *scale),
            DataType::Utf8 | DataType::Utf8View => Self::Varchar(None),
            DataType::LargeUtf8 => Self::Json,
            DataType::FixedSizeBinary(UUID_WIDTH) => Self::Uuid,
            DataType::FixedSizeBinary(ADDRESS_WIDTH) => Self::IpAddress,
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => Self::Varbinary,
            DataType::FixedSizeBinary(width) => {
                Layout::of_width(*width).map_or(Self::Varbinary, Layout::trino_type)
            }
            DataType::Date32 | DataType::Date64 => Self::Date,
            DataType::Time32(unit) | DataType::Time64(unit) => Self::Time(precision_of(*unit)),
            DataType::Timestamp(unit, None) => Self::Timestamp(precision_of(*unit)),
            DataType::Timestamp(unit, Some(_)) => Self::TimestampWithZone(precision_of(*unit)),
            DataType::Interval(IntervalUnit::YearMonth) => Self::IntervalYearMonth,
            DataType::Interval(_) | DataType::Duration(_) => Self::IntervalDaySecond,
            DataType::List(item)
            | DataType::LargeList(item)
            | DataType::ListView(item)
            | DataType::LargeListView(item)
            | DataType::FixedSizeList(item, _) => Self::Array(Box::new(Self::of_field(item))),
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => Self::Map(
                    Box::new(Self::of_field(&fields[0])),
                    Box::new(Self::of_field(&fields[1])),
                ),
                _ => Self::Unknown,
            },
            DataType::Struct(fields) => Self::Row(
                fields
                    .iter()
                    .map(|field| {
                        let name = Some(field.name().clone());
                        let name = name.filter(|name| !name.starts_with(UNNAMED_FIELD));
                        (name, Self::of_field(field))
                    })
                    .collect(),
            ),
            DataType::Dictionary(_, value) => Self::of_arrow(value),
            DataType::RunEndEncoded(_, value) => Self::of_field(value),
            DataType::Null | DataType::Union(..) => Self::Unknown,
        }
    }

    /// The type of a column of a file, in which large texts are texts, and bytes are bytes.
    pub fn of_file(data_type: &DataType) -> Self {
        fn plain(kind: TrinoType) -> TrinoType {
            match kind {
                TrinoType::Json => TrinoType::Varchar(None),
                TrinoType::Uuid | TrinoType::IpAddress => TrinoType::Varbinary,
                TrinoType::Array(item) => TrinoType::Array(Box::new(plain(*item))),
                TrinoType::Map(key, value) => {
                    TrinoType::Map(Box::new(plain(*key)), Box::new(plain(*value)))
                }
                TrinoType::Row(fields) => {
                    let fields = fields.into_iter().map(|(name, kind)| (name, plain(kind)));
                    TrinoType::Row(fields.collect())
                }
                other => other,
            }
        }
        plain(Self::of_arrow(data_type))
    }

    /// Athena's `ColumnInfo`: type name, precision, scale (as `PyAthena`'s tests saw them).
    pub fn column_info(&self) -> (&'static str, i32, i32) {
        match self {
            Self::Boolean => ("boolean", 0, 0),
            Self::Tinyint => ("tinyint", 3, 0),
            Self::Smallint => ("smallint", 5, 0),
            Self::Integer => ("integer", 10, 0),
            Self::Bigint => ("bigint", 19, 0),
            Self::Real => ("float", 17, 0),
            Self::Double => ("double", 17, 0),
            Self::Decimal(precision, scale) => {
                ("decimal", i32::from(*precision), i32::from(*scale))
            }
            Self::Varchar(length) => {
                ("varchar", length.and_then(|n| i32::try_from(n).ok()).unwrap_or(i32::MAX), 0)
            }
            Self::Char(length) => ("char", i32::try_from(*length).unwrap_or(i32::MAX), 0),
            Self::Varbinary => ("varbinary", 1_073_741_824, 0),
            Self::Date => ("date", 0, 0),
            Self::Time(_) => ("time", 3, 0),
            Self::TimeWithZone(_) => ("time with time zone", 3, 0),
            Self::Timestamp(_) => ("timestamp", 3, 0),
            Self::TimestampWithZone(_) => ("timestamp with time zone", 3, 0),
            Self::IntervalYearMonth => ("interval year to month", 0, 0),
            Self::IntervalDaySecond => ("interval day to second", 0, 0),
            Self::Json => ("json", 0, 0),
            Self::Uuid => ("uuid", 0, 0),
            Self::IpAddress => ("ipaddress", 0, 0),
            Self::Unknown => ("unknown", 0, 0),
            Self::Array(_) => ("array", 0, 0),
            Self::Map(..) => ("map", 0, 0),
            Self::Row(_) => ("row", 0, 0),
        }
    }

    /// The type in Hive's words, or why a Hive table cannot have it.
    pub fn to_hive(&self) -> Result<String, super::Failure> {
        let unsupported =
            || super::Failure::not_supported(format!("Unsupported Hive type: {self}"));
        Ok(match self {
            Self::Boolean => "boolean".to_owned(),
            Self::Tinyint => "tinyint".to_owned(),
            Self::Smallint => "smallint".to_owned(),
            Self::Integer => "int".to_owned(),
            Self::Bigint => "bigint".to_owned(),
            Self::Real => "float".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Decimal(precision, scale) => format!("decimal({precision},{scale})"),
            Self::Varchar(None) => "string".to_owned(),
            Self::Varchar(Some(length)) if *length <= 65_535 => format!("varchar({length})"),
            Self::Varchar(Some(_)) => "string".to_owned(),
            Self::Char(length) if *length <= 255 => format!("char({length})"),
            Self::Varbinary => "binary".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Timestamp(3) => "timestamp".to_owned(),
            Self::Timestamp(precision) => {
                return Err(super::Failure::not_supported(format!(
                    "Incorrect timestamp precision for timestamp({precision}); the configured precision is MILLISECONDS"
                )));
            }
            Self::Array(item) => format!("array<{}>", item.to_hive()?),
            Self::Map(key, value) => format!("map<{},{}>", key.to_hive()?, value.to_hive()?),
            Self::Row(fields) => {
                let mut texts = Vec::with_capacity(fields.len());
                for (name, kind) in fields {
                    let Some(name) = name else { return Err(unsupported()) };
                    texts.push(format!("{name}:{}", kind.to_hive()?));
                }
                format!("struct<{}>", texts.join(","))
            }
            Self::Char(_)
            | Self::Time(_)
            | Self::TimeWithZone(_)
            | Self::TimestampWithZone(_)
            | Self::IntervalYearMonth
            | Self::IntervalDaySecond
            | Self::Json
            | Self::Uuid
            | Self::IpAddress
            | Self::Unknown => return Err(unsupported()),
        })
    }

    pub fn is_numeric(&self) -> bool {
        matches!(
            self,
            Self::Tinyint
                | Self::Smallint
                | Self::Integer
                | Self::Bigint
                | Self::Real
                | Self::Double
                | Self::Decimal(..)
        )
    }

    /// Whether it is a date or a timestamp of any kind.
    pub fn is_moment(&self) -> bool {
        matches!(self, Self::Date | Self::Timestamp(_) | Self::TimestampWithZone(_))
    }

    /// Whether it is a time of the day of any kind.
    pub fn is_time(&self) -> bool {
        matches!(self, Self::Time(_) | Self::TimeWithZone(_))
    }

    /// Whether it is a date, a time or a timestamp, or has such parts.
    pub fn holds_time(&self) -> bool {
        match self {
            Self::Array(item) => item.holds_time(),
            Self::Map(key, value) => key.holds_time() || value.holds_time(),
            Self::Row(fields) => fields.iter().any(|(_, kind)| kind.holds_time()),
            kind => kind.is_moment() || kind.is_time(),
        }
    }

    /// Whether it is of values with a zone, or has such parts.
    pub fn holds_zone(&self) -> bool {
        match self {
            Self::Array(item) => item.holds_zone(),
            Self::Map(key, value) => key.holds_zone() || value.holds_zone(),
            Self::Row(fields) => fields.iter().any(|(_, kind)| kind.holds_zone()),
            kind => matches!(kind, Self::TimestampWithZone(_) | Self::TimeWithZone(_)),
        }
    }

    pub fn is_interval(&self) -> bool {
        matches!(self, Self::IntervalDaySecond | Self::IntervalYearMonth)
    }

    /// Whether Arrow alone tells the type.
    fn needs_metadata(&self) -> bool {
        matches!(self, Self::Char(_) | Self::Varchar(Some(_)))
    }
}

/// A nullable field of a Trino type, with the metadata the type needs.
pub fn field_of(name: &str, kind: &TrinoType) -> Field {
    let field = Field::new(name, kind.to_arrow(), true);
    if kind.needs_metadata() {
        field.with_metadata(HashMap::from([(TYPE_KEY.to_owned(), kind.to_string())]))
    } else {
        field
    }
}

fn precision_of(unit: TimeUnit) -> u8 {
    match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    }
}

impl fmt::Display for TrinoType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => formatter.write_str("boolean"),
            Self::Tinyint => formatter.write_str("tinyint"),
            Self::Smallint => formatter.write_str("smallint"),
            Self::Integer => formatter.write_str("integer"),
            Self::Bigint => formatter.write_str("bigint"),
            Self::Real => formatter.write_str("real"),
            Self::Double => formatter.write_str("double"),
            Self::Decimal(precision, scale) => write!(formatter, "decimal({precision},{scale})"),
            Self::Varchar(None) => formatter.write_str("varchar"),
            Self::Varchar(Some(length)) => write!(formatter, "varchar({length})"),
            Self::Char(length) => write!(formatter, "char({length})"),
            Self::Varbinary => formatter.write_str("varbinary"),
            Self::Date => formatter.write_str("date"),
            Self::Time(precision) => write!(formatter, "time({precision})"),
            Self::TimeWithZone(precision) => {
                write!(formatter, "time({precision}) with time zone")
            }
            Self::Timestamp(precision) => write!(formatter, "timestamp({precision})"),
            Self::TimestampWithZone(precision) => {
                write!(formatter, "timestamp({precision}) with time zone")
            }
            Self::IntervalYearMonth => formatter.write_str("interval year to month"),
            Self::IntervalDaySecond => formatter.write_str("interval day to second"),
            Self::Json => formatter.write_str("json"),
            Self::Uuid => formatter.write_str("uuid"),
            Self::IpAddress => formatter.write_str("ipaddress"),
            Self::Unknown => formatter.write_str("unknown"),
            Self::Array(item) => write!(formatter, "array({item})"),
            Self::Map(key, value) => write!(formatter, "map({key}, {value})"),
            Self::Row(fields) => {
                formatter.write_str("row(")?;
                for (at, (name, kind)) in fields.iter().enumerate() {
                    if at > 0 {
                        formatter.write_str(", ")?;
                    }
                    match name {
                        Some(name) => write!(formatter, "{name} {kind}")?,
                        None => write!(formatter, "{kind}")?,
                    }
                }
                formatter.write_str(")")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_and_said_again() {
        let cases = [
            ("array(bigint)", "array(bigint)"),
            ("array<map<string,int>>", "array(map(varchar, integer))"),
            ("ROW(a INTEGER, b varchar(3))", "row(a integer, b varchar(3))"),
            ("row(bigint, double)", "row(bigint, double)"),
            ("struct<a:int,b:array<string>>", "row(a integer, b array(varchar))"),
            ("decimal", "decimal(38,0)"),
            ("decimal(10, 2)", "decimal(10,2)"),
            ("timestamp", "timestamp(3)"),
            ("timestamp(6) with time zone", "timestamp(6) with time zone"),
            ("time with time zone", "time(3) with time zone"),
            ("double precision", "double"),
        ];
        for (text, expected) in cases {
            assert_eq!(
                TrinoType::parse(text).map(|kind| kind.to_string()).as_deref(),
                Some(expected)
            );
        }
        for text in ["strin", "array(", "decimal(39,0)", "int x"] {
            assert_eq!(TrinoType::parse(text), None, "{text}");
        }
    }
}
