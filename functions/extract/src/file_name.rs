//! The TLC's own file names: which data set, which month, which format.

use shared::dataset::{Dataset, DatasetName};
use shared::event::FileFormat;
use shared::month::Month;

/// What a file's name says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileName {
    pub dataset: DatasetName,
    pub month: Month,
    pub format: FileFormat,
}

impl FileName {
    /// Reads a name such as `green_tripdata_2024-01.parquet`, to the letter of the path in a
    /// contract.
    pub fn parse(name: &str, contracts: &[Dataset]) -> Option<Self> {
        contracts.iter().find_map(|contract| {
            contract.formats.iter().find_map(|format| {
                let month = month_of(name, file_of(&contract.path), format.extension())?;
                Some(Self { dataset: contract.name, month, format: *format })
            })
        })
    }
}

fn file_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The month that makes `template` the `name`.
fn month_of(name: &str, template: &str, extension: &str) -> Option<Month> {
    let template = template.replace("{format}", extension);
    let Some((before, after)) = template.split_once("{month}") else {
        return (name == template).then_some(Month::Current);
    };
    let month = name.strip_prefix(before)?.strip_suffix(after)?.parse().ok()?;
    (month != Month::Current).then_some(month)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contracts() -> Vec<Dataset> {
        DatasetName::all().map(Dataset::named).collect()
    }

    #[test]
    fn reads_what_the_contracts_write() {
        let contracts = contracts();
        let month = "2024-01".parse().unwrap();
        for contract in &contracts {
            for format in FileFormat::ALL {
                let undated = contract.first_month == Month::Current;
                let month = if undated { Month::Current } else { month };
                let Some(path) = contract.source_path(month, format) else { continue };
                let found = FileName::parse(file_of(&path), &contracts);
                let found = found.unwrap_or_else(|| panic!("{path}"));
                assert_eq!((found.dataset, found.month), (contract.name, month), "{path}");
                assert!(path.contains("{format}") || found.format == format || undated, "{path}");
            }
        }
    }

    #[test]
    fn refuses_whatever_is_not_to_the_letter() {
        for name in [
            "",
            "green_tripdata_2024-01",
            "green_tripdata_2024-1.parquet",
            "green_tripdata_2024-13.parquet",
            "green_tripdata_current.parquet",
            "green_tripdata_{month}.parquet",
            "zones_tripdata_2024-01.csv",
            "red_tripdata_2024-01.parquet",
            "green_tripdata_2024-01.parquet.exe",
            "green_tripdata_2024-01.csv.gz.gz",
            "Green_tripdata_2024-01.parquet",
            "green_tripdata_2024-01.PARQUET",
            "green_tripdata_2024-01.parquet ",
            "a+b%2Fc",
            "'; DROP TABLE x; --",
            "../green_tripdata_2024-01.parquet",
            "taxi _zone_lookup.csv",
        ] {
            assert_eq!(FileName::parse(name, &contracts()), None, "{name:?}");
        }
    }
}
