//! Single values: of partitions, and bounds of columns.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use crate::date::date_text;
use crate::{FormatError, Primitive};

/// A value that is not NULL.
#[derive(Clone, Debug)]
pub enum Value {
    Boolean(bool),
    Int(i32),
    Long(i64),
    Float(f32),
    Double(f64),
    /// Unscaled.
    Decimal(i128),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds of the day.
    Time(i64),
    /// Microseconds since 1970-01-01 00:00:00.
    Timestamp(i64),
    String(String),
    /// Of UUIDs 16.
    Bytes(Vec<u8>),
}

/// Values are one when their bytes are: each NaN is equal to itself, and 0.0 is not -0.0.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            (Self::Double(a), Self::Double(b)) => a.to_bits() == b.to_bits(),
            (Self::Float(_) | Self::Double(_), _) | (_, Self::Float(_) | Self::Double(_)) => false,
            (a, b) => a.compare(b) == Some(Ordering::Equal),
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Self::Boolean(value) => value.hash(state),
            Self::Int(value) | Self::Date(value) => value.hash(state),
            Self::Long(value) | Self::Time(value) | Self::Timestamp(value) => value.hash(state),
            Self::Float(value) => value.to_bits().hash(state),
            Self::Double(value) => value.to_bits().hash(state),
            Self::Decimal(value) => value.hash(state),
            Self::String(value) => value.hash(state),
            Self::Bytes(value) => value.hash(state),
        }
    }
}

impl Value {
    /// The order of two values of one type; none of others, and of NaN.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        Some(match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Int(a), Self::Int(b)) | (Self::Date(a), Self::Date(b)) => a.cmp(b),
            (Self::Long(a), Self::Long(b))
            | (Self::Time(a), Self::Time(b))
            | (Self::Timestamp(a), Self::Timestamp(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => return a.partial_cmp(b),
            (Self::Double(a), Self::Double(b)) => return a.partial_cmp(b),
            (Self::Decimal(a), Self::Decimal(b)) => a.cmp(b),
            (Self::String(a), Self::String(b)) => a.cmp(b),
            (Self::Bytes(a), Self::Bytes(b)) => a.cmp(b),
            _ => return None,
        })
    }

    /// The bytes of a bound. Source: the specification's appendix D.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Boolean(value) => vec![u8::from(*value)],
            Self::Int(value) | Self::Date(value) => value.to_le_bytes().to_vec(),
            Self::Long(value) | Self::Time(value) | Self::Timestamp(value) => {
                value.to_le_bytes().to_vec()
            }
            Self::Float(value) => value.to_le_bytes().to_vec(),
            Self::Double(value) => value.to_le_bytes().to_vec(),
            Self::Decimal(value) => minimal(*value),
            Self::String(value) => value.as_bytes().to_vec(),
            Self::Bytes(value) => value.clone(),
        }
    }

    /// Reads the bytes of a bound. Ints and floats become the types a column was promoted to.
    pub fn from_bytes(bytes: &[u8], kind: Primitive) -> Result<Self, FormatError> {
        let wrong = || {
            FormatError::malformed(
                "bound",
                format!("the bytes of a {kind}"),
                format!("{bytes:02x?}"),
            )
        };
        let int = || <[u8; 4]>::try_from(bytes).map(i32::from_le_bytes).map_err(|_| wrong());
        let long = || <[u8; 8]>::try_from(bytes).map(i64::from_le_bytes).map_err(|_| wrong());
        Ok(match kind {
            Primitive::Boolean => Self::Boolean(*bytes.first().ok_or_else(wrong)? != 0),
            Primitive::Int => Self::Int(int()?),
            Primitive::Long if bytes.len() == 4 => Self::Long(i64::from(int()?)),
            Primitive::Long => Self::Long(long()?),
            Primitive::Float => Self::Float(f32::from_bits(int()?.cast_unsigned())),
            Primitive::Double if bytes.len() == 4 => {
                Self::Double(f64::from(f32::from_bits(int()?.cast_unsigned())))
            }
            Primitive::Double => Self::Double(f64::from_bits(long()?.cast_unsigned())),
            Primitive::Decimal(..) => Self::Decimal(unscaled(bytes).ok_or_else(wrong)?),
            Primitive::Date => Self::Date(int()?),
            Primitive::Time => Self::Time(long()?),
            Primitive::Timestamp | Primitive::Timestamptz => Self::Timestamp(long()?),
            Primitive::String => {
                Self::String(String::from_utf8(bytes.to_vec()).map_err(|_| wrong())?)
            }
            Primitive::Uuid | Primitive::Fixed(_) | Primitive::Binary => {
                Self::Bytes(bytes.to_vec())
            }
        })
    }

    /// The text of a value of a type, as folders of partitions and Iceberg's tables of metadata show it.
    pub fn text(&self, kind: Primitive) -> String {
        match self {
            Self::Boolean(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Long(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Double(value) => value.to_string(),
            Self::Decimal(value) => match kind {
                Primitive::Decimal(_, scale) => decimal_text(*value, scale),
                _ => value.to_string(),
            },
            Self::Date(days) => date_text(i64::from(*days)),
            Self::Time(micros) => clock_text(*micros),
            Self::Timestamp(micros) => {
                let day = date_text(micros.div_euclid(86_400_000_000));
                let zone = if kind == Primitive::Timestamptz { "+00:00" } else { "" };
                format!("{day}T{}{zone}", clock_text(micros.rem_euclid(86_400_000_000)))
            }
            Self::String(value) => value.clone(),
            Self::Bytes(value) if kind == Primitive::Uuid && value.len() == 16 => uuid_text(value),
            Self::Bytes(value) => hex(value),
        }
    }
}

/// A number's bytes, the highest first, in as few as there may be.
fn minimal(value: i128) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let filler = if value < 0 { 0xff } else { 0 };
    let mut begin = 0;
    while begin < 15 && bytes[begin] == filler && (bytes[begin + 1] ^ filler) & 0x80 == 0 {
        begin += 1;
    }
    bytes[begin..].to_vec()
}

