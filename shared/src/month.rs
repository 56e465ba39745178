//! The month a file stands for: the partition of every table.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, date};
use serde::{Deserialize, Serialize};

/// A calendar month (`2024-01`), or `current` for a data set of one undated file, as the zone lookup.
///
/// Calendar months order by time, and `current` comes after all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Month {
    Calendar { year: i16, month: i8 },
    Current,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("expected a month such as 2024-01, found {0:?}")]
pub struct MonthError(String);

impl Month {
    /// The month that holds `day`.
    pub fn of(day: Date) -> Self {
        Self::Calendar { year: day.year(), month: day.month() }
    }

    /// Its first day; none for `current`.
    pub fn first_day(self) -> Option<Date> {
        match self {
            Self::Calendar { year, month } => Some(date(year, month, 1)),
            Self::Current => None,
        }
    }

    /// The next calendar month; `current` is followed by itself.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Calendar { year, month: 12 } => Self::Calendar { year: year + 1, month: 1 },
            Self::Calendar { year, month } => Self::Calendar { year, month: month + 1 },
            Self::Current => Self::Current,
        }
    }

    /// The calendar month before; `current` has none.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        match self {
            Self::Calendar { year, month: 1 } => Some(Self::Calendar { year: year - 1, month: 12 }),
            Self::Calendar { year, month } => Some(Self::Calendar { year, month: month - 1 }),
            Self::Current => None,
        }
    }

    /// All calendar months from `first` to `last`, both included.
    pub fn range(first: Self, last: Self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(first), |month| Some(month.next()))
            .take_while(move |month| *month <= last && *month != Self::Current)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calendar { year, month } => write!(formatter, "{year:04}-{month:02}"),
            Self::Current => formatter.write_str("current"),
        }
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let wrong = || MonthError(text.to_owned());
        if text == "current" {
            return Ok(Self::Current);
        }
        let (year, month) = text.split_once('-').ok_or_else(wrong)?;
        let digits =
            |text: &str, len| text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(wrong());
        }
        let (year, month) =
            (year.parse().map_err(|_| wrong())?, month.parse().map_err(|_| wrong())?);
        if !(1..=12).contains(&month) {
            return Err(wrong());
        }
        Ok(Self::Calendar { year, month })
    }
}

impl TryFrom<String> for Month {
    type Error = MonthError;

    fn try_from(text: String) -> Result<Self, MonthError> {
        text.parse()
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_refuses() {
        for text in ["2009-01", "2024-12", "current"] {
            assert_eq!(text.parse::<Month>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "2024",
            "2024-1",
            "2024-13",
            "2024-00",
            "24-01",
            "+024-01",
            "2024-01-01",
            "Current",
        ] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }

    #[test]
    fn ranges_cross_years() {
        let months: Vec<_> = Month::range("2023-11".parse().unwrap(), "2024-02".parse().unwrap())
            .map(|month| month.to_string())
            .collect();
        assert_eq!(months, ["2023-11", "2023-12", "2024-01", "2024-02"]);
    }
}
