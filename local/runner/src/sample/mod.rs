//! The built-in sample: months in the shape of the TLC's files, of any length,
//! always the same bytes, with what is wrong with the originals at its measured rates.
//!
//! A trip is drawn first ([`trips`]), then shown in the columns of its file's era
//! ([`layout`]), then written. Nothing here knows the pipeline.
mod csv;
mod field;
mod layout;
mod parquet;
mod random;
mod rates;
mod tariff;
mod trip;
mod trips;
mod zones;

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flate2::Compression;
use flate2::write::GzEncoder;
use thiserror::Error;

use self::layout::Layout;
use self::trips::Trips;
use crate::tlc::{Dataset, Format, LOOKUP, Month, TripFile};

/// A file of the sample and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleFile {
    pub file: TripFile,
    pub rows: u64,
}

#[derive(Debug, Error)]
pub enum SampleError {
    #[error(
        "the TLC has no {dataset} {format} of {month}: {format} files with these columns start later"
    )]
    NoSuchMonth { dataset: Dataset, month: Month, format: &'static str },
    #[error("cannot write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot write {path}")]
    Parquet { path: PathBuf, source: datafusion::parquet::errors::ParquetError },
}

/// The eras that a run without `--from` goes through.
const MONTHS: [(Dataset, i16, i8, Format, u64); 8] = [
    (Dataset::Yellow, 2016, 8, Format::CsvGz, 8_000),
    (Dataset::Yellow, 2019, 3, Format::Csv, 20_000),
    (Dataset::Yellow, 2024, 1, Format::Parquet, 60_000),
    (Dataset::Green, 2022, 1, Format::Parquet, 20_000),
    (Dataset::Green, 2023, 2, Format::Parquet, 20_000),
    (Dataset::Green, 2025, 2, Format::Parquet, 20_000),
    (Dataset::Fhv, 2024, 1, Format::Parquet, 10_000),
    (Dataset::Fhvhv, 2025, 1, Format::Parquet, 20_000),
];

/// Changes with every change of the sample's bytes, so that an old copy is not taken for a new one.
pub const VERSION: u32 = 1;

/// The files of the built-in sample.
pub fn files() -> Vec<SampleFile> {
    let known = |(dataset, year, month, format, rows)| {
        let month = Month::new(year, month).expect("MONTHS holds months");
        SampleFile { file: TripFile { dataset, month, format }, rows }
    };
    MONTHS.into_iter().map(known).collect()
}

/// How the TLC wrote this month first: CSV up to July 2021, then Parquet.
pub fn usual_format(month: Month) -> Format {
    if Month::new(2021, 7).is_some_and(|last| month <= last) {
        Format::Csv
    } else {
        Format::Parquet
    }
}

/// The zone lookup as the TLC serves it.
pub fn lookup() -> String {
    zones::ZONES.lookup()
}

/// Writes one file, in constant memory whatever its length.
pub fn write(sample: SampleFile, path: &Path) -> Result<(), SampleError> {
    let TripFile { dataset, month, format } = sample.file;
    let layout = match format {
        Format::Parquet => Layout::parquet(dataset, month),
        Format::Csv | Format::CsvGz => Layout::csv(dataset, month),
    };
    let layout =
        layout.ok_or(SampleError::NoSuchMonth { dataset, month, format: format.extension() })?;
    let failed = |source| SampleError::Write { path: path.to_owned(), source };
    let mut out = BufWriter::new(File::create(path).map_err(failed)?);
    let trips = Trips::new(dataset, month, sample.rows);
    match format {
        Format::Csv => csv::write(&mut out, &layout, trips).map_err(failed)?,
        Format::CsvGz => {
            let mut gzip = GzEncoder::new(&mut out, Compression::default());
            csv::write(&mut gzip, &layout, trips).map_err(failed)?;
            gzip.finish().map_err(failed)?;
        }
        Format::Parquet => parquet::write(&mut out, &layout, month, trips)
            .map_err(|source| SampleError::Parquet { path: path.to_owned(), source })?,
    }
    out.flush().map_err(failed)?;
    // Published two months after its month, as the TLC does.
    let published = month
        .next()
        .next()
        .next()
        .first_day()
        .duration_since(jiff::civil::date(1970, 1, 1))
        .unsigned_abs();
    let file = out.into_inner().map_err(|error| failed(error.into_error()))?;
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(published.as_secs()))
        .map_err(failed)
}

/// Writes the sample's files of these data sets and its lookup below `dir`, those apart that
/// are there already. A file is there in whole or not at all.
pub fn write_all(dir: &Path, files: &[SampleFile]) -> Result<(), SampleError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| SampleError::Write { path, source }
    };
    std::fs::create_dir_all(dir).map_err(failed(dir))?;
    for sample in files {
        let path = dir.join(sample.file.to_string());
        if path.exists() {
            continue;
        }
        let draft = dir.join(format!(".{}.{}", sample.file, std::process::id()));
        write(*sample, &draft)?;
        std::fs::rename(&draft, &path).map_err(failed(&path))?;
    }
    let path = dir.join(LOOKUP);
    if !path.exists() {
        let draft = dir.join(format!(".{LOOKUP}.{}", std::process::id()));
        std::fs::write(&draft, lookup()).map_err(failed(&draft))?;
        let file = File::options().append(true).open(&draft).map_err(failed(&draft))?;
        // The day of the lookup's present text.
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_hours(475_536))
            .map_err(failed(&draft))?;
        std::fs::rename(&draft, &path).map_err(failed(&path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
