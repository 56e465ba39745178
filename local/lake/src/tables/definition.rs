//! A catalog entry as the engine needs it: typed columns, a format, a place.
#![expect(clippy::match_same_arms, reason = "one arm a line of the user guide's tables")]

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::FieldRef;

use crate::S3Url;
use crate::catalog::{Column, StorageDescriptor, Table};
use crate::sql::{Failure, TrinoType, field_of};

#[derive(Clone, Debug)]
pub(crate) struct TableDefinition {
    pub database: String,
    pub name: String,
    pub columns: Vec<(String, TrinoType)>,
    pub partition_keys: Vec<(String, TrinoType)>,
    pub format: Format,
    pub location: Option<S3Url>,
    /// The `SerDe`'s parameters over the storage's over the table's.
    pub parameters: BTreeMap<String, String>,
    pub bucketed: bool,
}

/// How the bytes of a table are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// `org.apache.hadoop.hive.serde2.OpenCSVSerde`
    OpenCsv,
    /// `org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe`
    Delimited,
    /// `org.openx.data.jsonserde.JsonSerDe`
    OpenxJson,
    /// `org.apache.hive.hcatalog.data.JsonSerDe` and Hive's own
    HiveJson,
    Parquet,
    Orc,
    Avro,
}

impl TableDefinition {
    pub fn of(table: &Table) -> Result<Self, Failure> {
        let storage = table.definition.storage_descriptor.clone().unwrap_or_default();
        let location = storage.location.as_deref().filter(|location| !location.is_empty());
        let location = location.map(folder_of).transpose()?;
        Ok(Self {
            database: table.database_name.clone(),
            name: table.name().to_owned(),
            columns: typed(&storage.columns)?,
            partition_keys: typed(&table.definition.partition_keys)?,
            format: format_of(&storage)?,
            location,
            parameters: parameters(table, &storage),
            bucketed: storage.number_of_buckets > 0 && !storage.bucket_columns.is_empty(),
        })
    }

    pub fn fields(&self) -> Vec<FieldRef> {
        self.columns.iter().map(|(name, kind)| Arc::new(field_of(name, kind))).collect()
    }

    pub fn partition_fields(&self) -> Vec<FieldRef> {
        self.partition_keys.iter().map(|(name, kind)| Arc::new(field_of(name, kind))).collect()
    }

    /// One character of a property, such as `field.delim`: a number is the character's code (the `1` of
    /// `serialization.format` is `\001`), anything else stands for its first character.
    /// Source: Hive's `LazyUtils.getByte`.
    pub fn byte(&self, key: &str) -> Option<u8> {
        let value = self.parameters.get(key)?;
        if value == "\\t" {
            return Some(b'\t');
        }
        let code = value.parse::<i8>().ok().map(i8::cast_unsigned);
        code.or(value.as_bytes().first().copied())
    }

    pub fn header_lines(&self) -> usize {
        self.parameters
            .get("skip.header.line.count")
            .and_then(|count| count.trim().parse().ok())
            .unwrap_or(0)
    }

    pub fn full_name(&self) -> String {
        format!("{}.{}", self.database, self.name)
    }
}

/// The folder that a location of the catalog names.
pub(super) fn folder_of(location: &str) -> Result<S3Url, Failure> {
    location
        .parse::<S3Url>()
        .map(|url| url.folder())
        .map_err(|error| Failure::new("HIVE_INVALID_METADATA", format!("{error}")))
}

fn typed(columns: &[Column]) -> Result<Vec<(String, TrinoType)>, Failure> {
    columns
        .iter()
        .map(|column| {
            let text = column.r#type.as_deref().unwrap_or("string");
            let kind = match text.to_lowercase().as_str() {
                "decimal" => Some(TrinoType::Decimal(10, 0)),
                text => TrinoType::parse(text),
            };
            kind.map(|kind| (column.name.to_lowercase(), kind)).ok_or_else(|| {
                Failure::new(
                    "HIVE_INVALID_METADATA",
                    format!(
                        "Column '{}' has the type '{text}', which is none of Hive's",
                        column.name
                    ),
                )
            })
        })
        .collect()
}

fn parameters(table: &Table, storage: &StorageDescriptor) -> BTreeMap<String, String> {
    let mut found = table.definition.parameters.clone();
    found.extend(storage.parameters.clone());
    if let Some(serde) = &storage.serde_info {
        found.extend(serde.parameters.clone());
    }
    found
}

fn format_of(storage: &StorageDescriptor) -> Result<Format, Failure> {
    let serde = storage
        .serde_info
        .as_ref()
        .and_then(|serde| serde.serialization_library.as_deref())
        .unwrap_or_default();
    let input = storage.input_format.as_deref().unwrap_or_default();
    let unsupported =
        |what: &str| Failure::not_supported(format!("tables of {what} cannot be read here"));
    match serde.rsplit('.').next().unwrap_or_default() {
        "OpenCSVSerde" => Ok(Format::OpenCsv),
        "LazySimpleSerDe" if input.ends_with("MapredParquetInputFormat") => Ok(Format::Parquet),
        "LazySimpleSerDe" if input.ends_with("SequenceFileInputFormat") => Err(unsupported(input)),
        "LazySimpleSerDe" => Ok(Format::Delimited),
        "ParquetHiveSerDe" => Ok(Format::Parquet),
        "OrcSerde" => Ok(Format::Orc),
        "AvroSerDe" => Ok(Format::Avro),
        "JsonSerDe" if serde.contains("openx") => Ok(Format::OpenxJson),
        "JsonSerDe" => Ok(Format::HiveJson),
        "" if input.ends_with("MapredParquetInputFormat") => Ok(Format::Parquet),
        "" if input.ends_with("OrcInputFormat") => Ok(Format::Orc),
        "" if input.ends_with("AvroContainerInputFormat") => Ok(Format::Avro),
        "" if input.is_empty() || input.ends_with("TextInputFormat") => Ok(Format::Delimited),
        "" => Err(unsupported(input)),
        _ => Err(unsupported(serde)),
    }
}
