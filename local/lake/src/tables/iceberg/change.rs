//! What a statement does to a table's files, as a snapshot.

use std::collections::{BTreeMap, HashMap, HashSet};

use datafusion::common::Result;
use iceberg::{
    DataFile, Entry, Manifest, ManifestContent, ManifestFile, ManifestList, Operation, Snapshot,
    Status, TableMetadata,
};

use super::commit::remove;
use super::snapshot_files::{manifest, manifests};
use super::table::damaged;
use super::{DataWriterPlan, Deleted, LiveFile, SnapshotFiles, deletes};
use crate::Lake;
use crate::sql::Failure;
use crate::store::{PutOptions, Store};

/// Manifests of data files that become one. Source: Iceberg's `commit.manifest.min-count-to-merge`.
const MANIFESTS: usize = 100;

/// Files that come and go.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub added: Vec<DataFile>,
    /// Files of deletes, with the specifications of their partitions.
    pub added_deletes: Vec<(i32, DataFile)>,
    /// Paths of data files and files of deletes.
    pub removed: HashSet<String>,
    /// Whether rows stay what they are.
    pub rewrites: bool,
}

/// Counts of a snapshot's summary.
#[derive(Default)]
struct Counts {
    files: i64,
    rows: i64,
    size: i64,
    deletes: i64,
    positions: i64,
}

impl Change {
    /// Takes rows away, at places of data files; a file of which nothing stays goes as a whole, with
    /// the files of deletes that are about it alone. `already` are places that were gone before.
    pub fn delete_rows(
        &mut self,
        plan: &DataWriterPlan,
        table: &TableMetadata,
        files: &SnapshotFiles,
        places: HashMap<String, Vec<u64>>,
        already: &Deleted,
    ) -> Result<()> {
        let live: HashMap<&str, &LiveFile> =
            files.data.iter().map(|live| (live.file.file_path.as_str(), live)).collect();
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort();
        for (path, mut rows) in places {
            let found = live.get(path.as_str()).expect("rows were read from the table's files");
            rows.sort_unstable();
            let count = i64::try_from(rows.len() + already.of(&path).len()).unwrap_or(i64::MAX);
            if count >= found.file.record_count {
                self.removed.insert(path);
                continue;
            }
            let spec = table.spec(found.spec_id).ok_or_else(|| {
                Failure::new(
                    "ICEBERG_INVALID_METADATA",
                    format!("there is no partition specification {}", found.spec_id),
                )
            })?;
            let file = deletes::write(plan, spec, &found.file.partition, &path, &rows)?;
            self.added_deletes.push((found.spec_id, file));
        }
        self.remove_deletes_of_removed(files);
        Ok(())
    }

