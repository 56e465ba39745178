//! Parquet files under a Hive table: columns by name in lower case, with the types the
//! table declares, row groups pruned by their statistics.
#![expect(clippy::match_same_arms, reason = "one arm a line of the user guide's tables")]

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::object_store::ObjectMeta;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, Column, Literal};
use datafusion::physical_expr_adapter::{PhysicalExprAdapter, PhysicalExprAdapterFactory};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;

use super::milliseconds::{Milliseconds, are_rounded};
use super::provider::FileToScan;
use super::{TableDefinition, estimate};
use crate::sql::{Failure, TrinoType};
use crate::store::BucketStore;

/// What to scan.
pub(super) struct Request<'a> {
    pub state: &'a dyn Session,
    pub definition: &'a TableDefinition,
    /// Columns that are the same in all rows of a file.
    pub constants: Vec<FieldRef>,
    pub files: Vec<FileToScan>,
    pub projection: Option<&'a Vec<usize>>,
    pub filters: &'a [Expr],
    pub limit: Option<usize>,
}

pub(super) fn plan(request: &Request<'_>) -> Result<Arc<dyn ExecutionPlan>> {
    let mut buckets: Vec<(&str, Vec<&FileToScan>)> = Vec::new();
    for file in &request.files {
        let bucket = file.file.url.bucket();
        match buckets.iter_mut().find(|(name, _)| *name == bucket) {
            Some((_, files)) => files.push(file),
            None => buckets.push((bucket, vec![file])),
        }
    }
    let mut plans = buckets
        .into_iter()
        .map(|(bucket, files)| scan(request, bucket, &files))
        .collect::<Result<Vec<_>>>()?;
    match plans.len() {
        1 => Ok(plans.remove(0)),
        _ => UnionExec::try_new(plans),
    }
}

fn scan(
    request: &Request<'_>,
    bucket: &str,
    files: &[&FileToScan],
) -> Result<Arc<dyn ExecutionPlan>> {
    let file_schema: SchemaRef = Arc::new(Schema::new(request.definition.fields()));
    let table_schema = TableSchema::builder(file_schema)
        .with_table_partition_cols(request.constants.clone())
        .build();
    let mut source = ParquetSource::new(table_schema.clone())
        .with_table_parquet_options(request.state.default_table_options().parquet);
    if let Some(condition) = conjunction(request.filters.iter().cloned()) {
        let schema = DFSchema::try_from(table_schema.table_schema().as_ref().clone())?;
        source = source.with_predicate(request.state.create_physical_expr(condition, &schema)?);
    }
    let place = match files {
        [only] => only.file.url.to_string(),
        _ => request.definition.location.as_ref().map(ToString::to_string).unwrap_or_default(),
    };
    let adapter =
        ByName { columns: request.definition.columns.clone().into(), place: place.into() };
    let all = table_schema.table_schema();
    let expected = estimate::of(files, request.definition.format, all, all);
    let url = ObjectStoreUrl::parse(format!("s3://{bucket}"))?;
    let config = FileScanConfigBuilder::new(url, Arc::new(source))
        .with_file_groups(groups(files, request.state.config().target_partitions()))
        .with_projection_indices(request.projection.cloned())?
        .with_limit(request.limit)
        .with_statistics(expected)
        .with_expr_adapter(Some(Arc::new(adapter)))
        .build();
    Ok(DataSourceExec::from_data_source(config))
}

/// Files in as many groups as run side by side, each new one to the lightest group.
fn groups(files: &[&FileToScan], count: usize) -> Vec<FileGroup> {
    let mut groups: Vec<(u64, Vec<PartitionedFile>)> =
        vec![(0, Vec::new()); count.clamp(1, files.len().max(1))];
    for file in files {
        let lightest =
            groups.iter_mut().min_by_key(|(weight, _)| *weight).expect("there is a group");
        lightest.0 += file.file.size;
        let meta = ObjectMeta {
            location: BucketStore::path(file.file.url.key()),
            // Nothing asks for it: a blob never changes.
            last_modified: chrono::DateTime::default(),
            size: file.file.size,
            e_tag: None,
            version: None,
        };
        lightest
            .1
            .push(PartitionedFile::new_from_meta(meta).with_partition_values(file.values.clone()));
    }
    groups.into_iter().map(|(_, files)| FileGroup::new(files)).collect()
}

/// Finds a table's columns in a file, whatever the case of their names.
#[derive(Debug, Clone)]
struct ByName {
    columns: Arc<[(String, TrinoType)]>,
    /// The file, or the folder when there are several.
    place: Arc<str>,
}

