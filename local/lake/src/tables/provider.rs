//! A Hive table as DataFusion scans it.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::file_scan::FileScan;
use super::partitions::Candidate;

use super::{
    DataFile, Format, Scanned, TableDefinition, data_files, parquet_scan, partitions, projection,
};
use crate::Lake;
use crate::sql::Failure;

/// The hidden column with the URL of a row's file.
pub(crate) const PATH_COLUMN: &str = "$path";

pub(crate) struct HiveTable {
    pub lake: Lake,
    pub definition: TableDefinition,
    pub scanned: Scanned,
    schema: SchemaRef,
    /// Whether the statement asks for [`PATH_COLUMN`].
    with_path: bool,
}

/// A file with the values of the columns that are the same in all of its rows.
#[derive(Clone, Debug)]
pub(super) struct FileToScan {
    pub file: DataFile,
    pub values: Vec<ScalarValue>,
}

impl HiveTable {
    pub fn new(lake: Lake, definition: TableDefinition, scanned: Scanned, with_path: bool) -> Self {
        let mut fields = [definition.fields(), definition.partition_fields()].concat();
        if with_path {
            fields.push(Arc::new(Field::new(PATH_COLUMN, DataType::Utf8, true)));
        }
        Self { lake, definition, scanned, schema: Arc::new(Schema::new(fields)), with_path }
    }

    fn files(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<FileToScan>> {
        let mut found = Vec::new();
        let store = &self.lake.store;
        if self.definition.partition_keys.is_empty() {
            let Some(location) = &self.definition.location else { return Ok(found) };
            for file in data_files(store, location)? {
                found.push(self.file(file, Vec::new()));
            }
            return Ok(found);
        }
        let definition = &self.definition;
        let all = if projection::is_enabled(definition) {
            projection::partitions(state, definition, filters)?
        } else {
            self.lake
                .catalog
                .partitions(&definition.database, &definition.name, None)
                .map_err(|error| Failure::new("HIVE_METASTORE_ERROR", error.to_string()))?
                .iter()
                .map(|partition| Candidate::of(partition, definition))
                .collect::<Result<_, _>>()?
        };
        for chosen in partitions::choose(state, definition, all, filters)? {
            let Some(location) = &chosen.candidate.location else { continue };
            for file in data_files(store, location)? {
                found.push(self.file(file, chosen.values.clone()));
            }
        }
        Ok(found)
    }

    fn file(&self, file: DataFile, mut values: Vec<ScalarValue>) -> FileToScan {
        if self.with_path {
            values.push(ScalarValue::Utf8(Some(file.url.to_string())));
        }
        FileToScan { file, values }
    }
}

impl std::fmt::Debug for HiveTable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "HiveTable({})", self.definition.full_name())
    }
}

#[async_trait]
impl TableProvider for HiveTable {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let keys = Schema::new(self.definition.partition_fields());
        Ok(filters
            .iter()
            .map(|filter| {
                if partitions::is_about(filter, &keys) {
                    TableProviderFilterPushDown::Exact
                } else if self.definition.format == Format::Parquet {
                    TableProviderFilterPushDown::Inexact
                } else {
                    TableProviderFilterPushDown::Unsupported
                }
            })
            .collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.files(state, filters)?;
        if files.is_empty() {
            let schema = match projection {
                Some(projection) => Arc::new(self.schema.project(projection)?),
                None => self.schema.clone(),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let constants = self.schema.fields()[self.definition.columns.len()..].to_vec();
        if self.definition.format == Format::Parquet {
            return parquet_scan::plan(&parquet_scan::Request {
                state,
                definition: &self.definition,
                constants,
                files,
                projection,
                filters,
                limit,
            });
        }
        let partitions = state.config().target_partitions();
        Ok(Arc::new(FileScan::new(self, constants, files, projection, limit, partitions)?))
    }
}
