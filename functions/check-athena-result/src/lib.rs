//! Reads the result of a finished Athena query and answers with a small verdict, or raises the
//! error that the state machine catches by name.
//!
//! It stands after every query whose answer decides something: are our tables there, and has a
//! run kept every row, and its data set's rules? Of earlier months it reads what was measured.
//! It writes nothing. It must never know what becomes of its verdict.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use aws_sdk_athena::Client;
use shared::clock::Clock;
use shared::config::Environment;
use shared::dataset::Dataset;
use shared::error::{ErrorName, NamedError, Subject};
use shared::event::{CheckInput, CheckOutput, CheckedQuery};
use shared::lambda::SdkConfig;
use shared::quality_log;
use shared::storage::StorageError;

pub mod audit;
pub mod query;
pub mod result;
pub mod tables;

use audit::{AuditProblem, Audited};
use query::QueryError;
use result::ResultError;

/// No statement is made of the plan here, and no table looked at.
const STAGED: &str = "staged";

/// The environment: where our tables are.
#[derive(Clone, Debug)]
pub struct Config {
    pub database: String,
    pub lake_bucket: String,
}

impl Config {
    pub fn read(env: &mut Environment) -> Self {
        Self { database: env.text("DATABASE"), lake_bucket: env.text("LAKE_BUCKET") }
    }
}

/// What an invocation works with.
#[derive(Debug)]
pub struct State {
    pub athena: Client,
    pub s3: aws_sdk_s3::Client,
    pub clock: Clock,
    pub config: Config,
}

impl State {
    pub fn new(sdk: &SdkConfig, config: Config) -> Self {
        let (athena, s3) = (Client::new(sdk), aws_sdk_s3::Client::new(sdk));
        Self { athena, s3, clock: jiff::Timestamp::now, config }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Result(#[from] ResultError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error("{problem}")]
    Audit { subject: Box<Subject>, problem: AuditProblem },
}

impl NamedError for Error {
    fn name(&self) -> ErrorName {
        match self {
            Self::Query(error) => error.name(),
            // Converted again, the month gets the statement of these rules.
            Self::Result(ResultError::OtherRules { .. }) => ErrorName::AthenaQueryTransient,
            Self::Result(_) => ErrorName::InputInvalid,
            Self::Storage(error) => error.name(),
            Self::Audit { problem, .. } => problem.name(),
        }
    }

    fn subject(&self) -> Subject {
        match self {
            Self::Query(_) | Self::Result(_) | Self::Storage(_) => Subject::default(),
            Self::Audit { subject, .. } => subject.as_ref().clone(),
        }
    }
}

/// Reads the result, all its pages, and judges it.
pub async fn handle(state: &State, input: CheckInput) -> Result<CheckOutput, Error> {
    let result = query::result(&state.athena, &input.query_execution_id).await?;
    match input.query {
        CheckedQuery::Tables { datasets } => {
            let found = result.first_column();
            Ok(CheckOutput::Tables(tables::verdict(&state.config, &datasets, &found)))
        }
        CheckedQuery::Audit { dataset, month, file, rows_in, approved_by } => {
            let refuse = |problem| {
                let (dataset, month) = (Some(dataset.to_string()), Some(month.to_string()));
                let subject = Subject { dataset, month, file: Some(file.clone()), column: None };
                Error::Audit { subject: Box::new(subject), problem }
            };
            let counts = audit::counts(&result)?;
            audit::account(&counts, rows_in).map_err(refuse)?;
            let contract = Dataset::named(dataset);
            let now = (state.clock)().to_zoned(jiff::tz::TimeZone::UTC).datetime();
            let (rules, plan) = contract.quality_plan(month, STAGED, now);
            audit::measured(&plan, &result)?;
            let bucket = &state.config.lake_bucket;
            let history = quality_log::history(&state.s3, bucket, dataset, month).await?;
            let (history, bytes_scanned) = (&history, result.bytes_scanned);
            let run = Audited {
                rules: &rules,
                plan: &plan,
                rows_in,
                bytes_scanned,
                history,
                approved_by,
            };
            audit::verdict(run, &counts).map(CheckOutput::Audit).map_err(refuse)
        }
    }
}
