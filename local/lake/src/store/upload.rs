//! Multipart uploads.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, Transaction, params};
use uuid::Uuid;

use super::blob::{self, Blob};
use super::object::{Attributes, Object, PutOptions, from_json, integer, json, text, timestamp};
use super::version::{self, Draft};
use super::{Released, Store, StoreError, bucket};

/// Part numbers go up to this.
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const LAST_PART: u32 = 10_000;

/// All parts but the last have at least so many bytes. Source: as above.
const SMALLEST_PART: u64 = 5 * 1024 * 1024;

/// An upload that is neither completed nor aborted.
#[derive(Clone, Debug, PartialEq)]
pub struct Upload {
    pub id: String,
    pub bucket: String,
    pub key: String,
    pub initiated_at: jiff::Timestamp,
    /// What the object will have.
    pub attributes: Attributes,
}

/// One uploaded part.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// 1 to 10,000.
    pub number: u32,
    /// Bytes.
    pub size: u64,
    pub last_modified: jiff::Timestamp,
    /// MD5 in hex, without quotes.
    pub etag: String,
    /// By algorithm, in Base64.
    pub checksums: BTreeMap<String, String>,
    blob: String,
}

/// What is said of a part with its bytes.
#[derive(Clone, Debug, Default)]
pub struct PartOptions {
    /// By algorithm, in Base64.
    pub checksums: BTreeMap<String, String>,
}

/// A part as its uploader names it to complete the upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletedPart {
    pub number: u32,
    /// Without quotes.
    pub etag: String,
}

impl Store {
    /// Begins an upload. Errors: `NoSuchBucket`, `KeyTooLong`.
    pub fn create_upload(
        &self,
        bucket: &str,
        key: &str,
        attributes: Attributes,
    ) -> Result<Upload, StoreError> {
        self.meter.write();
        version::check_key(key)?;
        let upload = Upload {
            id: Uuid::new_v4().simple().to_string(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            initiated_at: timestamp(crate::clock::now().as_millisecond()),
            attributes,
        };
        self.database.write(|transaction| {
            bucket::bucket(transaction, bucket)?;
            transaction.execute(
                "INSERT INTO uploads (id, bucket, key, initiated_at, attributes)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    upload.id,
                    bucket,
                    key.as_bytes(),
                    upload.initiated_at.as_millisecond(),
                    json(&upload.attributes)
                ],
            )?;
            Ok::<_, StoreError>(())
        })?;
        Ok(upload)
    }

