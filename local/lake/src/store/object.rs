//! Objects and their versions: write, read, delete, copy.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::blob::{Blob, BlobReader};
use super::bucket::{self, Versioning};
use super::event::{ObjectEvent, ObjectEventKind};
use super::version::{self, Draft, NULL_VERSION};
use super::{Store, StoreError};
use crate::watch::Verb;

/// How often a read looks again after the object was replaced between its row and
/// its bytes. Each time somebody else has written a whole object.
const READ_ATTEMPTS: usize = 16;

/// One version of an object, without its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    pub bucket: String,
    pub key: String,
    /// `null` where the bucket had no versioning when it was written.
    pub version_id: String,
    pub latest: bool,
    pub delete_marker: bool,
    /// Bytes.
    pub size: u64,
    /// In milliseconds; S3's headers show seconds.
    pub last_modified: jiff::Timestamp,
    /// Without quotes: MD5 in hex, of an upload in parts `<md5 of md5s>-<parts>`.
    pub etag: String,
    pub attributes: Attributes,
    /// Sizes of the parts it was uploaded in; empty if it was put whole.
    pub parts: Vec<u64>,
    /// Grows with every write of any object.
    pub sequence: i64,
    pub(super) blob: Option<String>,
}

/// What was said of an object when it was written. All are kept as given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attributes {
    /// Standard headers by their names in lower case: `content-type`,
    /// `cache-control`, `content-encoding`, `x-amz-storage-class` …
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// User metadata, names in lower case without `x-amz-meta-`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// By algorithm (`SHA256`, `CRC32`, …): the digest in Base64, of an upload in
    /// parts possibly with `-<parts>`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub checksums: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// How to write an object. Default: whatever is there, with no attributes.
#[derive(Clone, Debug, Default)]
pub struct PutOptions {
    pub condition: WriteCondition,
    pub attributes: Attributes,
}

/// When a write happens at all. Decided in the write's own transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum WriteCondition {
    #[default]
    Always,
    /// `If-None-Match: *`: only where no object has the key.
    Absent,
    /// `If-Match`: only over the object with this ETag (without quotes).
    Matches(String),
}

/// What a delete did. Deleting what is not there is a success that did nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The version removed, or the delete marker made; `None` without versioning.
    pub version_id: Option<String>,
    /// A delete marker was made, or the version removed was one.
    pub delete_marker: bool,
}

impl Store {
    /// Makes a blob the object `key`. The bytes and all attributes appear at once, or
    /// the condition fails and nothing happens.
    ///
    /// Errors: `NoSuchBucket`, `KeyTooLong`, `PreconditionFailed`, and `NoSuchKey` of
    /// an `If-Match` on a key that is not there.
    pub fn put_blob(
        &self,
        bucket: &str,
        key: &str,
        blob: Blob,
        options: PutOptions,
    ) -> Result<Object, StoreError> {
        self.watch.object(Verb::Create, bucket, key)?;
        let draft = Draft {
            size: blob.size(),
            etag: blob.etag().to_owned(),
            attributes: options.attributes,
            parts: blob.parts.clone(),
            blob: blob.id.clone(),
        };
        let reason = if blob.parts.is_empty() { "PutObject" } else { "CompleteMultipartUpload" };
        self.meter.write_file(draft.size);
        let (object, event) = self.change(|transaction, released| {
            draft.insert(transaction, bucket, key, &options.condition, reason, released)
        })?;
        blob.keep();
        self.publish(event);
        Ok(object)
    }

