//! Writing a table: rows dealt to the files of their partitions.
//!
//! Several writers may work on one table side by side, one for each stream of the
//! plan; they share the count of open partitions. A file is an object once it is
//! whole, and stays when the statement fails later, as on Athena.

mod avro;
mod columns;
mod deal;
mod file;
mod orc;
mod text;

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;

use super::partitions::NULL_FOLDER;
use crate::S3Url;
use crate::sql::Failure;
use crate::store::Store;

pub(crate) use columns::check_columns;
use deal::dealt;
use file::FileWriter;
pub(in crate::tables) use file::parquet_properties;
pub(crate) use file::{Compression, FileFormat};

/// Most partitions a statement may write. Source: user guide, ctas-considerations.md.
pub(crate) const OPEN_PARTITIONS: usize = 100;
/// Bytes all open files of one writer may hold in memory.
const BUFFERED: usize = 96 * 1024 * 1024;

/// What is written where, shared by the writers of one statement.
pub(crate) struct WriterPlan {
    store: Store,
    folder: S3Url,
    query_id: String,
    format: FileFormat,
    compression: Compression,
    /// The columns in the files.
    schema: SchemaRef,
    /// Columns after them that are in the folders' names.
    keys: Vec<String>,
    partitions: Mutex<BTreeSet<Vec<Option<String>>>>,
}

/// What one writer has written.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub files: Vec<String>,
    pub rows: u64,
    pub bytes: u64,
}

impl WriterPlan {
    /// `schema` has the partition keys last.
    pub fn new(
        store: Store,
        folder: &S3Url,
        query_id: &str,
        format: FileFormat,
        compression: Compression,
        schema: &Schema,
        keys: usize,
    ) -> Self {
        let data = schema.fields().len() - keys;
        Self {
            store,
            folder: folder.folder(),
            query_id: query_id.to_owned(),
            format,
            compression,
            schema: Arc::new(Schema::new(
                schema.fields()[..data]
                    .iter()
                    .map(|field| field.as_ref().clone().with_metadata(HashMap::new()))
                    .collect::<Vec<_>>(),
            )),
            keys: schema.fields()[data..].iter().map(|field| field.name().clone()).collect(),
            partitions: Mutex::default(),
        }
    }

    /// The values of the partitions written to, as texts; `None` is NULL.
    pub fn partitions(&self) -> Vec<Vec<Option<String>>> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// The folder of a partition.
    pub fn partition_folder(&self, values: &[Option<String>]) -> S3Url {
        let mut key = self.folder.key().to_owned();
        for (name, value) in self.keys.iter().zip(values) {
            key.push_str(name);
            key.push('=');
            push_escaped(value.as_deref().unwrap_or(NULL_FOLDER), &mut key);
            key.push('/');
        }
        S3Url::new(self.folder.bucket(), key)
    }

    fn open(&self, values: &[Option<String>]) -> Result<S3Url, Failure> {
        let mut partitions = self.partitions.lock().unwrap_or_else(PoisonError::into_inner);
        if !partitions.contains(values) {
            if partitions.len() >= OPEN_PARTITIONS {
                return Err(Failure::new(
                    "HIVE_TOO_MANY_OPEN_PARTITIONS",
                    format!(
                        "Exceeded limit of {OPEN_PARTITIONS} open writers for partitions/buckets"
                    ),
                ));
            }
            partitions.insert(values.to_vec());
        }
        let name = format!(
            "{}_{}{}",
            self.query_id,
            uuid::Uuid::new_v4().simple(),
            self.format.suffix(self.compression)
        );
        Ok(self.partition_folder(values).join(&name))
    }
}

/// Hive escapes what a path or an object's name cannot bear.
fn push_escaped(text: &str, out: &mut String) {
    for c in text.chars() {
        let special = c.is_control() || "\"#%'*/:=?\\{[]^".contains(c);
        if special {
            let _ = write!(out, "%{:02X}", u32::from(c));
        } else {
            out.push(c);
        }
    }
}

/// Writes one stream of batches.
pub(crate) struct TableWriter {
    plan: Arc<WriterPlan>,
    open: Vec<(Vec<Option<String>>, FileWriter)>,
    places: HashMap<Vec<Option<String>>, usize>,
    written: Written,
}

impl TableWriter {
    pub fn new(plan: Arc<WriterPlan>) -> Self {
        Self { plan, open: Vec::new(), places: HashMap::new(), written: Written::default() }
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.written.rows += batch.num_rows() as u64;
        let data = self.plan.schema.fields().len();
        let columns: Vec<ArrayRef> = batch.columns()[..data].to_vec();
        let rows = RecordBatch::try_new_with_options(
            self.plan.schema.clone(),
            columns,
            &datafusion::arrow::record_batch::RecordBatchOptions::new()
                .with_row_count(Some(batch.num_rows())),
        )?;
        for (values, share) in dealt(&batch.columns()[data..], batch.num_rows())? {
            let place = self.place(values)?;
            self.open[place].1.write(&share.of(&rows)?)?;
        }
        self.relieve()
    }

    fn place(&mut self, values: Vec<Option<String>>) -> Result<usize> {
        if let Some(place) = self.places.get(&values) {
            return Ok(*place);
        }
        let url = self.plan.open(&values)?;
        let file = FileWriter::open(
            &self.plan.store,
            url,
            self.plan.format,
            self.plan.compression,
            &self.plan.schema,
        )?;
        self.places.insert(values.clone(), self.open.len());
        self.open.push((values, file));
        Ok(self.open.len() - 1)
    }

    /// Ends row groups, the largest first, until what is buffered is within bounds.
    fn relieve(&mut self) -> Result<()> {
        while self.open.iter().map(|(_, file)| file.buffered()).sum::<usize>() > BUFFERED {
            let Some((_, largest)) = self.open.iter_mut().max_by_key(|(_, file)| file.buffered())
            else {
                return Ok(());
            };
            largest.flush()?;
        }
        Ok(())
    }

    /// Closes the files, which makes them objects.
    pub fn finish(mut self) -> Result<Written> {
        for (_, file) in self.open.drain(..) {
            let (url, bytes) = file.finish()?;
            self.written.files.push(url);
            self.written.bytes += bytes;
        }
        Ok(self.written)
    }
}
