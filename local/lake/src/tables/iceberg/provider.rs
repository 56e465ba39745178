//! An Iceberg table at a snapshot, as DataFusion scans it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{
    DataType, Field as ArrowField, Schema as ArrowSchema, SchemaRef,
};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::object_store::ObjectStore;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use iceberg::{Schema, Snapshot};

use super::deletes::Deleted;
use super::pruning::pruned;
use super::scan::{IcebergScan, ScanColumn, Task};
use super::snapshot_files::{LiveFile, SnapshotFiles};
use super::table::{IcebergTable, typed};
use crate::sql::{Failure, field_of};
use crate::store::Store;
use crate::tables::PATH_COLUMN;

/// The hidden column with the place of a row in its file, for statements that change rows.
pub(crate) const POSITION_COLUMN: &str = "$pos";

/// The rows of a table at a snapshot.
#[derive(Debug)]
pub(crate) struct IcebergRows {
    store: Files,
    full_name: String,
    /// The ids of columns of files that have none, by their names.
    names: Arc<BTreeMap<String, i32>>,
    columns: Schema,
    snapshot: Option<Snapshot>,
    /// Files to read instead of all of the snapshot's.
    only: Option<SnapshotFiles>,
    schema: SchemaRef,
    hidden: Vec<ScanColumn>,
}

/// Where the manifests are read.
struct Files(Store);

impl std::fmt::Debug for Files {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Files")
    }
}

impl IcebergRows {
    /// The rows as they are now.
    pub fn current(store: &Store, table: &IcebergTable) -> Result<Self, Failure> {
        let snapshot = table.metadata.current_snapshot().cloned();
        Self::new(store, table, table.metadata.current_schema().clone(), snapshot)
    }

    /// The rows of a snapshot, with the columns of its time.
    pub fn at(store: &Store, table: &IcebergTable, snapshot: &Snapshot) -> Result<Self, Failure> {
        Self::new(store, table, table.schema_of(snapshot).clone(), Some(snapshot.clone()))
    }

    fn new(
        store: &Store,
        table: &IcebergTable,
        columns: Schema,
        snapshot: Option<Snapshot>,
    ) -> Result<Self, Failure> {
        let kinds = typed(&columns.fields)?;
        let fields: Vec<_> = kinds.iter().map(|(name, kind)| field_of(name, kind)).collect();
        Ok(Self {
            store: Files(store.clone()),
            full_name: table.full_name(),
            names: Arc::new(table.metadata.names_of_columns()),
            columns,
            snapshot,
            only: None,
            schema: Arc::new(ArrowSchema::new(fields)),
            hidden: Vec::new(),
        })
    }

    /// Also the path of each row's file.
    #[must_use]
    pub fn with_path(self) -> Self {
        self.with(PATH_COLUMN, DataType::Utf8, ScanColumn::Path)
    }

    /// Also where each row is.
    #[must_use]
    pub fn with_places(self) -> Self {
        self.with_path().with(POSITION_COLUMN, DataType::Int64, ScanColumn::Position)
    }

    /// The rows of these files alone.
    #[must_use]
    pub fn of_files(self, files: SnapshotFiles) -> Self {
        Self { only: Some(files), ..self }
    }

    fn with(mut self, name: &str, kind: DataType, column: ScanColumn) -> Self {
        let mut fields = self.schema.fields().to_vec();
        fields.push(Arc::new(ArrowField::new(name, kind, true)));
        self.schema = Arc::new(ArrowSchema::new(fields));
        self.hidden.push(column);
        self
    }

    async fn tasks(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<Task>> {
        let files = match &self.only {
            Some(files) => files.clone(),
            None => SnapshotFiles::of(&self.store.0, self.snapshot.as_ref())?,
        };
        let data = pruned(state, &self.columns, &self.schema, files.data, filters)?;
        let store = |bucket: &str| -> Result<Arc<dyn ObjectStore>> {
            state.runtime_env().object_store(ObjectStoreUrl::parse(format!("s3://{bucket}"))?)
        };
        let deleted = Deleted::read(store, &files.deletes, &data).await?;
        let task = |live: LiveFile| Task {
            deleted: deleted.of(&live.file.file_path).into(),
            file: live.file,
        };
        Ok(data.into_iter().map(task).collect())
    }
}

#[async_trait]
impl TableProvider for IcebergRows {
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
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (schema, wanted) = match projection {
            Some(places) => (Arc::new(self.schema.project(places)?), places.clone()),
            None => (self.schema.clone(), (0..self.schema.fields().len()).collect()),
        };
        let tasks = self.tasks(state, filters).await?;
        if tasks.is_empty() {
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let known = self.columns.fields.len();
        let columns = wanted.into_iter().map(|place| match self.columns.fields.get(place) {
            Some(field) => ScanColumn::Field(field.clone()),
            None => self.hidden[place - known].clone(),
        });
        let streams = state.config().target_partitions();
        let name = self.full_name.clone();
        let scan = IcebergScan::new(name, tasks, columns.collect(), schema, streams, limit);
        Ok(Arc::new(scan.with_names(self.names.clone())))
    }
}