    /// What is known of an object, or of one of its versions.
    ///
    /// Errors: `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`, `DeleteMarker`.
    pub fn head(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<Object, StoreError> {
        self.meter.read();
        self.look(bucket, key, version)
    }

    fn look(&self, bucket: &str, key: &str, version: Option<&str>) -> Result<Object, StoreError> {
        self.watch.object(Verb::Read, bucket, key)?;
        self.database.read(|snapshot| find(snapshot, bucket, key, version))
    }

    /// An object and its bytes, open. Errors as of [`Store::head`].
    pub fn get(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
    ) -> Result<(Object, BlobReader), StoreError> {
        self.meter.read();
        let mut attempts = READ_ATTEMPTS;
        loop {
            let object = self.look(bucket, key, version)?;
            let blob =
                object.blob.as_deref().expect("an object that is no delete marker has bytes");
            match self.blobs.read(blob) {
                Ok(reader) => return Ok((object, reader)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && attempts > 1 => {
                    attempts -= 1;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// All bytes of an object: for small ones.
    pub fn read(&self, bucket: &str, key: &str) -> Result<bytes::Bytes, StoreError> {
        let (object, mut reader) = self.get(bucket, key, None)?;
        Ok(reader.read(0..object.size)?)
    }

    /// Deletes an object, or one version of it for good.
    ///
    /// Errors: `NoSuchBucket`; with a condition `PreconditionFailed` or `NoSuchKey`.
    pub fn delete(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        condition: &WriteCondition,
    ) -> Result<Deleted, StoreError> {
        self.watch.object(Verb::Delete, bucket, key)?;
        let (deleted, event) = self.change(|transaction, released| {
            let settings = bucket::bucket(transaction, bucket)?;
            version::check(transaction, bucket, key, condition)?;
            let (deleted, sequence) = match (version, settings.versioning) {
                (Some(version), _) => {
                    version::remove_version(transaction, &settings, key, version, released)?
                }
                (None, Versioning::Off) => {
                    version::remove_version(transaction, &settings, key, NULL_VERSION, released)?
                }
                (None, _) => version::mark_deleted(transaction, &settings, key, released)?,
            };
            let event = sequence.filter(|_| settings.event_bridge).map(|sequence| ObjectEvent {
                kind: if version.is_none() && deleted.delete_marker {
                    ObjectEventKind::DeleteMarkerCreated
                } else {
                    ObjectEventKind::Deleted
                },
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                size: None,
                etag: None,
                version_id: deleted.version_id.clone(),
                sequencer: version::sequencer(sequence, true),
                reason: "DeleteObject",
                time: crate::clock::now(),
            });
            Ok((deleted, event))
        })?;
        self.publish(event);
        Ok(deleted)
    }

    /// Copies an object without touching its bytes. `attributes` replaces the
    /// source's; the checksums are kept.
    ///
    /// Errors: as of reading the source and of writing the target.
    pub fn copy(
        &self,
        source: (&str, &str, Option<&str>),
        target: (&str, &str),
        condition: &WriteCondition,
        attributes: Option<Attributes>,
    ) -> Result<Object, StoreError> {
        self.watch.object(Verb::Read, source.0, source.1)?;
        self.watch.object(Verb::Create, target.0, target.1)?;
        self.meter.write();
        let (object, event) = self.change(|transaction, released| {
            let original = find(transaction, source.0, source.1, source.2)?;
            let checksums = original.attributes.checksums.clone();
            let draft = Draft {
                size: original.size,
                etag: original.etag,
                attributes: attributes.map_or(original.attributes, |attributes| Attributes {
                    checksums,
                    ..attributes
                }),
                parts: original.parts,
                blob: original.blob.expect("an object that is no delete marker has bytes"),
            };
            draft.insert(transaction, target.0, target.1, condition, "CopyObject", released)
        })?;
        self.publish(event);
        Ok(object)
    }

    /// Replaces an object's tags. Its bytes, ETag and time stay.
    pub fn set_tags(
        &self,
        bucket: &str,
        key: &str,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<Object, StoreError> {
        self.meter.write();
        self.database.write(|transaction| {
            let mut object = find(transaction, bucket, key, version)?;
            object.attributes.tags = tags;
            transaction.execute(
                "UPDATE objects SET attributes = ?2 WHERE sequence = ?1",
                params![object.sequence, json(&object.attributes)],
            )?;
            Ok(object)
        })
    }

    pub(super) fn publish(&self, event: Option<ObjectEvent>) {
        if let Some(event) = event {
            self.subscribers.publish(&event);
        }
    }
}

pub(super) const COLUMNS: &str = "bucket, key, version_id, latest, delete_marker, size, \
    last_modified, etag, attributes, parts, sequence, blob";

pub(super) fn find(
    transaction: &Transaction<'_>,
    bucket: &str,
    key: &str,
    version: Option<&str>,
) -> Result<Object, StoreError> {
    let found = match version {
        None => transaction
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM objects WHERE bucket = ?1 AND key = ?2 AND latest"
            ))?
            .query_row(params![bucket, key.as_bytes()], read)
            .optional()?,
        Some(version) => transaction
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM objects WHERE bucket = ?1 AND key = ?2 AND version_id = ?3"
            ))?
            .query_row(params![bucket, key.as_bytes(), version], read)
            .optional()?,
    };
    match (found, version) {
        (Some(object), _) if object.delete_marker => Err(StoreError::DeleteMarker {
            key: key.to_owned(),
            version_id: object.version_id,
            latest: version.is_none(),
        }),
        (Some(object), _) => Ok(object),
        (None, version) => {
            bucket::bucket(transaction, bucket)?;
            Err(match version {
                None => StoreError::NoSuchKey { bucket: bucket.to_owned(), key: key.to_owned() },
                Some(version) => {
                    StoreError::NoSuchVersion { key: key.to_owned(), version: version.to_owned() }
                }
            })
        }
    }
}

/// Where a version stands among all writes.
pub(super) fn sequence(
    transaction: &Transaction<'_>,
    bucket: &str,
    key: &str,
    version: &str,
) -> rusqlite::Result<i64> {
    transaction.query_row(
        "SELECT sequence FROM objects WHERE bucket = ?1 AND key = ?2 AND version_id = ?3",
        params![bucket, key.as_bytes(), version],
        |row| row.get(0),
    )
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Object> {
    Ok(Object {
        bucket: row.get(0)?,
        key: text(row, 1)?,
        version_id: row.get(2)?,
        latest: row.get(3)?,
        delete_marker: row.get(4)?,
        size: row.get::<_, i64>(5)?.unsigned_abs(),
        last_modified: timestamp(row.get(6)?),
        etag: row.get(7)?,
        attributes: from_json(&row.get::<_, String>(8)?, 8)?,
        parts: from_json(&row.get::<_, String>(9)?, 9)?,
        sequence: row.get(10)?,
        blob: row.get(11)?,
    })
}

/// A key, kept as bytes for their order.
pub(super) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    String::from_utf8(row.get(column)?).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Blob,
            Box::new(error),
        )
    })
}

pub(super) fn timestamp(milliseconds: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}

pub(super) fn integer(size: u64) -> i64 {
    i64::try_from(size).expect("no object has 8 EiB")
}

pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("maps of texts and lists of numbers are JSON")
}

pub(super) fn from_json<T: serde::de::DeserializeOwned>(
    text: &str,
    column: usize,
) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(
            column,
            rusqlite::types::Type::Text,
            Box::new(error),
        )
    })
}
