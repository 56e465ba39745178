//! The TLC's own names: data sets, months, file names, addresses.
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use thiserror::Error;

/// A data set of the Taxi and Limousine Commission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Dataset {
    /// Medallion taxis.
    Yellow,
    /// Street-hail livery.
    Green,
    /// Livery and black car bases.
    Fhv,
    /// High-volume bases: Uber, Lyft.
    Fhvhv,
}

impl Dataset {
    pub const ALL: [Self; 4] = [Self::Yellow, Self::Green, Self::Fhv, Self::Fhvhv];

    pub fn name(self) -> &'static str {
        match self {
            Self::Yellow => "yellow",
            Self::Green => "green",
            Self::Fhv => "fhv",
            Self::Fhvhv => "fhvhv",
        }
    }
}

impl fmt::Display for Dataset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A calendar month, written `2024-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    month: i8,
}

/// A month that is not of the form `YYYY-MM`.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("expected a month as YYYY-MM, found {0:?}")]
pub struct MonthError(String);

impl Month {
    /// `None` outside of 2000-01 to 2099-12.
    pub fn new(year: i16, month: i8) -> Option<Self> {
        ((2000..=2099).contains(&year) && (1..=12).contains(&month)).then_some(Self { year, month })
    }

    pub fn year(self) -> i16 {
        self.year
    }

    pub fn first_day(self) -> jiff::civil::Date {
        jiff::civil::date(self.year, self.month, 1)
    }

    #[must_use]
    pub fn next(self) -> Self {
        if self.month == 12 {
            Self { year: self.year + 1, month: 1 }
        } else {
            Self { month: self.month + 1, ..self }
        }
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let wrong = || MonthError(text.to_owned());
        let (year, month) = text.split_once('-').ok_or_else(wrong)?;
        if year.len() != 4 || month.len() != 2 {
            return Err(wrong());
        }
        let year = year.parse().map_err(|_| wrong())?;
        let month = month.parse().map_err(|_| wrong())?;
        Self::new(year, month).ok_or_else(wrong)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:04}-{:02}", self.year, self.month))
    }
}

impl Serialize for Month {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The months asked for: `2024-01..2024-03` (both ends included), or a comma-separated list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Months(pub Vec<Month>);

/// A list or range of months that is none.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MonthsError {
    #[error(transparent)]
    Month(#[from] MonthError),
    #[error("the range {from}..{to} ends before it starts")]
    Backwards { from: Month, to: Month },
}

impl FromStr for Months {
    type Err = MonthsError;

    fn from_str(text: &str) -> Result<Self, MonthsError> {
        let mut months = Vec::new();
        for part in text.split(',').map(str::trim) {
            let Some((from, to)) = part.split_once("..") else {
                months.push(part.parse()?);
                continue;
            };
            let (mut from, to): (Month, Month) =
                (from.trim().parse()?, to.trim().trim_start_matches('=').parse()?);
            if to < from {
                return Err(MonthsError::Backwards { from, to });
            }
            while from <= to {
                months.push(from);
                from = from.next();
            }
        }
        months.sort_unstable();
        months.dedup();
        Ok(Self(months))
    }
}

/// How a month's file is written, the preferred first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    Parquet,
    CsvGz,
    Csv,
}

impl Format {
    /// In the order in which one wins over the other when a month has several.
    pub const ALL: [Self; 3] = [Self::Parquet, Self::CsvGz, Self::Csv];

    pub fn extension(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::CsvGz => "csv.gz",
            Self::Csv => "csv",
        }
    }
}

/// A trip file by the TLC's name: `green_tripdata_2024-01.parquet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TripFile {
    pub dataset: Dataset,
    pub month: Month,
    pub format: Format,
}

impl TripFile {
    /// `None` when this is not a trip file's name.
    pub fn from_name(name: &str) -> Option<Self> {
        let (stem, extension) = name.split_once('.')?;
        let format = Format::ALL.into_iter().find(|format| format.extension() == extension)?;
        let (dataset, month) = stem.split_once("_tripdata_")?;
        let dataset = Dataset::ALL.into_iter().find(|known| known.name() == dataset)?;
        Some(Self { dataset, month: month.parse().ok()?, format })
    }
}

impl fmt::Display for TripFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}_tripdata_{}.{}", self.dataset, self.month, self.format.extension())
    }
}

/// Where the TLC publishes.
pub const SOURCE_URL: &str = "https://d37ci6vzurychx.cloudfront.net";
/// The name of the zone lookup under `/misc/`.
pub const LOOKUP: &str = "taxi_zone_lookup.csv";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trip_files_are_known_by_name() {
        let known = [
            "green_tripdata_2024-01.parquet",
            "fhvhv_tripdata_2019-02.csv",
            "yellow_tripdata_2020-04.csv.gz",
        ];
        for name in known {
            assert_eq!(
                TripFile::from_name(name).map(|file| file.to_string()).as_deref(),
                Some(name)
            );
        }
        for name in [
            "yellow_tripdata_sample_2019-01.csv",
            "green_tripdata_2024-1.parquet",
            "green_tripdata_2024-13.parquet",
            "green_tripdata_2024-01.parquet.tmp",
            "grey_tripdata_2024-01.csv",
            "taxi_zone_lookup.csv",
        ] {
            assert_eq!(TripFile::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn months_come_as_range_or_list() {
        let months = |text: &str| {
            text.parse::<Months>()
                .map(|months| months.0.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(
            months("2023-11..2024-02").unwrap(),
            ["2023-11", "2023-12", "2024-01", "2024-02"]
        );
        assert_eq!(months("2024-03,2024-01, 2024-03").unwrap(), ["2024-01", "2024-03"]);
        assert_eq!(
            months("2024-02..2024-01").unwrap_err().to_string(),
            "the range 2024-02..2024-01 ends before it starts"
        );
        assert_eq!(
            months("24-02").unwrap_err().to_string(),
            "expected a month as YYYY-MM, found \"24-02\""
        );
    }
}
