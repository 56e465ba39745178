//! `information_schema` and `"t$partitions"`, made from the catalog when asked.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::Result;

use super::external::text_to;
use super::names::CATALOG;
use super::view::decode_view;
use crate::Lake;
use crate::catalog::Table;
use crate::hive::trino_type_text;
use crate::sql::Failure;
use crate::tables::TableDefinition;
use crate::tables::iceberg::IcebergTable;

/// One of the tables of `information_schema`.
pub(super) fn table(lake: &Lake, name: &str) -> Result<Arc<dyn TableProvider>> {
    match name {
        "schemata" => schemata(lake),
        "tables" => tables(lake),
        "columns" => columns(lake),
        "views" => views(lake),
        _ => Err(Failure::new(
            "TABLE_NOT_FOUND",
            format!("Table '{CATALOG}.information_schema.{name}' does not exist"),
        )
        .into()),
    }
}

fn metastore(error: impl std::fmt::Display) -> Failure {
    Failure::new("HIVE_METASTORE_ERROR", error.to_string())
}

type Texts = Vec<Option<String>>;

fn memory(columns: Vec<(&str, Texts)>) -> Result<Arc<dyn TableProvider>> {
    let arrays = columns
        .into_iter()
        .map(|(name, values)| (name, Arc::new(StringArray::from(values)) as ArrayRef))
        .collect();
    typed(arrays)
}

fn typed(columns: Vec<(&str, ArrayRef)>) -> Result<Arc<dyn TableProvider>> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(
        schema.clone(),
        columns.into_iter().map(|(_, array)| array).collect(),
    )?;
    Ok(Arc::new(MemTable::try_new(schema, vec![vec![batch]])?))
}

fn schemata(lake: &Lake) -> Result<Arc<dyn TableProvider>> {
    let mut names: Texts = lake
        .catalog
        .databases()
        .map_err(metastore)?
        .iter()
        .map(|database| Some(database.name().to_owned()))
        .collect();
    names.push(Some("information_schema".to_owned()));
    memory(vec![
        ("catalog_name", vec![Some(CATALOG.to_owned()); names.len()]),
        ("schema_name", names),
    ])
}

fn every_table(lake: &Lake) -> Result<Vec<Table>, Failure> {
    let mut all = Vec::new();
    for database in lake.catalog.databases().map_err(metastore)? {
        all.extend(lake.catalog.tables(database.name()).map_err(metastore)?);
    }
    Ok(all)
}

fn tables(lake: &Lake) -> Result<Arc<dyn TableProvider>> {
    let all = every_table(lake)?;
    memory(vec![
        ("table_catalog", vec![Some(CATALOG.to_owned()); all.len()]),
        ("table_schema", all.iter().map(|table| Some(table.database_name.clone())).collect()),
        ("table_name", all.iter().map(|table| Some(table.name().to_owned())).collect()),
        (
            "table_type",
            all.iter()
                .map(|table| Some(if table.is_view() { "VIEW" } else { "BASE TABLE" }.to_owned()))
                .collect(),
        ),
    ])
}

fn views(lake: &Lake) -> Result<Arc<dyn TableProvider>> {
    let all: Vec<Table> = every_table(lake)?.into_iter().filter(Table::is_view).collect();
    memory(vec![
        ("table_catalog", vec![Some(CATALOG.to_owned()); all.len()]),
        ("table_schema", all.iter().map(|table| Some(table.database_name.clone())).collect()),
        ("table_name", all.iter().map(|table| Some(table.name().to_owned())).collect()),
        (
            "view_definition",
            all.iter().map(|table| decode_view(table).ok().map(|view| view.original_sql)).collect(),
        ),
    ])
}

fn columns(lake: &Lake) -> Result<Arc<dyn TableProvider>> {
    let (mut schemas, mut names, mut columns) = (Texts::new(), Texts::new(), Texts::new());
    let (mut positions, mut kinds, mut extra, mut comments) =
        (Vec::new(), Texts::new(), Texts::new(), Texts::new());
    for table in every_table(lake)? {
        for (position, column) in columns_of(lake, &table).into_iter().enumerate() {
            schemas.push(Some(table.database_name.clone()));
            names.push(Some(table.name().to_owned()));
            columns.push(Some(column.name));
            positions.push(Some(i64::try_from(position + 1).unwrap_or(i64::MAX)));
            kinds.push(Some(column.kind));
            extra.push(column.key.then(|| "partition key".to_owned()));
            comments.push(column.comment);
        }
    }
    let rows = names.len();
    let text = |values: Texts| Arc::new(StringArray::from(values)) as ArrayRef;
    typed(vec![
        ("table_catalog", text(vec![Some(CATALOG.to_owned()); rows])),
        ("table_schema", text(schemas)),
        ("table_name", text(names)),
        ("column_name", text(columns)),
        ("ordinal_position", Arc::new(Int64Array::from(positions)) as ArrayRef),
        ("column_default", text(vec![None; rows])),
        ("is_nullable", text(vec![Some("YES".to_owned()); rows])),
        ("data_type", text(kinds)),
        ("comment", text(comments)),
        ("extra_info", text(extra)),
    ])
}

struct ShownColumn {
    name: String,
    kind: String,
    comment: Option<String>,
    key: bool,
}

fn columns_of(lake: &Lake, table: &Table) -> Vec<ShownColumn> {
    // The metadata knows the types; the catalog's are Hive's. Source: user guide, querying-iceberg.md.
    if table.is_iceberg()
        && let Ok(table) = IcebergTable::load(&lake.store, table)
        && let Ok(columns) = table.columns()
    {
        let fields = &table.metadata.current_schema().fields;
        let shown = columns.into_iter().zip(fields).map(|((name, kind), field)| ShownColumn {
            name,
            kind: kind.to_string(),
            comment: field.doc.clone(),
            key: false,
        });
        return shown.collect();
    }
    if table.is_view()
        && let Ok(view) = decode_view(table)
    {
        return view
            .columns
            .into_iter()
            .map(|column| ShownColumn {
                name: column.name,
                kind: column.kind,
                comment: None,
                key: false,
            })
            .collect();
    }
    let storage = table.definition.storage_descriptor.as_ref();
    let data = storage.map(|storage| storage.columns.as_slice()).unwrap_or_default();
    let shown = |column: &crate::catalog::Column, key| ShownColumn {
        name: column.name.clone(),
        kind: trino_type_text(column.r#type.as_deref().unwrap_or("string")),
        comment: column.comment.clone(),
        key,
    };
    data.iter()
        .map(|column| shown(column, false))
        .chain(table.definition.partition_keys.iter().map(|column| shown(column, true)))
        .collect()
}

/// The partitions of a table, a column for each key.
pub(super) fn partitions(lake: &Lake, table: &Table) -> Result<Arc<dyn TableProvider>> {
    let definition = TableDefinition::of(table)?;
    let all =
        lake.catalog.partitions(&definition.database, &definition.name, None).map_err(metastore)?;
    let columns = definition
        .partition_keys
        .iter()
        .enumerate()
        .map(|(at, (name, kind))| {
            let texts: StringArray =
                all.iter().map(|partition| partition.values().get(at).cloned()).collect();
            let texts: ArrayRef = Arc::new(texts);
            Ok((name.as_str(), text_to(&texts, kind)?))
        })
        .collect::<Result<Vec<_>>>()?;
    if columns.is_empty() {
        return typed(vec![(
            "partition",
            datafusion::arrow::array::new_empty_array(&DataType::Utf8),
        )]);
    }
    typed(columns)
}
