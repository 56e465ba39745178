//! An object's bytes from one place on, counted as they are read.

use std::io::{self, Read};
use std::ops::Range;

use super::Scanned;
use crate::store::BlobReader;

pub(super) struct StoredBytes {
    pub blob: BlobReader,
    /// Those still to be read.
    pub range: Range<u64>,
    pub scanned: Scanned,
}

impl Read for StoredBytes {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.range.end - self.range.start;
        let count = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = self.blob.read_some(self.range.start, &mut out[..count])?;
        if read == 0 && count > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.range.start += read as u64;
        self.scanned.add(read as u64).map_err(io::Error::other)?;
        Ok(read)
    }
}
