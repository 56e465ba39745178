//! The files that a snapshot's rows are in.

use iceberg::{
    Content, DataFile, Manifest, ManifestContent, ManifestFile, ManifestList, Snapshot, Status,
};

use super::table::{damaged, read};
use crate::sql::Failure;
use crate::store::Store;

/// A file that is part of a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct LiveFile {
    pub file: DataFile,
    pub spec_id: i32,
    /// When its rows came.
    pub sequence_number: i64,
}

/// The live files of a snapshot.
#[derive(Clone, Debug, Default)]
pub(crate) struct SnapshotFiles {
    pub data: Vec<LiveFile>,
    /// Files of places of rows that are gone.
    pub deletes: Vec<LiveFile>,
}

/// The manifests of a snapshot that have live files.
pub(super) fn manifests(store: &Store, snapshot: &Snapshot) -> Result<Vec<ManifestFile>, Failure> {
    let bytes = read(store, &snapshot.manifest_list)?;
    let list = ManifestList::read(&bytes);
    let list = list.map_err(|error| damaged(&snapshot.manifest_list, &error))?;
    let live = |found: &ManifestFile| found.added_files > 0 || found.existing_files > 0;
    Ok(list.manifests.into_iter().filter(live).collect())
}

pub(super) fn manifest(store: &Store, listed: &ManifestFile) -> Result<Manifest, Failure> {
    let bytes = read(store, &listed.path)?;
    Manifest::read(&bytes, listed).map_err(|error| damaged(&listed.path, &error))
}

impl SnapshotFiles {
    /// Errors: `NOT_SUPPORTED` of files that are no Parquet and of equality deletes.
    pub fn of(store: &Store, snapshot: Option<&Snapshot>) -> Result<Self, Failure> {
        let mut found = Self::default();
        let Some(snapshot) = snapshot else { return Ok(found) };
        for listed in manifests(store, snapshot)? {
            let manifest = manifest(store, &listed)?;
            for entry in manifest.entries {
                if entry.status == Status::Deleted {
                    continue;
                }
                check(&entry.file)?;
                let live = LiveFile {
                    file: entry.file,
                    spec_id: listed.spec_id,
                    sequence_number: entry.sequence_number.unwrap_or(0),
                };
                match listed.content {
                    ManifestContent::Data => found.data.push(live),
                    ManifestContent::Deletes => found.deletes.push(live),
                }
            }
        }
        Ok(found)
    }
}

fn check(file: &DataFile) -> Result<(), Failure> {
    if file.content == Content::EqualityDeletes {
        return Err(Failure::not_supported(format!(
            "Iceberg tables with equality deletes are not read here: {}",
            file.file_path
        )));
    }
    if file.file_format != "PARQUET" {
        return Err(Failure::not_supported(format!(
            "{} files of Iceberg tables are not read here: {}",
            file.file_format, file.file_path
        )));
    }
    Ok(())
}
