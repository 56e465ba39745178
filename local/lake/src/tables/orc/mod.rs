//! ORC files under a Hive table, a stripe at a time: the streams of the columns wanted, and no others.

mod columns;
mod protobuf;
mod source;
mod tail;

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;

use datafusion::arrow::array::{Array as _, ArrayRef, NullArray, RecordBatch};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::Result;
use orc_rust::array_decoder::NaiveStripeDecoder;
use orc_rust::projection::ProjectionMask;
use orc_rust::reader::metadata::FileMetadata;
use orc_rust::schema::RootDataType;
use orc_rust::stripe::{Stripe, StripeMetadata};

use super::caught::caught;
use super::file_scan::{Piece, ROWS, Reading, Rows, Wanted};
use super::fit::{failure_within, words};
use crate::sql::Failure;
use columns::Column;
use source::Source;

/// Bytes of a batch, by the size of its stripe.
const BYTES: u64 = 64 * 1024 * 1024;

/// What is wrong with a file, in Trino's words.
fn malformed(what: &str, file: &str) -> Failure {
    Failure::new("HIVE_BAD_DATA", format!("Malformed ORC file. {what} [{file}]"))
}

/// Reads the stripes that begin in a piece; false once nobody listens or enough rows are read.
pub(super) fn read(reading: &Reading, piece: &Piece, out: &mut Rows<'_>) -> Result<bool> {
    let file = &piece.file.file;
    let url = file.url.to_string();
    let mut source = Source::open(&reading.store, file, reading.scanned.clone())?;
    let metadata = tail::read(&mut source).map_err(|what| malformed(&what, &url))?;
    let columns =
        columns::columns(metadata.root_data_type(), &reading.definition, &reading.wanted, &url)?;
    let mut file = File { source, metadata: &metadata, url };
    let root = projected(&metadata, &columns);
    let fields: Vec<_> = root.children().iter().map(columns::field).collect();
    let schema = Arc::new(Schema::new(fields));
    let places: Vec<Option<usize>> = columns
        .iter()
        .map(|column| {
            let index = column.found?.data_type().column_index();
            root.children().iter().position(|child| child.data_type().column_index() == index)
        })
        .collect();
    let range = piece.range.clone().unwrap_or(0..u64::MAX);
    let stripes = metadata.stripe_metadatas().iter();
    for stripe in stripes.filter(|stripe| range.contains(&stripe.offset())) {
        let mut batches = file.batches(stripe, &root, &schema)?;
        while let Some(batch) = batches.next(&file.url)? {
            let columns = fitted(&reading.wanted, &columns, &places, &batch)
                .map_err(|error| malformed(&words(&error), &file.url))?;
            if !out.send(&columns, batch.num_rows())? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The file's columns that are read, in its order.
fn projected(metadata: &FileMetadata, columns: &[Column<'_>]) -> RootDataType {
    let root = metadata.root_data_type();
    let found: BTreeSet<usize> = columns
        .iter()
        .filter_map(|column| Some(column.found?.data_type().column_index()))
        .collect();
    root.project(&ProjectionMask::roots(root, found))
}

fn fitted(
    wanted: &[Wanted],
    columns: &[Column<'_>],
    places: &[Option<usize>],
    batch: &RecordBatch,
) -> Result<Vec<ArrayRef>> {
    let rows: ArrayRef = Arc::new(NullArray::new(batch.num_rows()));
    wanted
        .iter()
        .zip(columns)
        .zip(places)
        .map(|((wanted, column), place)| {
            let found = place.map_or(&rows, |place| batch.column(place));
            debug_assert_eq!(found.len(), batch.num_rows(), "columns have the rows of their batch");
            column.fit.apply(found, &wanted.kind)
        })
        .collect()
}

struct File<'a> {
    source: Source,
    metadata: &'a FileMetadata,
    url: String,
}

impl File<'_> {
    /// Begins to read a stripe.
    fn batches(
        &mut self,
        stripe: &StripeMetadata,
        root: &RootDataType,
        schema: &SchemaRef,
    ) -> Result<Batches, Failure> {
        let rows = stripe.number_of_rows();
        let row = stripe.data_length().checked_div(rows).unwrap_or_default().max(1);
        let most = usize::try_from(BYTES / row).unwrap_or(ROWS).clamp(1, ROWS);
        if root.children().is_empty() {
            // Nothing but the count is asked for, which the footer tells.
            return Ok(Batches::Counted { rows, most });
        }
        let begun = caught(|| {
            let stripe = Stripe::new(&mut self.source, self.metadata, root, stripe)?;
            NaiveStripeDecoder::new(stripe, schema.clone(), most)
        });
        match begun {
            Ok(Ok(decoder)) => Ok(Batches::Decoded(Box::new(decoder))),
            Ok(Err(error)) => Err(unread(&error, &self.url)),
            Err(panic) => Err(malformed(&panic, &self.url)),
        }
    }
}

enum Batches {
    Counted { rows: u64, most: usize },
    Decoded(Box<NaiveStripeDecoder>),
}

impl Batches {
    fn next(&mut self, url: &str) -> Result<Option<RecordBatch>> {
        match self {
            Self::Counted { rows: 0, .. } => Ok(None),
            Self::Counted { rows, most } => {
                let count = usize::try_from(*rows).unwrap_or(*most).min(*most);
                *rows -= count as u64;
                let options = datafusion::arrow::record_batch::RecordBatchOptions::new()
                    .with_row_count(Some(count));
                let schema = Arc::new(Schema::empty());
                Ok(Some(RecordBatch::try_new_with_options(schema, Vec::new(), &options)?))
            }
            Self::Decoded(decoder) => match caught(|| decoder.next()) {
                Ok(None) => Ok(None),
                Ok(Some(Ok(batch))) => Ok(Some(batch)),
                Ok(Some(Err(error))) => Err(unread(&error, url).into()),
                Err(panic) => Err(malformed(&panic, url).into()),
            },
        }
    }
}

/// An error of the library; a failure of ours within it is said as it is.
fn unread(error: &(dyn Error + 'static), url: &str) -> Failure {
    failure_within(error).unwrap_or_else(|| malformed(&error.to_string(), url))
}
