//! Athena: queries over the lake, and what stands around them (workgroups, prepared and named statements, the
//! catalog as Athena shows it).
//!
//! Path of a query: StartQueryExecution (`submission`) refuses what Athena refuses while the caller waits, settles
//! where the results go (`result_location`) and records the execution (`record`); `executions` runs it on `lake`'s
//! SQL when its turn comes; `status` says how it stands and `results` gives its rows, page by page out of the result
//! object. Records outlast the process: a query whose process has died (`owner`) reads as FAILED.
//!
//! This module knows no SQL: what a statement is and does is `lake`'s.

mod data_catalog;
mod engine_version;
mod executions;
mod limits;
mod metadata;
mod named;
mod permission;
mod prepared;
mod query;
mod record;
mod refusal;
mod result_location;
mod result_rows;
mod results;
mod reuse;
mod status;
mod submission;
mod tag;
#[cfg(test)]
mod tests;
mod workgroup;

use std::sync::Arc;

use lake::catalog::DatabaseInput;
use lake::{CatalogError, Lake};
use serde_json::Value;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::Settings;
use crate::collection::Collection;
use crate::iam::Caller;
use crate::metering::Meters;
use crate::services::Link;
use crate::wire::ServiceError;

use executions::Executions;
use named::NamedQuery;
use prepared::PreparedStatement;
use workgroup::WorkGroup;

pub use limits::{Limits, Rate};
pub use query::{AthenaError, QueryExecution, State};

/// The Athena service. To be opened inside a Tokio runtime, which runs the queries; they end with the service.
pub struct Athena {
    settings: Arc<Settings>,
    workgroups: Collection<WorkGroup>,
    prepared: Arc<Collection<PreparedStatement>>,
    named: Collection<NamedQuery>,
    executions: Arc<Executions>,
    link: Link,
    _closing: DropGuard,
}

impl Athena {
    /// With a way to the other services, so that queries are held to their callers' policies.
    pub fn open(
        lake: &Lake,
        settings: Arc<Settings>,
        meters: Arc<Meters>,
        limits: Limits,
        link: Link,
    ) -> Result<Self, ServiceError> {
        Ok(Athena { link, ..Athena::open_with(lake, settings, meters, limits)? })
    }

    pub fn open_with(
        lake: &Lake,
        settings: Arc<Settings>,
        meters: Arc<Meters>,
        limits: Limits,
    ) -> Result<Self, ServiceError> {
        match lake.catalog.create_database(DatabaseInput {
            name: "default".to_owned(),
            ..DatabaseInput::default()
        }) {
            Ok(_) | Err(CatalogError::DatabaseExists(_)) => {}
            Err(error) => {
                return Err(
                    ServiceError::new("InternalServerException", error.to_string()).status(500)
                );
            }
        }
        let database = lake.database();
        let workgroups = Collection::open(database, "athena/workgroup")?;
        let primary = WorkGroup::primary();
        workgroups.insert(&primary.name, &primary)?;
        let prepared = Arc::new(Collection::open(database, "athena/prepared")?);
        let closing = CancellationToken::new();
        Ok(Athena {
            settings,
            workgroups,
            named: Collection::open(database, "athena/named")?,
            executions: Executions::open(lake, prepared.clone(), meters, limits, closing.clone())?,
            prepared,
            link: Link::default(),
            _closing: closing.drop_guard(),
        })
    }

    /// One operation as the account's root.
    pub async fn operation(&self, action: &str, input: Value) -> Result<Value, ServiceError> {
        self.operation_as(&Caller::Root, action, input).await
    }

    /// One operation as a caller who has been let in.
    #[expect(clippy::unused_async, reason = "operations of all services are called alike")]
    pub async fn operation_as(
        &self,
        caller: &Caller,
        action: &str,
        input: Value,
    ) -> Result<Value, ServiceError> {
        match action {
            "StartQueryExecution" => self.start_query_execution(caller, input),
            "StopQueryExecution" => self.stop_query_execution(&input),
            "GetQueryExecution" => self.get_query_execution(&input),
            "BatchGetQueryExecution" => self.batch_get_query_execution(&input),
            "ListQueryExecutions" => self.list_query_executions(&input),
            "GetQueryRuntimeStatistics" => self.get_query_runtime_statistics(&input),
            "GetQueryResults" => self.get_query_results(caller, &input),
            "CreateWorkGroup" => self.create_work_group(input),
            "GetWorkGroup" => self.get_work_group(&input),
            "ListWorkGroups" => self.list_work_groups(&input),
            "UpdateWorkGroup" => self.update_work_group(input),
            "DeleteWorkGroup" => self.delete_work_group(&input),
            "ListEngineVersions" => Ok(engine_version::list_engine_versions()),
            "CreatePreparedStatement" => self.create_prepared_statement(input),
            "GetPreparedStatement" => self.get_prepared_statement(&input),
            "BatchGetPreparedStatement" => self.batch_get_prepared_statement(input),
            "ListPreparedStatements" => self.list_prepared_statements(&input),
            "UpdatePreparedStatement" => self.update_prepared_statement(input),
            "DeletePreparedStatement" => self.delete_prepared_statement(&input),
            "CreateNamedQuery" => self.create_named_query(input),
            "GetNamedQuery" => self.get_named_query(&input),
            "BatchGetNamedQuery" => self.batch_get_named_query(input),
            "ListNamedQueries" => self.list_named_queries(&input),
            "UpdateNamedQuery" => self.update_named_query(input),
            "DeleteNamedQuery" => self.delete_named_query(&input),
            "CreateDataCatalog" => self.create_data_catalog(&input),
            "GetDataCatalog" => self.get_data_catalog(&input),
            "ListDataCatalogs" => Ok(self.list_data_catalogs()),
            "GetDatabase" => self.get_database(&input),
            "ListDatabases" => self.list_databases(&input),
            "GetTableMetadata" => self.get_table_metadata(&input),
            "ListTableMetadata" => self.list_table_metadata(&input),
            "TagResource" => self.tag_resource(&input),
            "UntagResource" => self.untag_resource(&input),
            "ListTagsForResource" => self.list_tags_for_resource(&input),
            _ => Err(ServiceError::unknown_operation("Athena", action)),
        }
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    lake::clock::now().as_millisecond()
}
