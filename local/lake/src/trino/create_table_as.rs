//! `CREATE TABLE … AS`: files, then a catalog entry. Not atomic: what a failed
//! statement wrote stays.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::logical_expr::LogicalPlan;

use super::names::{CATALOG, complete};
use super::properties::{self, WriteProperties};
use super::query::Running;
use super::statement::CreateTableAs;
use super::write::{self, Target};
use super::{iceberg, planning};
use crate::S3Url;
use crate::catalog::{
    CatalogError, Column, PartitionInput, SerDeInfo, StorageDescriptor, TableInput,
};
use crate::hive::format_classes;
use crate::sql::{ColumnInfo, Failure, QueryError, QueryOutput, TrinoType, write_metadata};
use crate::tables::{
    Compression, FileFormat, OPEN_PARTITIONS, WriterPlan, check_columns, is_empty,
};

pub(super) async fn run(
    running: &Running<'_>,
    create: &CreateTableAs,
) -> Result<QueryOutput, QueryError> {
    let context = running.context;
    let (database, name) = complete(&create.name, context);
    let catalog = &running.lake.catalog;
    if catalog.database(&database).is_err() {
        return Err(Failure::new(
            "SCHEMA_NOT_FOUND",
            format!("Schema '{database}' does not exist"),
        )
        .into());
    }
    let folder = context.output_location.join(&format!("tables/{}/", context.query_id));
    if catalog.table(&database, &name).is_ok() {
        if create.if_not_exists {
            return finished(running, &folder, &[], 0, 0);
        }
        return Err(Failure::new(
            "TABLE_ALREADY_EXISTS",
            format!("Table '{CATALOG}.{database}.{name}' already exists"),
        )
        .into());
    }
    if iceberg::is_asked(&create.properties) {
        return iceberg::create_table_as(running, create, &database, &name).await;
    }
    let properties = properties::read(&create.properties, false)?;
    if properties.location.is_some() && context.enforced {
        return Err(Failure::new(
            "INVALID_TABLE_PROPERTY",
            "The Create Table As Select query failed because it was submitted with an 'external_location' property \
             to an Athena Workgroup that enforces a centralized output location for all queries. Please remove the \
             'external_location' property and resubmit the query.",
        )
        .into());
    }
    let folder = properties.location.clone().unwrap_or(folder);
    let written = fill(running, create, &properties, &database, &name, &folder)
        .await
        .map_err(|error| error.with_orphans(folder.to_string().trim_end_matches('/')))?;
    finished(running, &folder, &written.files, written.rows, written.bytes)
}

fn finished(
    running: &Running<'_>,
    folder: &S3Url,
    files: &[String],
    rows: u64,
    bytes: u64,
) -> Result<QueryOutput, QueryError> {
    let context = running.context;
    let manifest = write::manifest(running, files)?;
    let place = context.output_location.join(&context.query_id);
    write_metadata(&running.lake.store, &place, &ColumnInfo::rows())?;
    let mut output =
        running.output(folder.to_string().trim_end_matches('/').to_owned(), ColumnInfo::rows());
    output.manifest = Some(manifest);
    output.update_count = Some(rows);
    output.written_bytes = bytes;
    Ok(output)
}

