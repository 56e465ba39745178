//! Reads the result of a finished Athena query and answers with a small verdict, or raises the
//! error that the state machine catches by name.
//!
//! It stands after every query whose answer decides something: are our tables there, and has a
//! run kept every row? It writes nothing. It must never know what becomes of its verdict.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use aws_sdk_athena::Client;
use shared::config::Environment;
use shared::error::{ErrorName, NamedError, Subject};
use shared::event::{CheckInput, CheckOutput, CheckedQuery};
use shared::lambda::SdkConfig;

pub mod audit;
pub mod query;
pub mod result;
pub mod tables;

use audit::AuditProblem;
use query::QueryError;
use result::ResultError;

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
    pub config: Config,
}

impl State {
    pub fn new(sdk: &SdkConfig, config: Config) -> Self {
        Self { athena: Client::new(sdk), config }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    Result(#[from] ResultError),
    #[error("{problem}")]
    Audit { subject: Box<Subject>, problem: AuditProblem },
}

impl NamedError for Error {
    fn name(&self) -> ErrorName {
        match self {
            Self::Query(error) => error.name(),
            Self::Result(_) => ErrorName::InputInvalid,
            Self::Audit { problem, .. } => problem.name(),
        }
    }

    fn subject(&self) -> Subject {
        match self {
            Self::Query(_) | Self::Result(_) => Subject::default(),
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
            let counts = audit::counts(dataset, &result)?;
            let verdict =
                audit::verdict(dataset, &counts, rows_in, result.bytes_scanned, approved_by);
            verdict.map(CheckOutput::Audit).map_err(|problem| Error::Audit {
                subject: Box::new(Subject {
                    dataset: Some(dataset.to_string()),
                    month: Some(month.to_string()),
                    file: Some(file),
                    column: None,
                }),
                problem,
            })
        }
    }
}