    /// Files of deletes that are about a file that goes, and no other, go with it.
    pub fn remove_deletes_of_removed(&mut self, files: &SnapshotFiles) {
        for live in &files.deletes {
            if deletes::only_path(&live.file).is_some_and(|path| self.removed.contains(&path)) {
                self.removed.insert(live.file.file_path.clone());
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.added_deletes.is_empty() && self.removed.is_empty()
    }

    /// Whether it only adds rows: then it can follow whatever came before.
    pub fn is_append(&self) -> bool {
        self.added_deletes.is_empty() && self.removed.is_empty()
    }

    /// Makes the change the first snapshot of a table that is about to be made.
    pub fn first(&self, lake: &Lake, table: &mut TableMetadata) -> Result<(), Failure> {
        let now_ms = crate::clock::now().as_millisecond();
        let snapshot = self.snapshot(&lake.store, table, now_ms, &mut Vec::new())?;
        table.add_snapshot(snapshot);
        Ok(())
    }

    fn operation(&self) -> Operation {
        match (self.rewrites, self.added.is_empty()) {
            (true, _) => Operation::Replace,
            _ if self.is_append() => Operation::Append,
            (_, true) => Operation::Delete,
            _ => Operation::Overwrite,
        }
    }

    /// Writes the manifests of the change and their list, after the table's current snapshot. The
    /// URLs of the files written are noted in `written`.
    pub(super) fn snapshot(
        &self,
        store: &Store,
        table: &TableMetadata,
        now_ms: i64,
        written: &mut Vec<String>,
    ) -> Result<Snapshot, Failure> {
        let id = new_id(table);
        let sequence_number = table.last_sequence_number + 1;
        let mut writer = ManifestWriter { store, table, id, sequence_number, written };
        let mut list = Vec::new();
        let mut counts = Counts::default();
        for (content, spec_id, entries) in self.new_entries() {
            list.push(writer.write(content, spec_id, entries)?);
        }
        let parent = table.current_snapshot();
        for listed in parent.map(|parent| manifests(store, parent)).transpose()?.unwrap_or_default()
        {
            list.extend(self.kept(&mut writer, listed, &mut counts)?);
        }
        let list = writer.merged(list)?;
        let path = writer.path(&format!("snap-{id}-1-{}.avro", uuid::Uuid::new_v4()));
        let bytes = ManifestList { manifests: list }.write(
            id,
            parent.map(|found| found.id),
            sequence_number,
        );
        put(store, &path, &bytes)?;
        written.push(path.clone());
        Ok(Snapshot {
            id,
            parent_id: parent.map(|found| found.id),
            sequence_number,
            // Each snapshot is later than the one before, so that a time names one.
            timestamp_ms: now_ms.max(table.last_updated_ms + 1),
            manifest_list: path,
            summary: self.summary(parent, &counts),
            schema_id: Some(table.current_schema_id),
        })
    }

    fn new_entries(&self) -> Vec<(ManifestContent, Option<i32>, Vec<Entry>)> {
        let entry = |file: &DataFile| Entry {
            status: Status::Added,
            snapshot_id: None,
            sequence_number: None,
            file_sequence_number: None,
            file: file.clone(),
        };
        let mut found = Vec::new();
        if !self.added.is_empty() {
            let entries = self.added.iter().map(entry).collect();
            found.push((ManifestContent::Data, None, entries));
        }
        let mut deletes: BTreeMap<i32, Vec<Entry>> = BTreeMap::new();
        for (spec, file) in &self.added_deletes {
            deletes.entry(*spec).or_default().push(entry(file));
        }
        let deletes = deletes.into_iter();
        found
            .extend(deletes.map(|(spec, entries)| (ManifestContent::Deletes, Some(spec), entries)));
        found
    }

    /// A manifest of the snapshot before as this one has it: rewritten where files of it go.
    fn kept(
        &self,
        writer: &mut ManifestWriter<'_>,
        listed: ManifestFile,
        counts: &mut Counts,
    ) -> Result<Option<ManifestFile>, Failure> {
        if self.removed.is_empty() {
            return Ok(Some(listed));
        }
        let mut found = manifest(writer.store, &listed)?;
        found.entries.retain(|entry| entry.status != Status::Deleted);
        if !found.entries.iter().any(|entry| self.removed.contains(&entry.file.file_path)) {
            return Ok(Some(listed));
        }
        for entry in &mut found.entries {
            entry.status = Status::Existing;
            if self.removed.contains(&entry.file.file_path) {
                entry.status = Status::Deleted;
                entry.snapshot_id = Some(writer.id);
                match listed.content {
                    ManifestContent::Data => {
                        counts.files += 1;
                        counts.rows += entry.file.record_count;
                    }
                    ManifestContent::Deletes => {
                        counts.deletes += 1;
                        counts.positions += entry.file.record_count;
                    }
                }
                counts.size += entry.file.file_size_in_bytes;
            }
        }
        writer.put(&found).map(Some)
    }

    fn summary(&self, parent: Option<&Snapshot>, gone: &Counts) -> BTreeMap<String, String> {
        let before = |name: &str| -> i64 {
            let text = parent.and_then(|parent| parent.summary.get(name));
            text.and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let rows: i64 = self.added.iter().map(|file| file.record_count).sum();
        let deletes = self.added_deletes.iter().map(|(_, file)| file);
        let positions: i64 = deletes.clone().map(|file| file.record_count).sum();
        let size: i64 = self.added.iter().chain(deletes).map(|file| file.file_size_in_bytes).sum();
        let added = count(self.added.len());
        let added_deletes = count(self.added_deletes.len());
        let totals = [
            ("total-data-files", added - gone.files),
            ("total-records", rows - gone.rows),
            ("total-files-size", size - gone.size),
            ("total-delete-files", added_deletes - gone.deletes),
            ("total-position-deletes", positions - gone.positions),
            ("total-equality-deletes", 0),
        ];
        let changes = [
            ("added-data-files", added),
            ("added-records", rows),
            ("added-files-size", size),
            ("added-delete-files", added_deletes),
            ("added-position-delete-files", added_deletes),
            ("added-position-deletes", positions),
            ("deleted-data-files", gone.files),
            ("deleted-records", gone.rows),
            ("removed-files-size", gone.size),
            ("removed-delete-files", gone.deletes),
            ("removed-position-deletes", gone.positions),
        ];
        let mut summary =
            BTreeMap::from([("operation".to_owned(), self.operation().as_str().to_owned())]);
        for (name, change) in changes.into_iter().filter(|(_, change)| *change != 0) {
            summary.insert(name.to_owned(), change.to_string());
        }
        for (name, change) in totals {
            summary.insert(name.to_owned(), (before(name) + change).to_string());
        }
        summary
    }
}

/// Writes the manifests of one snapshot.
struct ManifestWriter<'a> {
    store: &'a Store,
    table: &'a TableMetadata,
    id: i64,
    sequence_number: i64,
    written: &'a mut Vec<String>,
}

impl ManifestWriter<'_> {
    fn path(&self, name: &str) -> String {
        format!("{}/metadata/{name}", self.table.location.trim_end_matches('/'))
    }

    fn write(
        &mut self,
        content: ManifestContent,
        spec_id: Option<i32>,
        entries: Vec<Entry>,
    ) -> Result<ManifestFile, Failure> {
        let spec_id = spec_id.unwrap_or(self.table.default_spec_id);
        let spec = self.table.spec(spec_id).unwrap_or_else(|| self.table.default_spec()).clone();
        // The columns of an old specification may be gone from the newest schema.
        let current = self.table.current_schema();
        let mut schemas = std::iter::once(current).chain(self.table.schemas.iter().rev());
        let schema = schemas.find(|schema| spec.sources(schema).is_ok()).unwrap_or(current);
        self.put(&Manifest { schema: schema.clone(), spec, content, entries })
    }

    /// Many manifests of data files as one, so that tables that are often added to stay quick to read.
    fn merged(&mut self, list: Vec<ManifestFile>) -> Result<Vec<ManifestFile>, Failure> {
        let is_one = |listed: &ManifestFile| {
            listed.content == ManifestContent::Data && listed.spec_id == self.table.default_spec_id
        };
        if list.iter().filter(|listed| is_one(listed)).count() < MANIFESTS {
            return Ok(list);
        }
        let (own, mut kept): (Vec<_>, Vec<_>) = list.into_iter().partition(is_one);
        let mut entries = Vec::new();
        for listed in &own {
            let is_new = listed.added_snapshot_id == self.id;
            for mut entry in manifest(self.store, listed)?.entries {
                // What is new, or gone by this snapshot, is told once more; what was gone before is not.
                let told = is_new && entry.snapshot_id == Some(self.id);
                if entry.status == Status::Deleted && !told {
                    continue;
                }
                if !told {
                    entry.status = Status::Existing;
                }
                entries.push(entry);
            }
        }
        kept.insert(0, self.write(ManifestContent::Data, None, entries)?);
        // Those this snapshot has written are named by nothing now.
        let gone: Vec<String> =
            own.into_iter().filter(|m| m.added_snapshot_id == self.id).map(|m| m.path).collect();
        self.written.retain(|path| !gone.contains(path));
        remove(self.store, &gone);
        Ok(kept)
    }

    fn put(&mut self, manifest: &Manifest) -> Result<ManifestFile, Failure> {
        let path = self.path(&format!("{}-m0.avro", uuid::Uuid::new_v4()));
        let bytes = manifest.write().map_err(|error| damaged(&path, &error))?;
        put(self.store, &path, &bytes)?;
        self.written.push(path.clone());
        let length = i64::try_from(bytes.len()).unwrap_or(i64::MAX);
        Ok(manifest.listed(path, length, self.sequence_number, self.id))
    }
}

/// A number no snapshot of the table has.
fn new_id(table: &TableMetadata) -> i64 {
    loop {
        let (high, low) = uuid::Uuid::new_v4().as_u64_pair();
        let id = (high ^ low).cast_signed() & i64::MAX;
        if table.snapshot(id).is_none() {
            return id;
        }
    }
}

/// Writes a file of a table's metadata.
pub(super) fn put(store: &Store, url: &str, bytes: &[u8]) -> Result<(), Failure> {
    let place = super::table::parsed(url)?;
    store
        .put(place.bucket(), place.key(), bytes, PutOptions::default())
        .map(drop)
        .map_err(|error| Failure::new("ICEBERG_FILESYSTEM_ERROR", error.to_string()))
}
