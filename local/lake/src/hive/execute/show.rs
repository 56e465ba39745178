//! `SHOW …`.

use std::fmt::Write as _;

use super::{Here, alter, task};
use crate::catalog::{Column, Table};
use crate::hive::statement::{PartitionSpec, TableName};
use crate::sql::{ColumnInfo, QueryError, TextRows};
use crate::trino::{database_of, decode_view};

pub(super) fn databases(here: &Here<'_>, pattern: Option<&str>) -> Result<TextRows, QueryError> {
    let all = here.lake.catalog.databases().map_err(|error| task("MetaException", &error))?;
    let names =
        all.iter().map(|database| database.name().to_owned()).filter(|name| matches(name, pattern));
    Ok(TextRows::one_column("database_name", names.collect()))
}

fn every(here: &Here<'_>, database: Option<&str>) -> Result<Vec<Table>, QueryError> {
    let database = database.map_or_else(|| database_of(here.context), str::to_owned);
    here.lake.catalog.tables(&database).map_err(|_| {
        QueryError::hive(format!(
            "FAILED: SemanticException [Error 10072]: Database does not exist: {database}"
        ))
    })
}

/// Tables and views. Source: user guide, show-tables.md.
pub(super) fn tables(
    here: &Here<'_>,
    database: Option<&str>,
    pattern: Option<&str>,
) -> Result<TextRows, QueryError> {
    let names = every(here, database)?.into_iter().map(|table| table.definition.name);
    Ok(TextRows::one_column("tab_name", names.filter(|name| matches(name, pattern)).collect()))
}

pub(super) fn views(
    here: &Here<'_>,
    database: Option<&str>,
    pattern: Option<&str>,
) -> Result<TextRows, QueryError> {
    let names = every(here, database)?
        .into_iter()
        .filter(Table::is_view)
        .map(|table| table.definition.name);
    Ok(TextRows::one_column("views", names.filter(|name| matches(name, pattern)).collect()))
}

pub(super) fn columns(here: &Here<'_>, name: &TableName) -> Result<TextRows, QueryError> {
    let table = here.table(name)?;
    if table.is_iceberg() {
        return super::iceberg::columns(here, &table);
    }
    let storage = table.definition.storage_descriptor.clone().unwrap_or_default();
    let all = storage.columns.iter().chain(&table.definition.partition_keys);
    let lines = all.map(|column| format!("{:<20}", column.name)).collect();
    Ok(TextRows::one_column("field", lines))
}

pub(super) fn partitions(
    here: &Here<'_>,
    name: &TableName,
    partition: &PartitionSpec,
) -> Result<TextRows, QueryError> {
    let table = here.table(name)?;
    if table.is_iceberg() {
        return Err(super::iceberg::unsupported());
    }
    let keys = &table.definition.partition_keys;
    if keys.is_empty() {
        return Err(QueryError::hive(format!(
            "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. Table {} is not a partitioned table",
            table.name()
        )));
    }
    if partition.len() == keys.len() {
        alter::values(&table, partition)?;
    }
    let all = here
        .lake
        .catalog
        .partitions(&table.database_name, table.name(), None)
        .map_err(|error| task("MetaException", &error))?;
    let asked = |values: &[String]| {
        partition.iter().all(|(name, value)| {
            keys.iter()
                .position(|key| key.name == *name)
                .is_some_and(|at| values.get(at) == Some(value))
        })
    };
    let lines = all
        .iter()
        .filter(|found| asked(found.values()))
        .map(|found| {
            let pairs: Vec<String> = keys
                .iter()
                .zip(found.values())
                .map(|(key, value)| format!("{}={value}", key.name))
                .collect();
            pairs.join("/")
        })
        .collect();
    Ok(TextRows::one_column("partition", lines))
}

pub(super) fn properties(
    here: &Here<'_>,
    name: &TableName,
    property: Option<&str>,
) -> Result<TextRows, QueryError> {
    let table = here.table(name)?;
    if table.is_iceberg() {
        return super::iceberg::properties(here, &table, property);
    }
    let parameters = &table.definition.parameters;
    let lines = match property {
        Some(property) => vec![parameters.get(property).map_or_else(
            || {
                format!(
                    "Table {}.{} does not have property: {property}",
                    table.database_name,
                    table.name()
                )
            },
            |value| format!("{property}\t{value}"),
        )],
        None => parameters.iter().map(|(key, value)| format!("{key}\t{value}")).collect(),
    };
    Ok(TextRows {
        columns: vec![ColumnInfo::text("prpt_name"), ColumnInfo::text("prpt_value")],
        lines,
    })
}

