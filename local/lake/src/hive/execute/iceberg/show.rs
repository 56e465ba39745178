//! What Iceberg tables are shown as: `DESCRIBE` and `SHOW …`.

use std::fmt::Write as _;

use iceberg::Transform;

use super::load;
use crate::catalog::Table;
use crate::hive::execute::Here;
use crate::hive::execute::show::quoted;
use crate::hive::statement::DescribeStyle;
use crate::sql::{ColumnInfo, QueryError, TextRows};
use crate::tables::iceberg::shown_properties;

pub(in crate::hive::execute) fn columns(
    here: &Here<'_>,
    entry: &Table,
) -> Result<TextRows, QueryError> {
    let table = load(here, entry)?;
    let fields = table.metadata.current_schema().fields.iter();
    Ok(TextRows::one_column("field", fields.map(|field| field.name.to_lowercase()).collect()))
}

/// Only the properties that Athena knows.
pub(in crate::hive::execute) fn properties(
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
pub(in crate::hive::execute) fn describe(
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
pub(in crate::hive::execute) fn show_create(
    here: &Here<'_>,
    entry: &Table,
) -> Result<TextRows, QueryError> {
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
