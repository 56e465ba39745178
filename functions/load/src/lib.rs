//! Commits a run to the ledger, publishes what the ledger says, and removes what it no longer
//! names.
//!
//! It stands at the end of every month, after the audit; its one commit point is a ledger entry
//! that is written only where none is. It must never look at the rows, nor write where readers
//! may already be reading.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use shared::clock::Clock;
use shared::config::Environment;
use shared::error::{ErrorName, NamedError};
use shared::event::{Garbage, LoadAction, LoadInput, LoadResult, Summary};
use shared::lambda::SdkConfig;
use shared::ledger::LedgerError;
use shared::month::Month;
use shared::s3_uri::S3Uri;
use shared::storage::StorageError;

pub mod append;
pub mod catalog;
pub mod commit;
pub mod garbage;
pub mod order;
pub mod publication;
pub mod summary;

use catalog::CatalogError;

/// The environment of this function.
#[derive(Clone, Debug)]
pub struct Config {
    /// Name of the stack, a dimension of the metrics.
    pub stage: String,
    /// The Glue database of all tables and views.
    pub database: String,
    pub lake_bucket: String,
    /// A run that no ledger head names is deleted at this age: the longest query may still read
    /// what was live when it began, and the longest attempt may still commit what it wrote.
    pub garbage_after: Duration,
}

impl Config {
    pub fn read(env: &mut Environment) -> Self {
        Self {
            stage: env.optional("STAGE").unwrap_or_else(|| "none".to_owned()),
            database: env.text("DATABASE"),
            lake_bucket: env.text("LAKE_BUCKET"),
            garbage_after: Duration::from_secs(env.or("GARBAGE_AFTER_HOURS", 24_u64) * 3600),
        }
    }
}

/// Clients and configuration.
#[derive(Clone, Debug)]
pub struct State {
    pub s3: aws_sdk_s3::Client,
    pub glue: aws_sdk_glue::Client,
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    pub clock: Clock,
    pub config: Config,
}

impl State {
    pub fn new(sdk: &SdkConfig, config: Config) -> Self {
        Self {
            s3: aws_sdk_s3::Client::new(sdk),
            glue: aws_sdk_glue::Client::new(sdk),
            cloudwatch: aws_sdk_cloudwatch::Client::new(sdk),
            clock: Timestamp::now,
            config,
        }
    }
}

/// The answer, by what was asked.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum LoadOutput {
    Month(Box<LoadResult>),
    Summary(Box<Summary>),
    Garbage(Garbage),
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error("others wrote to the ledger {tries} times in a row before this run could")]
    Contended { tries: u32 },
    #[error("the live run of {month} is not the fetched content any more: fetch it again")]
    NotLive { month: Month },
    #[error("{location} is empty, or so old that it may be collected any moment: convert it again")]
    Stale { location: S3Uri },
}

impl NamedError for LoadError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Ledger(error) => error.name(),
            Self::Storage(error) => error.name(),
            Self::Catalog(error) => error.name(),
            Self::Contended { .. } | Self::NotLive { .. } | Self::Stale { .. } => {
                ErrorName::LedgerConflict
            }
        }
    }
}

/// Commits, touches, summarises or collects.
pub async fn handle(state: &State, input: LoadInput) -> Result<LoadOutput, LoadError> {
    let LoadInput { execution, started_at, action } = input;
    match action {
        LoadAction::Commit { unit, manifest, validation, verdict, bytes_scanned } => {
            let run = commit::Audited { unit, manifest, validation, verdict, bytes_scanned };
            let result = Box::pin(commit::commit(state, &execution, started_at, run)).await?;
            Ok(LoadOutput::Month(Box::new(result)))
        }
        LoadAction::Touch { unit, manifest } => {
            let result = Box::pin(commit::touch(state, &execution, &unit, &manifest)).await?;
            Ok(LoadOutput::Month(Box::new(result)))
        }
        LoadAction::Summarise { plan } => {
            let summary = Box::pin(summary::summarise(state, &plan)).await?;
            Ok(LoadOutput::Summary(Box::new(summary)))
        }
        LoadAction::Collect { datasets } => {
            let garbage = Box::pin(garbage::collect(state, &datasets, (state.clock)())).await?;
            Ok(LoadOutput::Garbage(garbage))
        }
    }
}