async fn fill(
    running: &Running<'_>,
    create: &CreateTableAs,
    properties: &WriteProperties,
    database: &str,
    name: &str,
    folder: &S3Url,
) -> Result<crate::tables::Written, QueryError> {
    let lake = running.lake;
    if !is_empty(&lake.store, folder)? {
        return Err(Failure::new(
            "HIVE_PATH_ALREADY_EXISTS",
            format!(
                "Target directory for table '{database}.{name}' already exists: {}",
                folder.to_string().trim_end_matches('/')
            ),
        )
        .into());
    }
    let state = planning::session(&running.visible(), running.context)?;
    let plan = planning::plan(&state, &create.query).await?;
    let columns = named_columns(&plan)?;
    check_keys(&columns, &properties.partitioned_by)?;
    let hive = write::check_types(&columns)?;
    let keys = properties.partitioned_by.len();
    check_columns(properties.format, &columns[..columns.len() - keys])?;
    let writer = Arc::new(WriterPlan::new(
        lake.store.clone(),
        folder,
        &running.context.query_id,
        properties.format,
        properties.compression,
        &datafusion::arrow::datatypes::Schema::new(
            columns.iter().map(|(name, kind)| crate::sql::field_of(name, kind)).collect::<Vec<_>>(),
        ),
        keys,
    ));
    let kinds = columns.iter().map(|(_, kind)| kind.clone()).collect();
    let written = if create.with_data {
        write::run(state, plan, Target { plan: writer.clone(), columns: kinds }).await?
    } else {
        crate::tables::Written::default()
    };
    let columns: Vec<Column> =
        columns.iter().zip(hive).map(|((name, _), hive)| Column::new(name.clone(), hive)).collect();
    register(running, create, properties, (database, name), folder, &columns, &writer)?;
    Ok(written)
}

/// The columns of a plan that becomes a table: each with a name of its own.
pub(super) fn named_columns(plan: &LogicalPlan) -> Result<Vec<(String, TrinoType)>, Failure> {
    if let Some(position) = planning::unnamed(plan) {
        return Err(Failure::new(
            "MISSING_COLUMN_NAME",
            format!("Column name not specified at position {}", position + 1),
        ));
    }
    let names = planning::shown_names(plan);
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            return Err(Failure::new(
                "DUPLICATE_COLUMN_NAME",
                format!("Column name '{name}' specified more than once"),
            ));
        }
    }
    Ok(names
        .into_iter()
        .zip(plan.schema().fields())
        .map(|(name, field)| match TrinoType::of_field(field) {
            TrinoType::Varchar(Some(_)) => (name, TrinoType::Varchar(None)),
            kind => (name, kind),
        })
        .collect())
}

fn check_keys(columns: &[(String, TrinoType)], keys: &[String]) -> Result<(), Failure> {
    let missing: Vec<&String> =
        keys.iter().filter(|key| columns.iter().all(|(name, _)| name != *key)).collect();
    if !missing.is_empty() {
        let missing: Vec<&str> = missing.into_iter().map(String::as_str).collect();
        return Err(Failure::new(
            "INVALID_TABLE_PROPERTY",
            format!("Partition columns {missing:?} not present in schema").replace('"', ""),
        ));
    }
    if keys.len() >= columns.len() {
        return Err(Failure::new(
            "INVALID_TABLE_PROPERTY",
            "Table contains only partition columns",
        ));
    }
    let last = columns[columns.len() - keys.len()..].iter().map(|(name, _)| name);
    if !last.eq(keys.iter()) {
        return Err(Failure::new(
            "HIVE_COLUMN_ORDER_MISMATCH",
            format!(
                "Partition keys must be the last columns in the table and in the same order as the table properties: [{}]",
                keys.join(", ")
            ),
        ));
    }
    Ok(())
}

fn register(
    running: &Running<'_>,
    create: &CreateTableAs,
    properties: &WriteProperties,
    (database, name): (&str, &str),
    folder: &S3Url,
    columns: &[Column],
    writer: &WriterPlan,
) -> Result<(), QueryError> {
    let keys = properties.partitioned_by.len();
    let (data, keys) = columns.split_at(columns.len() - keys);
    let storage = storage(properties, folder, data);
    let mut parameters = BTreeMap::from([
        ("EXTERNAL".to_owned(), "TRUE".to_owned()),
        ("has_encrypted_data".to_owned(), "false".to_owned()),
    ]);
    if let Some((property, codec)) = packing(properties) {
        parameters.insert(property.to_owned(), codec.to_owned());
    }
    if let Some(comment) = &create.comment {
        parameters.insert("comment".to_owned(), comment.clone());
    }
    let input = TableInput {
        name: name.to_owned(),
        storage_descriptor: Some(storage.clone()),
        partition_keys: keys.to_vec(),
        table_type: Some("EXTERNAL_TABLE".to_owned()),
        parameters,
        ..TableInput::default()
    };
    let catalog = &running.lake.catalog;
    catalog.create_table(database, input).map_err(|error| match error {
        CatalogError::TableExists(_) => Failure::new(
            "TABLE_ALREADY_EXISTS",
            format!("Table '{CATALOG}.{database}.{name}' already exists"),
        ),
        other => Failure::new("HIVE_METASTORE_ERROR", other.to_string()),
    })?;
    if keys.is_empty() {
        return Ok(());
    }
    add_partitions(running, (database, name), &storage, writer)
}

