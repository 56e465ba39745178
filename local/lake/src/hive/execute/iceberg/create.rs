//! `CREATE TABLE` of an Iceberg table.

use iceberg::{Field, PartitionSpec, Schema, TableMetadata};

use super::{column_type, refused};
use crate::S3Url;
use crate::catalog::CatalogError;
use crate::hive::execute::{Here, task};
use crate::hive::statement::{CreateTable, PartitionField};
use crate::sql::{QueryError, TextRows};
use crate::tables::iceberg::{CreateError, create as create_table, stored_properties};
use crate::trino::{iceberg_defaults, partition_transform};

/// `CREATE TABLE … TBLPROPERTIES ('table_type' = 'ICEBERG')`.
pub(in crate::hive::execute) fn create(
    here: &Here<'_>,
    create: &CreateTable,
) -> Result<TextRows, QueryError> {
    if create.external {
        return Err(refused("External keyword not supported for table type ICEBERG"));
    }
    check_clauses(create)?;
    let (database, name) = here.complete(&create.name);
    let catalog = &here.lake.catalog;
    if catalog.database(&database).is_err() {
        return Err(QueryError::hive(format!(
            "FAILED: SemanticException [Error 10072]: Database does not exist: {database}"
        )));
    }
    let exists = |name: &str| {
        QueryError::ddl_task("AlreadyExistsException", format!("Table {name} already exists"))
    };
    if catalog.table(&database, &name).is_ok() {
        return if create.if_not_exists { Ok(TextRows::none()) } else { Err(exists(&name)) };
    }
    let location = location(create)?;
    let schema = schema(create)?;
    let spec = spec(create, &schema)?;
    let mut properties = iceberg_defaults();
    properties.extend(stored_properties(&create.properties)?);
    if let Some(comment) = &create.comment {
        properties.insert("comment".to_owned(), comment.clone());
    }
    let metadata = TableMetadata::new(
        uuid::Uuid::new_v4().to_string(),
        location.to_string().trim_end_matches('/').to_owned(),
        schema,
        spec,
        properties,
        crate::clock::now().as_millisecond(),
    );
    match create_table(here.lake, &database, &name, metadata) {
        Ok(_) => Ok(TextRows::none()),
        Err(CreateError::Catalog(CatalogError::TableExists(_))) if create.if_not_exists => {
            Ok(TextRows::none())
        }
        Err(CreateError::Catalog(CatalogError::TableExists(name))) => Err(exists(&name)),
        Err(CreateError::Catalog(error)) => Err(task("MetaException", &error)),
        Err(CreateError::Failure(failure)) => Err(failure.into()),
    }
}

/// What Hive's tables have and Iceberg's have not.
fn check_clauses(create: &CreateTable) -> Result<(), QueryError> {
    let clauses = [
        (create.buckets.is_some(), "CLUSTERED BY"),
        (create.row_format.is_some(), "ROW FORMAT"),
        (create.stored_as.is_some(), "STORED AS/BY"),
    ];
    if let Some((_, clause)) = clauses.into_iter().find(|(given, _)| *given) {
        return Err(refused(format!("Iceberg create table statement does not allow {clause}")));
    }
    if create.partitions.iter().any(|field| matches!(field, PartitionField::Typed(_))) {
        return Err(QueryError::trino(
            "SYNTAX_ERROR",
            "Invalid PARTITIONED BY clause in Iceberg create table statement",
        ));
    }
    if create.columns.is_empty() {
        return Err(QueryError::trino(
            "SYNTAX_ERROR",
            "At least one column is required for Iceberg create table statement",
        ));
    }
    Ok(())
}

fn location(create: &CreateTable) -> Result<S3Url, QueryError> {
    let text = create.location.as_deref().ok_or_else(|| {
        QueryError::trino(
            "INVALID_TABLE_PROPERTY",
            "No location was specified for table. An S3 location must be specified",
        )
    })?;
    let url: S3Url = text
        .parse()
        .map_err(|error| QueryError::trino("INVALID_TABLE_PROPERTY", format!("{error}")))?;
    Ok(url.folder())
}

fn schema(create: &CreateTable) -> Result<Schema, QueryError> {
    let mut next = 0;
    let mut ids = || {
        next += 1;
        next
    };
    let mut fields: Vec<Field> = Vec::with_capacity(create.columns.len());
    for column in &create.columns {
        if fields.iter().any(|field| field.name == column.name) {
            return Err(QueryError::hive(format!(
                "FAILED: SemanticException [Error 10036]: Duplicate column name: {}",
                column.name
            )));
        }
        fields.push(Field {
            id: ids(),
            name: column.name.clone(),
            required: false,
            kind: column_type(&column.hive_type)?,
            doc: column.comment.clone(),
        });
    }
    for field in &mut fields {
        field.kind = field.kind.with_ids(&mut ids);
    }
    Ok(Schema { id: 0, fields, identifier_field_ids: Vec::new() })
}

fn spec(create: &CreateTable, schema: &Schema) -> Result<PartitionSpec, QueryError> {
    let parts = create.partitions.iter().map(|field| match field {
        PartitionField::Transform(text) => partition_transform(text),
        PartitionField::Typed(column) => partition_transform(&column.name),
    });
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    PartitionSpec::new(schema, &parts)
        .map_err(|error| QueryError::trino("INVALID_TABLE_PROPERTY", error.to_string()))
}
