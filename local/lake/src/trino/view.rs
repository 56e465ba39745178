//! Views: kept in the catalog as Athena keeps them, read whoever wrote them.
//!
//! A view is a table of the type `VIRTUAL_VIEW` whose `ViewOriginalText` is
//! `/* Presto View: <base64 of JSON> */`, the JSON being Trino's view definition.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use datafusion::catalog::TableProvider;
use datafusion::catalog::view::ViewTable;
use datafusion::common::Column as PlanColumn;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use datafusion::sql::sqlparser::ast::Query;
use serde::{Deserialize, Serialize};

use super::create_table_as::named_columns;
use super::names::{CATALOG, complete, database_of};
use super::query::Running;
use super::schemas::Visible;
use super::{planning, statement};
use crate::Lake;
use crate::catalog::{CatalogError, Column, StorageDescriptor, Table, TableInput};
use crate::hive::TableName;
use crate::sql::{Failure, QueryError, QueryOutput, TextRows, TrinoType};

const BEFORE: &str = "/* Presto View: ";
const AFTER: &str = " */";

/// Trino's definition of a view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ViewText {
    pub original_sql: String,
    #[serde(default)]
    pub catalog: Option<String>,
    #[serde(default)]
    pub schema: Option<String>,
    #[serde(default)]
    pub columns: Vec<ViewColumn>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct ViewColumn {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// The definition inside a view's `ViewOriginalText`.
pub(crate) fn decode_view(table: &Table) -> Result<ViewText, Failure> {
    let invalid = |why: String| {
        Failure::new(
            "INVALID_VIEW",
            format!("View '{}.{}' cannot be read: {why}", table.database_name, table.name()),
        )
    };
    let text = table.definition.view_original_text.as_deref().unwrap_or_default().trim();
    let encoded = text
        .strip_prefix(BEFORE)
        .and_then(|rest| rest.strip_suffix(AFTER))
        .ok_or_else(|| invalid("its text is not of the form /* Presto View: … */".to_owned()))?;
    let json = STANDARD.decode(encoded.trim()).map_err(|error| invalid(error.to_string()))?;
    serde_json::from_slice(&json).map_err(|error| invalid(error.to_string()))
}

fn encode(view: &ViewText) -> String {
    let json = serde_json::to_vec(view).expect("a view's definition is JSON");
    format!("{BEFORE}{}{AFTER}", STANDARD.encode(json))
}

/// A view as a relation: its query planned in its own database.
pub(super) async fn provider(
    visible: &Visible,
    table: &Table,
) -> datafusion::common::Result<Arc<dyn TableProvider>> {
    let view = decode_view(table)?;
    let inside = visible.inside(&view.original_sql)?;
    let parsed = statement::parse(&view.original_sql, Some(&[])).map_err(|error| {
        Failure::new(
            "INVALID_VIEW",
            format!(
                "Failed parsing stored view '{CATALOG}.{}.{}': {error}",
                table.database_name,
                table.name()
            ),
        )
    })?;
    let statement::TrinoStatement::Query(query) = parsed else {
        return Err(Failure::new("INVALID_VIEW", "a view is a query").into());
    };
    let database =
        view.schema.clone().unwrap_or_else(|| table.database_name.clone()).to_lowercase();
    let state = planning::session_in(&inside, &database)?;
    let plan = Box::pin(planning::plan(&state, &query)).await?;
    let names = planning::shown_names(&plan);
    if !view.columns.is_empty() && view.columns.len() != names.len() {
        return Err(Failure::new(
            "VIEW_IS_STALE",
            format!(
                "View '{CATALOG}.{}.{}' is stale or in invalid state: stored view column count ({}) does not match column count derived from the view query analysis ({})",
                table.database_name,
                table.name(),
                view.columns.len(),
                names.len()
            ),
        )
        .into());
    }
    // The names are those the view was made with.
    let columns: Vec<Expr> = plan
        .schema()
        .iter()
        .enumerate()
        .map(|(at, (qualifier, field))| {
            let shown = view
                .columns
                .get(at)
                .map_or_else(|| names[at].clone(), |column| column.name.to_lowercase());
            Expr::Column(PlanColumn::new(qualifier.cloned(), field.name().clone())).alias(shown)
        })
        .collect();
    let plan = LogicalPlanBuilder::from(plan).project(columns)?.build()?;
    Ok(Arc::new(ViewTable::new(plan, Some(view.original_sql))))
}

/// `CREATE [OR REPLACE] VIEW`.
pub(super) async fn create(
    running: &Running<'_>,
    name: &TableName,
    replace: bool,
    text: &str,
    query: &Query,
) -> Result<QueryOutput, QueryError> {
    let (database, view_name) = complete(name, running.context);
    let catalog = &running.lake.catalog;
    if catalog.database(&database).is_err() {
        return Err(Failure::new(
            "SCHEMA_NOT_FOUND",
            format!("Schema '{database}' does not exist"),
        )
        .into());
    }
    check_free(running.lake, &database, &view_name, replace)?;
    let state = planning::session(&running.visible(), running.context)?;
    let plan = planning::plan(&state, query).await?;
    let columns = named_columns(&plan)?;
    let view = ViewText {
        original_sql: text.to_owned(),
        catalog: Some(CATALOG.to_owned()),
        schema: Some(database_of(running.context)),
        columns: columns
            .iter()
            .map(|(name, kind)| ViewColumn { name: name.clone(), kind: kind.to_string() })
            .collect(),
    };
    let input = TableInput {
        name: view_name.clone(),
        storage_descriptor: Some(StorageDescriptor {
            columns: columns
                .iter()
                .map(|(name, kind)| Column::new(name.clone(), hive_type(kind)))
                .collect(),
            location: Some(String::new()),
            ..StorageDescriptor::default()
        }),
        view_original_text: Some(encode(&view)),
        view_expanded_text: Some("/* Presto View */".to_owned()),
        table_type: Some("VIRTUAL_VIEW".to_owned()),
        parameters: [
            ("comment".to_owned(), "Presto View".to_owned()),
            ("presto_view".to_owned(), "true".to_owned()),
        ]
        .into(),
        ..TableInput::default()
    };
    let done = if replace {
        catalog.put_table(&database, input)
    } else {
        catalog.create_table(&database, input)
    };
    done.map_err(|error| match error {
        CatalogError::TableExists(_) => taken(&database, &view_name),
        other => Failure::new("HIVE_METASTORE_ERROR", other.to_string()),
    })?;
    running.text(&TextRows::none())
}

fn taken(database: &str, name: &str) -> Failure {
    Failure::new(
        "TABLE_ALREADY_EXISTS",
        format!("Table already exists: '{CATALOG}.{database}.{name}'"),
    )
}

/// Whether a view may be made by a name.
fn check_free(lake: &Lake, database: &str, name: &str, replace: bool) -> Result<(), Failure> {
    match lake.catalog.table(database, name) {
        Ok(table) if !table.is_view() => Err(taken(database, name)),
        Ok(_) if !replace => Err(Failure::new(
            "ALREADY_EXISTS",
            format!("View already exists: '{CATALOG}.{database}.{name}'"),
        )),
        _ => Ok(()),
    }
}

/// A view's column in Hive's words; types Hive has not are text there.
fn hive_type(kind: &TrinoType) -> String {
    match kind {
        TrinoType::Timestamp(_) | TrinoType::TimestampWithZone(_) => "timestamp".to_owned(),
        other => other.to_hive().unwrap_or_else(|_| "string".to_owned()),
    }
}

/// `DROP VIEW`.
pub(super) fn drop(
    running: &Running<'_>,
    name: &TableName,
    if_exists: bool,
) -> Result<QueryOutput, QueryError> {
    let (database, view) = complete(name, running.context);
    let catalog = &running.lake.catalog;
    match catalog.table(&database, &view) {
        Ok(table) if table.is_view() => {
            catalog
                .delete_table(&database, &view)
                .map_err(|error| Failure::new("HIVE_METASTORE_ERROR", error.to_string()))?;
        }
        Ok(_) => {
            return Err(Failure::new(
                "GENERIC_USER_ERROR",
                format!("View '{CATALOG}.{database}.{view}' does not exist, but a table with that name exists"),
            )
            .into());
        }
        Err(_) if if_exists => {}
        Err(_) => {
            return Err(Failure::new(
                "TABLE_NOT_FOUND",
                format!("View '{CATALOG}.{database}.{view}' does not exist"),
            )
            .into());
        }
    }
    running.text(&TextRows::none())
}
