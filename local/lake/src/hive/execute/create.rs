//! `CREATE` and `DROP` of databases and tables.

use std::collections::BTreeMap;

use super::{Here, parameters, task};
use crate::S3Url;
use crate::catalog::{
    CatalogError, Column, DatabaseInput, SerDeInfo, StorageDescriptor, TableInput,
};
use crate::hive::statement::{CreateTable, PartitionField, RowFormat, StoredAs, TableName};
use crate::sql::{QueryError, TextRows};

const TEXT_INPUT: &str = "org.apache.hadoop.mapred.TextInputFormat";
const TEXT_OUTPUT: &str = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";
const LAZY: &str = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";

pub(super) fn database(
    here: &Here<'_>,
    name: &str,
    if_not_exists: bool,
    comment: Option<&str>,
    location: Option<&str>,
    properties: &[(String, String)],
) -> Result<TextRows, QueryError> {
    let input = DatabaseInput {
        name: name.to_owned(),
        description: comment.map(str::to_owned),
        location_uri: location.map(str::to_owned),
        parameters: parameters(properties),
        ..DatabaseInput::default()
    };
    match here.lake.catalog.create_database(input) {
        Ok(_) => Ok(TextRows::none()),
        Err(CatalogError::DatabaseExists(_)) if if_not_exists => Ok(TextRows::none()),
        Err(CatalogError::DatabaseExists(_)) => Err(QueryError::hive(format!(
            "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. Database {name} already exists"
        ))),
        Err(error) => Err(task("MetaException", &error)),
    }
}

pub(super) fn drop_database(
    here: &Here<'_>,
    name: &str,
    if_exists: bool,
    cascade: bool,
) -> Result<TextRows, QueryError> {
    let catalog = &here.lake.catalog;
    if catalog.database(name).is_err() {
        return if if_exists {
            Ok(TextRows::none())
        } else {
            Err(QueryError::hive(format!(
                "FAILED: SemanticException [Error 10072]: Database does not exist: {name}"
            )))
        };
    }
    let tables = catalog.tables(name).map_err(|error| task("MetaException", &error))?;
    if !cascade && !tables.is_empty() {
        return Err(QueryError::ddl_task(
            "InvalidOperationException",
            format!("Database {name} is not empty. One or more tables exist."),
        ));
    }
    catalog.delete_database(name).map_err(|error| task("MetaException", &error))?;
    Ok(TextRows::none())
}

pub(super) fn drop_table(
    here: &Here<'_>,
    name: &TableName,
    if_exists: bool,
) -> Result<TextRows, QueryError> {
    match here.table(name) {
        Ok(table) if table.is_view() => Err(QueryError::hive(
            "FAILED: SemanticException [Error 10110]: Cannot drop a view with DROP TABLE",
        )),
        Ok(table) if table.is_iceberg() => super::iceberg::drop(here, &table),
        Ok(table) => {
            here.lake
                .catalog
                .delete_table(&table.database_name, table.name())
                .map_err(|error| task("MetaException", &error))?;
            Ok(TextRows::none())
        }
        Err(_) if if_exists => Ok(TextRows::none()),
        Err(error) => Err(error),
    }
}

pub(super) fn table(here: &Here<'_>, create: &CreateTable) -> Result<TextRows, QueryError> {
    let iceberg = create.properties.iter().any(|(key, value)| {
        key.eq_ignore_ascii_case("table_type") && value.eq_ignore_ascii_case("iceberg")
    });
    if iceberg {
        return super::iceberg::create(here, create);
    }
    if !create.external {
        return Err(QueryError::hive(
            "FAILED: ParseException: CREATE TABLE without EXTERNAL is for Iceberg tables alone: \
             add EXTERNAL, or TBLPROPERTIES ('table_type' = 'ICEBERG')",
        ));
    }
    let (database, name) = here.complete(&create.name);
    let catalog = &here.lake.catalog;
    if catalog.database(&database).is_err() {
        return Err(QueryError::hive(format!(
            "FAILED: SemanticException [Error 10072]: Database does not exist: {database}"
        )));
    }
    if catalog.table(&database, &name).is_ok() {
        return if create.if_not_exists {
            Ok(TextRows::none())
        } else {
            Err(QueryError::ddl_task(
                "AlreadyExistsException",
                format!("Table {name} already exists"),
            ))
        };
    }
    let location = location(create)?;
    let storage = storage(create, &location)?;
    let mut table_parameters = BTreeMap::from([("EXTERNAL".to_owned(), "TRUE".to_owned())]);
    if let Some(comment) = &create.comment {
        table_parameters.insert("comment".to_owned(), comment.clone());
    }
    table_parameters.extend(parameters(&create.properties));
    let input = TableInput {
        name,
        storage_descriptor: Some(storage),
        partition_keys: keys(create)?,
        table_type: Some("EXTERNAL_TABLE".to_owned()),
        parameters: table_parameters,
        ..TableInput::default()
    };
    catalog.create_table(&database, input).map_err(|error| match error {
        CatalogError::TableExists(name) => {
            QueryError::ddl_task("AlreadyExistsException", format!("Table {name} already exists"))
        }
        other => task("MetaException", &other),
    })?;
    Ok(TextRows::none())
}

