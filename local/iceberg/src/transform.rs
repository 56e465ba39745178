//! Transforms: from a column's value to that of a partition.

use std::fmt;

use crate::date::{civil, date_text};
use crate::{FormatError, Primitive, Value, murmur3};

const DAY: i64 = 86_400_000_000;
const HOUR: i64 = 3_600_000_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transform {
    Identity,
    /// A hash modulo this number.
    Bucket(u32),
    /// Numbers floored to multiples of this width, texts cut to this length.
    Truncate(u32),
    Year,
    Month,
    Day,
    Hour,
    /// Always NULL: a dropped field of a partition.
    Void,
    /// One of a later version: its partitions are read, and not written.
    Unknown(String),
}

impl Transform {
    /// Reads a transform as metadata spells it: `bucket[16]`.
    pub fn parse(text: &str) -> Self {
        let sized = |name: &str| {
            text.strip_prefix(name)?.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
        };
        match text {
            "identity" => Self::Identity,
            "year" => Self::Year,
            "month" => Self::Month,
            "day" => Self::Day,
            "hour" => Self::Hour,
            "void" => Self::Void,
            _ => match (sized("bucket"), sized("truncate")) {
                (Some(count @ 1..), _) => Self::Bucket(count),
                (_, Some(width @ 1..)) => Self::Truncate(width),
                _ => Self::Unknown(text.to_owned()),
            },
        }
    }

    /// Whether columns of a type can be partitioned by it.
    pub fn takes(&self, kind: Primitive) -> bool {
        use Primitive::{
            Binary, Boolean, Date, Decimal, Double, Fixed, Float, Int, Long, String, Time,
            Timestamp, Timestamptz, Uuid,
        };
        match (self, kind) {
            (Self::Identity | Self::Void, _)
            | (Self::Year | Self::Month | Self::Day, Date | Timestamp | Timestamptz)
            | (Self::Hour, Timestamp | Timestamptz)
            | (Self::Truncate(_), Int | Long | Decimal(..) | String | Binary)
            | (
                Self::Bucket(_),
                Int | Long | Decimal(..) | Date | Time | Timestamp | Timestamptz | String | Uuid
                | Fixed(_) | Binary,
            ) => true,
            (_, Boolean | Float | Double)
            | (
                Self::Unknown(_)
                | Self::Truncate(_)
                | Self::Year
                | Self::Month
                | Self::Day
                | Self::Hour,
                _,
            ) => false,
        }
    }

    /// The type of a partition's values.
    pub fn result(&self, source: Primitive) -> Primitive {
        match self {
            Self::Identity | Self::Truncate(_) | Self::Void => source,
            Self::Day => Primitive::Date,
            Self::Bucket(_) | Self::Year | Self::Month | Self::Hour => Primitive::Int,
            Self::Unknown(_) => Primitive::String,
        }
    }

    /// The partition of a value.
    ///
    /// Errors: `Unsupported` for types that have no such partitions.
    pub fn apply(&self, value: &Value) -> Result<Option<Value>, FormatError> {
        let refused = || FormatError::unsupported(format!("partitions by {self} of {value:?}"));
        let int = |wide: i64| i32::try_from(wide).map(Value::Int).map(Some).map_err(|_| refused());
        match self {
            Self::Identity => Ok(Some(value.clone())),
            Self::Void => Ok(None),
            Self::Unknown(_) => Err(refused()),
            Self::Bucket(count) => {
                let hash = hash(value).ok_or_else(refused)?;
                int(i64::from(hash & i32::MAX) % i64::from(*count))
            }
            Self::Truncate(width) => truncated(value, *width).map(Some).ok_or_else(refused),
            Self::Year | Self::Month | Self::Day | Self::Hour => {
                let (days, micros) = match value {
                    Value::Date(days) => (i64::from(*days), None),
                    Value::Timestamp(micros) => (micros.div_euclid(DAY), Some(*micros)),
                    _ => return Err(refused()),
                };
                let (year, month, _) = civil(days);
                match (self, micros) {
                    (Self::Year, _) => int(year - 1970),
                    (Self::Month, _) => int((year - 1970) * 12 + month - 1),
                    (Self::Day, _) => {
                        i32::try_from(days).map(Value::Date).map(Some).map_err(|_| refused())
                    }
                    (_, Some(micros)) => int(micros.div_euclid(HOUR)),
                    _ => Err(refused()),
                }
            }
        }
    }