impl PhysicalExprAdapterFactory for ByName {
    fn create(&self, _: SchemaRef, physical: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        Ok(Arc::new(ByNameIn { by_name: self.clone(), physical }))
    }
}

#[derive(Debug)]
struct ByNameIn {
    by_name: ByName,
    physical: SchemaRef,
}

impl PhysicalExprAdapter for ByNameIn {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        expr.transform(|node| match node.downcast_ref::<Column>() {
            Some(column) => Ok(Transformed::yes(self.column(column)?)),
            None => Ok(Transformed::no(node)),
        })
        .data()
    }
}

impl ByNameIn {
    fn column(&self, column: &Column) -> Result<Arc<dyn PhysicalExpr>> {
        let Some((name, kind)) =
            self.by_name.columns.iter().find(|(name, _)| name == column.name())
        else {
            return Ok(Arc::new(column.clone()));
        };
        let declared = kind.to_arrow();
        let fields = self.physical.fields().iter().enumerate();
        let Some((at, field)) =
            fields.clone().find(|(_, field)| field.name().to_lowercase() == *name)
        else {
            return Ok(Arc::new(Literal::new(ScalarValue::try_from(&declared)?)));
        };
        let found: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), at));
        if *field.data_type() == declared {
            return Ok(found);
        }
        if !is_compatible(field.data_type(), kind) {
            return Err(Failure::new(
                "HIVE_BAD_DATA",
                format!(
                    "Field {name}'s type {} in parquet file {} is incompatible with type {} defined in table schema",
                    physical_name(field.data_type()),
                    self.by_name.place,
                    declared_name(kind),
                ),
            )
            .into());
        }
        if are_rounded(field.data_type(), &declared) {
            return Ok(Arc::new(Milliseconds { of: found }));
        }
        Ok(Arc::new(CastExpr::new(found, declared, None)))
    }
}

fn declared_name(kind: &TrinoType) -> String {
    match kind {
        TrinoType::Timestamp(_) => "timestamp".to_owned(),
        other => other.to_string(),
    }
}

/// Whether Athena's reader takes a file's column for a declared type.
fn is_compatible(found: &DataType, declared: &TrinoType) -> bool {
    use TrinoType::{
        Bigint, Date, Decimal, Double, Integer, Real, Smallint, Timestamp, Tinyint, Varbinary,
        Varchar,
    };
    match (found, declared) {
        (
            DataType::Int8
            | DataType::UInt8
            | DataType::Int16
            | DataType::UInt16
            | DataType::Int32
            | DataType::UInt32
            | DataType::UInt64,
            Bigint,
        )
        | (
            DataType::Int8 | DataType::UInt8 | DataType::Int16 | DataType::UInt16 | DataType::Int32,
            Integer,
        )
        | (DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::Int32, Smallint)
        | (DataType::Int8 | DataType::Int32, Tinyint)
        | (DataType::Null, Tinyint | Smallint | Integer | Bigint)
        | (DataType::Float32, Real | Double)
        | (DataType::Timestamp(..), Timestamp(_))
        | (DataType::Date32 | DataType::Date64, Date)
        | (
            DataType::Decimal128(..)
            | DataType::Decimal256(..)
            | DataType::Decimal32(..)
            | DataType::Decimal64(..),
            Decimal(..),
        ) => true,
        (
            DataType::Utf8
            | DataType::LargeUtf8
            | DataType::Utf8View
            | DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView,
            Varchar(_) | TrinoType::Char(_) | Varbinary,
        ) => true,
        (DataType::FixedSizeBinary(_), Varbinary) => true,
        (DataType::Dictionary(_, value), declared) => is_compatible(value, declared),
        (
            DataType::List(_) | DataType::LargeList(_) | DataType::Map(..) | DataType::Struct(_),
            TrinoType::Array(_) | TrinoType::Map(..) | TrinoType::Row(_),
        ) => datafusion::arrow::compute::can_cast_types(found, &declared.to_arrow()),
        _ => *found == declared.to_arrow(),
    }
}

/// Parquet's name of the type a column is stored with.
fn physical_name(found: &DataType) -> &'static str {
    match found {
        DataType::Boolean => "BOOLEAN",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Int64 | DataType::UInt64 | DataType::Timestamp(..) | DataType::Time64(_) => {
            "INT64"
        }
        DataType::Decimal128(..) | DataType::FixedSizeBinary(_) | DataType::Decimal256(..) => {
            "FIXED_LEN_BYTE_ARRAY"
        }
        DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView => "BINARY",
        DataType::List(_) | DataType::LargeList(_) => "LIST",
        DataType::Map(..) => "MAP",
        DataType::Struct(_) => "GROUP",
        _ => "INT32",
    }
}