/// The property of a table that says how its files are packed.
fn packing(properties: &WriteProperties) -> Option<(&'static str, &'static str)> {
    let property = match properties.format {
        FileFormat::Parquet => "parquet.compression",
        FileFormat::Orc => "orc.compress",
        FileFormat::Avro => "avro.compression",
        FileFormat::Text { .. } | FileFormat::Json => return None,
    };
    let codec = match properties.compression {
        Compression::None => "NONE",
        Compression::Snappy => "SNAPPY",
        Compression::Gzip => "GZIP",
        Compression::Zstd(_) => "ZSTD",
        Compression::Deflate if properties.format == FileFormat::Orc => "ZLIB",
        Compression::Deflate => "DEFLATE",
        Compression::Lz4 => "LZ4",
    };
    Some((property, codec))
}

/// Adds the partitions written that the catalog does not know yet.
pub(super) fn add_partitions(
    running: &Running<'_>,
    (database, name): (&str, &str),
    storage: &StorageDescriptor,
    writer: &WriterPlan,
) -> Result<(), QueryError> {
    let partitions = writer.partitions();
    debug_assert!(partitions.len() <= OPEN_PARTITIONS, "the writers hold the limit");
    let inputs: Vec<PartitionInput> = partitions
        .iter()
        .map(|values| PartitionInput {
            values: values
                .iter()
                .map(|value| {
                    value.clone().unwrap_or_else(|| "__HIVE_DEFAULT_PARTITION__".to_owned())
                })
                .collect(),
            storage_descriptor: Some(StorageDescriptor {
                location: Some(writer.partition_folder(values).to_string()),
                ..storage.clone()
            }),
            ..PartitionInput::default()
        })
        .collect();
    let done = running
        .lake
        .catalog
        .create_partitions(database, name, inputs)
        .map_err(|error| Failure::new("HIVE_METASTORE_ERROR", error.to_string()))?;
    for created in done {
        match created {
            Ok(_) | Err(CatalogError::PartitionExists(_)) => {}
            Err(error) => {
                return Err(Failure::new("HIVE_METASTORE_ERROR", error.to_string()).into());
            }
        }
    }
    Ok(())
}

fn storage(properties: &WriteProperties, folder: &S3Url, columns: &[Column]) -> StorageDescriptor {
    let (input, output, serde) = format_classes(match properties.format {
        FileFormat::Parquet => "PARQUET",
        FileFormat::Orc => "ORC",
        FileFormat::Avro => "AVRO",
        FileFormat::Text { .. } => "TEXTFILE",
        FileFormat::Json => "JSONFILE",
    });
    let mut parameters = BTreeMap::new();
    if let FileFormat::Text { delimiter } = properties.format {
        let delimiter = char::from(delimiter).to_string();
        parameters.insert("field.delim".to_owned(), delimiter.clone());
        parameters.insert("serialization.format".to_owned(), delimiter);
    } else {
        parameters.insert("serialization.format".to_owned(), "1".to_owned());
    }
    StorageDescriptor {
        columns: columns.to_vec(),
        location: Some(folder.to_string()),
        input_format: Some(input.to_owned()),
        output_format: Some(output.to_owned()),
        serde_info: Some(SerDeInfo {
            serialization_library: Some(serde.to_owned()),
            parameters,
            ..SerDeInfo::default()
        }),
        ..StorageDescriptor::default()
    }
}
