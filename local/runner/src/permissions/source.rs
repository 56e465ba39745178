//! The months of a rehearsal: good ones, and one for every way to be refused.
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::sample::{self, SampleFile};
use crate::tlc::{Dataset, Format, Month, TripFile};

/// Larger than a part of an upload, so that it goes up in several.
const LARGE: usize = 9 << 20;

/// Whose, when, and how it is written.
type File = (Dataset, (i16, i8), Format);

const GREEN: File = (Dataset::Green, (2023, 2), Format::Parquet);
const BAD_ROWS: File = (Dataset::Yellow, (2019, 5), Format::Csv);
/// The months that are published again and again.
const REDONE: [File; 2] = [GREEN, BAD_ROWS];
/// In the order of [`Months::write`].
const REFUSED: [File; 4] = [
    (Dataset::Yellow, (2019, 4), Format::Csv),
    BAD_ROWS,
    (Dataset::Fhv, (2024, 1), Format::Parquet),
    (Dataset::Green, (2022, 1), Format::Parquet),
];

pub struct Months {
    folder: PathBuf,
}

impl Months {
    /// Writes all of them but the one that arrives.
    pub fn write(folder: &Path) -> anyhow::Result<Self> {
        let months = Months { folder: folder.to_owned() };
        let [no_column, bad_rows, broken, cut] = REFUSED;
        std::fs::create_dir_all(folder)?;
        // Goes up in parts.
        months.sample((Dataset::Yellow, (2019, 3), Format::Csv), 120_000)?;
        months.sample(GREEN, 2_000)?;
        // A column is missing, found before anything is converted.
        let path = months.sample(no_column, 500)?;
        rewrite(&path, |text| text.replacen("PULocationID", "somewhere", 1))?;
        // Too many rows break a rule, found when they have been converted.
        let path = months.sample(bad_rows, 500)?;
        rewrite(&path, |text| text.replace("2019-", "someday-"))?;
        // Breaks off while it is converted.
        let path = months.sample(broken, 40_000)?;
        spoil(&path)?;
        // Breaks off while it is copied.
        let path = months.path(cut)?;
        let mut bytes = vec![0; LARGE];
        bytes[..4].copy_from_slice(b"PAR1");
        std::fs::write(&path, bytes)?;
        Ok(months)
    }

    /// The month that arrives in the bucket.
    pub fn arriving(&self) -> anyhow::Result<PathBuf> {
        self.sample((Dataset::Fhvhv, (2025, 1), Format::Parquet), 500)
    }

    /// Publishes the refused months as they should have been.
    pub fn mend(&self) -> anyhow::Result<()> {
        REFUSED.into_iter().try_for_each(|file| self.sample(file, 500).map(drop))
    }

    /// Publishes months anew, with other rows.
    pub fn redo(&self, rows: u64) -> anyhow::Result<()> {
        REDONE.into_iter().try_for_each(|file| self.sample(file, rows).map(drop))
    }

    fn sample(&self, file: File, rows: u64) -> anyhow::Result<PathBuf> {
        let (file, path) = (trip_file(file)?, self.path(file)?);
        sample::write(SampleFile { file, rows }, &path)?;
        Ok(path)
    }

    fn path(&self, file: File) -> anyhow::Result<PathBuf> {
        Ok(self.folder.join(trip_file(file)?.to_string()))
    }
}

fn trip_file((dataset, month, format): File) -> anyhow::Result<TripFile> {
    let month = Month::new(month.0, month.1).context("a month")?;
    Ok(TripFile { dataset, month, format })
}

fn rewrite(path: &Path, change: impl FnOnce(String) -> String) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(path)?;
    Ok(std::fs::write(path, change(text))?)
}

/// Makes the pages in the middle of a Parquet file unreadable. Its beginning and its footer stay.
fn spoil(path: &Path) -> anyhow::Result<()> {
    let mut bytes = std::fs::read(path)?;
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + middle / 4] {
        *byte ^= 0x5a;
    }
    Ok(std::fs::write(path, bytes)?)
}
