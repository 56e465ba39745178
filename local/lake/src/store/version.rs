//! What a write does to the versions of a key, inside its transaction: the condition,
//! the version that makes room, the one that becomes the latest.

use rusqlite::{OptionalExtension, Transaction, params};
use uuid::Uuid;

use super::bucket::{self, Bucket, Versioning};
use super::event::{ObjectEvent, ObjectEventKind};
use super::object::{Attributes, Deleted, Object, WriteCondition, integer, json, timestamp};
use super::{Released, StoreError};

/// The version id of objects written without versioning.
pub const NULL_VERSION: &str = "null";

/// A key is at most this many bytes of UTF-8.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
const LONGEST_KEY: usize = 1024;

/// An object about to become a row.
pub struct Draft {
    pub size: u64,
    pub etag: String,
    pub attributes: Attributes,
    pub parts: Vec<u64>,
    pub blob: String,
}

impl Draft {
    pub fn insert(
        self,
        transaction: &Transaction<'_>,
        bucket: &str,
        key: &str,
        condition: &WriteCondition,
        reason: &'static str,
        released: &mut Released,
    ) -> Result<(Object, Option<ObjectEvent>), StoreError> {
        check_key(key)?;
        let settings = bucket::bucket(transaction, bucket)?;
        check(transaction, bucket, key, condition)?;
        let version_id = next_version(transaction, &settings, key, released)?;
        let now = crate::clock::now().as_millisecond();
        transaction
            .prepare_cached(
                "INSERT INTO objects (bucket, key, version_id, latest, delete_marker, size,
                     last_modified, etag, attributes, parts, blob)
                 VALUES (?1, ?2, ?3, 1, 0, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                bucket,
                key.as_bytes(),
                version_id,
                integer(self.size),
                now,
                self.etag,
                json(&self.attributes),
                json(&self.parts),
                self.blob,
            ])?;
        let object = Object {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version_id,
            latest: true,
            delete_marker: false,
            size: self.size,
            last_modified: timestamp(now),
            etag: self.etag,
            attributes: self.attributes,
            parts: self.parts,
            sequence: transaction.last_insert_rowid(),
            blob: Some(self.blob),
        };
        let event = settings.event_bridge.then(|| created(&object, reason));
        Ok((object, event))
    }
}

fn created(object: &Object, reason: &'static str) -> ObjectEvent {
    ObjectEvent {
        kind: ObjectEventKind::Created,
        bucket: object.bucket.clone(),
        key: object.key.clone(),
        size: Some(object.size),
        etag: Some(object.etag.clone()),
        version_id: Some(object.version_id.clone()).filter(|version| version != NULL_VERSION),
        sequencer: sequencer(object.sequence, false),
        reason,
        time: object.last_modified,
    }
}

/// A delete comes after the last write before it, and before the next one.
pub fn sequencer(sequence: i64, delete: bool) -> String {
    format!("{sequence:016X}{:02}", u8::from(delete))
}

/// Decides a conditional write. A delete marker counts as no object.
pub fn check(
    transaction: &Transaction<'_>,
    bucket: &str,
    key: &str,
    condition: &WriteCondition,
) -> Result<(), StoreError> {
    let etag = || {
        transaction
            .prepare_cached(
                "SELECT etag FROM objects
                 WHERE bucket = ?1 AND key = ?2 AND latest AND NOT delete_marker",
            )?
            .query_row(params![bucket, key.as_bytes()], |row| row.get::<_, String>(0))
            .optional()
    };
    match condition {
        WriteCondition::Always => Ok(()),
        WriteCondition::Absent => match etag()? {
            None => Ok(()),
            Some(_) => Err(StoreError::PreconditionFailed("If-None-Match")),
        },
        WriteCondition::Matches(expected) => match etag()? {
            Some(found) if *expected == found || expected == "*" => Ok(()),
            Some(_) => Err(StoreError::PreconditionFailed("If-Match")),
            None => Err(StoreError::NoSuchKey { bucket: bucket.to_owned(), key: key.to_owned() }),
        },
    }
}

/// Makes room for a new latest version, and names it.
fn next_version(
    transaction: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    released: &mut Released,
) -> Result<String, StoreError> {
    transaction
        .prepare_cached("UPDATE objects SET latest = 0 WHERE bucket = ?1 AND key = ?2 AND latest")?
        .execute(params![bucket.name, key.as_bytes()])?;
    if bucket.versioning == Versioning::Enabled {
        return Ok(Uuid::new_v4().simple().to_string());
    }
    take_version(transaction, &bucket.name, key, NULL_VERSION, released)?;
    Ok(NULL_VERSION.to_owned())
}

pub fn mark_deleted(
    transaction: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    released: &mut Released,
) -> Result<(Deleted, Option<i64>), StoreError> {
    let version_id = next_version(transaction, bucket, key, released)?;
    transaction.execute(
        "INSERT INTO objects (bucket, key, version_id, latest, delete_marker, size,
             last_modified, etag, attributes, parts, blob)
         VALUES (?1, ?2, ?3, 1, 1, 0, ?4, '', '{}', '[]', NULL)",
        params![bucket.name, key.as_bytes(), version_id, crate::clock::now().as_millisecond()],
    )?;
    let deleted = Deleted { version_id: Some(version_id), delete_marker: true };
    Ok((deleted, Some(transaction.last_insert_rowid())))
}

/// Removes one version for good; the newest of the rest becomes the latest. Answers
/// with the last sequence number given out, if there was anything to remove.
pub fn remove_version(
    transaction: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    version: &str,
    released: &mut Released,
) -> Result<(Deleted, Option<i64>), StoreError> {
    let version_id = (bucket.versioning != Versioning::Off).then(|| version.to_owned());
    let Some((latest, delete_marker)) =
        take_version(transaction, &bucket.name, key, version, released)?
    else {
        return Ok((Deleted { version_id, delete_marker: false }, None));
    };
    if latest {
        transaction.execute(
            "UPDATE objects SET latest = 1 WHERE sequence =
                 (SELECT max(sequence) FROM objects WHERE bucket = ?1 AND key = ?2)",
            params![bucket.name, key.as_bytes()],
        )?;
    }
    let last = transaction.query_row(
        "SELECT seq FROM sqlite_sequence WHERE name = 'objects'",
        [],
        |row| row.get(0),
    )?;
    Ok((Deleted { version_id, delete_marker }, Some(last)))
}

/// Takes one version's row away; tells whether it was the latest and a marker.
fn take_version(
    transaction: &Transaction<'_>,
    bucket: &str,
    key: &str,
    version: &str,
    released: &mut Released,
) -> Result<Option<(bool, bool)>, StoreError> {
    let taken = transaction
        .prepare_cached(
            "DELETE FROM objects WHERE bucket = ?1 AND key = ?2 AND version_id = ?3
             RETURNING latest, delete_marker, blob",
        )?
        .query_row(params![bucket, key.as_bytes(), version], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, Option<String>>(2)?))
        })
        .optional()?;
    Ok(taken.map(|(latest, delete_marker, blob)| {
        released.0.extend(blob);
        (latest, delete_marker)
    }))
}

pub fn check_key(key: &str) -> Result<(), StoreError> {
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(StoreError::KeyTooLong(key.len()));
    }
    Ok(())
}
