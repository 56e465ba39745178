//! How the data of a table or partition is laid down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Rest;

/// Source: <https://docs.aws.amazon.com/glue/latest/webapi/API_StorageDescriptor.html>
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StorageDescriptor {
    pub columns: Vec<Column>,
    /// A folder, `s3://bucket/key/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// A Java class; of Parquet `…MapredParquetInputFormat`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_format: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_format: Option<String>,
    pub compressed: bool,
    pub number_of_buckets: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serde_info: Option<SerDeInfo>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bucket_columns: Vec<String>,
    pub sort_columns: Vec<Order>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
    pub stored_as_sub_directories: bool,
    #[serde(flatten)]
    pub rest: Rest,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Column {
    pub name: String,
    /// In Hive's words: `bigint`, `struct<a:int>`. Glue allows it to be missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    #[serde(flatten)]
    pub rest: Rest,
}

impl Column {
    pub fn new(name: impl Into<String>, r#type: impl Into<String>) -> Self {
        Self { name: name.into(), r#type: Some(r#type.into()), ..Self::default() }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct SerDeInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A Java class, such as `org.apache.hadoop.hive.serde2.OpenCSVSerde`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serialization_library: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub parameters: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Order {
    pub column: String,
    /// 1 is ascending, 0 descending.
    pub sort_order: i32,
}

/// Folds the names of columns.
pub(super) fn fold(columns: &mut [Column]) {
    for column in columns {
        column.name = column.name.to_lowercase();
    }
}
