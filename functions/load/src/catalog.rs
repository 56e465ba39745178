//! The Glue catalog: partitions of runs, views of live runs, tables of a run.

use aws_sdk_glue::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_glue::types::{PartitionInput, StorageDescriptor, Table, TableInput};
use shared::dataset::Partition;
use shared::error::{ErrorName, NamedError};

use crate::State;

/// Glue did not do as asked, after the SDK's own retries.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("{place}: Glue did not answer: {reason}")]
    Unavailable { place: String, reason: String },
    #[error("{place}: Glue refuses this function: {reason}")]
    Refused { place: String, reason: String },
    #[error("{place} is not there: the check for a first run makes it; start a new run")]
    Missing { place: String },
    #[error("{place} is at {found}, expected {expected}: another run has its name")]
    Elsewhere { place: String, expected: String, found: String },
    #[error("{place} is a table, expected a view: drop or rename it")]
    NotAView { place: String },
    #[error("{place} was updated by others {tries} times in a row")]
    Contended { place: String, tries: u32 },
}

impl NamedError for CatalogError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Unavailable { .. } => ErrorName::StorageUnavailable,
            Self::Refused { .. } | Self::Missing { .. } | Self::NotAView { .. } => {
                ErrorName::ConfigInvalid
            }
            Self::Elsewhere { .. } | Self::Contended { .. } => ErrorName::LedgerConflict,
        }
    }
}

impl CatalogError {
    pub(crate) fn of<E>(place: String, error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let code = error.code().map(str::to_owned);
        let reason = DisplayErrorContext(error).to_string();
        match code.as_deref() {
            Some("EntityNotFoundException") => Self::Missing { place },
            Some(
                "AccessDeniedException"
                | "InvalidInputException"
                | "GlueEncryptionException"
                | "ResourceNumberLimitExceededException"
                | "ValidationException",
            ) => Self::Refused { place, reason },
            _ => Self::Unavailable { place, reason },
        }
    }
}

/// Makes a run's partitions known. They may be there from an earlier try, but nowhere else.
pub async fn register(
    state: &State,
    table: &str,
    partitions: &[Partition],
) -> Result<(), CatalogError> {
    let place = place(state, table);
    let Some(described) = get_table(state, table).await? else {
        return Err(CatalogError::Missing { place });
    };
    let storage = described.storage_descriptor().cloned();
    let storage = storage.unwrap_or_else(|| StorageDescriptor::builder().build());
    let inputs = partitions.iter().map(|partition| {
        let mut storage = storage.clone();
        storage.location = Some(partition.location.to_string());
        PartitionInput::builder()
            .set_values(Some(partition.values.to_vec()))
            .storage_descriptor(storage)
            .build()
    });
    let created = state
        .glue
        .batch_create_partition()
        .database_name(&state.config.database)
        .table_name(table)
        .set_partition_input_list(Some(inputs.collect()))
        .send()
        .await
        .map_err(|error| CatalogError::of(place.clone(), error))?;
    for failed in created.errors() {
        let detail = failed.error_detail();
        let code = detail.and_then(|detail| detail.error_code()).unwrap_or_default();
        let partition =
            partitions.iter().find(|partition| partition.values == failed.partition_values());
        if let ("AlreadyExistsException", Some(partition)) = (code, partition) {
            same_location(state, table, partition).await?;
        } else {
            let reason = detail.and_then(|detail| detail.error_message()).unwrap_or_default();
            let reason = format!("{code}: {reason}");
            return Err(CatalogError::Unavailable { place, reason });
        }
    }
    Ok(())
}

async fn same_location(
    state: &State,
    table: &str,
    partition: &Partition,
) -> Result<(), CatalogError> {
    let place = format!("{} {}", place(state, table), partition.values.join("/"));
    let request = state.glue.get_partition().database_name(&state.config.database);
    let request = request.table_name(table).set_partition_values(Some(partition.values.to_vec()));
    let known = request.send().await.map_err(|error| CatalogError::of(place.clone(), error))?;
    let found = known
        .partition()
        .and_then(|partition| partition.storage_descriptor())
        .and_then(|storage| storage.location())
        .unwrap_or_default();
    let expected = partition.location.to_string();
    if found.trim_end_matches('/') == expected.trim_end_matches('/') {
        return Ok(());
    }
    Err(CatalogError::Elsewhere { place, expected, found: found.to_owned() })
}

/// A table or view, or none.
pub async fn get_table(state: &State, name: &str) -> Result<Option<Table>, CatalogError> {
    let request = state.glue.get_table().database_name(&state.config.database).name(name);
    match Box::pin(request.send()).await {
        Ok(found) => Ok(found.table),
        Err(error) => match CatalogError::of(place(state, name), error) {
            CatalogError::Missing { .. } => Ok(None),
            error => Err(error),
        },
    }
}

/// Whether a write took place, or somebody else's did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Yes,
    Overtaken,
}

/// Creates the view, unless one has been created since.
pub async fn create_view(state: &State, view: TableInput) -> Result<Written, CatalogError> {
    let place = place(state, view.name());
    let request = state.glue.create_table().database_name(&state.config.database);
    match Box::pin(request.table_input(view).send()).await {
        Ok(_) => Ok(Written::Yes),
        Err(error) => overtaken(place, error, "AlreadyExistsException"),
    }
}

/// Updates the view, unless it has been updated since `version`.
pub async fn update_view(
    state: &State,
    view: TableInput,
    version: Option<&str>,
) -> Result<Written, CatalogError> {
    let place = place(state, view.name());
    let request = state.glue.update_table().database_name(&state.config.database);
    let request = request.table_input(view).set_version_id(version.map(str::to_owned));
    match Box::pin(request.send()).await {
        Ok(_) => Ok(Written::Yes),
        Err(error) => overtaken(place, error, "ConcurrentModificationException"),
    }
}

fn overtaken<E>(
    place: String,
    error: SdkError<E>,
    by: &'static str,
) -> Result<Written, CatalogError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    // Dropped in between: created anew, it is as good as overtaken.
    if [Some(by), Some("EntityNotFoundException"), Some("VersionMismatchException")]
        .contains(&error.code())
    {
        return Ok(Written::Overtaken);
    }
    Err(CatalogError::of(place, error))
}

/// Forgets a table, not its files. One that will not go now goes with the garbage.
pub async fn drop_table(state: &State, name: &str) -> bool {
    let request = state.glue.delete_table().database_name(&state.config.database).name(name);
    match request.send().await {
        Ok(_) => true,
        Err(error) if error.code() == Some("EntityNotFoundException") => true,
        Err(error) => {
            let error = DisplayErrorContext(error);
            tracing::warn!(table = name, %error, "the table was not dropped");
            false
        }
    }
}

pub fn place(state: &State, table: &str) -> String {
    format!("{}.{table}", state.config.database)
}
