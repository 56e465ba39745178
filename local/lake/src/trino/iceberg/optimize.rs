//! OPTIMIZE: rows of many files are written into fewer, and stay what they are.

use std::collections::HashSet;

use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::sql::sqlparser::ast::Expr;
use futures::StreamExt;

use super::target::{Target, column, item, places, query};
use super::write;
use crate::hive::TableName;
use crate::sql::{QueryError, QueryOutput, TextRows};
use crate::tables::iceberg::{Change, DataWriterPlan, Deleted, SnapshotFiles, rewritable};
use crate::trino::planning;
use crate::trino::query::Running;

pub(super) async fn run(
    running: &Running<'_>,
    table: &TableName,
    filter: Option<&Expr>,
) -> Result<QueryOutput, QueryError> {
    let target = Target::load(running, table, "OPTIMIZE")?;
    let candidates = candidates(running, table, &target, filter).await?;
    let visible = target.visible(running, SnapshotFiles::default())?;
    let state = planning::session(&visible, running.context)?;
    let store = |bucket: &str| {
        let url = ObjectStoreUrl::parse(format!("s3://{bucket}"))?;
        state.runtime_env().object_store(url)
    };
    let deleted = Deleted::read(store, &candidates.deletes, &candidates.data).await?;
    let metadata = &target.table.metadata;
    let chosen = rewritable(metadata, &candidates, &deleted);
    let nothing = || running.text(&TextRows::none());
    if chosen.is_empty() {
        return nothing();
    }
    let mut change = Change { rewrites: true, ..Change::default() };
    change.removed.extend(chosen.iter().map(|live| live.file.file_path.clone()));
    change.remove_deletes_of_removed(&target.files);
    let files = SnapshotFiles { data: chosen, deletes: target.files.deletes.clone() };
    let rows = query(&table.name, None, |select| {
        let columns = target.columns.iter();
        select.projection.extend(columns.map(|(name, _)| item(column(&table.name, name), name)));
    });
    let state = planning::session(&target.visible(running, files)?, running.context)?;
    let plan = planning::plan(&state, &rows).await?;
    let writer =
        DataWriterPlan::new(&running.lake.store, &target.table, &running.context.query_id)?;
    let kinds = target.columns.iter().map(|(_, kind)| kind.clone()).collect();
    let (added, _) = write::run_as_one(state, plan, writer, kinds).await?;
    change.added = added;
    target.table.commit(running.lake, &change)?;
    let mut output = nothing()?;
    output.written_bytes = write::bytes(&change.added);
    Ok(output)
}

/// The files with rows that the filter lets through: any such row makes a file one.
async fn candidates(
    running: &Running<'_>,
    table: &TableName,
    target: &Target,
    filter: Option<&Expr>,
) -> Result<SnapshotFiles, QueryError> {
    let Some(filter) = filter else { return Ok(target.files.clone()) };
    let paths = query(&table.name, None, |select| {
        let [path, _] = places(&table.name);
        select.projection.push(path);
        select.selection = Some(filter.clone());
    });
    let (state, plan) = super::rows::planned(running, target, &paths).await?;
    let mut stream = planning::frame(state, plan).execute_stream().await?;
    let mut found: HashSet<String> = HashSet::new();
    while let Some(batch) = stream.next().await {
        use datafusion::arrow::array::AsArray;
        for path in batch?.column(0).as_string::<i32>().iter().flatten() {
            if !found.contains(path) {
                found.insert(path.to_owned());
            }
        }
    }
    let mut files = target.files.clone();
    files.data.retain(|live| found.contains(&live.file.file_path));
    Ok(files)
}
