//! Snapshots: the states a table has been in.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::FormatError;
use crate::json::Object;

/// The branch that queries read.
pub const MAIN_BRANCH: &str = "main";

/// What a snapshot did to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Files were added.
    Append,
    /// Files were rewritten, rows were not changed.
    Replace,
    /// Rows were changed.
    Overwrite,
    /// Rows were taken away.
    Delete,
}

impl Operation {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Replace => "replace",
            Self::Overwrite => "overwrite",
            Self::Delete => "delete",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub id: i64,
    pub parent_id: Option<i64>,
    /// 0 in tables of version 1.
    pub sequence_number: i64,
    /// Since 1970-01-01 00:00:00 UTC, in milliseconds.
    pub timestamp_ms: i64,
    /// The URL of the list of manifests.
    pub manifest_list: String,
    /// `operation`, and counts as texts.
    pub summary: BTreeMap<String, String>,
    pub schema_id: Option<i32>,
}

/// A branch or a tag.
#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotRef {
    pub snapshot_id: i64,
    /// `branch` or `tag`.
    pub kind: String,
    pub min_snapshots_to_keep: Option<i64>,
    pub max_snapshot_age_ms: Option<i64>,
    pub max_ref_age_ms: Option<i64>,
}

impl Snapshot {
    pub(crate) fn read(json: &Json) -> Result<Self, FormatError> {
        let object = Object::of(json, "snapshot")?;
        let manifest_list = object.optional_text("manifest-list")?.ok_or_else(|| {
            FormatError::unsupported("a snapshot that lists its manifests in the table's metadata")
        })?;
        Ok(Self {
            id: object.long("snapshot-id")?,
            parent_id: object.optional_long("parent-snapshot-id")?,
            sequence_number: object.optional_long("sequence-number")?.unwrap_or(0),
            timestamp_ms: object.long("timestamp-ms")?,
            manifest_list,
            summary: object.texts("summary")?,
            schema_id: object.optional_int("schema-id")?,
        })
    }

    pub(crate) fn write(&self) -> Json {
        let mut json = Map::new();
        json.insert("sequence-number".to_owned(), self.sequence_number.into());
        json.insert("snapshot-id".to_owned(), self.id.into());
        if let Some(parent) = self.parent_id {
            json.insert("parent-snapshot-id".to_owned(), parent.into());
        }
        json.insert("timestamp-ms".to_owned(), self.timestamp_ms.into());
        json.insert("summary".to_owned(), json!(self.summary));
        json.insert("manifest-list".to_owned(), self.manifest_list.as_str().into());
        if let Some(schema) = self.schema_id {
            json.insert("schema-id".to_owned(), schema.into());
        }
        Json::Object(json)
    }

    pub fn operation(&self) -> Option<&str> {
        self.summary.get("operation").map(String::as_str)
    }
}

impl SnapshotRef {
    /// A branch that keeps what the table's properties say.
    pub fn branch(snapshot_id: i64) -> Self {
        Self {
            snapshot_id,
            kind: "branch".to_owned(),
            min_snapshots_to_keep: None,
            max_snapshot_age_ms: None,
            max_ref_age_ms: None,
        }
    }

    pub(crate) fn read(json: &Json) -> Result<Self, FormatError> {
        let object = Object::of(json, "ref")?;
        Ok(Self {
            snapshot_id: object.long("snapshot-id")?,
            kind: object.text("type")?,
            min_snapshots_to_keep: object.optional_long("min-snapshots-to-keep")?,
            max_snapshot_age_ms: object.optional_long("max-snapshot-age-ms")?,
            max_ref_age_ms: object.optional_long("max-ref-age-ms")?,
        })
    }

    pub(crate) fn write(&self) -> Json {
        let mut json = json!({"snapshot-id": self.snapshot_id, "type": self.kind});
        let limits = [
            ("min-snapshots-to-keep", self.min_snapshots_to_keep),
            ("max-snapshot-age-ms", self.max_snapshot_age_ms),
            ("max-ref-age-ms", self.max_ref_age_ms),
        ];
        for (name, limit) in limits {
            if let Some(limit) = limit {
                json[name] = limit.into();
            }
        }
        json
    }
}
