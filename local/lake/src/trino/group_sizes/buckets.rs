//! Keys dealt out to buckets by their hashes, and to disk when memory is short.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};

use std::sync::Arc;

use datafusion::common::{Result, exec_datafusion_err};
use datafusion::execution::SpillFile;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};

use super::count::{Counts, hash, low_bits};

/// How many buckets there are: a bucket of millions of keys is counted in the cache.
pub(super) const BUCKETS: usize = 512;
/// Keys of a chunk.
const CHUNK: usize = 1_024;
/// Groups that are counted as they come.
const EARLY: usize = 16_384;
/// Rows of a group, on average, from which counting early is worth it.
const WORTH: usize = 4;

/// What one stream of keys has come to.
pub(super) struct Buckets {
    keys: Vec<Chunks>,
    /// Groups that were counted early, several rows each.
    counted: Vec<Vec<(u64, u64)>>,
    /// Counts as they come, until that proves to be of no use.
    early: Option<Early>,
    pub nulls: u64,
    spilled: Vec<Spilled>,
    reservation: MemoryReservation,
    /// Bytes of chunks and pairs since the reservation was last asked for some.
    taken: usize,
}

struct Early {
    counts: Counts,
    rows: usize,
}

#[derive(Default)]
struct Chunks {
    full: Vec<Vec<u64>>,
    last: Vec<u64>,
}

/// Buckets in a file, one behind the other.
struct Spilled {
    file: Arc<dyn SpillFile>,
    /// Where each bucket starts, in bytes, how many keys it has, and how many pairs behind them.
    places: Vec<(u64, usize, usize)>,
}

impl Buckets {
    pub fn new(context: &TaskContext) -> Self {
        let reservation =
            MemoryConsumer::new("GroupSizes").with_can_spill(true).register(context.memory_pool());
        Self {
            keys: (0..BUCKETS).map(|_| Chunks::default()).collect(),
            counted: vec![Vec::new(); BUCKETS],
            early: Some(Early { counts: Counts::with_room_for(EARLY), rows: 0 }),
            nulls: 0,
            spilled: Vec::new(),
            reservation,
            taken: 0,
        }
    }

    pub fn add(&mut self, keys: &[u64]) {
        let mut rest = keys;
        while let (Some(early), false) = (&mut self.early, rest.is_empty()) {
            let room = EARLY - early.counts.len();
            let now = &rest[..rest.len().min(room)];
            for key in now {
                early.counts.add(*key, 1);
            }
            early.rows += now.len();
            rest = &rest[now.len()..];
            if early.counts.len() == EARLY {
                self.deal_out_early();
            }
        }
        for key in rest {
            let chunks = &mut self.keys[bucket(*key)];
            if chunks.last.len() == chunks.last.capacity() {
                let full = std::mem::replace(&mut chunks.last, Vec::with_capacity(CHUNK));
                self.taken += CHUNK * size_of::<u64>();
                if !full.is_empty() {
                    chunks.full.push(full);
                }
            }
            chunks.last.push(*key);
        }
    }

    /// Empties the groups that were counted early; for good if they had few rows each.
    fn deal_out_early(&mut self) {
        let Some(early) = &mut self.early else { return };
        for (key, rows) in early.counts.drain() {
            self.counted[bucket(key)].push((key, rows));
            self.taken += size_of::<(u64, u64)>();
        }
        if early.rows < WORTH * EARLY {
            self.early = None;
        } else {
            early.rows = 0;
        }
    }

    /// Accounts for what was added; puts it to disk when the pool has no room for it.
    ///
    /// # Errors
    /// When the disk cannot be written to.
    pub fn settle(&mut self, context: &TaskContext) -> Result<()> {
        let taken = std::mem::take(&mut self.taken);
        if taken > 0 && self.reservation.try_grow(taken).is_err() {
            self.spill(context)?;
        }
        Ok(())
    }

    fn spill(&mut self, context: &TaskContext) -> Result<()> {
        let file = context.runtime_env().disk_manager.create_tmp_file("GroupSizes")?;
        let mut out = BufWriter::new(file.open_writer()?);
        let mut places = Vec::with_capacity(BUCKETS);
        let mut at = 0_u64;
        for (chunks, counted) in self.keys.iter_mut().zip(&mut self.counted) {
            let (chunks, counted) = (std::mem::take(chunks), std::mem::take(counted));
            let mut keys = 0;
            for chunk in chunks.iter() {
                keys += chunk.len();
                for key in chunk {
                    out.write_all(&key.to_le_bytes())?;
                }
            }
            for (key, rows) in &counted {
                out.write_all(&key.to_le_bytes())?;
                out.write_all(&rows.to_le_bytes())?;
            }
            places.push((at, keys, counted.len()));
            at += 8 * (keys + 2 * counted.len()) as u64;
        }
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.finish()?;
        self.spilled.push(Spilled { file, places });
        self.reservation.free();
        Ok(())
    }

    /// No more keys come.
    pub fn finish(&mut self) {
        self.deal_out_early();
        self.early = None;
    }