    /// A partition's value as its folder shows it.
    pub fn text(&self, value: Option<&Value>, source: Primitive) -> String {
        let Some(value) = value else { return "null".to_owned() };
        match (self, value) {
            (Self::Year, Value::Int(years)) => (1970 + i64::from(*years)).to_string(),
            (Self::Month, Value::Int(months)) => {
                let months = i64::from(*months);
                format!("{:04}-{:02}", 1970 + months.div_euclid(12), months.rem_euclid(12) + 1)
            }
            (Self::Day, Value::Int(days)) => date_text(i64::from(*days)),
            (Self::Hour, Value::Int(hours)) => {
                let hours = i64::from(*hours);
                format!("{}-{:02}", date_text(hours.div_euclid(24)), hours.rem_euclid(24))
            }
            (_, value) => value.text(self.result(source)),
        }
    }

    /// What stands behind a column's name in the name of its partition field.
    pub fn suffix(&self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Bucket(_) => "_bucket",
            Self::Truncate(_) => "_trunc",
            Self::Year => "_year",
            Self::Month => "_month",
            Self::Day => "_day",
            Self::Hour => "_hour",
            Self::Void => "_null",
            Self::Unknown(_) => "_unknown",
        }
    }
}

impl fmt::Display for Transform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => formatter.write_str("identity"),
            Self::Bucket(count) => write!(formatter, "bucket[{count}]"),
            Self::Truncate(width) => write!(formatter, "truncate[{width}]"),
            Self::Year => formatter.write_str("year"),
            Self::Month => formatter.write_str("month"),
            Self::Day => formatter.write_str("day"),
            Self::Hour => formatter.write_str("hour"),
            Self::Void => formatter.write_str("void"),
            Self::Unknown(text) => formatter.write_str(text),
        }
    }
}

fn hash(value: &Value) -> Option<i32> {
    Some(match value {
        Value::Int(value) | Value::Date(value) => murmur3::hash(&i64::from(*value).to_le_bytes()),
        Value::Long(value) | Value::Time(value) | Value::Timestamp(value) => {
            murmur3::hash(&value.to_le_bytes())
        }
        Value::Decimal(_) | Value::String(_) | Value::Bytes(_) => murmur3::hash(&value.to_bytes()),
        Value::Boolean(_) | Value::Float(_) | Value::Double(_) => return None,
    })
}

fn truncated(value: &Value, width: u32) -> Option<Value> {
    Some(match value {
        Value::Int(value) => {
            let floored = i64::from(*value) - i64::from(*value).rem_euclid(i64::from(width));
            // As Java's int arithmetic, which overflows.
            #[expect(clippy::cast_possible_truncation, reason = "as the reference wraps")]
            let wrapped = floored as i32;
            Value::Int(wrapped)
        }
        Value::Long(value) => Value::Long(value.wrapping_sub(value.rem_euclid(i64::from(width)))),
        Value::Decimal(value) => {
            Value::Decimal(value.wrapping_sub(value.rem_euclid(i128::from(width))))
        }
        Value::String(text) => {
            let width = usize::try_from(width).unwrap_or(usize::MAX);
            Value::String(text.chars().take(width).collect())
        }
        Value::Bytes(bytes) => {
            let width = usize::try_from(width).unwrap_or(usize::MAX);
            Value::Bytes(bytes.iter().copied().take(width).collect())
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(transform: &str, value: Value, kind: Primitive) -> String {
        let transform = Transform::parse(transform);
        let found = transform.apply(&value).unwrap();
        transform.text(found.as_ref(), kind)
    }

    #[test]
    fn values_have_partitions() {
        let ts = |micros| Value::Timestamp(micros);
        let cases = [
            ("year", ts(-1), Primitive::Timestamp, "1969"),
            ("month", ts(-1), Primitive::Timestamp, "1969-12"),
            ("day", ts(-1), Primitive::Timestamp, "1969-12-31"),
            ("hour", ts(-1), Primitive::Timestamp, "1969-12-31-23"),
            ("month", Value::Date(19_782), Primitive::Date, "2024-02"),
            ("bucket[16]", Value::Int(34), Primitive::Int, "3"),
            ("bucket[16]", Value::Long(34), Primitive::Long, "3"),
            ("truncate[10]", Value::Int(-1), Primitive::Int, "-10"),
            ("truncate[10]", Value::Decimal(1_234), Primitive::Decimal(9, 2), "12.30"),
            ("truncate[3]", Value::String("iceberg".to_owned()), Primitive::String, "ice"),
            ("void", Value::Int(1), Primitive::Int, "null"),
            ("identity", Value::Boolean(true), Primitive::Boolean, "true"),
        ];
        for (transform, value, kind, expected) in cases {
            assert_eq!(shown(transform, value, kind), expected, "{transform}");
        }
        assert!(Transform::Hour.apply(&Value::Date(1)).is_err());
        assert!(!Transform::Bucket(2).takes(Primitive::Double));
        assert_eq!(Transform::parse("zorder").to_string(), "zorder");
        assert_eq!(Transform::parse("bucket[0]"), Transform::Unknown("bucket[0]".to_owned()));
    }
}
