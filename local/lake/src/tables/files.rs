//! The objects that are a table's data.

use crate::S3Url;
use crate::sql::Failure;
use crate::store::{ListQuery, Store, StoreError};

/// Keys a page of a listing holds.
const PAGE: usize = 1_000;

#[derive(Clone, Debug)]
pub(crate) struct DataFile {
    pub url: S3Url,
    pub size: u64,
}

/// Everything below a folder, however deep, but what begins with `_` or `.` and empty
/// markers of folders.
pub(crate) fn data_files(store: &Store, folder: &S3Url) -> Result<Vec<DataFile>, Failure> {
    let folder = folder.folder();
    let mut files = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let query =
            ListQuery { prefix: folder.key(), delimiter: None, after: after.as_deref(), max: PAGE };
        let listing = match store.list(folder.bucket(), query) {
            Ok(listing) => listing,
            Err(StoreError::NoSuchBucket(bucket)) => {
                return Err(Failure::new(
                    "HIVE_METASTORE_ERROR",
                    format!("The specified bucket does not exist: {bucket}"),
                ));
            }
            Err(error) => return Err(Failure::new("HIVE_FILESYSTEM_ERROR", error.to_string())),
        };
        for object in listing.objects {
            let below = object.key.get(folder.key().len()..).unwrap_or_default();
            let hidden = below.split('/').any(|part| part.starts_with(['_', '.']));
            if !hidden && !object.key.ends_with('/') && object.size > 0 {
                files.push(DataFile {
                    url: S3Url::new(folder.bucket(), object.key.clone()),
                    size: object.size,
                });
            }
        }
        match listing.next {
            Some(next) => after = Some(next),
            None => return Ok(files),
        }
    }
}

/// Whether nothing at all lies below a folder.
pub(crate) fn is_empty(store: &Store, folder: &S3Url) -> Result<bool, Failure> {
    let folder = folder.folder();
    let query = ListQuery { prefix: folder.key(), delimiter: None, after: None, max: 1 };
    match store.list(folder.bucket(), query) {
        Ok(listing) => Ok(listing.objects.iter().all(|object| object.key == folder.key())),
        Err(StoreError::NoSuchBucket(bucket)) => Err(Failure::new(
            "HIVE_METASTORE_ERROR",
            format!("The specified bucket does not exist: {bucket}"),
        )),
        Err(error) => Err(Failure::new("HIVE_FILESYSTEM_ERROR", error.to_string())),
    }
}
