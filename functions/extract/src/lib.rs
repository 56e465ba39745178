//! Plans what to load, and fetches it.
//!
//! It stands at both beginnings: of an execution (`plan`: any input becomes a list of months) and
//! of a month (`fetch`: a file of the source becomes an object in the raw bucket, with its
//! fingerprint). It must never know what is in a file, apart from where its lines end.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::time::Duration;

use aws_sdk_s3::Client;
use serde::Serialize;
use shared::clock::Clock;
use shared::config::Environment;
use shared::dataset::DatasetName;
use shared::error::{ErrorName, NamedError, Subject};
use shared::event::{ExtractInput, FileFormat, InputError, Manifest, Plan};
use shared::lambda::SdkConfig;
use shared::ledger::LedgerError;
use shared::storage::StorageError;

pub mod arrival;
pub mod catalog;
pub mod content;
pub mod download;
pub mod fetch;
pub mod file_name;
pub mod plan;
pub mod planning;
pub mod raw_copy;
pub mod source;
pub mod survey;

use content::ContentError;
use source::{Site, SourceError};

/// Before the second try of a request to the source; doubled before each later one.
pub const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The environment of this function.
#[derive(Clone, Debug)]
pub struct Config {
    /// The Glue database of our tables.
    pub database: String,
    pub raw_bucket: String,
    pub lake_bucket: String,
    /// The base URL of the TLC's files.
    pub source_url: String,
    /// In the order of preference.
    pub source_formats: Vec<FileFormat>,
    /// What the schedule looks for.
    pub datasets: Vec<DatasetName>,
    /// How far back the schedule looks.
    pub lookback_months: u32,
}

impl Config {
    pub fn read(env: &mut Environment) -> Self {
        Self {
            database: env.text("DATABASE"),
            raw_bucket: env.text("RAW_BUCKET"),
            lake_bucket: env.text("LAKE_BUCKET"),
            source_url: env.text("SOURCE_URL"),
            source_formats: env.list("SOURCE_FORMATS", vec![FileFormat::Parquet]),
            datasets: env.list("DATASETS", DatasetName::all().collect()),
            lookback_months: env.or("LOOKBACK_MONTHS", 6),
        }
    }
}

/// Clients and configuration.
#[derive(Clone, Debug)]
pub struct State {
    pub s3: Client,
    pub glue: aws_sdk_glue::Client,
    pub site: Site,
    pub clock: Clock,
    pub config: Config,
}

impl State {
    pub fn new(sdk: &SdkConfig, config: Config) -> Self {
        let site = Site::new(&config.source_url, FIRST_PAUSE);
        Self::with(sdk, config, site)
    }

    /// The same with another way to the source.
    pub fn with(sdk: &SdkConfig, config: Config, site: Site) -> Self {
        Self {
            s3: Client::new(sdk),
            glue: aws_sdk_glue::Client::new(sdk),
            site,
            clock: jiff::Timestamp::now,
            config,
        }
    }
}

/// Either answer, by what was asked.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum ExtractOutput {
    Plan(Plan),
    Manifest(Box<Manifest>),
}

#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(
        "the plan has {months} months and {bytes} bytes, more than a state machine can pass on: ask for fewer months at once"
    )]
    TooManyMonths { months: usize, bytes: usize },
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error("{file}: {source}")]
    Content { file: String, source: ContentError },
}

impl ExtractError {
    /// Might the same request succeed in a moment?
    pub fn passes(&self) -> bool {
        self.name().class() == shared::error::Class::Transient
            && self.name() != ErrorName::SourceChanged
    }
}

impl NamedError for ExtractError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Input(_) | Self::TooManyMonths { .. } => ErrorName::InputInvalid,
            Self::Source(error) => error.name(),
            Self::Storage(error) => error.name(),
            Self::Ledger(error) => error.name(),
            Self::Content { source, .. } => match source {
                ContentError::Empty => ErrorName::DataEmpty,
                ContentError::Truncated { .. } => ErrorName::DataTruncated,
                ContentError::NotTheFormat { .. }
                | ContentError::Corrupt { .. }
                | ContentError::Expands { .. } => ErrorName::SchemaUnreadable,
            },
        }
    }

    fn subject(&self) -> Subject {
        match self {
            Self::Content { file, .. } => {
                Subject { file: Some(file.clone()), ..Subject::default() }
            }
            _ => Subject::default(),
        }
    }
}

/// Plans or fetches.
pub async fn handle(state: &State, input: ExtractInput) -> Result<ExtractOutput, ExtractError> {
    match input {
        ExtractInput::Plan { input, .. } => {
            let now = (state.clock)().to_zoned(jiff::tz::TimeZone::UTC);
            let plan = Box::pin(plan::plan(state, input, now.date())).await?;
            Ok(ExtractOutput::Plan(plan))
        }
        ExtractInput::Fetch { unit, manifest, .. } => {
            let manifest = Box::pin(fetch::fetch(state, &unit, manifest)).await?;
            Ok(ExtractOutput::Manifest(Box::new(manifest)))
        }
    }
}
