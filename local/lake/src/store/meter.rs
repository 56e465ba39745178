//! What somebody takes from the store, counted where it is taken.
//!
//! S3 bills requests by the kind, and Athena, which reads and writes S3 for its caller, adds the bytes
//! it scans. A store made by [`Store::metered`] counts what AWS would have sent to S3 for the same work.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Store;

/// Trino's S3 writer sends files in parts of this size, smaller ones whole.
/// Source: <https://trino.io/docs/current/object-storage/file-system-s3.html>, `s3.streaming.part-size`.
const PART: u64 = 32 * 1024 * 1024;

/// Trino reads ranges of a Parquet file in one request when at most this many bytes lie between them, up to
/// so many bytes in all. Source: <https://trino.io/docs/current/connector/hive.html>,
/// `parquet.max-merge-distance` and `parquet.max-buffer-size`.
const GAP: u64 = 1024 * 1024;
const ONE_REQUEST: u64 = 8 * 1024 * 1024;

/// Counts of one user of the store. Cheap to clone; all clones count together.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    writes: AtomicU64,
    lists: AtomicU64,
    reads: AtomicU64,
    scanned: AtomicU64,
}

/// Requests by the kinds that S3 tells apart in its bill. DELETE is free and not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requests {
    /// PUT, COPY, POST.
    pub writes: u64,
    /// LIST.
    pub lists: u64,
    /// GET, HEAD and all others.
    pub reads: u64,
}

impl Meter {
    pub fn requests(&self) -> Requests {
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Requests {
            writes: count(&self.0.writes),
            lists: count(&self.0.lists),
            reads: count(&self.0.reads),
        }
    }

    /// Bytes of tables that were read.
    pub fn scanned(&self) -> u64 {
        self.0.scanned.load(Ordering::Relaxed)
    }

    /// Counts scanned bytes; the sum so far.
    pub(crate) fn scan(&self, bytes: u64) -> u64 {
        self.0.scanned.fetch_add(bytes, Ordering::Relaxed) + bytes
    }

    pub(super) fn list(&self) {
        self.0.lists.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) {
        self.0.reads.fetch_add(1, Ordering::Relaxed);
    }

    /// Ranges of an object that has been opened, which was one request.
    pub(super) fn read_ranges(&self, ranges: &[Range<u64>]) {
        let more = merged(ranges).saturating_sub(1);
        self.0.reads.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn write(&self) {
        self.0.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// A whole file: put at once, or begun, sent in parts and completed.
    pub(super) fn write_file(&self, bytes: u64) {
        let requests = if bytes <= PART { 1 } else { 2 + bytes.div_ceil(PART) };
        self.0.writes.fetch_add(requests, Ordering::Relaxed);
    }
}

/// Requests that read these ranges, near ones together.
fn merged(ranges: &[Range<u64>]) -> u64 {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable_by_key(|range| range.start);
    let mut requests = 0;
    let mut open: Option<Range<u64>> = None;
    for range in sorted {
        open = Some(match open {
            Some(first)
                if range.start <= first.end + GAP
                    && range.end.max(first.end) - first.start <= ONE_REQUEST =>
            {
                first.start..range.end.max(first.end)
            }
            _ => {
                requests += 1;
                range
            }
        });
    }
    requests
}

impl Store {
    /// The same store for a user whose requests count on `meter`.
    #[must_use]
    pub fn metered(&self, meter: &Meter) -> Self {
        Self { meter: meter.clone(), ..self.clone() }
    }

    /// Counts the requests that read these ranges of an object that has been opened, which was one.
    pub(crate) fn count_ranges(&self, ranges: &[Range<u64>]) {
        self.meter.read_ranges(ranges);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ListQuery, PutOptions};

    #[test]
    fn near_ranges_are_one_request() {
        const MIB: u64 = 1024 * 1024;
        for (ranges, expected) in [
            (vec![], 0),
            (vec![0..10, 5..10], 1),
            (vec![2 * MIB..3 * MIB, 0..MIB], 1),
            (vec![0..10, 2 * MIB..3 * MIB], 2),
            (vec![0..5 * MIB, 5 * MIB..9 * MIB], 2),
        ] {
            assert_eq!(merged(&ranges), expected, "{ranges:?}");
        }
    }

    #[test]
    fn a_large_file_is_sent_in_parts() {
        for (bytes, expected) in [(0, 1), (PART, 1), (PART + 1, 4), (3 * PART, 5)] {
            let meter = Meter::default();
            meter.write_file(bytes);
            assert_eq!(meter.requests().writes, expected, "{bytes}");
        }
    }

    #[test]
    fn only_the_metered_store_counts() {
        let lake = crate::Lake::temporary().unwrap();
        lake.store.create_bucket("bucket", "us-east-1").unwrap();
        let meter = Meter::default();
        let store = lake.store.metered(&meter);
        store.put("bucket", "key", b"bytes", PutOptions::default()).unwrap();
        store.read("bucket", "key").unwrap();
        store.head("bucket", "key", None).unwrap();
        let query = ListQuery { prefix: "", delimiter: None, after: None, max: 10 };
        store.list("bucket", query).unwrap();
        lake.store.read("bucket", "key").unwrap();
        assert_eq!(meter.requests(), Requests { writes: 1, lists: 1, reads: 2 });
    }
}
