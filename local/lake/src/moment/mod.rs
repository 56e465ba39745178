//! Trino's points in time, as Arrow holds them.
//!
//! A `date` and a `timestamp(3)`, which tables have, are Arrow's own types. Arrow has no type
//! for the others: they are fixed-size bytes whose width says the type ([`Layout`]), since
//! a width is kept where metadata of a field gets lost. The bytes are in the order of the
//! values, so they are compared, sorted and grouped as they are; a zone comes last.

mod array;
mod clock;
mod layout;
mod packed;
mod read;
mod write;
mod zone;

pub use array::{
    ClockBuilder, MomentBuilder, clocks, moments, of_clocks, of_micros, of_moments, to_micros,
    told_apart,
};
pub use clock::Clock;
pub use layout::{Kind, Layout};
pub use read::{read_clock, read_timestamp};
pub use write::{
    write_clock, write_day_second, write_moment, write_offset, write_packed, write_year_month,
};
pub use zone::Zone;

use crate::sql::Failure;

/// Seconds of a day.
pub const DAY: i64 = 86_400;
/// Picoseconds of a second.
pub const SECOND: i64 = 1_000_000_000_000;
/// Picoseconds of a millisecond.
pub const MILLISECOND: i64 = 1_000_000_000;

/// A point in time: with a zone an instant, without one a place in the calendar, as if its zone were UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Since 1970-01-01 00:00:00 UTC.
    pub seconds: i64,
    /// Picoseconds of the second.
    pub picos: i64,
    pub zone: Zone,
}

impl Moment {
    /// A place in the calendar.
    pub fn new(seconds: i64, picos: i64) -> Self {
        Self { seconds, picos, zone: Zone::UTC }
    }

    pub fn of_day(days: i64) -> Self {
        Self::new(days.saturating_mul(DAY), 0)
    }

    /// Milliseconds since 1970-01-01 00:00:00 UTC.
    pub fn of_millis(millis: i64, zone: Zone) -> Self {
        Self {
            seconds: millis.div_euclid(1_000),
            picos: millis.rem_euclid(1_000) * MILLISECOND,
            zone,
        }
    }

    /// The moment a zone's clocks show a place in the calendar.
    pub fn in_zone(local: Self, zone: Zone) -> Self {
        Self { seconds: zone.to_utc(local.seconds), picos: local.picos, zone }
    }

    /// What clocks of the moment's zone show.
    pub fn local(self) -> Self {
        Self::new(self.seconds + self.zone.offset_at(self.seconds), self.picos)
    }

    /// Seconds since the epoch, as clocks of the moment's zone show them.
    pub fn local_seconds(self) -> i64 {
        self.seconds + self.zone.offset_at(self.seconds)
    }

    /// The same instant, shown in another zone.
    pub fn at(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// Milliseconds since the epoch; `None` when they are too many.
    pub fn millis(self) -> Option<i64> {
        self.seconds.checked_mul(1_000)?.checked_add(self.picos / MILLISECOND)
    }

    /// The day number where the moment is.
    pub fn day(self) -> i64 {
        self.local_seconds().div_euclid(DAY)
    }

    /// Later by picoseconds of any number; `None` when it is too late.
    pub fn plus(self, seconds: i64, picos: i64) -> Option<Self> {
        let picos = self.picos.checked_add(picos)?;
        Some(Self {
            seconds: self.seconds.checked_add(seconds)?.checked_add(picos.div_euclid(SECOND))?,
            picos: picos.rem_euclid(SECOND),
            zone: self.zone,
        })
    }

    /// Picoseconds from another moment to this one.
    pub fn since(self, other: Self) -> i128 {
        (i128::from(self.seconds) - i128::from(other.seconds)) * i128::from(SECOND)
            + i128::from(self.picos)
            - i128::from(other.picos)
    }

    /// Rounded half up to `precision` digits of the second.
    pub fn rounded(self, precision: u8) -> Self {
        let coarse = coarse(precision);
        let picos = if coarse == 1 {
            self.picos
        } else {
            (self.picos + coarse / 2).div_euclid(coarse) * coarse
        };
        Self { seconds: self.seconds.saturating_add(picos / SECOND), picos: picos % SECOND, ..self }
    }
}

/// Picoseconds of the last of `precision` digits of a second.
pub fn coarse(precision: u8) -> i64 {
    10_i64.pow(12 - u32::from(precision.min(12)))
}

/// What Trino says of a number that has no place in a timestamp.
pub(crate) fn too_far() -> Failure {
    Failure::invalid_argument("long overflow")
}