pub(super) fn create_view(here: &Here<'_>, name: &TableName) -> Result<TextRows, QueryError> {
    let table = here.table(name)?;
    if !table.is_view() {
        return Err(QueryError::trino(
            "NOT_SUPPORTED",
            format!(
                "Relation '{}.{}' is not a view, but a table",
                table.database_name,
                table.name()
            ),
        ));
    }
    let view = decode_view(&table)?;
    let mut lines = vec![format!("CREATE VIEW {}.{} AS", table.database_name, table.name())];
    lines.extend(view.original_sql.lines().map(str::to_owned));
    Ok(TextRows::one_column("Create View", lines))
}

pub(super) fn create_table(here: &Here<'_>, name: &TableName) -> Result<TextRows, QueryError> {
    let table = here.table(name)?;
    if table.is_view() {
        return create_view(here, name);
    }
    if table.is_iceberg() {
        return super::iceberg::show_create(here, &table);
    }
    let storage = table.definition.storage_descriptor.clone().unwrap_or_default();
    let mut text = format!("CREATE EXTERNAL TABLE `{}`(\n", full_name(name, &table));
    text.push_str(&listed(&storage.columns));
    text.push(')');
    if let Some(comment) = table.definition.parameters.get("comment") {
        let _ = write!(text, "\nCOMMENT {}", quoted(comment));
    }
    if !table.definition.partition_keys.is_empty() {
        let _ = write!(text, "\nPARTITIONED BY ( \n{})", listed(&table.definition.partition_keys));
    }
    let serde = storage.serde_info.clone().unwrap_or_default();
    let library = serde.serialization_library.unwrap_or_default();
    let delimiter =
        serde.parameters.get("field.delim").filter(|_| library.ends_with("LazySimpleSerDe"));
    if let Some(delimiter) = delimiter {
        let _ =
            write!(text, "\nROW FORMAT DELIMITED \n  FIELDS TERMINATED BY {} ", quoted(delimiter));
    } else {
        let _ = write!(text, "\nROW FORMAT SERDE \n  '{library}' ");
        let shown: Vec<String> = serde
            .parameters
            .iter()
            .filter(|(key, _)| key.as_str() != "serialization.format")
            .map(|(key, value)| format!("  {}={}", quoted(key), quoted(value)))
            .collect();
        if !shown.is_empty() {
            let _ = write!(text, "\nWITH SERDEPROPERTIES ( \n{}) ", shown.join(", \n"));
        }
    }
    let _ = write!(
        text,
        "\nSTORED AS INPUTFORMAT \n  '{}' \nOUTPUTFORMAT \n  '{}'\nLOCATION\n  '{}'",
        storage.input_format.unwrap_or_default(),
        storage.output_format.unwrap_or_default(),
        storage.location.unwrap_or_default().trim_end_matches('/'),
    );
    let parameters: Vec<String> = table
        .definition
        .parameters
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "EXTERNAL" | "comment"))
        .map(|(key, value)| format!("  {}={}", quoted(key), quoted(value)))
        .collect();
    if !parameters.is_empty() {
        let _ = write!(text, "\nTBLPROPERTIES (\n{})", parameters.join(", \n"));
    }
    Ok(TextRows::one_column("createtab_stmt", text.lines().map(str::to_owned).collect()))
}

fn full_name(name: &TableName, table: &Table) -> String {
    match &name.database {
        Some(database) => format!("{database}.{}", table.name()),
        None => table.name().to_owned(),
    }
}

fn listed(columns: &[Column]) -> String {
    let lines: Vec<String> = columns
        .iter()
        .map(|column| {
            let comment = column
                .comment
                .as_deref()
                .map(|comment| format!(" COMMENT {}", quoted(comment)))
                .unwrap_or_default();
            format!("  `{}` {}{comment}", column.name, column.r#type.as_deref().unwrap_or("string"))
        })
        .collect();
    lines.join(", \n")
}

pub(super) fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .flat_map(|c| match c {
            '\t' => vec!['\\', 't'],
            '\n' => vec!['\\', 'n'],
            '\'' => vec!['\\', '\''],
            '\u{1}' => "\\u0001".chars().collect(),
            c => vec![c],
        })
        .collect();
    format!("'{escaped}'")
}

/// Hive's patterns: `*` (or `.*`) is any text, `|` is or; case does not count.
fn matches(name: &str, pattern: Option<&str>) -> bool {
    let Some(pattern) = pattern else { return true };
    pattern.to_lowercase().replace(".*", "*").split('|').any(|pattern| glob(name, pattern))
}

fn glob(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((before, after)) => text.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| glob(&rest[at..], after))
        }),
    }
}
