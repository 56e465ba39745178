//! Glue: the catalog's databases, tables, versions and partitions in the API's own JSON.

use std::collections::BTreeMap;
use std::sync::Arc;

use lake::{Catalog, CatalogError, Lake};
use serde_json::Value;

use crate::Settings;
use crate::collection::Collection;
use crate::wire::ServiceError;

mod database;
mod input;
mod partition;
mod table;
mod tags;
#[cfg(test)]
mod tests;

use input::Input;

/// The Glue service, as far as it is a catalog.
pub struct Glue {
    catalog: Catalog,
    settings: Arc<Settings>,
    /// By ARN.
    tags: Collection<BTreeMap<String, String>>,
}

impl Glue {
    pub fn open(lake: &Lake, settings: Arc<Settings>) -> Result<Self, ServiceError> {
        let tags = Collection::open(lake.database(), "glue/tags")?;
        Ok(Self { catalog: lake.catalog.clone(), settings, tags })
    }

    /// One operation. Errors: Glue's own, `UnknownOperationException` for what is not here.
    pub fn operation(&self, action: &str, input: Value) -> Result<Value, ServiceError> {
        let input = Input::of(input)?;
        self.check_catalog(&input)?;
        match action {
            "CreateDatabase" => self.create_database(input),
            "GetDatabase" => self.get_database(input),
            "GetDatabases" => self.get_databases(input),
            "UpdateDatabase" => self.update_database(input),
            "DeleteDatabase" => self.delete_database(input),
            "CreateTable" => self.create_table(input),
            "GetTable" => self.get_table(input),
            "GetTables" => self.get_tables(input),
            "UpdateTable" => self.update_table(input),
            "DeleteTable" => self.delete_table(input),
            "BatchDeleteTable" => self.batch_delete_table(input),
            "GetTableVersion" => self.get_table_version(input),
            "GetTableVersions" => self.get_table_versions(input),
            "DeleteTableVersion" => self.delete_table_version(input),
            "BatchDeleteTableVersion" => self.batch_delete_table_version(input),
            "CreatePartition" => self.create_partition(input),
            "BatchCreatePartition" => self.batch_create_partition(input),
            "GetPartition" => self.get_partition(input),
            "GetPartitions" => self.get_partitions(input),
            "BatchGetPartition" => self.batch_get_partition(input),
            "UpdatePartition" => self.update_partition(input),
            "BatchUpdatePartition" => self.batch_update_partition(input),
            "DeletePartition" => self.delete_partition(input),
            "BatchDeletePartition" => self.batch_delete_partition(input),
            "TagResource" => self.tag_resource(input),
            "UntagResource" => self.untag_resource(input),
            "GetTags" => self.get_tags(input),
            _ => Err(ServiceError::unknown_operation("Glue", action)),
        }
    }

    /// There is one catalog, the account's.
    fn check_catalog(&self, input: &Input) -> Result<(), ServiceError> {
        match input.peek("CatalogId") {
            Some(id) if id != self.settings.account_id => Err(ServiceError::new(
                "EntityNotFoundException",
                format!("Catalog {id} not found."),
            )),
            _ => Ok(()),
        }
    }
}

/// The one place where an error of the catalog becomes one of Glue.
#[expect(clippy::needless_pass_by_value, reason = "it stands in map_err")]
fn refuse(error: CatalogError) -> ServiceError {
    let status = if matches!(error, CatalogError::Database(_)) { 500 } else { 400 };
    ServiceError::new(error.code(), error.to_string()).status(status)
}

/// `ErrorDetail`, of one item of a batch.
fn detail(error: &CatalogError) -> Value {
    serde_json::json!({"ErrorCode": error.code(), "ErrorMessage": error.to_string()})
}

/// An output without members.
fn nothing() -> Value {
    Value::Object(serde_json::Map::new())
}
