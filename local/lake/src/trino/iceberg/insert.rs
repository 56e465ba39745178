//! `INSERT INTO` an Iceberg table: files, then one commit.

use datafusion::sql::sqlparser::ast::Query;

use super::write;
use crate::catalog::Table;
use crate::sql::{QueryError, QueryOutput};
use crate::tables::iceberg::{Change, DataWriterPlan, IcebergTable};
use crate::trino::insert::placed;
use crate::trino::planning;
use crate::trino::query::Running;

pub(in crate::trino) async fn run(
    running: &Running<'_>,
    entry: &Table,
    columns: &[String],
    query: &Query,
) -> Result<QueryOutput, QueryError> {
    let lake = running.lake;
    let table = IcebergTable::load(&lake.store, entry)?;
    let writer = DataWriterPlan::new(&lake.store, &table, &running.context.query_id)?;
    let state = planning::session(&running.visible(), running.context)?;
    let plan = planning::plan(&state, query).await?;
    let wanted = table.columns()?;
    let plan = placed(plan, columns, &wanted)?;
    let kinds = wanted.into_iter().map(|(_, kind)| kind).collect();
    let (added, rows) = write::run(state, plan, writer, kinds).await?;
    let bytes = write::bytes(&added);
    let change = Change { added, ..Change::default() };
    if !change.is_empty() {
        table.commit(lake, &change)?;
    }
    write::finished(running, "", rows, bytes)
}
