//! Avro files under a Hive table, a block at a time: the fields of the columns wanted are decoded, the others passed over.

mod columns;
mod container;
mod literal;
mod schema;

use std::io::{self, BufReader};
use std::sync::Arc;

use arrow_avro::reader::ReaderBuilder;
use datafusion::arrow::array::{Array as _, ArrayRef, NullArray, RecordBatch};
use datafusion::common::{DataFusionError, Result};

use super::caught::caught;
use super::file_scan::{Piece, ROWS, Reading, Rows, Wanted};
use super::fit::{failure_within, words};
use super::stored_bytes::StoredBytes;
use crate::sql::Failure;
use columns::{Column, unread};
pub(super) use container::header;
use container::{Block, Container};
use literal::Literal;
use schema::Avro;

/// Bytes of an object read from the store at once.
const READ: usize = 256 * 1024;
/// How the blocks of a file may be packed.
const CODECS: [&str; 4] = ["null", "deflate", "snappy", "zstandard"];

/// Reads a file; false once nobody listens or enough rows are read.
pub(super) fn read(reading: &Reading, piece: &Piece, out: &mut Rows<'_>) -> Result<bool> {
    let url = piece.file.file.url.to_string();
    let literal = Literal::of(&reading.definition)?;
    let mut container = open(reading, piece, &url)?;
    let file = File::of(&container, literal.as_ref(), &reading.wanted, url)?;
    while let Some(block) = container.block().map_err(|error| file.cut(&error))? {
        if !file.send(&block, &reading.wanted, out)? {
            return Ok(false);
        }
    }
    Ok(true)
}

type Stored = Container<BufReader<StoredBytes>>;

fn open(reading: &Reading, piece: &Piece, url: &str) -> Result<Stored, Failure> {
    let file = &piece.file.file;
    let cannot = |error: &dyn std::fmt::Display| {
        Failure::new("HIVE_CANNOT_OPEN_SPLIT", format!("Error opening Hive split {url}: {error}"))
    };
    let (object, blob) = reading
        .store
        .get(file.url.bucket(), file.url.key(), None)
        .map_err(|error| cannot(&error))?;
    let scanned = reading.scanned.clone();
    let bytes = StoredBytes { blob, range: 0..object.size, scanned };
    Container::open(BufReader::with_capacity(READ, bytes), object.size)
        .map_err(|error| failure_within(&error).unwrap_or_else(|| cannot(&error)))
}

/// How the rows of a file are read.
struct File {
    url: String,
    schema: String,
    codec: Vec<u8>,
    columns: Vec<Column>,
    /// Places of the fields that are decoded, ascending.
    decoded: Vec<usize>,
}

impl File {
    fn of(
        container: &Stored,
        literal: Option<&Literal>,
        wanted: &[Wanted],
        url: String,
    ) -> Result<Self, Failure> {
        let cannot = |what: &str| {
            Failure::new(
                "HIVE_CANNOT_OPEN_SPLIT",
                format!("Error opening Hive split {url}: {what}"),
            )
        };
        let metadata = |key: &str| container.metadata.get(key);
        let schema = metadata("avro.schema").ok_or_else(|| cannot("the file has no schema"))?;
        let schema = Avro::parse(schema).map_err(|what| cannot(&what))?;
        let codec = metadata("avro.codec").cloned().unwrap_or_else(|| b"null".to_vec());
        if !CODECS.iter().any(|known| known.as_bytes() == codec) {
            return Err(Failure::not_supported(format!(
                "Avro files packed as {} cannot be read here: {url}",
                String::from_utf8_lossy(&codec)
            )));
        }
        let Avro::Record(fields) = &schema else {
            return Err(cannot(&format!("the file's rows are no records, but {schema}")));
        };
        let columns = columns::columns(fields, literal, wanted, &url)?;
        let mut decoded: Vec<usize> = columns.iter().filter_map(|column| column.place).collect();
        decoded.sort_unstable();
        decoded.dedup();
        if schema.may_be_empty() && !decoded.is_empty() {
            return Err(Failure::not_supported(format!(
                "Avro files whose rows have no bytes cannot be read here: {url}"
            )));
        }
        let schema = schema.to_json(&mut 0).to_string();
        Ok(Self { url, schema, codec, columns, decoded })
    }

    fn cut(&self, error: &io::Error) -> Failure {
        failure_within(error).unwrap_or_else(|| unread(&self.url, &error.to_string()))
    }

    /// Sends a block's rows; false once nobody listens or enough rows are read.
    fn send(&self, block: &Block, wanted: &[Wanted], out: &mut Rows<'_>) -> Result<bool> {
        let unfit = |error: DataFusionError| unread(&self.url, &words(&error));
        let whole = match block.rows {
            0 => return Ok(true),
            _ if self.decoded.is_empty() => None,
            _ => {
                let batch = self.batch(block)?;
                Some(self.fitted(Some(&batch), batch.num_rows(), wanted).map_err(unfit)?)
            }
        };
        let mut start = 0;
        while start < block.rows {
            let rows = usize::try_from(block.rows - start).unwrap_or(ROWS).min(ROWS);
            let columns = match &whole {
                Some(columns) => {
                    let from = usize::try_from(start).expect("a batch has no more rows");
                    columns.iter().map(|column| column.slice(from, rows)).collect()
                }
                None => self.fitted(None, rows, wanted).map_err(unfit)?,
            };
            if !out.send(&columns, rows)? {
                return Ok(false);
            }
            start += rows as u64;
        }
        Ok(true)
    }

    /// The fields of a block that are decoded. The library gets a block as a file of its own, and is asked for as many
    /// rows as the block has: of a block with bytes left after its rows it would never come back.
    fn batch(&self, block: &Block) -> Result<RecordBatch, Failure> {
        let rows =
            usize::try_from(block.rows).map_err(|error| unread(&self.url, &error.to_string()))?;
        let file = container::file_of(&self.schema, &self.codec, block);
        let read = caught(|| {
            let reader = ReaderBuilder::new()
                .with_batch_size(rows)
                .with_projection(self.decoded.clone())
                .build(&file[..]);
            reader.and_then(|mut reader| reader.next().transpose())
        });
        let batch = match read {
            Ok(Ok(batch)) => batch,
            Ok(Err(error)) => return Err(unread(&self.url, &error.to_string())),
            Err(panic) => return Err(unread(&self.url, &panic)),
        };
        let whole = batch.filter(|batch| batch.num_rows() == rows);
        whole.ok_or_else(|| unread(&self.url, "a block has fewer rows than it says"))
    }

    fn fitted(
        &self,
        batch: Option<&RecordBatch>,
        rows: usize,
        wanted: &[Wanted],
    ) -> Result<Vec<ArrayRef>> {
        let nothing: ArrayRef = Arc::new(NullArray::new(rows));
        let column = |column: &Column| {
            let place = self.decoded.binary_search(&column.place?).ok()?;
            batch.map(|batch| batch.column(place))
        };
        self.columns
            .iter()
            .zip(wanted)
            .map(|(known, wanted)| {
                let found = column(known).unwrap_or(&nothing);
                debug_assert_eq!(found.len(), rows, "columns have the rows of their batch");
                known.fit.apply(found, &wanted.kind)
            })
            .collect()
    }
}
