//! Buckets and their settings.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{Store, StoreError};

/// A bucket. Names belong to one data directory, not to the whole world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub name: String,
    pub created_at: jiff::Timestamp,
    pub region: String,
    pub versioning: Versioning,
    /// Whether its objects' events go to EventBridge. Default: off.
    pub event_bridge: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// Never enabled: a write replaces, a delete removes.
    Off,
    /// Every write is a new version, a delete is a marker.
    Enabled,
    /// Writes replace the version `null`; older versions stay.
    Suspended,
}

impl Versioning {
    /// S3's word; empty where versioning was never on.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "",
            Self::Enabled => "Enabled",
            Self::Suspended => "Suspended",
        }
    }

    fn read(text: &str) -> Self {
        match text {
            "Enabled" => Self::Enabled,
            "Suspended" => Self::Suspended,
            _ => Self::Off,
        }
    }
}

impl Store {
    /// Errors: `InvalidBucketName`, `BucketAlreadyOwnedByYou`.
    pub fn create_bucket(&self, name: &str, region: &str) -> Result<Bucket, StoreError> {
        if !is_bucket_name(name) {
            return Err(StoreError::InvalidBucketName(name.to_owned()));
        }
        self.database.write(|transaction| {
            let created = transaction.execute(
                "INSERT OR IGNORE INTO buckets (name, created_at, region) VALUES (?1, ?2, ?3)",
                params![name, crate::clock::now().as_millisecond(), region],
            )?;
            if created == 0 {
                return Err(StoreError::BucketAlreadyOwnedByYou(name.to_owned()));
            }
            bucket(transaction, name)
        })
    }

    pub fn bucket(&self, name: &str) -> Result<Bucket, StoreError> {
        self.database.read(|snapshot| bucket(snapshot, name))
    }

    /// In the order of their names.
    pub fn buckets(&self) -> Result<Vec<Bucket>, StoreError> {
        self.database.read(|snapshot| {
            let mut statement = snapshot.prepare_cached(&format!("{SELECT} ORDER BY name"))?;
            let buckets = statement.query_map([], read)?.collect::<Result<_, _>>()?;
            Ok(buckets)
        })
    }

    /// Errors: `NoSuchBucket`; `BucketNotEmpty` while it has any version of any
    /// object. Unfinished uploads go with it.
    pub fn delete_bucket(&self, name: &str) -> Result<(), StoreError> {
        self.change(|transaction, released| {
            bucket(transaction, name)?;
            let used: bool = transaction.query_row(
                "SELECT EXISTS (SELECT 1 FROM objects WHERE bucket = ?1)",
                [name],
                |row| row.get(0),
            )?;
            if used {
                return Err(StoreError::BucketNotEmpty(name.to_owned()));
            }
            let mut blobs = transaction
                .prepare("SELECT blob FROM parts JOIN uploads ON upload = id WHERE bucket = ?1")?;
            for blob in blobs.query_map([name], |row| row.get(0))? {
                released.0.push(blob?);
            }
            transaction.execute("DELETE FROM uploads WHERE bucket = ?1", [name])?;
            transaction.execute("DELETE FROM buckets WHERE name = ?1", [name])?;
            Ok(())
        })
    }

    /// Versioning cannot be turned off again, only suspended: `Off` is refused where
    /// it was on.
    pub fn set_versioning(&self, name: &str, versioning: Versioning) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            let before = bucket(transaction, name)?.versioning;
            if versioning == Versioning::Off && before != Versioning::Off {
                return Err(StoreError::InvalidArgument(
                    "versioning can be suspended, but not turned off again".to_owned(),
                ));
            }
            transaction.execute(
                "UPDATE buckets SET versioning = ?2 WHERE name = ?1",
                [name, versioning.as_str()],
            )?;
            Ok(())
        })
    }

    /// Whether events of the bucket's objects go to [`Store::subscribe`]rs.
    pub fn set_event_bridge(&self, name: &str, enabled: bool) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            bucket(transaction, name)?;
            transaction.execute(
                "UPDATE buckets SET event_bridge = ?2 WHERE name = ?1",
                params![name, enabled],
            )?;
            Ok(())
        })
    }

    /// A setting that is kept as it was put (policy, lifecycle, tagging …), under the
    /// caller's name for it.
    pub fn bucket_document(&self, name: &str, kind: &str) -> Result<Option<String>, StoreError> {
        self.database.read(|snapshot| {
            bucket(snapshot, name)?;
            let document = snapshot
                .query_row(
                    "SELECT document FROM bucket_documents WHERE bucket = ?1 AND kind = ?2",
                    [name, kind],
                    |row| row.get(0),
                )
                .optional()?;
            Ok(document)
        })
    }

    /// Keeps a setting, or with `None` removes it.
    pub fn set_bucket_document(
        &self,
        name: &str,
        kind: &str,
        document: Option<&str>,
    ) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            bucket(transaction, name)?;
            match document {
                Some(document) => transaction.execute(
                    "INSERT OR REPLACE INTO bucket_documents (bucket, kind, document)
                     VALUES (?1, ?2, ?3)",
                    [name, kind, document],
                )?,
                None => transaction.execute(
                    "DELETE FROM bucket_documents WHERE bucket = ?1 AND kind = ?2",
                    [name, kind],
                )?,
            };
            Ok(())
        })
    }
}

const SELECT: &str = "SELECT name, created_at, region, versioning, event_bridge FROM buckets";

pub(super) fn bucket(transaction: &Transaction<'_>, name: &str) -> Result<Bucket, StoreError> {
    transaction
        .prepare_cached(&format!("{SELECT} WHERE name = ?1"))?
        .query_row([name], read)
        .optional()?
        .ok_or_else(|| StoreError::NoSuchBucket(name.to_owned()))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Bucket> {
    Ok(Bucket {
        name: row.get(0)?,
        created_at: super::object::timestamp(row.get(1)?),
        region: row.get(2)?,
        versioning: Versioning::read(&row.get::<_, String>(3)?),
        event_bridge: row.get(4)?,
    })
}

/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
fn is_bucket_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    let edge =
        |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    (3..=63).contains(&bytes.len())
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(b))
        && edge(bytes.first())
        && edge(bytes.last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
}
