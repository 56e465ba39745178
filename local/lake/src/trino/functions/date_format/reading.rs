//! What has been read of a text, part by part.

use crate::moment::{DAY, MILLISECOND, Moment};
use crate::sql::day_number;

/// What has been read of a text.
pub(super) struct Reading<'a> {
    pub rest: &'a str,
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub day_of_year: Option<i64>,
    /// The year of a week of ISO 8601.
    pub week_year: Option<i64>,
    /// That week.
    pub week: Option<i64>,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    /// Of the second, to whole milliseconds.
    pub picos: i64,
    pub afternoon: Option<bool>,
    /// The hour is one of twelve.
    pub half_day: bool,
}

impl<'a> Reading<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            rest: text,
            year: 1970,
            month: 1,
            day: 1,
            day_of_year: None,
            week_year: None,
            week: None,
            hour: 0,
            minute: 0,
            second: 0,
            picos: 0,
            afternoon: None,
            half_day: false,
        }
    }

    pub fn number(&mut self, most: usize) -> Option<i64> {
        let length = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        digits.parse().ok()
    }

    pub fn year(&mut self, most: usize) -> Option<i64> {
        if let Some(rest) = self.rest.strip_prefix('-') {
            self.rest = rest;
            return self.number(most).map(|year| -year);
        }
        self.number(most)
    }

    /// Picoseconds of digits after the point; what is below a millisecond is dropped.
    pub fn fraction(&mut self, most: usize) -> Option<i64> {
        let before = self.rest.len();
        let value = self.number(most)?;
        let digits = u32::try_from(before - self.rest.len()).ok()?;
        Some(value * 10_i64.pow(12 - digits.min(9)) / MILLISECOND * MILLISECOND)
    }

    pub fn name(&mut self, names: &[&str]) -> Option<i64> {
        for (at, name) in names.iter().enumerate() {
            for spelling in [*name, &name[..3]] {
                let found = self
                    .rest
                    .get(..spelling.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(spelling));
                if found {
                    self.rest = &self.rest[spelling.len()..];
                    return i64::try_from(at + 1).ok();
                }
            }
        }
        None
    }

    pub fn half(&mut self) -> Option<bool> {
        let half = self.rest.get(..2)?;
        self.rest = &self.rest[2..];
        match half.to_ascii_uppercase().as_str() {
            "AM" => Some(false),
            "PM" => Some(true),
            _ => None,
        }
    }

    pub fn literal(&mut self, c: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(c)?;
        Some(())
    }

    pub fn finish(self) -> Option<Moment> {
        if !self.rest.is_empty() || self.hour > 23 || self.minute > 59 || self.second > 59 {
            return None;
        }
        let hour = match self.afternoon {
            Some(afternoon) if self.hour <= 12 => self.hour % 12 + if afternoon { 12 } else { 0 },
            Some(_) => return None,
            None if self.half_day && self.hour <= 12 => self.hour % 12,
            None if self.half_day => return None,
            None => self.hour,
        };
        let days = match (self.day_of_year, self.week_year, self.week) {
            (Some(day), ..) => day_number(self.year, 1, 1)? + day - 1,
            (None, None, None) => day_number(self.year, self.month, self.day)?,
            (None, year, week) => {
                let first = day_number(year.unwrap_or(self.year), 1, 4)?;
                first - (first + 3).rem_euclid(7) + (week.unwrap_or(1) - 1) * 7
            }
        };
        Some(Moment::new(days * DAY + hour * 3_600 + self.minute * 60 + self.second, self.picos))
    }
}
