//! What goes: the files of a dropped table, snapshots that are too old, and files nobody names.

use std::collections::BTreeSet;

use iceberg::Snapshot;

use super::commit::remove;
use super::snapshot_files::{manifest, manifests};
use super::table::IcebergTable;
use crate::S3Url;
use crate::sql::Failure;
use crate::store::{ListQuery, Object, Store};

/// Keys a page of a listing holds.
const PAGE: usize = 1_000;

/// Removes all files of a table that is no more: those it names, and those in its folder.
pub(crate) fn drop_files(store: &Store, table: &IcebergTable) -> Result<(), Failure> {
    let mut gone = BTreeSet::new();
    for snapshot in &table.metadata.snapshots {
        // What cannot be read any more names nothing.
        if let Ok(named) = named(store, snapshot) {
            gone.extend(named);
        }
    }
    gone.extend(table.metadata.metadata_log.iter().map(|entry| entry.of.clone()));
    gone.insert(table.metadata_location.clone());
    let folder = table.folder()?;
    if !folder.key().is_empty() {
        let objects = objects(store, &folder)?;
        gone.extend(objects.iter().map(|object| url(&folder, object)));
    }
    remove(store, &gone.into_iter().collect::<Vec<_>>());
    Ok(())
}

fn url(folder: &S3Url, object: &Object) -> String {
    S3Url::new(folder.bucket(), object.key.clone()).to_string()
}

/// All objects in a folder.
fn objects(store: &Store, folder: &S3Url) -> Result<Vec<Object>, Failure> {
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let query =
            ListQuery { prefix: folder.key(), delimiter: None, after: after.as_deref(), max: PAGE };
        let listing = store
            .list(folder.bucket(), query)
            .map_err(|error| Failure::new("ICEBERG_FILESYSTEM_ERROR", error.to_string()))?;
        found.extend(listing.objects);
        match listing.next {
            Some(next) => after = Some(next),
            None => return Ok(found),
        }
    }
}

/// The files a snapshot names: its list, manifests, data files and files of deletes.
fn named(store: &Store, snapshot: &Snapshot) -> Result<BTreeSet<String>, Failure> {
    let mut found = BTreeSet::from([snapshot.manifest_list.clone()]);
    for listed in manifests(store, snapshot)? {
        let manifest = manifest(store, &listed)?;
        found.insert(listed.path);
        found.extend(manifest.entries.into_iter().map(|entry| entry.file.file_path));
    }
    Ok(found)
}