    /// Counts the groups of a bucket into `counts`.
    ///
    /// # Errors
    /// When what was put to disk cannot be read.
    pub fn count(&self, bucket: usize, counts: &mut Counts) -> Result<()> {
        for spilled in &self.spilled {
            spilled.count(bucket, counts)?;
        }
        for key in self.keys[bucket].iter().flatten() {
            counts.add(*key, 1);
        }
        for (key, rows) in &self.counted[bucket] {
            counts.add(*key, *rows);
        }
        Ok(())
    }
}

impl Chunks {
    fn iter(&self) -> impl Iterator<Item = &Vec<u64>> {
        self.full.iter().chain(std::iter::once(&self.last))
    }
}

impl Spilled {
    fn count(&self, bucket: usize, counts: &mut Counts) -> Result<()> {
        let (at, keys, pairs) = self.places[bucket];
        let path = self.file.path();
        let mut file =
            File::open(path.ok_or_else(|| exec_datafusion_err!("spilled keys are in no file"))?)?;
        file.seek(SeekFrom::Start(at))?;
        let mut bytes = vec![0; 8 * (keys + 2 * pairs)];
        file.read_exact(&mut bytes)
            .map_err(|error| exec_datafusion_err!("spilled keys cannot be read: {error}"))?;
        let mut words = bytes
            .chunks_exact(8)
            .map(|word| u64::from_le_bytes(word.try_into().expect("a chunk has its eight bytes")));
        for key in words.by_ref().take(keys) {
            counts.add(key, 1);
        }
        while let (Some(key), Some(rows)) = (words.next(), words.next()) {
            counts.add(key, rows);
        }
        Ok(())
    }
}

/// By the hash's highest bits; a bucket's table goes by the lowest.
#[inline]
fn bucket(key: u64) -> usize {
    low_bits(hash(key) >> (64 - BUCKETS.ilog2()))
}

/// What all streams of keys have come to, together.
pub(super) struct Dealt {
    pub streams: Vec<Buckets>,
}

impl Dealt {
    /// The sizes of all groups in a bucket.
    pub fn sizes(self: &Arc<Self>, bucket: usize, counts: &mut Counts) -> Result<Vec<i64>> {
        for stream in &self.streams {
            stream.count(bucket, counts)?;
        }
        Ok(counts.drain().map(|(_, rows)| rows.cast_signed()).collect())
    }

    /// The size of the group of NULL, if there is one.
    pub fn nulls(&self) -> Option<i64> {
        let nulls: u64 = self.streams.iter().map(|stream| stream.nulls).sum();
        (nulls > 0).then(|| nulls.cast_signed())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use datafusion::execution::runtime_env::RuntimeEnvBuilder;

    use super::*;

    fn context(memory: usize) -> TaskContext {
        let runtime = RuntimeEnvBuilder::new().with_memory_limit(memory, 1.0).build_arc().unwrap();
        TaskContext::default().with_runtime(runtime)
    }

    /// The sizes of groups, as `counts` and as a map have them; how many files were spilled to.
    fn sizes(memory: usize, batches: &[Vec<u64>]) -> (Vec<i64>, Vec<i64>, usize) {
        let context = context(memory);
        let mut streams = vec![Buckets::new(&context), Buckets::new(&context)];
        let mut expected = BTreeMap::new();
        for (at, batch) in batches.iter().enumerate() {
            streams[at % 2].add(batch);
            streams[at % 2].settle(&context).unwrap();
            for key in batch {
                *expected.entry(key).or_insert(0) += 1;
            }
        }
        streams.iter_mut().for_each(Buckets::finish);
        let files = streams.iter().map(|stream| stream.spilled.len()).sum();
        let dealt = Arc::new(Dealt { streams });
        let mut counts = Counts::with_room_for(0);
        let mut found: Vec<i64> =
            (0..BUCKETS).flat_map(|bucket| dealt.sizes(bucket, &mut counts).unwrap()).collect();
        let mut expected: Vec<i64> = expected.into_values().collect();
        found.sort_unstable();
        expected.sort_unstable();
        (found, expected, files)
    }

    #[test]
    fn few_groups_are_counted_as_they_come() {
        let batches: Vec<Vec<u64>> =
            (0..40).map(|_| (0..8_192).map(|at| at % 7).collect()).collect();
        let (found, expected, files) = sizes(1 << 16, &batches);
        assert_eq!((found, files), (expected, 0));
    }

    #[test]
    fn many_groups_are_counted_from_memory_and_from_disk_alike() {
        // Many keys once, some often, and for a while only a few.
        let batches: Vec<Vec<u64>> = (0..60_u64)
            .map(|batch| {
                (0..8_192)
                    .map(|at| if batch % 3 == 2 { at % 5_000 } else { batch * 6_000 + at })
                    .collect()
            })
            .collect();
        let (found, expected, files) = sizes(1 << 30, &batches);
        assert_eq!((found, files), (expected, 0));
        let (found, expected, files) = sizes(1 << 20, &batches);
        assert_eq!(found, expected);
        assert!(files > 2, "{files} files");
    }
}
