//! Databases.

use std::collections::BTreeMap;

use lake::catalog::{Database, DatabaseInput};
use serde_json::{Value, json};

use super::{Glue, Input, nothing, refuse};
use crate::wire::ServiceError;

/// Databases and tables come in pages of at most this.
/// Source: <https://docs.aws.amazon.com/glue/latest/webapi/API_GetTables.html>
pub const LARGEST_PAGE: usize = 100;

impl Glue {
    pub(super) fn create_database(&self, mut input: Input) -> Result<Value, ServiceError> {
        let tags: Option<BTreeMap<String, String>> = input.optional("Tags")?;
        let definition: DatabaseInput = input.required("DatabaseInput")?;
        let database = self.catalog.create_database(definition).map_err(refuse)?;
        if let Some(tags) = tags {
            let arn = self.settings.arn("glue", &format!("database/{}", database.name()));
            self.tags.put(&arn, &tags)?;
        }
        Ok(nothing())
    }

    pub(super) fn get_database(&self, mut input: Input) -> Result<Value, ServiceError> {
        let name: String = input.required("Name")?;
        let database = self.catalog.database(&name).map_err(refuse)?;
        Ok(json!({"Database": self.database_shape(&database)}))
    }

    pub(super) fn get_databases(&self, mut input: Input) -> Result<Value, ServiceError> {
        let databases = self.catalog.databases().map_err(refuse)?;
        let shapes = databases.iter().map(|database| self.database_shape(database)).collect();
        input.paging()?.answer("DatabaseList", shapes, LARGEST_PAGE)
    }

    pub(super) fn update_database(&self, mut input: Input) -> Result<Value, ServiceError> {
        let name: String = input.required("Name")?;
        let definition: DatabaseInput = input.required("DatabaseInput")?;
        if !definition.name.is_empty() && !definition.name.eq_ignore_ascii_case(&name) {
            return Err(ServiceError::new(
                "InvalidInputException",
                "A database cannot be renamed.",
            ));
        }
        self.catalog.update_database(&name, definition).map_err(refuse)?;
        Ok(nothing())
    }

    pub(super) fn delete_database(&self, mut input: Input) -> Result<Value, ServiceError> {
        let name: String = input.required("Name")?;
        self.catalog.delete_database(&name).map_err(refuse)?;
        Ok(nothing())
    }

    fn database_shape(&self, database: &Database) -> Value {
        let mut shape = json!(database);
        shape["CatalogId"] = self.settings.account_id.as_str().into();
        shape
    }
}
