//! Lines of an object, unpacked by its suffix.

use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;

use flate2::bufread::MultiGzDecoder;

use super::{DataFile, Scanned};
use crate::sql::Failure;
use crate::store::{BlobReader, Store};

/// Bytes read from the store at once.
const CHUNK: u64 = 1024 * 1024;

/// How an object is packed, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    pub fn of(key: &str) -> Result<Self, Failure> {
        let suffix =
            key.rsplit('/').next().unwrap_or(key).rsplit_once('.').map(|(_, suffix)| suffix);
        match suffix.map(str::to_lowercase).as_deref() {
            Some("gz" | "gzip") => Ok(Self::Gzip),
            Some("zst" | "zstd") => Ok(Self::Zstd),
            Some(packed @ ("bz2" | "snappy" | "lz4" | "lzo" | "deflate")) => {
                Err(Failure::not_supported(format!(
                    "text files packed as .{packed} cannot be read here: {key}"
                )))
            }
            _ => Ok(Self::Plain),
        }
    }
}

/// An object's bytes, counted as they are read.
struct StoredBytes {
    blob: BlobReader,
    range: Range<u64>,
    scanned: Scanned,
    piece: bytes::Bytes,
}

impl Read for StoredBytes {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            let end = self.range.end.min(self.range.start + CHUNK);
            if self.range.start >= end {
                return Ok(0);
            }
            self.piece = self.blob.read(self.range.start..end)?;
            self.range.start = end;
            self.scanned.add(self.piece.len() as u64).map_err(io::Error::other)?;
        }
        let count = out.len().min(self.piece.len());
        out[..count].copy_from_slice(&self.piece.split_to(count));
        Ok(count)
    }
}

/// Lines without their ends, `\n` or `\r\n`, of a range of an object: a line belongs to
/// the range its first byte is in.
pub(super) struct Lines {
    input: Box<dyn BufRead + Send>,
    /// Bytes left that may begin a line; `None` where there is no end but the file's.
    left: Option<u64>,
    line: Vec<u8>,
    key: String,
}

impl Lines {
    pub fn open(
        store: &Store,
        file: &DataFile,
        range: Option<Range<u64>>,
        scanned: Scanned,
    ) -> Result<Self, Failure> {
        let key = file.url.key();
        let cannot = |error: &dyn std::fmt::Display| {
            Failure::new(
                "HIVE_CANNOT_OPEN_SPLIT",
                format!("Error opening Hive split {}: {error}", file.url),
            )
        };
        let (object, blob) =
            store.get(file.url.bucket(), key, None).map_err(|error| cannot(&error))?;
        let packing = Packing::of(key)?;
        let (start, left) = match &range {
            // One byte earlier, to see whether a line begins exactly at the start.
            Some(range) => {
                (range.start.saturating_sub(1), Some(range.end - range.start.saturating_sub(1)))
            }
            None => (0, None),
        };
        let bytes =
            StoredBytes { blob, range: start..object.size, scanned, piece: bytes::Bytes::new() };
        let capacity = 256 * 1024;
        let input: Box<dyn BufRead + Send> = match packing {
            Packing::Plain => Box::new(BufReader::with_capacity(capacity, bytes)),
            Packing::Gzip => {
                let packed = BufReader::with_capacity(capacity, bytes);
                Box::new(BufReader::with_capacity(capacity, MultiGzDecoder::new(packed)))
            }
            Packing::Zstd => {
                let unpacked =
                    zstd::stream::read::Decoder::new(bytes).map_err(|error| cannot(&error))?;
                Box::new(BufReader::with_capacity(capacity, unpacked))
            }
        };
        let mut lines = Self { input, left, line: Vec::new(), key: file.url.to_string() };
        if range.is_some_and(|range| range.start > 0) {
            // The line before belongs to the range before.
            lines.advance()?;
        }
        Ok(lines)
    }

    /// Moves to the next line; false at the end.
    pub fn advance(&mut self) -> Result<bool, Failure> {
        if self.left == Some(0) {
            return Ok(false);
        }
        self.line.clear();
        let read = self
            .input
            .read_until(b'\n', &mut self.line)
            .map_err(|error| self.unreadable(&error))?;
        if read == 0 {
            return Ok(false);
        }
        self.left = self.left.map(|left| left.saturating_sub(read as u64));
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
            if self.line.last() == Some(&b'\r') {
                self.line.pop();
            }
        }
        Ok(true)
    }

    pub fn line(&self) -> &[u8] {
        &self.line
    }

    fn unreadable(&self, error: &io::Error) -> Failure {
        if let Some(failure) = error.get_ref().and_then(|inner| inner.downcast_ref::<Failure>()) {
            return failure.clone();
        }
        Failure::new("HIVE_CURSOR_ERROR", format!("Failed to read file {}: {error}", self.key))
    }
}
