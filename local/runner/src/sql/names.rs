//! What the catalog has, by name.

use std::collections::BTreeMap;

use aws::lake::Catalog;
use aws::lake::catalog::{CatalogError, Table};

use crate::rows::{Column, Rows};

/// Columns by table, by database.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// The database of unqualified names.
    pub database: String,
    pub databases: BTreeMap<String, BTreeMap<String, Vec<String>>>,
}

impl Names {
    pub fn read(catalog: &Catalog, database: &str) -> Result<Self, CatalogError> {
        let mut names = Self { database: database.to_lowercase(), databases: BTreeMap::new() };
        for database in catalog.databases()? {
            let tables = catalog.tables(database.name())?;
            let tables = tables.iter().map(|table| {
                (
                    table.name().to_owned(),
                    columns(table).map(|(name, ..)| name.to_owned()).collect(),
                )
            });
            names.databases.insert(database.name().to_owned(), tables.collect());
        }
        Ok(names)
    }

    /// The tables of the present database.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        self.databases.get(&self.database).into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// The columns of a table, of the present database where none is named.
    pub fn columns(&self, database: Option<&str>, table: &str) -> &[String] {
        let tables = self.databases.get(database.unwrap_or(&self.database));
        tables.and_then(|tables| tables.get(table)).map_or(&[], Vec::as_slice)
    }
}

/// Name, type and comment of each column, partition keys last.
fn columns(table: &Table) -> impl Iterator<Item = (&str, &str, &str)> {
    let definition = &table.definition;
    let stored = definition.storage_descriptor.iter().flat_map(|storage| &storage.columns);
    stored.chain(&definition.partition_keys).map(|column| {
        let (kind, comment) = (column.r#type.as_deref(), column.comment.as_deref());
        (column.name.as_str(), kind.unwrap_or_default(), comment.unwrap_or_default())
    })
}

/// `\l`
pub fn databases(catalog: &Catalog) -> Result<Rows, CatalogError> {
    let rows = catalog.databases()?.into_iter().map(|database| {
        let tables = catalog.tables(database.name())?.len().to_string();
        Ok([
            database.name().to_owned(),
            tables,
            database.definition.description.unwrap_or_default(),
        ])
    });
    Ok(table(&["database", "tables", "comment"], rows.collect::<Result<_, CatalogError>>()?))
}

/// `\d`
pub fn tables(catalog: &Catalog, database: &str) -> Result<Rows, CatalogError> {
    let rows = catalog.tables(database)?.into_iter().map(|table| {
        let kind = if table.is_view() { "view" } else { "table" };
        let columns = columns(&table).count().to_string();
        let comment = table.definition.description.clone().unwrap_or_default();
        [table.name().to_owned(), kind.to_owned(), columns, comment]
    });
    Ok(table(&["name", "kind", "columns", "comment"], rows.collect()))
}

/// `\d TABLE`
pub fn described(catalog: &Catalog, database: &str, name: &str) -> Result<Rows, CatalogError> {
    let found = catalog.table(database, name)?;
    let keys = found.definition.partition_keys.len();
    let all: Vec<_> = columns(&found).collect();
    let data = all.len() - keys;
    let rows = all.into_iter().enumerate().map(|(at, (name, kind, comment))| {
        let key = if at < data { "" } else { "partition" };
        [name.to_owned(), kind.to_owned(), key.to_owned(), comment.to_owned()]
    });
    Ok(table(&["column", "type", "key", "comment"], rows.collect()))
}

/// Texts under names, without the columns nothing is in.
fn table<const N: usize>(names: &[&str; N], rows: Vec<[String; N]>) -> Rows {
    let shown: Vec<usize> =
        (0..N).filter(|at| *at < 2 || rows.iter().any(|row| !row[*at].is_empty())).collect();
    let kind =
        |name: &str| if matches!(name, "tables" | "columns") { "integer" } else { "varchar" };
    let column =
        |at: &usize| Column { name: names[*at].to_owned(), kind: kind(names[*at]).to_owned() };
    let texts = |row: &[String; N]| shown.iter().map(|at| Some(row[*at].clone())).collect();
    Rows { columns: shown.iter().map(column).collect(), rows: rows.iter().map(texts).collect() }
}
