//! A query's rows as one Parquet file: what `UNLOAD` writes, gathered.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use aws::lake::Store;
use aws::lake::sql::{TrinoType, field_of};
use aws::lake::store::{ListQuery, WriteCondition};
use datafusion::arrow::datatypes::Schema;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::ArrowWriterOptions;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::column::writer::ColumnCloseResult;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::parquet::file::reader::{FileReader as _, SerializedFileReader};
use datafusion::parquet::file::writer::SerializedFileWriter;

use crate::cloud::Cloud;
use crate::query;

use super::file::replace;

/// Keys listed at once.
const PAGE: usize = 1_000;
/// Bytes copied at once.
const PIECE: u64 = 4 * 1024 * 1024;

/// A folder of the local S3 for the files of one `UNLOAD`.
pub struct Folder {
    bucket: String,
    prefix: String,
}

impl Folder {
    pub async fn new(cloud: &Cloud) -> anyhow::Result<Self> {
        let bucket = query::results_bucket(cloud).await?;
        Ok(Self { bucket, prefix: format!("parquet/{}/", uuid::Uuid::new_v4().simple()) })
    }

    /// The statement's rows, into this folder. It begins on a line of its own, and its last comment ends.
    pub fn unload(&self, statement: &str) -> String {
        let Self { bucket, prefix } = self;
        format!(
            "UNLOAD (\n{statement}\n) TO 's3://{bucket}/{prefix}' WITH (format = 'PARQUET', compression = 'ZSTD')"
        )
    }

    /// Makes one file of what is here. False where nothing is, because there were no rows.
    pub fn gather(&self, store: &Store, path: &Path) -> anyhow::Result<bool> {
        let keys = self.keys(store)?;
        let files = keys.iter().map(|key| copied(store, &self.bucket, key));
        let files = files.collect::<anyhow::Result<Vec<File>>>()?;
        if files.is_empty() {
            return Ok(false);
        }
        replace(path, |out| joined(files, out))?;
        Ok(true)
    }

    /// Takes the files away.
    pub fn clear(&self, store: &Store) -> anyhow::Result<()> {
        for key in self.keys(store)? {
            store.delete(&self.bucket, &key, None, &WriteCondition::default())?;
        }
        Ok(())
    }

    fn keys(&self, store: &Store) -> anyhow::Result<Vec<String>> {
        let mut keys: Vec<String> = Vec::new();
        loop {
            let after = keys.last().cloned();
            let after = after.as_deref();
            let query = ListQuery { prefix: &self.prefix, delimiter: None, after, max: PAGE };
            let listed = store.list(&self.bucket, query)?;
            keys.extend(listed.objects.into_iter().map(|object| object.key));
            if listed.next.is_none() {
                return Ok(keys);
            }
        }
    }
}

fn copied(store: &Store, bucket: &str, key: &str) -> anyhow::Result<File> {
    let (object, mut reader) = store.get(bucket, key, None)?;
    let mut file = tempfile::tempfile()?;
    let mut at = 0;
    while at < object.size {
        let end = object.size.min(at + PIECE);
        file.write_all(&reader.read(at..end)?)?;
        at = end;
    }
    file.rewind()?;
    Ok(file)
}

/// Row groups of all files, as they are.
fn joined(mut files: Vec<File>, out: &mut File) -> anyhow::Result<()> {
    if let [file] = files.as_mut_slice() {
        io::copy(file, out)?;
        return Ok(());
    }
    let readers = files
        .iter()
        .map(|file| SerializedFileReader::new(file.try_clone()?).map_err(anyhow::Error::from))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let schema = readers[0].metadata().file_metadata().schema_descr().root_schema_ptr();
    let mut writer = SerializedFileWriter::new(out, schema, Arc::default())?;
    for (reader, file) in readers.iter().zip(&files) {
        for group in reader.metadata().row_groups() {
            let mut written = writer.next_row_group()?;
            let rows_written = u64::try_from(group.num_rows())?;
            for column in group.columns() {
                let closed = ColumnCloseResult {
                    bytes_written: u64::try_from(column.compressed_size())?,
                    rows_written,
                    metadata: column.clone(),
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                };
                written.append_column(file, closed)?;
            }
            written.close()?;
        }
    }
    writer.close()?;
    Ok(())
}

/// A file of these columns, each with its type's name, without rows.
pub fn write_empty(path: &Path, columns: &[(String, String)]) -> anyhow::Result<()> {
    let mut fields = Vec::new();
    for (name, kind) in columns {
        let Some(kind) = TrinoType::parse(kind) else {
            bail!(
                "there are no rows, and without them it is not known what the {kind} of column {name} holds: no file is written"
            );
        };
        fields.push(field_of(name, &kind));
    }
    let properties =
        WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
    let options = ArrowWriterOptions::new()
        .with_properties(properties.build())
        .with_skip_arrow_metadata(true);
    let schema = Arc::new(Schema::new(fields));
    replace(path, |out| {
        ArrowWriter::try_new_with_options(out, schema, options)?
            .close()
            .context("a Parquet file")?;
        Ok(())
    })
}
