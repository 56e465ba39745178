//! Buckets and objects with S3's semantics, on a state file and immutable blobs.
//!
//! Every decision (does the key exist, which version is the latest, has the upload
//! been completed) is taken inside one SQLite write transaction, and those run one
//! after another over all processes: of any number of conditional writers of one key
//! exactly one wins. A key is opaque: its bytes are compared, never read as a path.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::Stream;
use rusqlite::Transaction;
use tokio::sync::mpsc;

use crate::database::Database;
use crate::watch::{Verb, Watch};

mod blob;
mod bucket;
mod data_fusion;
mod error;
mod event;
mod listing;
mod meter;
mod object;
#[cfg(test)]
mod tests;
mod upload;
mod version;

pub(crate) use blob::is_single_threaded;
pub use blob::{Blob, BlobReader, BlobWriter};
pub use bucket::{Bucket, Versioning};
pub use data_fusion::BucketStore;
pub use error::StoreError;
pub use event::{ObjectEvent, ObjectEventKind};
pub use listing::{ListQuery, Listing, VersionListing, VersionMarker};
pub use meter::{Meter, Requests};
pub use object::{Attributes, Deleted, Object, PutOptions, WriteCondition};
pub use upload::{CompletedPart, Part, PartOptions, Upload};

use blob::Blobs;
use event::Subscribers;

/// All buckets of one data directory. Cheap to clone; calls are synchronous unless
/// they say otherwise, short, and safe from any number of threads and processes.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
    blobs: Blobs,
    subscribers: Subscribers,
    watch: Watch,
    meter: Meter,
}

impl Store {
    /// Opens the store of a data directory.
    ///
    /// # Errors
    /// When the folder cannot be written or the state file cannot be used.
    pub fn open(data_dir: &Path, database: Arc<Database>) -> Result<Self, StoreError> {
        database.install(SCHEMA)?;
        let blobs = Blobs::open(data_dir.join("objects"))?;
        let store = Self {
            database,
            blobs,
            subscribers: Subscribers::default(),
            watch: Watch::default(),
            meter: Meter::default(),
        };
        store.sweep()?;
        Ok(store)
    }

    /// Hears of every object this process creates or deletes from now on in buckets
    /// with EventBridge notifications on ([`Store::set_event_bridge`]).
    pub fn subscribe(&self) -> mpsc::UnboundedReceiver<ObjectEvent> {
        self.subscribers.subscribe()
    }

    pub(crate) fn watched(&self, watch: Watch) -> Self {
        Self { watch, ..self.clone() }
    }

    /// Says that an object's bytes are about to be written, to whoever watches.
    pub(crate) fn begin(&self, bucket: &str, key: &str) -> Result<(), StoreError> {
        Ok(self.watch.object(Verb::Begin, bucket, key)?)
    }

    /// Begins the bytes of an object, to be given to [`Store::put_blob`].
    pub fn blob(&self) -> Result<BlobWriter, StoreError> {
        Ok(self.blobs.create()?)
    }

    /// Makes a blob of a file that stays where it is, and must not change while an object is made of it.
    pub fn lend(&self, file: &Path) -> Result<Blob, StoreError> {
        Ok(self.blobs.lend(file)?)
    }

    /// Writes all of `body` to a blob in constant memory. Errors of the body come
    /// back as they are.
    pub async fn receive<E: From<std::io::Error>>(
        &self,
        body: impl Stream<Item = Result<Bytes, E>> + Send,
    ) -> Result<Blob, E> {
        blob::receive(self.blobs.create()?, body).await
    }

    /// Writes an object whose bytes are at hand.
    pub fn put(
        &self,
        bucket: &str,
        key: &str,
        body: &[u8],
        options: PutOptions,
    ) -> Result<Object, StoreError> {
        let mut writer = self.blob()?;
        writer.write_all(body)?;
        self.put_blob(bucket, key, writer.finish()?, options)
    }

    /// Removes orphaned blobs, at most once a day.
    fn sweep(&self) -> Result<(), StoreError> {
        let due = self.database.write(|transaction| {
            let claimed = transaction.execute(
                "INSERT INTO housekeeping (task, done_at) VALUES ('sweep', unixepoch())
                 ON CONFLICT (task) DO UPDATE SET done_at = excluded.done_at
                 WHERE done_at < excluded.done_at - 86400",
                [],
            )?;
            Ok::<_, StoreError>(claimed > 0)
        })?;
        if due {
            let removed =
                self.blobs.sweep(|id| self.database.read(|snapshot| is_named(snapshot, id)))?;
            tracing::debug!(removed, "swept orphaned blobs");
        }
        Ok(())
    }

    /// Runs a write transaction that may take objects away, and removes the blobs
    /// that nothing names any more once it has committed.
    fn change<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>, &mut Released) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let (value, unnamed) = self.database.write(|transaction| {
            let mut released = Released::default();
            let value = work(transaction, &mut released)?;
            let mut unnamed = Vec::new();
            for id in released.0 {
                if !is_named(transaction, &id)? {
                    unnamed.push(id);
                }
            }
            Ok::<_, StoreError>((value, unnamed))
        })?;
        for id in unnamed {
            self.blobs.remove(&id);
        }
        Ok(value)
    }
}

/// Blobs that lost a row in a transaction; copies of an object share their blob.
#[derive(Default)]
struct Released(Vec<String>);

fn is_named(transaction: &Transaction<'_>, blob: &str) -> Result<bool, StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM objects WHERE blob = ?1)
             OR EXISTS (SELECT 1 FROM parts WHERE blob = ?1)",
    )?;
    Ok(statement.query_row([blob], |row| row.get(0))?)
}

/// Keys are BLOBs, which SQLite compares byte by byte: the order of S3's listings.
/// Times are milliseconds since 1970. A row of `objects` is one version; the newest
/// has the greatest `sequence`, and `latest`.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS housekeeping (
    task TEXT PRIMARY KEY,
    done_at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY,
    created_at INTEGER NOT NULL,
    region TEXT NOT NULL,
    versioning TEXT NOT NULL DEFAULT '',
    event_bridge INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS bucket_documents (
    bucket TEXT NOT NULL REFERENCES buckets ON DELETE CASCADE,
    kind TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (bucket, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket TEXT NOT NULL REFERENCES buckets,
    key BLOB NOT NULL,
    version_id TEXT NOT NULL,
    latest INTEGER NOT NULL,
    delete_marker INTEGER NOT NULL,
    size INTEGER NOT NULL,
    last_modified INTEGER NOT NULL,
    etag TEXT NOT NULL,
    attributes TEXT NOT NULL,
    parts TEXT NOT NULL,
    blob TEXT
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS objects_by_version ON objects (bucket, key, version_id);
CREATE UNIQUE INDEX IF NOT EXISTS objects_latest ON objects (bucket, key) WHERE latest;
CREATE INDEX IF NOT EXISTS objects_by_key ON objects (bucket, key, sequence DESC);
CREATE INDEX IF NOT EXISTS objects_by_blob ON objects (blob);
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY,
    bucket TEXT NOT NULL REFERENCES buckets,
    key BLOB NOT NULL,
    initiated_at INTEGER NOT NULL,
    attributes TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads (bucket, key, id);
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL REFERENCES uploads ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    last_modified INTEGER NOT NULL,
    etag TEXT NOT NULL,
    checksums TEXT NOT NULL,
    blob TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS parts_by_blob ON parts (blob);
";
