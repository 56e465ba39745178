//! Writing rows into data files, dealt by partition.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int32Type, Int64Type, Schema,
    SchemaRef, Time64MicrosecondType, TimestampMicrosecondType,
};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::ArrowWriterOptions;
use datafusion::parquet::file::metadata::RowGroupMetaData;
use iceberg::{DataFile, PartitionSpec, Primitive, Type, Value};

use super::arrays::{file_field, to_file};
use super::metrics::metrics;
use super::table::{IcebergTable, damaged, parsed};
use super::{compression_of, properties};
use crate::S3Url;
use crate::sql::Failure;
use crate::store::{BlobWriter, PutOptions, Store};
use crate::tables::writer::parquet_properties;
use crate::tables::{Compression, OPEN_PARTITIONS};

/// Bytes all open files of one writer may hold in memory.
const BUFFERED: usize = 96 * 1024 * 1024;

/// What is written where, shared by the writers of one statement.
pub(crate) struct DataWriterPlan {
    store: Store,
    table: IcebergTable,
    query_id: String,
    /// The folder of data files.
    folder: S3Url,
    compression: Compression,
    /// The columns in the files.
    schema: SchemaRef,
    /// The types of the columns that partitions are made of.
    sources: Vec<Primitive>,
    /// Partitions that files are open for.
    partitions: Mutex<HashSet<Vec<Option<Value>>>>,
}

impl DataWriterPlan {
    pub fn new(store: &Store, table: &IcebergTable, query_id: &str) -> Result<Self, Failure> {
        table.check_writable()?;
        properties::check_format(&table.metadata.properties)?;
        let schema = table.metadata.current_schema();
        let spec = table.metadata.default_spec();
        let folder = match table.metadata.properties.get("write.data.path") {
            Some(path) => parsed(path)?.folder(),
            None => table.folder()?.join("data/"),
        };
        Ok(Self {
            store: store.clone(),
            query_id: query_id.to_owned(),
            folder,
            compression: compression_of(&table.metadata.properties)?,
            schema: Arc::new(Schema::new(schema.fields.iter().map(file_field).collect::<Vec<_>>())),
            sources: spec
                .sources(schema)
                .map_err(|error| damaged(&table.metadata_location, &error))?,
            partitions: Mutex::default(),
            table: table.clone(),
        })
    }

    /// A new file's URL in a partition.
    pub(super) fn place(
        &self,
        spec: &PartitionSpec,
        partition: &[Option<Value>],
    ) -> Result<S3Url, Failure> {
        let name = format!("{}_{}.parquet", self.query_id, uuid::Uuid::new_v4());
        if spec.is_unpartitioned() {
            return Ok(self.folder.join(&name));
        }
        // A dropped column's partitions have no types any more.
        let metadata = &self.table.metadata;
        let schema = metadata.schemas.iter().rev().find(|schema| spec.sources(schema).is_ok());
        let sources = schema.map(|schema| spec.sources(schema)).transpose();
        let sources = sources.map_err(|error| damaged(&self.table.metadata_location, &error))?;
        let folder = spec.path(partition, &sources.unwrap_or_default());
        Ok(self.folder.join(&format!("{folder}/{name}")))
    }

    fn open(&self, partition: &[Option<Value>]) -> Result<S3Url, Failure> {
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        if !partitions.contains(partition) {
            if partitions.len() >= OPEN_PARTITIONS {
                return Err(Failure::new(
                    "ICEBERG_TOO_MANY_OPEN_PARTITIONS",
                    format!("Exceeded limit of {OPEN_PARTITIONS} open writers for partitions"),
                ));
            }
            partitions.insert(partition.to_vec());
        }
        drop(partitions);
        self.place(self.table.metadata.default_spec(), partition)
    }

    fn fields(&self) -> &[iceberg::Field] {
        &self.table.metadata.current_schema().fields
    }
}

/// One Parquet file while it is written.
pub(super) struct FileWriter {
    store: Store,
    url: S3Url,
    writer: ArrowWriter<BlobWriter>,
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

impl FileWriter {
    pub fn open(plan: &DataWriterPlan, url: S3Url, schema: &SchemaRef) -> Result<Self> {
        plan.store.begin(url.bucket(), url.key()).map_err(external)?;
        let blob = plan.store.blob().map_err(external)?;
        let options = ArrowWriterOptions::new()
            .with_properties(parquet_properties(plan.compression)?)
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(blob, schema.clone(), options)?;
        Ok(Self { store: plan.store.clone(), url, writer })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        Ok(self.writer.write(batch)?)
    }

