//! Types whose texts are mostly written in one plain way.

use fields::Kind;

use super::TrinoType;

impl TrinoType {
    /// As what texts of this type are read where they are plain; `None` where they are always read with more care.
    pub(crate) fn plain_kind(&self) -> Option<Kind> {
        match self {
            Self::Tinyint => Some(Kind::Int8),
            Self::Smallint => Some(Kind::Int16),
            Self::Integer => Some(Kind::Int32),
            Self::Bigint => Some(Kind::Int64),
            Self::Double => Some(Kind::Float64),
            Self::Date => Some(Kind::Date),
            Self::Timestamp(3) => Some(Kind::Timestamp),
            _ => None,
        }
    }
}
