//! `INSERT INTO`: new files beside the old ones, values by position.

use std::sync::Arc;

use datafusion::arrow::datatypes::Schema;
use datafusion::common::Column as PlanColumn;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};
use datafusion::scalar::ScalarValue;
use datafusion::sql::sqlparser::ast::Query;

use super::names::complete;
use super::query::Running;
use super::write::{self, Target};
use super::{create_table_as, iceberg, planning, properties, schemas};
use crate::hive::TableName;
use crate::sql::{ColumnInfo, Failure, QueryError, QueryOutput, TrinoType, write_metadata};
use crate::tables::{Compression, FileFormat, Format, TableDefinition, WriterPlan, check_columns};

pub(super) async fn run(
    running: &Running<'_>,
    table: &TableName,
    columns: &[String],
    query: &Query,
) -> Result<QueryOutput, QueryError> {
    let context = running.context;
    let (database, name) = complete(table, context);
    let lake = running.lake;
    let entry = schemas::to_change(lake, &database, &name)?;
    if entry.is_view() {
        return Err(Failure::not_supported("Inserting into views is not supported").into());
    }
    if entry.is_iceberg() {
        return iceberg::insert(running, &entry, columns, query).await;
    }
    let definition = TableDefinition::of(&entry)?;
    let (format, compression) = file_format(&definition)?;
    check_columns(format, &definition.columns)?;
    let folder = definition.location.clone().ok_or_else(|| {
        Failure::new("HIVE_INVALID_METADATA", format!("Table {database}.{name} has no location"))
    })?;
    let state = planning::session(&running.visible(), context)?;
    let plan = planning::plan(&state, query).await?;
    let wanted: Vec<(String, TrinoType)> =
        definition.columns.iter().chain(&definition.partition_keys).cloned().collect();
    let plan = placed(plan, columns, &wanted)?;
    let schema = Schema::new(
        wanted.iter().map(|(name, kind)| crate::sql::field_of(name, kind)).collect::<Vec<_>>(),
    );
    let writer = Arc::new(WriterPlan::new(
        lake.store.clone(),
        &folder,
        &context.query_id,
        format,
        compression,
        &schema,
        definition.partition_keys.len(),
    ));
    let kinds = wanted.into_iter().map(|(_, kind)| kind).collect();
    let written =
        write::run(state, plan, Target { plan: writer.clone(), columns: kinds }).await.map_err(
            |error| QueryError::from(error).with_orphans(folder.to_string().trim_end_matches('/')),
        )?;
    if !definition.partition_keys.is_empty() {
        let storage = entry.definition.storage_descriptor.clone().unwrap_or_default();
        create_table_as::add_partitions(running, (&database, &name), &storage, &writer)?;
    }
    let manifest = write::manifest(running, &written.files)?;
    let place = context.output_location.join(&context.query_id);
    write_metadata(&lake.store, &place, &ColumnInfo::rows())?;
    let mut output = running.output(place.to_string(), ColumnInfo::rows());
    output.manifest = Some(manifest);
    output.update_count = Some(written.rows);
    output.written_bytes = written.bytes;
    Ok(output)
}

/// What INSERT can add to. Source: user guide, insert-into.md.
fn file_format(definition: &TableDefinition) -> Result<(FileFormat, Compression), Failure> {
    if definition.bucketed {
        return Err(Failure::not_supported(format!(
            "Inserting into bucketed tables is not supported: {}",
            definition.full_name()
        )));
    }
    let parameter = |name: &str| definition.parameters.get(name).map(|value| value.to_uppercase());
    let said = |own: &str| {
        parameter(own)
            .or_else(|| parameter("write.compression"))
            .or_else(|| parameter("compression"))
    };
    let compression = match said("parquet.compression").as_deref() {
        Some("ZSTD") => Compression::Zstd(3),
        Some("SNAPPY") => Compression::Snappy,
        Some("NONE" | "UNCOMPRESSED") => Compression::None,
        _ => Compression::Gzip,
    };
    let packed = |format: FileFormat, own: &str| {
        Ok((format, properties::codec(format, said(own).as_deref(), None)?))
    };
    match definition.format {
        Format::Parquet => Ok((FileFormat::Parquet, compression)),
        Format::Delimited => {
            let delimiter = definition
                .byte("field.delim")
                .or_else(|| definition.byte("serialization.format"))
                .unwrap_or(1);
            Ok((FileFormat::Text { delimiter }, compression))
        }
        Format::HiveJson => Ok((FileFormat::Json, compression)),
        Format::Orc => packed(FileFormat::Orc, "orc.compress"),
        Format::Avro => packed(FileFormat::Avro, "avro.compression"),
        Format::OpenCsv | Format::OpenxJson => Err(Failure::not_supported(format!(
            "Inserting into Hive table {} is not supported: its SerDe is read-only",
            definition.full_name()
        ))),
    }
}

/// The query's columns as the table's, by position, with NULL for those not named.
pub(super) fn placed(
    plan: LogicalPlan,
    named: &[String],
    wanted: &[(String, TrinoType)],
) -> Result<LogicalPlan, QueryError> {
    let given: Vec<(PlanColumn, TrinoType)> = plan
        .schema()
        .iter()
        .map(|(qualifier, field)| {
            (PlanColumn::new(qualifier.cloned(), field.name().clone()), TrinoType::of_field(field))
        })
        .collect();
    let count = if named.is_empty() { wanted.len() } else { named.len() };
    let mismatch = || {
        let shown = |kinds: Vec<String>| kinds.join(", ");
        Failure::type_mismatch(format!(
            "Insert query has mismatched column types: Table: [{}], Query: [{}]",
            shown(wanted.iter().map(|(_, kind)| kind.to_string()).collect()),
            shown(given.iter().map(|(_, kind)| kind.to_string()).collect()),
        ))
    };
    if given.len() != count {
        return Err(mismatch().into());
    }
    for name in named {
        if wanted.iter().all(|(known, _)| known != name) {
            return Err(Failure::new(
                "COLUMN_NOT_FOUND",
                format!("Insert column name does not exist in target table: {name}"),
            )
            .into());
        }
    }
    let mut columns = Vec::with_capacity(wanted.len());
    for (at, (name, kind)) in wanted.iter().enumerate() {
        let source =
            if named.is_empty() { Some(at) } else { named.iter().position(|given| given == name) };
        let expr = match source {
            Some(source) => {
                if !super::functions::coerces(&given[source].1, kind) {
                    return Err(mismatch().into());
                }
                Expr::Column(given[source].0.clone())
            }
            None => lit(ScalarValue::try_from(&kind.to_arrow()).map_err(QueryError::from)?),
        };
        columns.push(expr.alias(format!("$insert{at}")));
    }
    let plan =
        LogicalPlanBuilder::from(plan).project(columns).and_then(LogicalPlanBuilder::build)?;
    Ok(plan)
}
