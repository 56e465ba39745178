//! The catalog as DataFusion asks it: one catalog, its databases, their tables and
//! views, looked up as a query names them.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::Result;

use super::names::CATALOG;
use super::query::Versions;
use super::table_version::versioned;
use super::{iceberg, information_schema, view};
use crate::Lake;
use crate::catalog::{CatalogError, Table};
use crate::sql::Failure;
use crate::tables::iceberg::{IcebergRows, IcebergTable, METADATA_TABLES, metadata_table};
use crate::tables::{HiveTable, PATH_COLUMN, Scanned, TableDefinition};

/// Most views inside views.
const NESTED_VIEWS: usize = 32;

/// What one query sees.
#[derive(Clone)]
pub(super) struct Visible {
    pub lake: Lake,
    pub scanned: Scanned,
    /// Whether the statement names [`PATH_COLUMN`].
    pub with_path: bool,
    /// How many views the names stand in.
    pub depth: usize,
    /// The rows of the table that the statement changes.
    pub target: Option<Arc<dyn TableProvider>>,
    /// The versions of tables that the statement asks for.
    pub versions: Versions,
}

impl Visible {
    pub fn new(lake: &Lake, scanned: Scanned, statement: &str) -> Self {
        Self {
            lake: lake.clone(),
            scanned,
            with_path: statement.contains(PATH_COLUMN),
            depth: 0,
            target: None,
            versions: Versions::default(),
        }
    }

    /// What a view inside sees.
    pub fn inside(&self, statement: &str) -> Result<Self, Failure> {
        if self.depth >= NESTED_VIEWS {
            return Err(Failure::new(
                "VIEW_IS_RECURSIVE",
                "Statement would create a recursive view",
            ));
        }
        Ok(Self {
            depth: self.depth + 1,
            with_path: statement.contains(PATH_COLUMN),
            target: None,
            versions: Versions::default(),
            ..self.clone()
        })
    }
}

impl std::fmt::Debug for Visible {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Visible")
    }
}

impl CatalogProviderList for Visible {
    fn register_catalog(
        &self,
        _: String,
        catalog: Arc<dyn CatalogProvider>,
    ) -> Option<Arc<dyn CatalogProvider>> {
        Some(catalog)
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![CATALOG.to_owned()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        (name.eq_ignore_ascii_case(CATALOG))
            .then(|| Arc::new(self.clone()) as Arc<dyn CatalogProvider>)
    }
}

impl CatalogProvider for Visible {
    fn schema_names(&self) -> Vec<String> {
        self.lake
            .catalog
            .databases()
            .map(|databases| databases.iter().map(|database| database.name().to_owned()).collect())
            .unwrap_or_default()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        Some(Arc::new(VisibleSchema { visible: self.clone(), database: name.to_lowercase() }))
    }
}

#[derive(Debug)]
struct VisibleSchema {
    visible: Visible,
    database: String,
}

#[async_trait]
impl SchemaProvider for VisibleSchema {
    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let visible = &self.visible;
        if self.database == "information_schema" {
            return Ok(Some(information_schema::table(&visible.lake, name)?));
        }
        if name == iceberg::TARGET {
            return Ok(visible.target.clone());
        }
        if let Some((name, number)) = versioned(name) {
            let table = find(visible, &self.database, name)?;
            let version = visible.versions.0.get(number);
            let version = version.expect("each clause of the statement has its number");
            return Ok(Some(iceberg::earlier(visible, &table, version)?));
        }
        if let Some((name, kind)) = name.rsplit_once('$')
            && let Some(kind) = METADATA_TABLES.into_iter().find(|known| *known == kind)
        {
            let table = find(visible, &self.database, name)?;
            if table.is_iceberg() {
                let table = IcebergTable::load(&visible.lake.store, &table)?;
                return Ok(Some(metadata_table(&visible.lake.store, &table, kind)?));
            }
            if kind == "partitions" {
                return Ok(Some(information_schema::partitions(&visible.lake, &table)?));
            }
        }
        let table = find(visible, &self.database, name)?;
        if table.is_view() {
            return Ok(Some(view::provider(visible, &table).await?));
        }
        if table.is_iceberg() {
            let table = IcebergTable::load(&visible.lake.store, &table)?;
            let rows = IcebergRows::current(&visible.lake.store, &table)?;
            return Ok(Some(Arc::new(if visible.with_path { rows.with_path() } else { rows })));
        }
        let definition = TableDefinition::of(&table)?;
        Ok(Some(Arc::new(HiveTable::new(
            visible.lake.clone(),
            definition,
            visible.scanned.clone(),
            visible.with_path,
        ))))
    }

    fn table_exist(&self, name: &str) -> bool {
        (name == iceberg::TARGET && self.visible.target.is_some())
            || find(&self.visible, &self.database, name).is_ok()
    }
}

/// The table a statement changes.
///
/// # Errors
/// `TABLE_NOT_FOUND`, also where the database is not there: Trino does not look at that first, as it does for a query.
pub(super) fn to_change(lake: &Lake, database: &str, name: &str) -> Result<Table, Failure> {
    lake.catalog.table(database, name).map_err(|error| match error {
        CatalogError::TableNotFound { .. } | CatalogError::DatabaseNotFound(_) => Failure::new(
            "TABLE_NOT_FOUND",
            format!("Table '{CATALOG}.{database}.{name}' does not exist"),
        ),
        other => Failure::new("HIVE_METASTORE_ERROR", other.to_string()),
    })
}

fn find(visible: &Visible, database: &str, name: &str) -> Result<Table, Failure> {
    visible.lake.catalog.table(database, name).map_err(|error| match error {
        CatalogError::DatabaseNotFound(_) => {
            Failure::new("SCHEMA_NOT_FOUND", format!("Schema '{database}' does not exist"))
        }
        CatalogError::TableNotFound { .. } => {
            if visible.lake.catalog.database(database).is_err() {
                Failure::new("SCHEMA_NOT_FOUND", format!("Schema '{database}' does not exist"))
            } else {
                Failure::new(
                    "TABLE_NOT_FOUND",
                    format!("Table '{CATALOG}.{database}.{name}' does not exist"),
                )
            }
        }
        other => Failure::new("HIVE_METASTORE_ERROR", other.to_string()),
    })
}
