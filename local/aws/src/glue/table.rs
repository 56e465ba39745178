//! Tables, views, and their versions.

use lake::catalog::{Table, TableInput, TableUpdate};
use regex::Regex;
use serde_json::{Value, json};

use super::database::LARGEST_PAGE;
use super::{Glue, Input, detail, nothing, refuse};
use crate::wire::ServiceError;

/// Tables or versions one batch takes.
const LARGEST_BATCH: usize = 100;

impl Glue {
    pub(super) fn create_table(&self, mut input: Input) -> Result<Value, ServiceError> {
        refuse_open_formats(&mut input, "OpenTableFormatInput")?;
        let database: String = input.required("DatabaseName")?;
        let definition: TableInput = input.required("TableInput")?;
        self.catalog.create_table(&database, definition).map_err(refuse)?;
        Ok(nothing())
    }

    pub(super) fn get_table(&self, mut input: Input) -> Result<Value, ServiceError> {
        let database: String = input.required("DatabaseName")?;
        let name: String = input.required("Name")?;
        let table = self.catalog.table(&database, &name).map_err(refuse)?;
        Ok(json!({"Table": self.table_shape(&table)}))
    }

    /// `Expression` is a regular expression for the whole name.
    pub(super) fn get_tables(&self, mut input: Input) -> Result<Value, ServiceError> {
        let database: String = input.required("DatabaseName")?;
        let expression: Option<String> = input.optional("Expression")?;
        let pattern = expression
            .filter(|expression| !expression.is_empty())
            .map(|expression| Regex::new(&format!("(?i)^(?:{expression})$")))
            .transpose()
            .map_err(|error| {
                ServiceError::new("InvalidInputException", format!("Expression: {error}"))
            })?;
        let mut tables = self.catalog.tables(&database).map_err(refuse)?;
        tables
            .retain(|table| pattern.as_ref().is_none_or(|pattern| pattern.is_match(table.name())));
        let shapes = tables.iter().map(|table| self.table_shape(table)).collect();
        input.paging()?.answer("TableList", shapes, LARGEST_PAGE)
    }

    pub(super) fn update_table(&self, mut input: Input) -> Result<Value, ServiceError> {
        refuse_open_formats(&mut input, "UpdateOpenTableFormatInput")?;
        let database: String = input.required("DatabaseName")?;
        let definition: TableInput = input.required("TableInput")?;
        let version: Option<String> = input.optional("VersionId")?;
        let update = TableUpdate {
            expected_version: version.as_deref(),
            skip_archive: input.optional("SkipArchive")?.unwrap_or_default(),
        };
        self.catalog.update_table(&database, definition, update).map_err(refuse)?;
        Ok(nothing())
    }

    pub(super) fn delete_table(&self, mut input: Input) -> Result<Value, ServiceError> {
        let database: String = input.required("DatabaseName")?;
        let name: String = input.required("Name")?;
        self.catalog.delete_table(&database, &name).map_err(refuse)?;
        Ok(nothing())
    }

    pub(super) fn batch_delete_table(&self, mut input: Input) -> Result<Value, ServiceError> {
        let database: String = input.required("DatabaseName")?;
        let names: Vec<String> = input.list("TablesToDelete", LARGEST_BATCH)?;
        self.catalog.database(&database).map_err(refuse)?;
        let mut errors = Vec::new();
        for name in names {
            if let Err(error) = self.catalog.delete_table(&database, &name) {
                errors.push(json!({"TableName": name, "ErrorDetail": detail(&error)}));
            }
        }
        Ok(json!({"Errors": errors}))
    }

    pub(super) fn get_table_version(&self, mut input: Input) -> Result<Value, ServiceError> {
        let (database, table) = names(&mut input)?;
        let version: Option<String> = input.optional("VersionId")?;
        let found = match version {
            None => self.catalog.table(&database, &table),
            Some(version) => self.catalog.table_version(&database, &table, &version),
        };
        Ok(json!({"TableVersion": self.version_shape(&found.map_err(refuse)?)}))
    }

    pub(super) fn get_table_versions(&self, mut input: Input) -> Result<Value, ServiceError> {
        let (database, table) = names(&mut input)?;
        let versions = self.catalog.table_versions(&database, &table).map_err(refuse)?;
        let shapes = versions.iter().map(|version| self.version_shape(version)).collect();
        input.paging()?.answer("TableVersions", shapes, LARGEST_PAGE)
    }

    pub(super) fn delete_table_version(&self, mut input: Input) -> Result<Value, ServiceError> {
        let (database, table) = names(&mut input)?;
        let version: String = input.required("VersionId")?;
        self.catalog.delete_table_version(&database, &table, &version).map_err(refuse)?;
        Ok(nothing())
    }

    pub(super) fn batch_delete_table_version(
        &self,
        mut input: Input,
    ) -> Result<Value, ServiceError> {
        let (database, table) = names(&mut input)?;
        let versions: Vec<String> = input.list("VersionIds", LARGEST_BATCH)?;
        self.catalog.table(&database, &table).map_err(refuse)?;
        let mut errors = Vec::new();
        for version in versions {
            if let Err(error) = self.catalog.delete_table_version(&database, &table, &version) {
                let error = detail(&error);
                errors
                    .push(json!({"TableName": table, "VersionId": version, "ErrorDetail": error}));
            }
        }
        Ok(json!({"Errors": errors}))
    }

    fn table_shape(&self, table: &Table) -> Value {
        let mut shape = json!(table);
        shape["CatalogId"] = self.settings.account_id.as_str().into();
        shape["IsRegisteredWithLakeFormation"] = false.into();
        shape
    }

    fn version_shape(&self, table: &Table) -> Value {
        json!({"Table": self.table_shape(table), "VersionId": table.version_id})
    }
}

/// The database and the table an operation on a table's parts is about.
pub fn names(input: &mut Input) -> Result<(String, String), ServiceError> {
    Ok((input.required("DatabaseName")?, input.required("TableName")?))
}

/// Glue would write Iceberg metadata.
fn refuse_open_formats(input: &mut Input, member: &str) -> Result<(), ServiceError> {
    match input.optional::<Value>(member)? {
        None => Ok(()),
        Some(_) => Err(ServiceError::new(
            "InvalidInputException",
            format!("{member} is not supported here."),
        )),
    }
}
