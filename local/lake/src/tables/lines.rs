//! Lines of an object, unpacked by its suffix.

use std::io::{self, BufReader, Read};
use std::ops::Range;

use flate2::bufread::MultiGzDecoder;

use super::stored_bytes::StoredBytes;
use super::{DataFile, Scanned};
use crate::sql::Failure;
use crate::store::Store;

/// Bytes of a packed object read from the store at once.
const PACKED: usize = 256 * 1024;

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

/// Lines without their ends, `\n` or `\r\n`, of a range of an object: a line belongs to
/// the range its first byte is in.
pub(super) struct Lines {
    input: fields::Lines<Box<dyn Read + Send>>,
    /// Bytes left that may begin a line; `None` where there is no end but the file's.
    left: Option<u64>,
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
        let bytes = StoredBytes { blob, range: start..object.size, scanned };
        let input: Box<dyn Read + Send> = match packing {
            Packing::Plain => Box::new(bytes),
            Packing::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(PACKED, bytes))),
            Packing::Zstd => {
                let packed = BufReader::with_capacity(PACKED, bytes);
                let unpacked = zstd::stream::read::Decoder::with_buffer(packed);
                Box::new(unpacked.map_err(|error| cannot(&error))?)
            }
        };
        let input = fields::Lines::new(input);
        let mut lines = Self { input, left, key: file.url.to_string() };
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
        let read = self.input.advance().map_err(|error| self.unreadable(&error))?;
        self.left = self.left.map(|left| left.saturating_sub(read as u64));
        Ok(read > 0)
    }

    pub fn line(&self) -> &[u8] {
        self.input.line()
    }

    fn unreadable(&self, error: &io::Error) -> Failure {
        if let Some(failure) = error.get_ref().and_then(|inner| inner.downcast_ref::<Failure>()) {
            return failure.clone();
        }
        Failure::new("HIVE_CURSOR_ERROR", format!("Failed to read file {}: {error}", self.key))
    }
}
