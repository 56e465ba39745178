//! `local sample`
use std::path::PathBuf;

use anyhow::Context as _;

use crate::sample::{self, SampleFile};
use crate::tlc::{Dataset, Format, LOOKUP, Month, TripFile};

#[derive(clap::Args)]
pub struct Arguments {
    /// A data set; without one, the files of the built-in sample
    #[arg(long, value_enum, requires = "month")]
    dataset: Option<Dataset>,
    #[arg(long, value_name = "YYYY-MM", requires = "dataset")]
    month: Option<Month>,
    /// How many rows the month shall have
    #[arg(long, requires = "dataset", default_value_t = 100_000)]
    rows: u64,
    /// CSV to July 2021 and Parquet later, unless this says otherwise
    #[arg(long, value_enum, requires = "dataset")]
    format: Option<FormatChoice>,
    /// A folder, or the file to write
    #[arg(long, value_name = "FILE|DIR")]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FormatChoice {
    Parquet,
    Csv,
    #[value(name = "csv.gz")]
    CsvGz,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let (Some(dataset), Some(month)) = (arguments.dataset, arguments.month) else {
        sample::write_all(&arguments.out, &sample::files())?;
        for sample in sample::files() {
            println!("{}", arguments.out.join(sample.file.to_string()).display());
        }
        println!("{}", arguments.out.join(LOOKUP).display());
        return Ok(0);
    };
    let format = match arguments.format {
        None => sample::usual_format(month),
        Some(FormatChoice::Parquet) => Format::Parquet,
        Some(FormatChoice::Csv) => Format::Csv,
        Some(FormatChoice::CsvGz) => Format::CsvGz,
    };
    let file = TripFile { dataset, month, format };
    let is_file = arguments.out.extension().is_some() && !arguments.out.is_dir();
    let folder = if is_file {
        arguments.out.parent().map(PathBuf::from).unwrap_or_default()
    } else {
        arguments.out.clone()
    };
    if !folder.as_os_str().is_empty() {
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let path = if is_file { arguments.out.clone() } else { folder.join(file.to_string()) };
    sample::write(SampleFile { file, rows: arguments.rows }, &path)?;
    println!("{}", path.display());
    Ok(0)
}
