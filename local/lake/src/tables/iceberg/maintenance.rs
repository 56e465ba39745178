//! What goes: the files of a dropped table, snapshots that are too old, files nobody names; and the
//! files that are rewritten into fewer.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use datafusion::common::Result;
use iceberg::{MAIN_BRANCH, Snapshot, TableMetadata, Value};

use super::commit::{edit, remove};
use super::deletes::Deleted;
use super::properties::TableProperties;
use super::snapshot_files::{LiveFile, SnapshotFiles, manifest, manifests};
use super::table::IcebergTable;
use crate::sql::Failure;
use crate::store::{ListQuery, Object, Store};
use crate::{Lake, S3Url};

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
        let live =
            manifest.entries.into_iter().filter(|entry| entry.status != iceberg::Status::Deleted);
        found.extend(live.map(|entry| entry.file.file_path));
    }
    Ok(found)
}

/// The snapshots that go: older than a table keeps them, and more than it keeps at least. What a
/// branch or a tag names stays, and of the main branch's ancestors the newest.
fn expired(metadata: &TableMetadata, keep: &TableProperties, now_ms: i64) -> BTreeSet<i64> {
    let oldest = now_ms.saturating_sub(keep.max_snapshot_age_ms);
    let mut kept: HashSet<i64> = HashSet::new();
    for (name, reference) in &metadata.refs {
        kept.insert(reference.snapshot_id);
        if reference.kind == "tag" {
            continue;
        }
        let own = name != MAIN_BRANCH;
        let least = reference.min_snapshots_to_keep.filter(|_| own);
        let least =
            least.and_then(|least| usize::try_from(least).ok()).unwrap_or(keep.min_snapshots);
        for (at, snapshot) in metadata.ancestors(reference.snapshot_id).enumerate() {
            if at < least.max(1) || snapshot.timestamp_ms >= oldest {
                kept.insert(snapshot.id);
            }
        }
    }
    let gone = metadata
        .snapshots
        .iter()
        .filter(|snapshot| !kept.contains(&snapshot.id) && snapshot.timestamp_ms < oldest);
    gone.map(|snapshot| snapshot.id).collect()
}

/// VACUUM: forgets old snapshots, then removes the files that nothing names any more.
///
/// Errors: `GENERIC_INTERNAL_ERROR` of a table that is a whole bucket; `ICEBERG_COMMIT_ERROR`.
pub(crate) fn vacuum(lake: &Lake, table: &IcebergTable) -> Result<(), Failure> {
    let folder = table.folder()?;
    if folder.key().is_empty() {
        return Err(Failure::new(
            "GENERIC_INTERNAL_ERROR",
            format!("Path missing in file system location: s3://{}", folder.bucket()),
        ));
    }
    let now_ms = crate::clock::now().as_millisecond();
    let keep = TableProperties::of(&table.metadata.properties);
    let mut named_before = BTreeSet::new();
    for id in expired(&table.metadata, &keep, now_ms) {
        if let Some(snapshot) = table.metadata.snapshot(id) {
            named_before.extend(named(&lake.store, snapshot)?);
        }
    }
    let log_before: BTreeSet<String> =
        table.metadata.metadata_log.iter().map(|entry| entry.of.clone()).collect();
    let after = edit::<Failure>(lake, &table.entry, |metadata| {
        let gone = expired(metadata, &keep, now_ms);
        metadata.remove_snapshots(&gone);
        Ok(())
    })?;
    let mut alive = BTreeSet::from([after.metadata_location.clone()]);
    alive.extend(after.metadata.metadata_log.iter().map(|entry| entry.of.clone()));
    for snapshot in &after.metadata.snapshots {
        alive.extend(named(&lake.store, snapshot)?);
    }
    // What was named may go at once; what never was may be somebody's who is about to commit.
    let mut gone: BTreeSet<String> = named_before.union(&log_before).cloned().collect();
    for object in objects(&lake.store, &folder)? {
        let age = now_ms.saturating_sub(object.last_modified.as_millisecond());
        if age > keep.max_snapshot_age_ms {
            gone.insert(url(&folder, &object));
        }
    }
    remove(&lake.store, &gone.difference(&alive).cloned().collect::<Vec<_>>());
    Ok(())
}

/// OPTIMIZE: of files that may be rewritten, those worth it: too small or too large ones where a
/// partition has enough of them, those with as many files of deletes, and those of earlier
/// partitions.
pub(crate) fn rewritable(
    table: &TableMetadata,
    candidates: &SnapshotFiles,
    deleted: &Deleted,
) -> Vec<LiveFile> {
    let limits = TableProperties::of(&table.properties);
    let mut sized: BTreeMap<Vec<String>, Vec<&LiveFile>> = BTreeMap::new();
    let mut chosen: Vec<LiveFile> = Vec::new();
    for live in &candidates.data {
        let size = live.file.file_size_in_bytes;
        if deleted.files_about(&live.file.file_path) >= limits.delete_threshold.max(1)
            || live.spec_id != table.default_spec_id
        {
            chosen.push(live.clone());
        } else if size < limits.min_size || size > limits.max_size {
            let key = live.file.partition.iter().map(|value| shown(value.as_ref())).collect();
            sized.entry(key).or_default().push(live);
        }
    }
    for files in sized.into_values() {
        let few = files.len() < limits.file_threshold;
        let one = files.len() == 1 && files[0].file.file_size_in_bytes < limits.min_size;
        if !few && !one {
            chosen.extend(files.into_iter().cloned());
        }
    }
    chosen
}

/// A value as a key of a map.
fn shown(value: Option<&Value>) -> String {
    format!("{value:?}")
}
