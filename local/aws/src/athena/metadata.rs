//! Databases and tables as Athena shows them: the Glue catalog in Athena's shapes.

use lake::CatalogError;
use lake::catalog::{Column, Database, Table};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::refusal::{invalid, page, text};
use super::{Athena, data_catalog};
use crate::wire::ServiceError;

/// What Athena says of an answer of Glue's; clients look for the code inside.
fn metadata(error: &CatalogError) -> ServiceError {
    let code = error.code();
    let request = Uuid::new_v4();
    ServiceError::new(
        "MetadataException",
        format!(
            "{error} (Service: AmazonDataCatalog; Status Code: 400; Error Code: {code}; Request ID: {request}; Proxy: null)"
        ),
    )
}

fn database(database: &Database) -> Value {
    let mut shape = json!({"Name": database.name()});
    if let Some(description) = &database.definition.description {
        shape["Description"] = description.as_str().into();
    }
    if !database.definition.parameters.is_empty() {
        shape["Parameters"] = json!(database.definition.parameters);
    }
    shape
}

fn columns(columns: &[Column]) -> Value {
    let shape = |column: &Column| {
        let mut shape = json!({"Name": column.name});
        if let Some(kind) = &column.r#type {
            shape["Type"] = kind.as_str().into();
        }
        if let Some(comment) = &column.comment {
            shape["Comment"] = comment.as_str().into();
        }
        shape
    };
    columns.iter().map(shape).collect()
}

/// Athena lays the storage descriptor flat into the parameters.
fn parameters(table: &Table) -> Value {
    let mut all = Map::new();
    for (name, value) in &table.definition.parameters {
        all.insert(name.clone(), value.as_str().into());
    }
    let Some(storage) = &table.definition.storage_descriptor else {
        return Value::Object(all);
    };
    let mut put = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            all.insert(name.to_owned(), value.as_str().into());
        }
    };
    put("inputformat", &storage.input_format);
    put("outputformat", &storage.output_format);
    put("location", &storage.location);
    if let Some(serde) = &storage.serde_info {
        put("serde.serialization.lib", &serde.serialization_library);
        for (name, value) in &serde.parameters {
            put(&format!("serde.param.{name}"), &Some(value.clone()));
        }
    }
    Value::Object(all)
}

fn table(table: &Table) -> Value {
    let definition = &table.definition;
    let storage = definition.storage_descriptor.as_ref();
    let mut shape = json!({
        "Name": table.name(),
        "TableType": definition.table_type.as_deref().unwrap_or("EXTERNAL_TABLE"),
        "Columns": columns(storage.map(|storage| storage.columns.as_slice()).unwrap_or_default()),
        "PartitionKeys": columns(&definition.partition_keys),
        "Parameters": parameters(table),
    });
    if let Some(created) = table.create_time {
        shape["CreateTime"] = json!(super::query::seconds(created.as_millisecond()));
    }
    shape
}

impl Athena {
    pub(super) fn get_database(&self, input: &Value) -> Result<Value, ServiceError> {
        data_catalog::check(text(input, "CatalogName")?)?;
        let name = text(input, "DatabaseName")?;
        let found = self.executions.lake.catalog.database(name);
        Ok(json!({"Database": database(&found.map_err(|error| metadata(&error))?)}))
    }

    pub(super) fn list_databases(&self, input: &Value) -> Result<Value, ServiceError> {
        data_catalog::check(text(input, "CatalogName")?)?;
        let all = self.executions.lake.catalog.databases().map_err(|error| metadata(&error))?;
        let (databases, next) = page(all, input, 1, 50)?;
        let databases: Vec<Value> = databases.iter().map(database).collect();
        Ok(json!({"DatabaseList": databases, "NextToken": next}))
    }

    pub(super) fn get_table_metadata(&self, input: &Value) -> Result<Value, ServiceError> {
        data_catalog::check(text(input, "CatalogName")?)?;
        let (name, of) = (text(input, "TableName")?, text(input, "DatabaseName")?);
        let found = self.executions.lake.catalog.table(of, name);
        Ok(json!({"TableMetadata": table(&found.map_err(|error| metadata(&error))?)}))
    }

    pub(super) fn list_table_metadata(&self, input: &Value) -> Result<Value, ServiceError> {
        data_catalog::check(text(input, "CatalogName")?)?;
        let of = text(input, "DatabaseName")?;
        let tables = self.executions.lake.catalog.tables(of).map_err(|error| metadata(&error))?;
        let wanted =
            match input["Expression"].as_str().filter(|text| !text.is_empty()) {
                None => None,
                Some(text) => Some(regex::Regex::new(&format!("^(?i:{text})$")).map_err(|_| {
                    invalid(format!("Expression {text} is not a regular expression"))
                })?),
            };
        let named = |table: &Table| wanted.as_ref().is_none_or(|name| name.is_match(table.name()));
        let tables: Vec<Table> = tables.into_iter().filter(named).collect();
        let (tables, next) = page(tables, input, 1, 50)?;
        let tables: Vec<Value> = tables.iter().map(table).collect();
        Ok(json!({"TableMetadataList": tables, "NextToken": next}))
    }
}
