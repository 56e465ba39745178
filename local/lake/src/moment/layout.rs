//! Which type fixed-size bytes are of.

use crate::sql::TrinoType;

/// Types that are fixed-size bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `timestamp(p) with time zone`: microseconds since the epoch (8 bytes, sign flipped), picoseconds of the
    /// microsecond (4), zone (2).
    Zoned,
    /// `timestamp(p)`: microseconds since the epoch (8 bytes, sign flipped), picoseconds of the microsecond (4).
    Timestamp,
    /// `time(p)`: picoseconds of the day (8 bytes).
    Time,
    /// `time(p) with time zone`: picoseconds of UTC's day (8 bytes), minutes from UTC and 840 (2).
    ZonedTime,
}

/// A type of fixed-size bytes. Its width is the least of its kind, and its precision more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub kind: Kind,
    /// Digits of the second's fraction, 0 to 12.
    pub precision: u8,
}

const KINDS: [(Kind, i32); 4] =
    [(Kind::Zoned, 17), (Kind::Timestamp, 30), (Kind::Time, 43), (Kind::ZonedTime, 56)];

impl Layout {
    pub fn new(kind: Kind, precision: u8) -> Self {
        Self { kind, precision: precision.min(12) }
    }

    /// The layout of a type that has one.
    pub fn of(kind: &TrinoType) -> Option<Self> {
        Some(match kind {
            TrinoType::Timestamp(3) => return None,
            TrinoType::Timestamp(precision) => Self::new(Kind::Timestamp, *precision),
            TrinoType::TimestampWithZone(precision) => Self::new(Kind::Zoned, *precision),
            TrinoType::Time(precision) => Self::new(Kind::Time, *precision),
            TrinoType::TimeWithZone(precision) => Self::new(Kind::ZonedTime, *precision),
            _ => return None,
        })
    }

    /// Bytes of a value.
    pub fn width(self) -> i32 {
        let (_, least) = KINDS[self.kind as usize];
        least + i32::from(self.precision)
    }

    /// The layout of bytes of a width; `None` when the width is of none.
    pub fn of_width(width: i32) -> Option<Self> {
        KINDS.into_iter().find_map(|(kind, least)| {
            let precision = u8::try_from(width - least).ok().filter(|p| *p <= 12)?;
            Some(Self { kind, precision })
        })
    }

    pub fn trino_type(self) -> TrinoType {
        match self.kind {
            Kind::Zoned => TrinoType::TimestampWithZone(self.precision),
            Kind::Timestamp => TrinoType::Timestamp(self.precision),
            Kind::Time => TrinoType::Time(self.precision),
            Kind::ZonedTime => TrinoType::TimeWithZone(self.precision),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_width_says_one_type() {
        for width in 0..100 {
            let Some(layout) = Layout::of_width(width) else { continue };
            assert_eq!(layout.width(), width);
            if layout.trino_type() != TrinoType::Timestamp(3) {
                assert_eq!(Layout::of(&layout.trino_type()), Some(layout));
            }
        }
        assert_eq!(Layout::of_width(16), None);
    }
}
