//! Reads what columns a fetched file has, holds them against the contract of its data set, and
//! writes the statements that convert it.
//!
//! It stands after `extract` and before Athena. It reads a file's footer or header only, never its
//! rows, and writes nothing. It must never know how the statements are run.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use aws_sdk_s3::Client;
use shared::clock::Clock;
use shared::config::Environment;
use shared::dataset::Dataset;
use shared::error::{ErrorName, NamedError, Subject};
use shared::event::{FileFormat, ValidateInput, Validation};
use shared::lambda::SdkConfig;
use shared::run::{Run, RunKey};
use shared::storage::{StorageError, read_range};

pub mod audit;
pub mod conversion;
pub mod csv_header;
pub mod file_schema;
mod footer_shape;
pub mod mapping;
pub mod parquet_footer;
pub mod plan;
pub mod problem;
pub mod raw_table;
mod row_rule;
#[cfg(test)]
mod tests;
mod value;

pub use file_schema::{FileColumn, FileSchema, FileType, Unreadable};
pub use mapping::MissingColumns;
pub use plan::RunPlan;
pub use problem::Problem;

/// How much of a CSV file is read: its header is far shorter.
const HEAD_BYTES: u64 = 64 * 1024;

/// How much of a Parquet file is read at first: the footers of all TLC files fit in.
const TAIL_BYTES: u64 = 256 * 1024;

/// The environment: where tables and files go.
#[derive(Clone, Debug)]
pub struct Config {
    pub database: String,
    pub raw_bucket: String,
    pub lake_bucket: String,
}

impl Config {
    pub fn read(env: &mut Environment) -> Self {
        Self {
            database: env.text("DATABASE"),
            raw_bucket: env.text("RAW_BUCKET"),
            lake_bucket: env.text("LAKE_BUCKET"),
        }
    }
}

/// What an invocation works with.
#[derive(Debug)]
pub struct State {
    pub s3: Client,
    pub clock: Clock,
    pub config: Config,
}

impl State {
    pub fn new(sdk: &SdkConfig, config: Config) -> Self {
        Self { s3: Client::new(sdk), clock: jiff::Timestamp::now, config }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{problem}")]
    File { subject: Box<Subject>, problem: Problem },
}

impl NamedError for Error {
    fn name(&self) -> ErrorName {
        match self {
            Self::Storage(error) => error.name(),
            Self::File { problem, .. } => problem.name(),
        }
    }

    fn subject(&self) -> Subject {
        match self {
            Self::Storage(error) => error.subject(),
            Self::File { subject, .. } => subject.as_ref().clone(),
        }
    }
}

/// Answers how the file of the manifest is converted, under a run of its own.
pub async fn handle(state: &State, input: ValidateInput) -> Result<Validation, Error> {
    let unique = uuid::Uuid::new_v4().simple().to_string();
    let schema = read_schema(state, &input).await?;
    let now = (state.clock)().to_zoned(jiff::tz::TimeZone::UTC).datetime();
    validate(&state.config, &input, &schema, &unique[..12], now).map_err(|e| refuse(&input, e))
}

/// The pure part: `unique` are the 12 hexadecimal digits that make the run's name its own.
pub fn validate(
    config: &Config,
    input: &ValidateInput,
    schema: &FileSchema,
    unique: &str,
    now: jiff::civil::DateTime,
) -> Result<Validation, Problem> {
    let (unit, manifest) = (&input.unit, &input.manifest);
    let dataset = Dataset::named(unit.dataset);
    let mapping = mapping::map(&dataset, unit.month, schema)?;
    let rows_in = match schema.rows.or(manifest.lines) {
        None => return Err(Problem::NoLines),
        Some(0) => return Err(Problem::Empty),
        Some(rows) => rows,
    };
    let key = RunKey::new(unit.dataset, unit.month, &manifest.fingerprint, &dataset.version);
    let run = Run::new(&key, unique);
    let location = run.location(&config.lake_bucket, unit.dataset, unit.month);
    let plan = RunPlan {
        database: &config.database,
        dataset: &dataset,
        month: unit.month,
        file: &manifest.file,
        source: &manifest.location,
        target: &location,
        raw_table: run.raw_table(),
        stage_table: run.stage_table(),
        schema,
        mapping: &mapping,
        now,
    };
    Ok(Validation {
        rows_in,
        raw_table: run.raw_table(),
        stage_table: run.stage_table(),
        sql: plan.statements(),
        run,
        run_key: key,
        contract_version: dataset.version.clone(),
        location,
        drift: mapping.drift,
    })
}

/// Reads the end of a Parquet file, or the beginning of a CSV file.
async fn read_schema(state: &State, input: &ValidateInput) -> Result<FileSchema, Error> {
    let refuse = |reason: Unreadable| refuse(input, reason.into());
    let size = input.manifest.bytes;
    if size == 0 {
        return Err(refuse(Unreadable::because("the file is empty".to_owned())));
    }
    match input.manifest.format {
        FileFormat::Csv | FileFormat::CsvGz => {
            let head = read(state, input, 0..HEAD_BYTES.min(size)).await?;
            let gzip = input.manifest.format == FileFormat::CsvGz;
            csv_header::parse(&head, gzip).map_err(refuse)
        }
        FileFormat::Parquet => {
            let mut tail = read(state, input, size.saturating_sub(TAIL_BYTES)..size).await?;
            let length = parquet_footer::length(&tail, size).map_err(refuse)?;
            if length > tail.len() as u64 {
                tail = read(state, input, size - length..size).await?;
            }
            parquet_footer::parse(&tail, size).map_err(refuse)
        }
    }
}

async fn read(
    state: &State,
    input: &ValidateInput,
    bytes: std::ops::Range<u64>,
) -> Result<Vec<u8>, Error> {
    let (manifest, range) = (&input.manifest, format!("bytes={}-{}", bytes.start, bytes.end - 1));
    let (s3, bucket) = (&state.s3, &state.config.raw_bucket);
    Ok(read_range(s3, bucket, &manifest.key, &manifest.etag, range).await?)
}

fn refuse(input: &ValidateInput, problem: Problem) -> Error {
    let subject = Subject {
        dataset: Some(input.unit.dataset.to_string()),
        month: Some(input.unit.month.to_string()),
        file: Some(input.manifest.file.clone()),
        column: problem.column(),
    };
    Error::File { subject: Box::new(subject), problem }
}
