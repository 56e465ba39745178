//! From a query's tree to a plan.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::common::{Column, DFSchema, TableReference};
use datafusion::dataframe::DataFrame;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as DataFusionStatement;
use datafusion::sql::sqlparser::ast::{ObjectNamePart, Query, Statement, visit_relations};
use datafusion::sql::sqlparser::tokenizer::Location;

use super::names::{CATALOG, database_of};
use super::rewrite::{self, shown_name};
use super::schemas::Visible;
use crate::sql::{Failure, QueryContext};
use crate::tables::{PATH_COLUMN, QueryStores};

/// A session for one query in a context.
pub(super) fn session(visible: &Visible, context: &QueryContext) -> Result<SessionState> {
    check_catalog(&context.catalog)?;
    session_in(visible, &database_of(context))
}

/// A session whose unqualified names are of a database.
pub(super) fn session_in(visible: &Visible, database: &str) -> Result<SessionState> {
    let stores =
        QueryStores { store: visible.lake.store.clone(), scanned: visible.scanned.clone() };
    visible.lake.engine.state(stores, Arc::new(visible.clone()), CATALOG, database)
}

fn check_catalog(catalog: &str) -> Result<(), Failure> {
    if catalog.is_empty() || catalog.eq_ignore_ascii_case(CATALOG) {
        return Ok(());
    }
    Err(Failure::new("CATALOG_NOT_FOUND", format!("Catalog '{catalog}' does not exist")))
}

/// Plans a query; its columns have the names Trino gives them.
pub(super) async fn plan(state: &SessionState, query: &Query) -> Result<LogicalPlan> {
    let written = query;
    let mut query = written.clone();
    rewrite::rewrite(&mut query)?;
    let explicit_path = rewrite::selects(&query, PATH_COLUMN);
    let statement = Statement::Query(Box::new(query));
    let statement = DataFusionStatement::Statement(Box::new(statement));
    let plan = state.statement_to_plan(statement).await.map_err(|error| placed(error, written))?;
    hide_path(plan, explicit_path)
}

/// The same error with the place of the table it is about, as Trino says it.
fn placed(error: DataFusionError, query: &Query) -> DataFusionError {
    let Some(failure) = Failure::within(&error) else { return error };
    let from_the_end = match failure.code {
        "TABLE_NOT_FOUND" => 0,
        "SCHEMA_NOT_FOUND" => 1,
        _ => return error,
    };
    let missing = failure.message.split('\'').nth(1).and_then(|name| name.rsplit('.').next());
    let found = visit_relations(query, |relation| {
        let mut parts = relation.0.iter().map(ObjectNamePart::as_ident);
        match (parts.clone().nth_back(from_the_end).flatten(), parts.next().flatten()) {
            (Some(part), Some(first)) if Some(part.value.to_lowercase().as_str()) == missing => {
                ControlFlow::Break(first.span.start)
            }
            _ => ControlFlow::Continue(()),
        }
    });
    match found {
        ControlFlow::Break(Location { line, column }) if line > 0 => {
            let message = format!("line {line}:{column}: {}", failure.message);
            Failure::new(failure.code, message).into()
        }
        _ => error,
    }
}

/// `SELECT *` does not show the hidden column.
fn hide_path(plan: LogicalPlan, explicit: bool) -> Result<LogicalPlan> {
    let schema = plan.schema().clone();
    if explicit || !schema.fields().iter().any(|field| field.name() == PATH_COLUMN) {
        return Ok(plan);
    }
    let shown: Vec<Expr> =
        columns(&schema).filter(|column| column.name != PATH_COLUMN).map(Expr::Column).collect();
    LogicalPlanBuilder::from(plan).project(shown)?.build()
}

fn columns(schema: &DFSchema) -> impl Iterator<Item = Column> + '_ {
    schema.iter().map(|(qualifier, field): (Option<&TableReference>, _)| {
        Column::new(qualifier.cloned(), field.name().clone())
    })
}

/// The names a plan's columns are shown by.
pub(super) fn shown_names(plan: &LogicalPlan) -> Vec<String> {
    plan.schema()
        .fields()
        .iter()
        .enumerate()
        .map(|(position, field)| shown_name(field.name(), position))
        .collect()
}

/// The places of columns the query gave no name.
pub(super) fn unnamed(plan: &LogicalPlan) -> Option<usize> {
    plan.schema().fields().iter().position(|field| field.name().starts_with(rewrite::UNNAMED))
}

/// Runs a plan.
pub(super) fn frame(state: SessionState, plan: LogicalPlan) -> DataFrame {
    DataFrame::new(SessionContext::new_with_state(state).state(), plan)
}