/// The number of at most 16 bytes, the highest first.
pub(crate) fn unscaled(bytes: &[u8]) -> Option<i128> {
    let first = *bytes.first()?;
    if bytes.len() > 16 {
        return None;
    }
    let filler = if first & 0x80 == 0 { 0 } else { 0xff };
    let mut wide = [filler; 16];
    wide[16 - bytes.len()..].copy_from_slice(bytes);
    Some(i128::from_be_bytes(wide))
}

fn decimal_text(value: i128, scale: u8) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let scale = usize::from(scale);
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn clock_text(micros: i64) -> String {
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let fraction = match fraction {
        0 => String::new(),
        fraction => format!(".{fraction:06}").trim_end_matches('0').to_owned(),
    };
    format!("{hour:02}:{minute:02}:{second:02}{fraction}")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn uuid_text(bytes: &[u8]) -> String {
    let hex = hex(bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_bytes_and_back() {
        let cases = [
            (Value::Int(-7), Primitive::Int),
            (Value::Long(1 << 40), Primitive::Long),
            (Value::Double(-0.5), Primitive::Double),
            (Value::Decimal(-129), Primitive::Decimal(9, 2)),
            (Value::Decimal(128), Primitive::Decimal(9, 2)),
            (Value::Timestamp(-1), Primitive::Timestamp),
            (Value::String("é".to_owned()), Primitive::String),
        ];
        for (value, kind) in cases {
            assert_eq!(Value::from_bytes(&value.to_bytes(), kind).unwrap(), value);
        }
        assert_eq!(Value::Decimal(128).to_bytes(), [0, 128]);
        assert_eq!(Value::Decimal(-128).to_bytes(), [128]);
        assert_eq!(Value::Decimal(0).to_bytes(), [0]);
        let promoted = Value::from_bytes(&7_i32.to_le_bytes(), Primitive::Long).unwrap();
        assert_eq!(promoted, Value::Long(7));
        assert!(Value::from_bytes(&[1, 2], Primitive::Int).is_err());
    }

    #[test]
    fn values_have_texts() {
        assert_eq!(Value::Decimal(-5).text(Primitive::Decimal(9, 2)), "-0.05");
        assert_eq!(Value::Timestamp(-1).text(Primitive::Timestamp), "1969-12-31T23:59:59.999999");
        assert_eq!(Value::Timestamp(0).text(Primitive::Timestamptz), "1970-01-01T00:00:00+00:00");
        let uuid = Value::Bytes((0..16).collect());
        assert_eq!(uuid.text(Primitive::Uuid), "00010203-0405-0607-0809-0a0b0c0d0e0f");
    }
}
