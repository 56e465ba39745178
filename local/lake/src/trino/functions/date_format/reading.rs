//! What has been read of a text, part by part.

use crate::sql::day_number;

/// What has been read of a text.
pub(super) struct Reading<'a> {
    pub rest: &'a str,
    pub year: i64,
    pub month: i64,
    pub day: i64,
    pub day_of_year: Option<i64>,
    pub hour: i64,
    pub minute: i64,
    pub second: i64,
    pub nanos: i64,
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
            hour: 0,
            minute: 0,
            second: 0,
            nanos: 0,
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

    /// Digits after the point.
    pub fn fraction(&mut self, most: usize) -> Option<i64> {
        let before = self.rest.len();
        let value = self.number(most)?;
        let digits = u32::try_from(before - self.rest.len()).ok()?;
        Some(value * 10_i64.pow(9 - digits.min(9)))
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

    pub fn finish(self) -> Option<(i64, i64)> {
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
        let days = match self.day_of_year {
            Some(day) => day_number(self.year, 1, 1)? + day - 1,
            None => day_number(self.year, self.month, self.day)?,
        };
        Some((days * 86_400 + hour * 3_600 + self.minute * 60 + self.second, self.nanos))
    }
}