    /// Makes the file an object: what is known of its row groups, and its bytes.
    pub fn finish(mut self) -> Result<(Vec<RowGroupMetaData>, u64)> {
        self.writer.flush()?;
        let groups = self.writer.flushed_row_groups().to_vec();
        let blob = self.writer.into_inner()?.finish()?;
        let bytes = blob.size();
        self.store
            .put_blob(self.url.bucket(), self.url.key(), blob, PutOptions::default())
            .map_err(external)?;
        Ok((groups, bytes))
    }
}

/// A partition's file with the NaNs in its columns.
struct Open {
    partition: Vec<Option<Value>>,
    file: FileWriter,
    nans: BTreeMap<i32, i64>,
}

/// Writes one stream of batches.
pub(crate) struct DataWriter {
    plan: Arc<DataWriterPlan>,
    open: Vec<Open>,
    places: HashMap<Vec<Option<Value>>, usize>,
    pub rows: u64,
}

impl DataWriter {
    pub fn new(plan: Arc<DataWriterPlan>) -> Self {
        Self { plan, open: Vec::new(), places: HashMap::new(), rows: 0 }
    }

    /// `columns` are those of the table's schema, of the engine's types.
    pub fn write(&mut self, columns: &[ArrayRef], rows: usize) -> Result<()> {
        if rows == 0 {
            return Ok(());
        }
        let plan = self.plan.clone();
        let converted = plan
            .fields()
            .iter()
            .zip(columns)
            .map(|(field, column)| {
                if field.required && column.null_count() > 0 {
                    return Err(Failure::new(
                        "CONSTRAINT_VIOLATION",
                        format!("NULL value not allowed for NOT NULL column: {}", field.name),
                    )
                    .into());
                }
                to_file(column, &field.kind)
            })
            .collect::<Result<Vec<_>>>()?;
        let batch = RecordBatch::try_new(plan.schema.clone(), converted)?;
        for (partition, share) in self.dealt(&batch)? {
            let place = self.place(partition)?;
            let open = &mut self.open[place];
            count_nans(plan.fields(), &share, &mut open.nans);
            open.file.write(&share)?;
        }
        self.rows += rows as u64;
        self.relieve()
    }

    /// The partitions of a batch with their rows.
    fn dealt(&self, batch: &RecordBatch) -> Result<Vec<(Vec<Option<Value>>, RecordBatch)>> {
        let spec = self.plan.table.metadata.default_spec();
        if spec.is_unpartitioned() {
            return Ok(vec![(vec![None; spec.fields.len()], batch.clone())]);
        }
        let sources: Vec<&ArrayRef> = spec
            .fields
            .iter()
            .map(|part| {
                let fields = self.plan.fields();
                fields
                    .iter()
                    .position(|field| field.id == part.source_id)
                    .map(|at| batch.column(at))
                    .ok_or_else(|| {
                        Failure::not_supported(format!(
                            "partitions by parts of columns are not written here: {}",
                            part.name
                        ))
                    })
            })
            .collect::<Result<_, Failure>>()?;
        let mut found: Vec<(Vec<Option<Value>>, Vec<u32>)> = Vec::new();
        let mut places: HashMap<Vec<Option<Value>>, usize> = HashMap::new();
        for row in 0..batch.num_rows() {
            let parts = spec.fields.iter().zip(&sources).zip(&self.plan.sources);
            let key = parts.map(|((part, column), kind)| {
                let value = value_at(column, *kind, row);
                let applied = value.map(|value| part.transform.apply(&value)).transpose();
                applied
                    .map(Option::flatten)
                    .map_err(|error| Failure::not_supported(error.to_string()))
            });
            let key = key.collect::<Result<Vec<_>, Failure>>()?;
            let place = places.get(&key).copied().unwrap_or_else(|| {
                places.insert(key.clone(), found.len());
                found.push((key, Vec::new()));
                found.len() - 1
            });
            found[place].1.push(u32::try_from(row).unwrap_or(u32::MAX));
        }
        if found.len() == 1 {
            let (key, _) = found.remove(0);
            return Ok(vec![(key, batch.clone())]);
        }
        found
            .into_iter()
            .map(|(key, rows)| Ok((key, take_record_batch(batch, &UInt32Array::from(rows))?)))
            .collect()
    }

