//! Text files under a Hive table: lines that a `SerDe` turns into columns.

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;

use super::file_scan::{Piece, ROWS, Reading, Rows, Wanted};
use super::lines::Lines;
use super::{Format, TableDefinition, delimited, json_lines, open_csv};
use crate::sql::Failure;

/// Bytes of lines after which a batch ends, however few its rows are.
const BYTES: usize = 64 * 1024 * 1024;

/// Turns lines into columns.
pub(super) trait LineReader: Send {
    fn line(&mut self, line: &[u8]) -> Result<(), Failure>;
    fn rows(&self) -> usize;
    /// The columns wanted, in their order; the reader begins anew.
    fn finish(&mut self) -> Result<Vec<ArrayRef>>;
}

/// Reads a piece; false once nobody listens or enough rows are read.
pub(super) fn read(reading: &Reading, piece: &Piece, out: &mut Rows<'_>) -> Result<bool> {
    let scanned = reading.scanned.clone();
    let mut lines = Lines::open(&reading.store, &piece.file.file, piece.range.clone(), scanned)?;
    if piece.range.as_ref().is_none_or(|range| range.start == 0) {
        for _ in 0..reading.definition.header_lines() {
            lines.advance()?;
        }
    }
    let mut reader = line_reader(&reading.definition, &reading.wanted);
    let mut bytes = 0;
    loop {
        let more = lines.advance()?;
        if more {
            reader.line(lines.line())?;
            bytes += lines.line().len();
        }
        let rows = reader.rows();
        if rows >= ROWS.min(out.left()) || bytes >= BYTES || (!more && rows > 0) {
            bytes = 0;
            let columns = reader.finish()?;
            if !out.send(&columns, rows)? {
                return Ok(false);
            }
        }
        if !more {
            return Ok(true);
        }
    }
}

fn line_reader(definition: &TableDefinition, wanted: &[Wanted]) -> Box<dyn LineReader> {
    match definition.format {
        Format::OpenCsv => Box::new(open_csv::Reader::new(definition, wanted)),
        Format::Delimited => Box::new(delimited::Reader::new(definition, wanted)),
        Format::OpenxJson | Format::HiveJson => {
            Box::new(json_lines::Reader::new(definition, wanted))
        }
        Format::Parquet | Format::Orc | Format::Avro => {
            unreachable!("files of this format are no text")
        }
    }
}
