//! `UNLOAD (query) TO 's3://…'`: files without a table.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::sql::sqlparser::ast::Query;

use super::query::Running;
use super::statement::Properties;
use super::write::{self, Target};
use super::{planning, properties};
use crate::S3Url;
use crate::sql::{ColumnInfo, Failure, QueryError, QueryOutput, TrinoType, write_metadata};
use crate::tables::{WriterPlan, check_columns, is_empty};

pub(super) async fn run(
    running: &Running<'_>,
    query: &Query,
    location: &str,
    given: &Properties,
) -> Result<QueryOutput, QueryError> {
    let context = running.context;
    let store = &running.lake.store;
    let properties = properties::read(given, true)?;
    let folder: S3Url = location.parse().map_err(|error| {
        Failure::new("INVALID_TABLE_PROPERTY", format!("UNLOAD location: {error}"))
    })?;
    let folder = folder.folder();
    if !is_empty(store, &folder)? {
        return Err(Failure::new(
            "HIVE_PATH_ALREADY_EXISTS",
            format!(
                "Target directory for table already exists: {}",
                folder.to_string().trim_end_matches('/')
            ),
        )
        .into());
    }
    let state = planning::session(&running.visible(), context)?;
    let plan = planning::plan(&state, query).await?;
    let names = planning::shown_names(&plan);
    let columns: Vec<(String, TrinoType)> = names
        .into_iter()
        .zip(plan.schema().fields())
        .map(|(name, field)| (name, TrinoType::of_field(field)))
        .collect();
    write::check_types(&columns)?;
    let keys = properties.partitioned_by.len();
    let last = columns[columns.len().saturating_sub(keys)..].iter().map(|(name, _)| name);
    if keys > 0 && !last.eq(properties.partitioned_by.iter()) {
        return Err(Failure::new(
            "HIVE_COLUMN_ORDER_MISMATCH",
            format!(
                "Partition keys must be the last columns in the table and in the same order as the table properties: [{}]",
                properties.partitioned_by.join(", ")
            ),
        )
        .into());
    }
    check_columns(properties.format, &columns[..columns.len().saturating_sub(keys)])?;
    let schema = Schema::new(
        columns.iter().map(|(name, kind)| crate::sql::field_of(name, kind)).collect::<Vec<_>>(),
    );
    let writer = Arc::new(WriterPlan::new(
        store.clone(),
        &folder,
        &context.query_id,
        properties.format,
        properties.compression,
        &schema,
        keys,
    ));
    let kinds = columns.into_iter().map(|(_, kind)| kind).collect();
    let written = write::run(state, plan, Target { plan: writer, columns: kinds }).await.map_err(
        |error| QueryError::from(error).with_orphans(folder.to_string().trim_end_matches('/')),
    )?;
    let manifest = write::manifest(running, &written.files)?;
    let place = context.output_location.join(&context.query_id);
    write_metadata(store, &place, &ColumnInfo::rows())?;
    let mut output = running.output(place.to_string(), ColumnInfo::rows());
    output.manifest = Some(manifest);
    output.update_count = Some(written.rows);
    output.written_bytes = written.bytes;
    Ok(output)
}
