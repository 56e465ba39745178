//! Times of the day.

use super::{DAY, SECOND};

/// A time of the day, with a zone's distance from UTC where its type has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Picoseconds since midnight, as the clock shows them.
    pub picos: i64,
    /// Minutes ahead of UTC.
    pub offset: i64,
}

/// Picoseconds of a day.
pub(super) const WHOLE: i64 = DAY * SECOND;

impl Clock {
    pub fn new(picos: i64, offset: i64) -> Self {
        Self { picos: picos.rem_euclid(WHOLE), offset }
    }

    /// Picoseconds since UTC's midnight.
    pub fn utc_picos(self) -> i64 {
        (self.picos - self.offset * 60 * SECOND).rem_euclid(WHOLE)
    }

    /// The same time, shown so many minutes ahead of UTC.
    pub fn at(self, offset: i64) -> Self {
        Self::new(self.utc_picos() + offset * 60 * SECOND, offset)
    }

    /// Later, around midnight.
    pub fn plus(self, picos: i128) -> Self {
        let total = (i128::from(self.picos) + picos).rem_euclid(i128::from(WHOLE));
        Self { picos: i64::try_from(total).unwrap_or(0), ..self }
    }

    /// Rounded half up to `precision` digits of the second.
    pub fn rounded(self, precision: u8) -> Self {
        let coarse = super::coarse(precision);
        if coarse == 1 {
            return self;
        }
        Self::new((self.picos + coarse / 2) / coarse * coarse, self.offset)
    }

    pub fn second_of_day(self) -> i64 {
        self.picos / SECOND
    }

    /// Picoseconds of the second.
    pub fn fraction(self) -> i64 {
        self.picos % SECOND
    }
}