/// A folder in S3. Source: user guide, create-table.md and other-notable-limitations.md.
fn location(create: &CreateTable) -> Result<S3Url, QueryError> {
    let invalid = |why: String| QueryError::ddl_task("java.lang.IllegalArgumentException", why);
    let text = create
        .location
        .as_deref()
        .ok_or_else(|| invalid("External location must be provided".to_owned()))?;
    let url: S3Url = text.parse().map_err(|error| invalid(format!("{error}")))?;
    if text.contains('*') {
        return Err(invalid(format!("Can not create a Path with a glob: {text}")));
    }
    Ok(url.folder())
}

fn columns(create: &CreateTable) -> Result<Vec<Column>, QueryError> {
    let mut seen: Vec<&str> = Vec::new();
    let named =
        create.columns.iter().chain(create.partitions.iter().filter_map(|field| match field {
            PartitionField::Typed(column) => Some(column),
            PartitionField::Transform(_) => None,
        }));
    for column in named {
        if seen.contains(&column.name.as_str()) {
            return Err(QueryError::hive(format!(
                "FAILED: SemanticException [Error 10036]: Duplicate column name: {}",
                column.name
            )));
        }
        seen.push(&column.name);
    }
    Ok(create
        .columns
        .iter()
        .map(|column| Column {
            comment: column.comment.clone(),
            ..Column::new(column.name.clone(), column.hive_type.clone())
        })
        .collect())
}

fn keys(create: &CreateTable) -> Result<Vec<Column>, QueryError> {
    create
        .partitions
        .iter()
        .map(|field| match field {
            PartitionField::Typed(column) => Ok(Column {
                comment: column.comment.clone(),
                ..Column::new(column.name.clone(), column.hive_type.clone())
            }),
            PartitionField::Transform(text) => Err(QueryError::hive(format!(
                "FAILED: ParseException: PARTITIONED BY ({text}) without a type is for Iceberg tables alone"
            ))),
        })
        .collect()
}

fn storage(create: &CreateTable, location: &S3Url) -> Result<StorageDescriptor, QueryError> {
    let (mut input, mut output, mut serde) = (TEXT_INPUT, TEXT_OUTPUT, LAZY);
    let mut classes = None;
    match &create.stored_as {
        Some(StoredAs::Format(format)) => (input, output, serde) = format_classes(format),
        Some(StoredAs::Classes { input, output }) => {
            classes = Some((input.clone(), output.clone()));
        }
        None => {}
    }
    let mut parameters: BTreeMap<String, String> = BTreeMap::new();
    let library = match &create.row_format {
        Some(RowFormat::Serde { class, properties }) => {
            parameters.extend(properties.iter().cloned());
            class.clone()
        }
        Some(RowFormat::Delimited(properties)) => {
            parameters.extend(properties.iter().cloned());
            serde.to_owned()
        }
        None => serde.to_owned(),
    };
    parameters.entry("serialization.format".to_owned()).or_insert_with(|| "1".to_owned());
    let (input, output) = classes.unwrap_or_else(|| (input.to_owned(), output.to_owned()));
    Ok(StorageDescriptor {
        columns: columns(create)?,
        location: Some(location.to_string()),
        input_format: Some(input),
        output_format: Some(output),
        number_of_buckets: create.buckets.and_then(|count| i32::try_from(count).ok()).unwrap_or(-1),
        bucket_columns: create.bucketed_by.clone(),
        serde_info: Some(SerDeInfo {
            serialization_library: Some(library),
            parameters,
            ..SerDeInfo::default()
        }),
        ..StorageDescriptor::default()
    })
}

/// `InputFormat`, `OutputFormat` and `SerDe` of `STORED AS`.
pub(crate) fn format_classes(format: &str) -> (&'static str, &'static str, &'static str) {
    match format {
        "PARQUET" => (
            "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        ),
        "ORC" => (
            "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
            "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
            "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
        ),
        "AVRO" => (
            "org.apache.hadoop.hive.ql.io.avro.AvroContainerInputFormat",
            "org.apache.hadoop.hive.ql.io.avro.AvroContainerOutputFormat",
            "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
        ),
        "RCFILE" => (
            "org.apache.hadoop.hive.ql.io.RCFileInputFormat",
            "org.apache.hadoop.hive.ql.io.RCFileOutputFormat",
            "org.apache.hadoop.hive.serde2.columnar.LazyBinaryColumnarSerDe",
        ),
        "SEQUENCEFILE" => (
            "org.apache.hadoop.mapred.SequenceFileInputFormat",
            "org.apache.hadoop.hive.ql.io.HiveSequenceFileOutputFormat",
            LAZY,
        ),
        "ION" => (
            "com.amazon.ionhiveserde.formats.IonInputFormat",
            "com.amazon.ionhiveserde.formats.IonOutputFormat",
            "com.amazon.ionhiveserde.IonHiveSerDe",
        ),
        "JSONFILE" => (TEXT_INPUT, TEXT_OUTPUT, "org.apache.hive.hcatalog.data.JsonSerDe"),
        _ => (TEXT_INPUT, TEXT_OUTPUT, LAZY),
    }
}
