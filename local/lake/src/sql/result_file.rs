//! The objects a query leaves in its output folder: `<id>.csv`, `<id>.txt`, their
//! `.metadata`, and manifests.

use std::io::Write as _;

use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::record_batch::RecordBatch;

use super::{ColumnInfo, QueryError, TextRows, metadata, write_value};
use crate::S3Url;
use crate::store::{BlobWriter, PutOptions, Store};

/// Text waits in memory up to this many bytes before it goes to the blob.
const BUFFER: usize = 256 * 1024;

/// `<id>.csv` while its rows arrive.
pub(crate) struct CsvResult {
    store: Store,
    place: S3Url,
    blob: BlobWriter,
    buffer: String,
    cell: String,
    columns: Vec<ColumnInfo>,
    pub rows: u64,
}

impl CsvResult {
    pub fn begin(store: &Store, place: S3Url, schema: &Schema) -> Result<Self, QueryError> {
        let columns = ColumnInfo::of_schema(schema);
        let mut buffer = String::new();
        for (at, column) in columns.iter().enumerate() {
            if at > 0 {
                buffer.push(',');
            }
            push_quoted(&column.name, &mut buffer);
        }
        buffer.push('\n');
        let blob = store
            .begin(place.bucket(), place.key())
            .and_then(|()| store.blob())
            .map_err(|error| cannot_write(&place, &error))?;
        Ok(Self {
            store: store.clone(),
            place,
            blob,
            buffer,
            cell: String::new(),
            columns,
            rows: 0,
        })
    }

    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        for row in 0..batch.num_rows() {
            for (at, column) in batch.columns().iter().enumerate() {
                if at > 0 {
                    self.buffer.push(',');
                }
                self.cell.clear();
                if write_value(column.as_ref(), row, &mut self.cell) {
                    push_quoted(&self.cell, &mut self.buffer);
                }
            }
            self.buffer.push('\n');
            self.rows += 1;
            if self.buffer.len() > BUFFER {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), QueryError> {
        let written = self.blob.write_all(self.buffer.as_bytes());
        self.buffer.clear();
        written.map_err(|error| cannot_write(&self.place, &error))
    }

    /// Makes the object and its metadata visible.
    pub fn finish(mut self) -> Result<(Vec<ColumnInfo>, u64), QueryError> {
        self.flush()?;
        let Self { store, place, blob, columns, rows, .. } = self;
        let blob = blob.finish().map_err(|error| cannot_write(&place, &error))?;
        store
            .put_blob(place.bucket(), place.key(), blob, PutOptions::default())
            .map_err(|error| cannot_write(&place, &error))?;
        write_metadata(&store, &place, &columns)?;
        Ok((columns, rows))
    }
}

/// Writes `<id>.txt`: lines without a header.
pub(crate) fn write_text(store: &Store, place: &S3Url, rows: &TextRows) -> Result<(), QueryError> {
    let mut body = rows.lines.join("\n");
    if !rows.lines.is_empty() {
        body.push('\n');
    }
    put(store, place, body.as_bytes())?;
    write_metadata(store, place, &rows.columns)
}

/// Writes the list of files a statement has written, one URL a line.
pub(crate) fn write_manifest(
    store: &Store,
    place: &S3Url,
    files: &[String],
) -> Result<(), QueryError> {
    let mut body = files.join("\n");
    if !files.is_empty() {
        body.push('\n');
    }
    put(store, place, body.as_bytes())
}

pub(crate) fn write_metadata(
    store: &Store,
    place: &S3Url,
    columns: &[ColumnInfo],
) -> Result<(), QueryError> {
    let metadata = S3Url::new(place.bucket(), format!("{}.metadata", place.key()));
    put(store, &metadata, &metadata::encode(columns))
}

fn put(store: &Store, place: &S3Url, body: &[u8]) -> Result<(), QueryError> {
    store
        .put(place.bucket(), place.key(), body, PutOptions::default())
        .map(drop)
        .map_err(|error| cannot_write(place, &error))
}

fn cannot_write(place: &S3Url, error: &dyn std::fmt::Display) -> QueryError {
    QueryError::trino(
        "GENERIC_USER_ERROR",
        format!("Cannot write the query results to {place}: {error}"),
    )
}

fn push_quoted(text: &str, out: &mut String) {
    out.push('"');
    if text.contains('"') {
        out.push_str(&text.replace('"', "\"\""));
    } else {
        out.push_str(text);
    }
    out.push('"');
}

/// The rows of a `.csv` result: a bare empty field is NULL, `""` is empty text.
pub fn parse_csv(text: &str) -> Vec<Vec<Option<String>>> {
    let mut rows = Vec::new();
    let mut row: Vec<Option<String>> = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let value;
        (value, rest) = if let Some(quoted) = rest.strip_prefix('"') {
            let (value, after) = quoted_field(quoted);
            (Some(value), after)
        } else {
            let end = rest.find([',', '\n']).unwrap_or(rest.len());
            (Some(rest[..end].to_owned()).filter(|value| !value.is_empty()), &rest[end..])
        };
        row.push(value);
        match rest.split_at_checked(1) {
            Some((",", after)) => {
                rest = after;
                if rest.is_empty() {
                    row.push(None);
                }
            }
            Some((_, after)) => {
                rows.push(std::mem::take(&mut row));
                rest = after;
            }
            None => {}
        }
    }
    if !row.is_empty() {
        rows.push(row);
    }
    rows
}

/// A field after its opening quote, and what follows its closing one.
fn quoted_field(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let Some(end) = rest.find('"') else {
            value.push_str(rest);
            return (value, "");
        };
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                value.push('"');
                rest = after;
            }
            None => return (value, rest),
        }
    }
}
