//! DDL of Iceberg tables: changes of metadata, each one commit.

use std::fmt::Write as _;

use iceberg::{EvolutionError, Field, PartitionSpec, Place, Schema, TableMetadata, Transform};

use super::show::quoted;
use super::{Here, task};
use crate::S3Url;
use crate::catalog::{CatalogError, Table, TableInput};
use crate::hive::statement::{
    AlterAction, ColumnPlace, CreateTable, DescribeStyle, PartitionField, TableName,
};
use crate::sql::{ColumnInfo, Failure, QueryError, TextRows, TrinoType};
use crate::tables::iceberg::{
    CreateError, IcebergTable, Source, create as create_table, drop_files, edit, file_type,
    shown_properties, stored_name, stored_properties,
};
use crate::trino::{iceberg_defaults, partition_transform};

fn refused(message: impl Into<String>) -> QueryError {
    QueryError::trino("NOT_SUPPORTED", message)
}

/// `CREATE TABLE … TBLPROPERTIES ('table_type' = 'ICEBERG')`.
pub(super) fn create(here: &Here<'_>, create: &CreateTable) -> Result<TextRows, QueryError> {
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

/// A DDL's type as Iceberg has it.
pub(super) fn column_type(hive: &str) -> Result<iceberg::Type, Failure> {
    let unknown = || Failure::not_supported(format!("Type not supported for Iceberg: {hive}"));
    file_type(&TrinoType::parse(hive).ok_or_else(unknown)?, Source::Definition)
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

/// `DROP TABLE`: the data goes too.
pub(super) fn drop(here: &Here<'_>, entry: &Table) -> Result<TextRows, QueryError> {
    // A table whose metadata cannot be read is dropped as well.
    let table = IcebergTable::load(&here.lake.store, entry);
    here.lake
        .catalog
        .delete_table(&entry.database_name, entry.name())
        .map_err(|error| task("MetaException", &error))?;
    if let Ok(table) = table {
        drop_files(&here.lake.store, &table)?;
    }
    Ok(TextRows::none())
}

/// What Hive's tables can do and Iceberg's cannot.
pub(super) fn unsupported() -> QueryError {
    refused("Query type not supported by Athena Iceberg at this time")
}

/// `ALTER TABLE`. Source: user guide, querying-iceberg-evolving-table-schema.md and
/// querying-iceberg-managing-tables.md.
pub(super) fn alter(
    here: &Here<'_>,
    entry: &Table,
    action: &AlterAction,
) -> Result<TextRows, QueryError> {
    match action {
        AlterAction::AddColumns { partition, columns } if partition.is_empty() => {
            let columns = columns.iter().map(|column| {
                let kind = column_type(&column.hive_type)?;
                Ok((column.name.clone(), kind, column.comment.clone()))
            });
            let columns = columns.collect::<Result<Vec<_>, QueryError>>()?;
            evolve(here, entry, |schema, last| schema.with_columns(&columns, last))
        }
        AlterAction::DropColumn { name } => drop_column(here, entry, name),
        AlterAction::ChangeColumn { from, to, place } => {
            let kind = column_type(&to.hive_type)?;
            let place = place.as_ref().map(|place| match place {
                ColumnPlace::First => Place::First,
                ColumnPlace::After(other) => Place::After(other.clone()),
            });
            evolve(here, entry, |schema, last| {
                let new = (to.name.as_str(), &kind);
                schema.with_changed(from, new, to.comment.as_deref(), place.as_ref(), last)
            })
        }
        AlterAction::SetProperties { properties } => {
            let stored = stored_properties(properties)?;
            edit(here.lake, entry, |metadata| {
                metadata.properties.extend(stored.clone());
                Ok::<_, QueryError>(())
            })?;
            Ok(TextRows::none())
        }
        AlterAction::UnsetProperties { names } => {
            let stored = names.iter().map(|name| {
                stored_name(name).ok_or_else(|| {
                    refused(format!("Table property {name} is not supported by Athena"))
                })
            });
            let stored = stored.collect::<Result<Vec<_>, _>>()?;
            edit(here.lake, entry, |metadata| {
                metadata.properties.retain(|name, _| !stored.contains(&name.as_str()));
                Ok::<_, QueryError>(())
            })?;
            Ok(TextRows::none())
        }
        AlterAction::RenameTable { to } => rename(here, entry, to),
        AlterAction::AddColumns { .. }
        | AlterAction::ReplaceColumns { .. }
        | AlterAction::AddPartitions { .. }
        | AlterAction::DropPartitions { .. }
        | AlterAction::RenamePartition { .. }
        | AlterAction::SetLocation { .. } => Err(unsupported()),
    }
}

/// Gives a table a changed schema.
fn evolve(
    here: &Here<'_>,
    entry: &Table,
    change: impl Fn(&Schema, i32) -> Result<Schema, EvolutionError>,
) -> Result<TextRows, QueryError> {
    edit::<QueryError>(here.lake, entry, |metadata| {
        let changed = change(metadata.current_schema(), metadata.last_column_id)
            .map_err(|error| QueryError::trino("INVALID_TABLE_PROPERTY", error.to_string()))?;
        metadata.set_schema(changed);
        Ok(())
    })?;
    Ok(TextRows::none())
}

/// A column that partitions are made of stays. Source: Trino's `IcebergMetadata.dropColumn`.
fn drop_column(here: &Here<'_>, entry: &Table, name: &str) -> Result<TextRows, QueryError> {
    edit::<QueryError>(here.lake, entry, |metadata| {
        let schema = metadata.current_schema();
        let column = schema.column(name).map(|field| field.id);
        let is_part = |spec: &PartitionSpec| {
            spec.fields
                .iter()
                .any(|field| Some(field.source_id) == column && field.transform != Transform::Void)
        };
        if is_part(metadata.default_spec()) {
            return Err(refused(format!("Cannot drop partition field: {name}")));
        }
        if metadata.partition_specs.iter().any(is_part) {
            return Err(refused(
                "Cannot drop column which is used by an old partition spec: ".to_owned() + name,
            ));
        }
        let changed = schema
            .without_column(name)
            .map_err(|error| QueryError::trino("INVALID_TABLE_PROPERTY", error.to_string()))?;
        metadata.set_schema(changed);
        Ok(())
    })?;
    Ok(TextRows::none())
}

/// The entry under a new name; the files stay where they are.
fn rename(here: &Here<'_>, entry: &Table, to: &TableName) -> Result<TextRows, QueryError> {
    let (database, name) = here.complete(to);
    let catalog = &here.lake.catalog;
    let definition = TableInput { name: name.clone(), ..entry.definition.clone() };
    catalog.create_table(&database, definition).map_err(|error| match error {
        CatalogError::TableExists(_) => {
            QueryError::ddl_task("AlreadyExistsException", format!("Table {name} already exists"))
        }
        other => task("InvalidOperationException", &other),
    })?;
    catalog
        .delete_table(&entry.database_name, entry.name())
        .map_err(|error| task("MetaException", &error))?;
    Ok(TextRows::none())
}

fn load(here: &Here<'_>, entry: &Table) -> Result<IcebergTable, QueryError> {
    Ok(IcebergTable::load(&here.lake.store, entry)?)
}

pub(super) fn columns(here: &Here<'_>, entry: &Table) -> Result<TextRows, QueryError> {
    let table = load(here, entry)?;
    let fields = table.metadata.current_schema().fields.iter();
    Ok(TextRows::one_column("field", fields.map(|field| field.name.to_lowercase()).collect()))
}

/// Only the properties that Athena knows.
pub(super) fn properties(
    here: &Here<'_>,
    entry: &Table,
    property: Option<&str>,
) -> Result<TextRows, QueryError> {
    let table = load(here, entry)?;
    let mut shown = vec![("table_type", "ICEBERG".to_owned())];
    shown.extend(shown_properties(&table.metadata.properties));
    let lines = match property {
        None => shown.iter().map(|(name, value)| format!("{name}\t{value}")).collect(),
        Some(property) => {
            let found = shown.iter().find(|(name, _)| name.eq_ignore_ascii_case(property));
            vec![found.map_or_else(
                || format!("Table {} does not have property: {property}", table.full_name()),
                |(name, value)| format!("{name}\t{value}"),
            )]
        }
    };
    Ok(TextRows {
        columns: vec![ColumnInfo::text("prpt_name"), ColumnInfo::text("prpt_value")],
        lines,
    })
}

/// Columns and partitions, not padded as Hive's are.
pub(super) fn describe(
    here: &Here<'_>,
    entry: &Table,
    style: DescribeStyle,
) -> Result<TextRows, QueryError> {
    let table = load(here, entry)?;
    let schema = table.metadata.current_schema();
    let mut lines =
        vec!["# Table schema:\t\t".to_owned(), "# col_name\tdata_type\tcomment".to_owned()];
    lines.extend(schema.fields.iter().map(|field| {
        let comment = field.doc.as_deref().unwrap_or_default();
        format!("{}\t{}\t{comment}", field.name.to_lowercase(), field.kind)
    }));
    lines.push("\t\t".to_owned());
    lines.push("# Partition spec:\t\t".to_owned());
    lines.push("# field_name\tfield_transform\tcolumn_name".to_owned());
    lines.extend(table.metadata.default_spec().fields.iter().map(|field| {
        let column = schema.name_of(field.source_id).unwrap_or_default();
        format!("{}\t{}\t{column}", field.name, field.transform)
    }));
    if style != DescribeStyle::Plain {
        lines.push("\t\t".to_owned());
        lines.push(format!("Name:\ticeberg.{}\t", table.full_name()));
        lines.push(format!("Location:\t{}\t", table.metadata.location));
        lines.push("\t\t".to_owned());
        lines.push("# Table properties:\t\t".to_owned());
        let shown = table.metadata.properties.iter();
        lines.extend(shown.map(|(name, value)| format!("{name}\t{value}\t")));
    }
    let columns = ["col_name", "data_type", "comment"].map(ColumnInfo::text).into();
    Ok(TextRows { columns, lines })
}

/// The statement that makes a table like this one.
pub(super) fn show_create(here: &Here<'_>, entry: &Table) -> Result<TextRows, QueryError> {
    let table = load(here, entry)?;
    let schema = table.metadata.current_schema();
    let columns: Vec<String> = schema
        .fields
        .iter()
        .map(|field| {
            let comment = field.doc.as_deref();
            let comment = comment.map(|text| format!(" COMMENT {}", quoted(text)));
            format!("  {} {}{}", field.name, field.kind, comment.unwrap_or_default())
        })
        .collect();
    let mut text = format!("CREATE TABLE {} (\n{})", table.full_name(), columns.join(",\n"));
    if let Some(comment) = table.metadata.properties.get("comment") {
        let _ = write!(text, "\nCOMMENT {}", quoted(comment));
    }
    let parts: Vec<String> = table
        .metadata
        .default_spec()
        .fields
        .iter()
        .filter(|field| field.transform != Transform::Void)
        .map(|field| {
            let column = format!("`{}`", schema.name_of(field.source_id).unwrap_or_default());
            match &field.transform {
                Transform::Identity => column,
                Transform::Bucket(size) => format!("bucket({size}, {column})"),
                Transform::Truncate(size) => format!("truncate({size}, {column})"),
                other => format!("{other}({column})"),
            }
        })
        .collect();
    if !parts.is_empty() {
        let _ = write!(text, "\nPARTITIONED BY ({})", parts.join(", "));
    }
    let _ = write!(text, "\nLOCATION '{}'", table.metadata.location);
    let mut properties = vec![("table_type", "iceberg".to_owned())];
    properties.extend(shown_properties(&table.metadata.properties));
    let properties: Vec<String> = properties
        .iter()
        .map(|(name, value)| format!("  '{name}'='{}'", value.replace('\'', "\\'")))
        .collect();
    let _ = write!(text, "\nTBLPROPERTIES (\n{}\n)", properties.join(",\n"));
    Ok(TextRows::one_column("createtab_stmt", text.lines().map(str::to_owned).collect()))
}
