//! `DESCRIBE`: columns padded with blanks, as Hive prints them.

use super::Here;
use crate::catalog::Column;
use crate::hive::statement::{DescribeStyle, PartitionSpec, TableName};
use crate::sql::{ColumnInfo, QueryError, TextRows};

/// Hive pads each field to this width.
const WIDTH: usize = 20;

pub(super) fn run(
    here: &Here<'_>,
    name: &TableName,
    style: DescribeStyle,
    partition: &PartitionSpec,
    column: Option<&str>,
) -> Result<TextRows, QueryError> {
    let table = here.table(name)?;
    if table.is_iceberg() {
        return super::iceberg::describe(here, &table, style);
    }
    let storage = table.definition.storage_descriptor.clone().unwrap_or_default();
    let columns = vec![
        ColumnInfo::text("col_name"),
        ColumnInfo::text("data_type"),
        ColumnInfo::text("comment"),
    ];
    if let Some(path) = column {
        let first = path.split('.').next().unwrap_or(path);
        let found = storage
            .columns
            .iter()
            .chain(&table.definition.partition_keys)
            .find(|known| known.name == first);
        let found = found.ok_or_else(|| {
            QueryError::hive(format!(
                "FAILED: SemanticException [Error 10002]: Invalid column reference {first}"
            ))
        })?;
        return Ok(TextRows { columns, lines: vec![line(found)] });
    }
    if !partition.is_empty() {
        super::alter::values(&table, partition)?;
    }
    let mut lines: Vec<String> = Vec::new();
    if style == DescribeStyle::Formatted {
        lines.push(padded("# col_name", "data_type", "comment"));
        lines.push(blank());
    }
    lines.extend(storage.columns.iter().map(line));
    let keys = &table.definition.partition_keys;
    if !keys.is_empty() {
        if style != DescribeStyle::Formatted {
            lines.extend(keys.iter().map(line));
        }
        lines.push(blank());
        lines.push("# Partition Information\t \t ".to_owned());
        lines.push(padded("# col_name", "data_type", "comment"));
        lines.push(blank());
        lines.extend(keys.iter().map(line));
    }
    match style {
        DescribeStyle::Plain => {}
        DescribeStyle::Extended => {
            lines.push(blank());
            let json = serde_json::to_string(&table).expect("a table is JSON");
            lines.push(format!("Detailed Table Information\t{json}\t"));
        }
        DescribeStyle::Formatted => formatted(&table, &storage, &mut lines),
    }
    Ok(TextRows { columns, lines })
}

fn formatted(
    table: &crate::catalog::Table,
    storage: &crate::catalog::StorageDescriptor,
    lines: &mut Vec<String>,
) {
    let pair = |name: &str, value: &str| format!("{name:<WIDTH$}\t{value:<WIDTH$}\t ");
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    lines.push(blank());
    lines.push("# Detailed Table Information\t \t ".to_owned());
    lines.push(pair("Database:", &table.database_name));
    lines.push(pair("Owner:", &text(&table.definition.owner)));
    if let Some(time) = table.create_time {
        lines.push(pair("CreateTime:", &time.strftime("%a %b %d %H:%M:%S UTC %Y").to_string()));
    }
    lines.push(pair("LastAccessTime:", "UNKNOWN"));
    lines.push(pair("Protect Mode:", "None"));
    lines.push(pair("Retention:", &table.definition.retention.to_string()));
    lines.push(pair("Location:", &text(&storage.location)));
    lines.push(pair("Table Type:", &text(&table.definition.table_type)));
    lines.push("Table Parameters:\t \t ".to_owned());
    for (key, value) in &table.definition.parameters {
        lines.push(format!("\t{key:<WIDTH$}\t{value:<WIDTH$}"));
    }
    lines.push(blank());
    lines.push("# Storage Information\t \t ".to_owned());
    let serde = storage.serde_info.clone().unwrap_or_default();
    lines.push(pair("SerDe Library:", &text(&serde.serialization_library)));
    lines.push(pair("InputFormat:", &text(&storage.input_format)));
    lines.push(pair("OutputFormat:", &text(&storage.output_format)));
    lines.push(pair("Compressed:", if storage.compressed { "Yes" } else { "No" }));
    lines.push(pair("Num Buckets:", &storage.number_of_buckets.to_string()));
    lines.push(pair("Bucket Columns:", &format!("[{}]", storage.bucket_columns.join(", "))));
    lines.push(pair("Sort Columns:", "[]"));
    lines.push("Storage Desc Params:\t \t ".to_owned());
    for (key, value) in &serde.parameters {
        lines.push(format!("\t{key:<WIDTH$}\t{value:<WIDTH$}"));
    }
}

fn line(column: &Column) -> String {
    padded(
        &column.name,
        column.r#type.as_deref().unwrap_or("string"),
        column.comment.as_deref().unwrap_or_default(),
    )
}

fn padded(name: &str, kind: &str, comment: &str) -> String {
    format!("{name:<WIDTH$}\t{kind:<WIDTH$}\t{comment:<WIDTH$}")
}

fn blank() -> String {
    "\t \t ".to_owned()
}
