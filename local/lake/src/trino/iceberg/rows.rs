//! Changes of rows: a query tells which rows go and what comes in their place.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{Field, Int64Type, Schema};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::sql::sqlparser::ast::{Expr, Query};
use futures::StreamExt;

use super::statement::Assignments;
use super::target::{Target, column, item, places, query};
use super::write;
use crate::hive::TableName;
use crate::sql::{Failure, QueryError, QueryOutput, TrinoType, field_of};
use crate::tables::iceberg::{Change, DataWriter, DataWriterPlan, Deleted};
use crate::trino::functions::coerces;
use crate::trino::planning;
use crate::trino::query::Running;
use crate::trino::write::typed;

/// Rows that go, and those that come.
pub(super) struct Rows<'a> {
    running: &'a Running<'a>,
    target: &'a Target,
    plan: Arc<DataWriterPlan>,
    writer: DataWriter,
    gone: HashMap<String, HashSet<u64>>,
    kinds: Vec<TrinoType>,
    pub changed: u64,
}

impl<'a> Rows<'a> {
    pub fn new(running: &'a Running<'a>, target: &'a Target) -> Result<Self, QueryError> {
        let id = &running.context.query_id;
        let plan = Arc::new(DataWriterPlan::new(&running.lake.store, &target.table, id)?);
        Ok(Self {
            running,
            target,
            writer: DataWriter::new(plan.clone()),
            plan,
            gone: HashMap::new(),
            kinds: target.columns.iter().map(|(_, kind)| kind.clone()).collect(),
            changed: 0,
        })
    }

    /// Takes away the rows at the places in the columns `$path` and `$pos`.
    ///
    /// Errors: `MERGE_TARGET_ROW_MULTIPLE_MATCHES` of a place that is gone already.
    pub fn take(&mut self, paths: &ArrayRef, places: &ArrayRef) -> Result<(), Failure> {
        let paths = paths.as_string::<i32>();
        for (path, place) in paths.iter().zip(places.as_primitive::<Int64Type>()) {
            let (Some(path), Some(place)) = (path, place) else { continue };
            if !self.gone.contains_key(path) {
                self.gone.insert(path.to_owned(), HashSet::new());
            }
            let place = u64::try_from(place).unwrap_or(0);
            let gone = self.gone.get_mut(path).expect("the file was noted");
            if !gone.insert(place) {
                return Err(Failure::new(
                    "MERGE_TARGET_ROW_MULTIPLE_MATCHES",
                    "One MERGE target table row matched more than one source row",
                ));
            }
        }
        Ok(())
    }

