//! `MSCK REPAIR TABLE`: partitions for the `k=v` folders below a table that the
//! catalog does not know. It adds and never removes.

use std::collections::BTreeSet;

use super::{Here, alter, task};
use crate::S3Url;
use crate::catalog::CatalogError;
use crate::hive::statement::TableName;
use crate::sql::{QueryError, TextRows};
use crate::tables::data_files;

pub(super) fn run(here: &Here<'_>, name: &TableName) -> Result<TextRows, QueryError> {
    let table = here.table(name)?;
    if table.is_iceberg() {
        return Err(super::iceberg::unsupported());
    }
    let keys: Vec<&str> =
        table.definition.partition_keys.iter().map(|key| key.name.as_str()).collect();
    let place =
        table.definition.storage_descriptor.as_ref().and_then(|storage| storage.location.clone());
    let folder: S3Url = place
        .unwrap_or_default()
        .parse()
        .map_err(|error| QueryError::ddl_task("MetaException", format!("{error}")))?;
    let folder = folder.folder();
    if keys.is_empty() {
        return Ok(TextRows::none());
    }
    let mut found: BTreeSet<(Vec<String>, String)> = BTreeSet::new();
    for file in data_files(&here.lake.store, &folder)? {
        let below = &file.url.key()[folder.key().len()..];
        let folders: Vec<&str> = below.split('/').take(keys.len()).collect();
        // Keys in camel case in the path are not found; a `:` in a value is passed over.
        let values: Option<Vec<String>> = folders
            .iter()
            .zip(&keys)
            .map(|(folder, key)| {
                let value = folder.strip_prefix(key)?.strip_prefix('=')?;
                (!value.contains(':')).then(|| unescaped(value))
            })
            .collect();
        if let Some(values) = values.filter(|values| values.len() == keys.len()) {
            found.insert((values, folders.join("/")));
        }
    }
    let inputs: Vec<_> = found
        .iter()
        .map(|(values, path)| {
            alter::input(&table, values.clone(), Some(folder.join(&format!("{path}/")).to_string()))
        })
        .collect();
    let done = here
        .lake
        .catalog
        .create_partitions(&table.database_name, table.name(), inputs)
        .map_err(|error| task("MetaException", &error))?;
    let mut missing = Vec::new();
    for (created, (_, path)) in done.into_iter().zip(&found) {
        match created {
            Ok(_) => missing.push(path.clone()),
            Err(CatalogError::PartitionExists(_)) => {}
            Err(error) => return Err(task("MetaException", &error)),
        }
    }
    if missing.is_empty() {
        return Ok(TextRows::none());
    }
    let table_name = table.name();
    let listed: Vec<String> = missing.iter().map(|path| format!("{table_name}:{path}")).collect();
    let mut lines = vec![format!("Partitions not in metastore:\t{}", listed.join("\t"))];
    lines.extend(
        missing
            .iter()
            .map(|path| format!("Repair: Added partition to metastore {table_name}:{path}")),
    );
    Ok(TextRows::one_column("result", lines))
}

/// `%3A` back to `:`.
fn unescaped(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let code = (*byte == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(code) = code {
            bytes.push(code);
            rest = &after[2..];
        } else {
            bytes.push(*byte);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
