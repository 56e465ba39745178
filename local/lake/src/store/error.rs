//! What can go wrong with buckets and objects, by S3's names.

use crate::watch::Refused;

/// Each variant is one S3 error code ([`StoreError::code`]), except the last two.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the bucket {0:?} does not exist")]
    NoSuchBucket(String),
    #[error("the bucket {0:?} exists already")]
    BucketAlreadyOwnedByYou(String),
    #[error("the bucket {0:?} still has objects or uploads in it")]
    BucketNotEmpty(String),
    #[error("{0:?} is no bucket name: 3 to 63 of a-z, 0-9, '.' and '-'")]
    InvalidBucketName(String),
    #[error("the key {key:?} does not exist in {bucket:?}")]
    NoSuchKey { bucket: String, key: String },
    #[error("the key {key:?} has no version {version:?}")]
    NoSuchVersion { key: String, version: String },
    #[error("the version asked for of {key:?} is a delete marker")]
    DeleteMarker { key: String, version_id: String, latest: bool },
    #[error("a key is at most 1024 bytes of UTF-8 and not empty, found {0} bytes")]
    KeyTooLong(usize),
    #[error("the object does not meet the condition {0}")]
    PreconditionFailed(&'static str),
    #[error("the range cannot be had of an object of {size} bytes")]
    InvalidRange { size: u64 },
    #[error("the upload {0:?} does not exist; it may have been completed or aborted")]
    NoSuchUpload(String),
    #[error("part {0} was not uploaded, or has another ETag")]
    InvalidPart(u32),
    #[error("parts are listed in ascending order")]
    InvalidPartOrder,
    #[error("part {number} has {size} bytes; all but the last need 5 MiB")]
    EntityTooSmall { number: u32, size: u64 },
    #[error("part numbers are 1 to 10000, found {0}")]
    InvalidPartNumber(u32),
    #[error("{0}")]
    InvalidArgument(String),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the object's bytes cannot be read or written")]
    Io(#[from] std::io::Error),
    #[error("the state file cannot be read or written")]
    Database(#[from] rusqlite::Error),
}

impl StoreError {
    /// S3's error code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoSuchBucket(_) => "NoSuchBucket",
            Self::BucketAlreadyOwnedByYou(_) => "BucketAlreadyOwnedByYou",
            Self::BucketNotEmpty(_) => "BucketNotEmpty",
            Self::InvalidBucketName(_) => "InvalidBucketName",
            Self::NoSuchKey { .. } | Self::DeleteMarker { latest: true, .. } => "NoSuchKey",
            Self::NoSuchVersion { .. } => "NoSuchVersion",
            Self::DeleteMarker { .. } => "MethodNotAllowed",
            Self::KeyTooLong(_) => "KeyTooLongError",
            Self::PreconditionFailed(_) => "PreconditionFailed",
            Self::InvalidRange { .. } => "InvalidRange",
            Self::NoSuchUpload(_) => "NoSuchUpload",
            Self::InvalidPart(_) => "InvalidPart",
            Self::InvalidPartOrder => "InvalidPartOrder",
            Self::EntityTooSmall { .. } => "EntityTooSmall",
            Self::InvalidPartNumber(_) | Self::InvalidArgument(_) => "InvalidArgument",
            Self::Refused(_) => "AccessDenied",
            Self::Io(_) | Self::Database(_) => "InternalError",
        }
    }
}