    /// Adds rows; columns are the table's.
    pub fn put(&mut self, columns: Vec<ArrayRef>, rows: usize) -> datafusion::common::Result<()> {
        let given: Vec<Field> = columns
            .iter()
            .zip(&self.target.columns)
            .map(|(column, (name, kind))| {
                // The engine's own types tell what they are; texts are of any length.
                let kind = match kind {
                    kind if column.data_type() == &kind.to_arrow() => kind.clone(),
                    _ => TrinoType::of_arrow(column.data_type()),
                };
                field_of(name, &kind)
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch =
            RecordBatch::try_new_with_options(Arc::new(Schema::new(given)), columns, &options)?;
        let wanted = self.target.columns.iter().map(|(name, kind)| field_of(name, kind));
        let wanted = Arc::new(Schema::new(wanted.collect::<Vec<_>>()));
        let batch = typed(&batch, &wanted, &self.kinds)?;
        self.writer.write(batch.columns(), rows)
    }

    /// Commits what has come and gone.
    pub async fn commit(self, state: &SessionState) -> Result<QueryOutput, QueryError> {
        let (target, changed) = (self.target, self.changed);
        let added = self.writer.finish()?;
        let mut change = Change { added, ..Change::default() };
        if !self.gone.is_empty() {
            let touched: Vec<_> = target
                .files
                .data
                .iter()
                .filter(|live| self.gone.contains_key(&live.file.file_path))
                .cloned()
                .collect();
            let store = |bucket: &str| {
                let url = ObjectStoreUrl::parse(format!("s3://{bucket}"))?;
                state.runtime_env().object_store(url)
            };
            let already = Deleted::read(store, &target.files.deletes, &touched).await?;
            let gone = self.gone.into_iter().map(|(path, rows)| (path, rows.into_iter().collect()));
            let gone = gone.collect();
            change.delete_rows(
                &self.plan,
                &target.table.metadata,
                &target.files,
                gone,
                &already,
            )?;
        }
        let written = change.added.iter().chain(change.added_deletes.iter().map(|(_, file)| file));
        let bytes = write::bytes(written);
        if !change.is_empty() {
            target.table.commit(self.running.lake, &change)?;
        }
        write::finished(self.running, ".csv", changed, bytes)
    }
}

/// A planned query of a target.
pub(super) async fn planned(
    running: &Running<'_>,
    target: &Target,
    query: &Query,
) -> Result<(SessionState, LogicalPlan), QueryError> {
    let visible = target.visible(running, target.files.clone())?;
    let state = planning::session(&visible, running.context)?;
    let plan = planning::plan(&state, query).await?;
    Ok((state, plan))
}

pub(super) async fn delete(
    running: &Running<'_>,
    table: &TableName,
    filter: Option<&Expr>,
) -> Result<QueryOutput, QueryError> {
    let target = Target::load(running, table, "DELETE")?;
    let query = query(&table.name, None, |select| {
        select.projection.extend(places(&table.name));
        select.selection = filter.cloned();
    });
    let (state, plan) = planned(running, &target, &query).await?;
    let mut rows = Rows::new(running, &target)?;
    let mut stream = planning::frame(state.clone(), plan).execute_stream().await?;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        rows.take(batch.column(0), batch.column(1))?;
        rows.changed += batch.num_rows() as u64;
    }
    rows.commit(&state).await
}

pub(super) async fn update(
    running: &Running<'_>,
    table: &TableName,
    assignments: &Assignments,
    filter: Option<&Expr>,
) -> Result<QueryOutput, QueryError> {
    let target = Target::load(running, table, "UPDATE")?;
    check_assigned(&target, assignments, "UPDATE")?;
    let query = query(&table.name, None, |select| {
        select.projection.extend(places(&table.name));
        for (at, (name, _)) in target.columns.iter().enumerate() {
            let assigned = assignments.iter().find(|(column, _)| column == name);
            let value = assigned.map(|(_, value)| value.clone());
            let value = value.unwrap_or_else(|| column(&table.name, name));
            select.projection.push(item(value, &format!("$c{at}")));
        }
        select.selection = filter.cloned();
    });
    let (state, plan) = planned(running, &target, &query).await?;
    let fields = plan.schema().fields()[2..].iter().map(|field| TrinoType::of_field(field));
    check_types(&target.columns, &fields.collect::<Vec<_>>(), "UPDATE")?;
    let mut rows = Rows::new(running, &target)?;
    let mut stream = planning::frame(state.clone(), plan).execute_stream().await?;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        rows.take(batch.column(0), batch.column(1))?;
        rows.put(batch.columns()[2..].to_vec(), batch.num_rows())?;
        rows.changed += batch.num_rows() as u64;
    }
    rows.commit(&state).await
}

/// Assigned columns are the table's, each once.
pub(super) fn check_assigned(
    target: &Target,
    assignments: &Assignments,
    verb: &str,
) -> Result<(), Failure> {
    for (at, (name, _)) in assignments.iter().enumerate() {
        if target.column(name).is_none() {
            return Err(Failure::new(
                "COLUMN_NOT_FOUND",
                format!("The {verb} SET target column {name} doesn't exist"),
            ));
        }
        if assignments[..at].iter().any(|(other, _)| other == name) {
            return Err(Failure::new(
                "DUPLICATE_COLUMN_NAME",
                format!("Multiple assignments to the column {name}"),
            ));
        }
    }
    Ok(())
}

/// Values must become the columns' types by themselves.
pub(super) fn check_types(
    columns: &[(String, TrinoType)],
    values: &[TrinoType],
    verb: &str,
) -> Result<(), Failure> {
    let fits = columns.iter().zip(values).all(|((_, kind), value)| coerces(value, kind));
    if fits && columns.len() == values.len() {
        return Ok(());
    }
    let shown = |kinds: &mut dyn Iterator<Item = &TrinoType>| {
        kinds.map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    Err(Failure::type_mismatch(format!(
        "{verb} table column types don't match SET expressions: Table: [{}], Expressions: [{}]",
        shown(&mut columns.iter().map(|(_, kind)| kind)),
        shown(&mut values.iter()),
    )))
}