    /// Adds a part, or replaces the one of this number.
    ///
    /// Errors: `NoSuchUpload`, `InvalidPartNumber`.
    pub fn put_part(
        &self,
        upload: (&str, &str, &str),
        number: u32,
        blob: Blob,
        options: PartOptions,
    ) -> Result<Part, StoreError> {
        self.meter.write();
        if !(1..=LAST_PART).contains(&number) {
            return Err(StoreError::InvalidPartNumber(number));
        }
        let part = Part {
            number,
            size: blob.size(),
            last_modified: timestamp(crate::clock::now().as_millisecond()),
            etag: blob.etag().to_owned(),
            checksums: options.checksums,
            blob: blob.id.clone(),
        };
        self.change(|transaction, released| {
            let (bucket, key, id) = upload;
            find(transaction, bucket, key, id)?;
            let replaced = transaction
                .query_row(
                    "DELETE FROM parts WHERE upload = ?1 AND number = ?2 RETURNING blob",
                    params![id, number],
                    |row| row.get(0),
                )
                .optional()?;
            released.0.extend(replaced);
            transaction.execute(
                "INSERT INTO parts (upload, number, size, last_modified, etag, checksums, blob)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    id,
                    number,
                    integer(part.size),
                    part.last_modified.as_millisecond(),
                    part.etag,
                    json(&part.checksums),
                    part.blob
                ],
            )?;
            Ok(())
        })?;
        blob.keep();
        Ok(part)
    }

    /// An upload and all of its parts, by number. Error: `NoSuchUpload`.
    pub fn upload(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
    ) -> Result<(Upload, Vec<Part>), StoreError> {
        self.database.read(|snapshot| {
            let upload = find(snapshot, bucket, key, id)?;
            Ok((upload, parts(snapshot, id)?))
        })
    }

    /// All uploads of a bucket, in the order of key and start. Error: `NoSuchBucket`.
    pub fn uploads(&self, bucket: &str, prefix: &str) -> Result<Vec<Upload>, StoreError> {
        self.database.read(|snapshot| {
            bucket::bucket(snapshot, bucket)?;
            let mut statement = snapshot.prepare_cached(
                "SELECT id, bucket, key, initiated_at, attributes FROM uploads
                 WHERE bucket = ?1 ORDER BY key, initiated_at, id",
            )?;
            let mut uploads: Vec<Upload> =
                statement.query_map([bucket], read_upload)?.collect::<Result<_, _>>()?;
            uploads.retain(|upload| upload.key.starts_with(prefix));
            Ok(uploads)
        })
    }

    /// Joins the named parts to the object. Its bytes are one new blob, so reading it
    /// is no different from any other object. `options.attributes` is not used but for
    /// its checksums: the rest was said when the upload began.
    ///
    /// Errors: `NoSuchUpload`, `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`,
    /// `PreconditionFailed`. The upload stays after an error.
    pub fn complete_upload(
        &self,
        upload: (&str, &str, &str),
        named: &[CompletedPart],
        options: PutOptions,
    ) -> Result<Object, StoreError> {
        self.meter.write();
        let (bucket, key, id) = upload;
        let (started, uploaded) = self.upload(bucket, key, id)?;
        let chosen = choose(&uploaded, named)?;
        let mut writer = self.blob()?;
        for part in &chosen {
            match self.blobs.read(&part.blob) {
                Ok(reader) => writer.append(reader)?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    return Err(StoreError::NoSuchUpload(id.to_owned()));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let blob = writer.finish()?;
        let mut attributes = started.attributes;
        attributes.checksums = options.attributes.checksums;
        let draft = Draft {
            size: blob.size(),
            etag: blob::parts_etag(chosen.iter().map(|part| part.etag.as_str())),
            attributes,
            parts: chosen.iter().map(|part| part.size).collect(),
            blob: blob.id.clone(),
        };
        let (object, event) = self.change(|transaction, released| {
            find(transaction, bucket, key, id)?;
            for part in parts(transaction, id)? {
                released.0.push(part.blob);
            }
            let condition = &options.condition;
            let inserted = draft.insert(
                transaction,
                bucket,
                key,
                condition,
                "CompleteMultipartUpload",
                released,
            )?;
            remove(transaction, id)?;
            Ok(inserted)
        })?;
        blob.keep();
        self.publish(event);
        Ok(object)
    }

    /// Forgets an upload and its parts. Error: `NoSuchUpload`.
    pub fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> Result<(), StoreError> {
        self.change(|transaction, released: &mut Released| {
            find(transaction, bucket, key, id)?;
            for part in parts(transaction, id)? {
                released.0.push(part.blob);
            }
            remove(transaction, id)?;
            Ok(())
        })
    }
}

/// The uploaded parts that are named, in order.
fn choose<'a>(uploaded: &'a [Part], named: &[CompletedPart]) -> Result<Vec<&'a Part>, StoreError> {
    if !named.is_sorted_by(|a, b| a.number < b.number) {
        return Err(StoreError::InvalidPartOrder);
    }
    let chosen: Vec<&Part> = named
        .iter()
        .map(|wanted| {
            uploaded
                .iter()
                .find(|part| part.number == wanted.number && part.etag == wanted.etag)
                .ok_or(StoreError::InvalidPart(wanted.number))
        })
        .collect::<Result<_, _>>()?;
    let Some((_, all_but_last)) = chosen.split_last() else {
        return Err(StoreError::InvalidArgument(
            "an upload is completed with at least one part".to_owned(),
        ));
    };
    match all_but_last.iter().find(|part| part.size < SMALLEST_PART) {
        Some(part) => Err(StoreError::EntityTooSmall { number: part.number, size: part.size }),
        None => Ok(chosen),
    }
}

fn find(
    transaction: &Transaction<'_>,
    bucket: &str,
    key: &str,
    id: &str,
) -> Result<Upload, StoreError> {
    let upload = transaction
        .prepare_cached(
            "SELECT id, bucket, key, initiated_at, attributes FROM uploads
             WHERE id = ?1 AND bucket = ?2 AND key = ?3",
        )?
        .query_row(params![id, bucket, key.as_bytes()], read_upload)
        .optional()?;
    if let Some(upload) = upload {
        return Ok(upload);
    }
    bucket::bucket(transaction, bucket)?;
    Err(StoreError::NoSuchUpload(id.to_owned()))
}

fn remove(transaction: &Transaction<'_>, id: &str) -> Result<(), StoreError> {
    transaction.execute("DELETE FROM uploads WHERE id = ?1", [id])?;
    Ok(())
}

fn parts(transaction: &Transaction<'_>, id: &str) -> Result<Vec<Part>, StoreError> {
    let mut statement = transaction.prepare_cached(
        "SELECT number, size, last_modified, etag, checksums, blob FROM parts
         WHERE upload = ?1 ORDER BY number",
    )?;
    let parts = statement.query_map([id], |row| {
        Ok(Part {
            number: row.get(0)?,
            size: row.get::<_, i64>(1)?.unsigned_abs(),
            last_modified: timestamp(row.get(2)?),
            etag: row.get(3)?,
            checksums: from_json(&row.get::<_, String>(4)?, 4)?,
            blob: row.get(5)?,
        })
    })?;
    Ok(parts.collect::<Result<_, _>>()?)
}

fn read_upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    Ok(Upload {
        id: row.get(0)?,
        bucket: row.get(1)?,
        key: text(row, 2)?,
        initiated_at: timestamp(row.get(3)?),
        attributes: from_json(&row.get::<_, String>(4)?, 4)?,
    })
}