    fn place(&mut self, partition: Vec<Option<Value>>) -> Result<usize> {
        if let Some(place) = self.places.get(&partition) {
            return Ok(*place);
        }
        let url = self.plan.open(&partition)?;
        let file = FileWriter::open(&self.plan, url, &self.plan.schema)?;
        self.places.insert(partition.clone(), self.open.len());
        self.open.push(Open { partition, file, nans: BTreeMap::new() });
        Ok(self.open.len() - 1)
    }

    /// Ends row groups, the largest first, until what is buffered is within bounds.
    fn relieve(&mut self) -> Result<()> {
        let size = |open: &Open| open.file.writer.memory_size();
        while self.open.iter().map(size).sum::<usize>() > BUFFERED {
            let Some(largest) = self.open.iter_mut().max_by_key(|open| size(open)) else {
                return Ok(());
            };
            largest.file.writer.flush()?;
        }
        Ok(())
    }

    /// Closes the files, which makes them objects.
    pub fn finish(mut self) -> Result<Vec<DataFile>> {
        let kinds: BTreeMap<i32, Primitive> = self
            .plan
            .fields()
            .iter()
            .filter_map(|field| Some((field.id, field.kind.primitive()?)))
            .collect();
        let mut files = Vec::new();
        for open in self.open.drain(..) {
            let url = open.file.url.to_string();
            let (groups, size) = open.file.finish()?;
            files.push(DataFile {
                file_path: url,
                partition: open.partition,
                file_size_in_bytes: i64::try_from(size).unwrap_or(i64::MAX),
                nan_value_counts: open.nans,
                ..metrics(&groups, &kinds)
            });
        }
        Ok(files)
    }
}

fn count_nans(fields: &[iceberg::Field], batch: &RecordBatch, nans: &mut BTreeMap<i32, i64>) {
    for (field, column) in fields.iter().zip(batch.columns()) {
        let count = match &field.kind {
            Type::Primitive(Primitive::Float) => {
                column.as_primitive::<Float32Type>().iter().flatten().filter(|v| v.is_nan()).count()
            }
            Type::Primitive(Primitive::Double) => {
                column.as_primitive::<Float64Type>().iter().flatten().filter(|v| v.is_nan()).count()
            }
            _ => continue,
        };
        *nans.entry(field.id).or_default() += i64::try_from(count).unwrap_or(i64::MAX);
    }
}

/// A value of a column as files have it; `None` is NULL.
fn value_at(column: &ArrayRef, kind: Primitive, row: usize) -> Option<Value> {
    if column.is_null(row) {
        return None;
    }
    Some(match kind {
        Primitive::Boolean => Value::Boolean(column.as_boolean().value(row)),
        Primitive::Int => Value::Int(column.as_primitive::<Int32Type>().value(row)),
        Primitive::Long => Value::Long(column.as_primitive::<Int64Type>().value(row)),
        Primitive::Float => Value::Float(column.as_primitive::<Float32Type>().value(row)),
        Primitive::Double => Value::Double(column.as_primitive::<Float64Type>().value(row)),
        Primitive::Decimal(..) => {
            Value::Decimal(column.as_primitive::<Decimal128Type>().value(row))
        }
        Primitive::Date => Value::Date(column.as_primitive::<Date32Type>().value(row)),
        Primitive::Time => Value::Time(column.as_primitive::<Time64MicrosecondType>().value(row)),
        Primitive::Timestamp | Primitive::Timestamptz => {
            Value::Timestamp(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        Primitive::String => Value::String(column.as_string::<i32>().value(row).to_owned()),
        Primitive::Uuid | Primitive::Fixed(_) | Primitive::Binary => match column.data_type() {
            DataType::FixedSizeBinary(_) => {
                Value::Bytes(column.as_fixed_size_binary().value(row).to_vec())
            }
            _ => Value::Bytes(column.as_binary::<i32>().value(row).to_vec()),
        },
    })
}
