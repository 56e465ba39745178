//! The bytes of an ORC file, counted as they are read.

use std::io;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use bytes::{Buf as _, Bytes};
use orc_rust::reader::ChunkReader;

use crate::sql::Failure;
use crate::store::{BlobReader, Store};
use crate::tables::{DataFile, Scanned};

/// Bytes read first, from the end on: most files' footers are among them.
const TAIL: u64 = 16 * 1024;

pub(super) struct Source {
    store: Store,
    open: Mutex<Open>,
    size: u64,
    scanned: Scanned,
    tail: Bytes,
}

struct Open {
    blob: BlobReader,
    /// What was read so far.
    ranges: Vec<Range<u64>>,
}

impl Source {
    /// Errors: `HIVE_CANNOT_OPEN_SPLIT` where the object is gone.
    pub fn open(store: &Store, file: &DataFile, scanned: Scanned) -> Result<Self, Failure> {
        let cannot = |error: &dyn std::fmt::Display| {
            let message = format!("Error opening Hive split {}: {error}", file.url);
            Failure::new("HIVE_CANNOT_OPEN_SPLIT", message)
        };
        let (object, blob) =
            store.get(file.url.bucket(), file.url.key(), None).map_err(|error| cannot(&error))?;
        let open = Mutex::new(Open { blob, ranges: Vec::new() });
        let (store, size) = (store.clone(), object.size);
        let mut source = Self { store, open, size, scanned, tail: Bytes::new() };
        let start = source.size.saturating_sub(TAIL);
        source.tail =
            source.get_bytes(start, source.size - start).map_err(|error| cannot(&error))?;
        Ok(source)
    }
}

impl ChunkReader for Source {
    type T = bytes::buf::Reader<Bytes>;

    fn len(&self) -> u64 {
        self.size
    }

    fn get_read(&self, start: u64) -> io::Result<Self::T> {
        Ok(self.get_bytes(start, self.size.saturating_sub(start))?.reader())
    }

    /// Bytes of the tail are not read again. A range that ends beyond the file is an error, whatever the file says.
    fn get_bytes(&self, start: u64, length: u64) -> io::Result<Bytes> {
        let end = start.checked_add(length).filter(|end| *end <= self.size);
        let Some(end) = end else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        let tail = self.size - self.tail.len() as u64;
        if start >= tail {
            let within = |place: u64| usize::try_from(place - tail).map_err(io::Error::other);
            return Ok(self.tail.slice(within(start)?..within(end)?));
        }
        self.scanned.add(length).map_err(io::Error::other)?;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.ranges.push(start..end);
        open.blob.read(start..end)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let open = self.open.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.store.count_ranges(&open.ranges);
    }
}
