//! Removes runs that no ledger head names: failed, superseded and zombie ones.
//!
//! A run is known by its folder, `<dataset>/month=<M>/run=<R>/`, and nothing else is ever
//! deleted. It must be so old that no attempt can still commit it, and out of the ledger for so
//! long that no query can still read it; see [`crate::Config::garbage_after`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_glue::types::PartitionValueList;
use aws_sdk_s3::types::{Delete, Object, ObjectIdentifier};
use jiff::Timestamp;
use shared::dataset::{Dataset, DatasetName};
use shared::event::Garbage;
use shared::ledger;
use shared::run::Run;
use shared::storage::StorageError;

use crate::catalog::{CatalogError, drop_table, place};
use crate::{LoadError, State};

/// Runs deleted in one go; the next execution deletes more. Bounds the time it takes.
const MOST_RUNS: usize = 200;
/// Partitions in one `BatchDeletePartition` (Glue API reference).
const PARTITIONS_A_CALL: usize = 25;
/// Objects in one `DeleteObjects` (S3 API reference).
const OBJECTS_A_CALL: usize = 1000;

/// What lies in the lake below one run's folder.
#[derive(Debug, Default)]
struct Folder {
    keys: Vec<String>,
    newest: Option<Timestamp>,
}

/// Deletes the garbage of `datasets`, and the tables that failed runs of any left behind.
pub async fn collect(
    state: &State,
    datasets: &[DatasetName],
    now: Timestamp,
) -> Result<Garbage, LoadError> {
    let age = jiff::SignedDuration::try_from(state.config.garbage_after).unwrap_or_default();
    let old = now.checked_sub(age).unwrap_or(Timestamp::MIN);
    let mut garbage = Garbage::default();
    for dataset in datasets {
        collect_dataset(state, *dataset, old, &mut garbage).await?;
    }
    collect_tables(state, old, &mut garbage).await?;
    tracing::info!(?garbage, "collected");
    Ok(garbage)
}

/// The folders are listed before the ledger is read: a run that is committed in between is seen
/// as live, and one that is written after the listing is not seen at all.
async fn collect_dataset(
    state: &State,
    dataset: DatasetName,
    old: Timestamp,
    garbage: &mut Garbage,
) -> Result<(), LoadError> {
    let folders = list_runs(state, dataset).await?;
    let live = live_since(state, dataset, old).await?;
    let mut dead = Vec::new();
    for ((month, run), folder) in folders.into_iter().filter(|(name, folder)| {
        !live.contains(&name.1) && folder.newest.is_some_and(|newest| newest < old)
    }) {
        if dead.len() == MOST_RUNS {
            break;
        }
        if delete_objects(state, &folder.keys, garbage).await? {
            garbage.runs += 1;
            dead.push((month, run));
        }
    }
    delete_partitions(state, dataset, &dead, garbage).await
}

/// The runs that have been live at any moment since `old`.
async fn live_since(
    state: &State,
    dataset: DatasetName,
    old: Timestamp,
) -> Result<BTreeSet<Run>, LoadError> {
    let lake = &state.config.lake_bucket;
    let mut live = BTreeSet::new();
    let mut entry = ledger::head(&state.s3, lake, dataset, None).await?;
    while let Some(seen) = entry {
        live.extend(seen.live.into_values().map(|live| live.run));
        // The entry that was the head at that moment is the last that counts.
        if seen.committed_at < old || seen.seq <= 1 {
            break;
        }
        entry = ledger::entry(&state.s3, lake, dataset, seen.seq - 1).await?;
    }
    Ok(live)
}

async fn list_runs(
    state: &State,
    dataset: DatasetName,
) -> Result<BTreeMap<(String, Run), Folder>, LoadError> {
    let bucket = &state.config.lake_bucket;
    let prefix = format!("{dataset}/month=");
    let request = state.s3.list_objects_v2().bucket(bucket).prefix(&prefix);
    let mut pages = request.into_paginator().send();
    let mut folders = BTreeMap::<_, Folder>::new();
    while let Some(page) = pages.next().await {
        let page =
            page.map_err(|error| StorageError::of(&format!("s3://{bucket}/{prefix}"), error))?;
        for object in page.contents() {
            if let Some((key, name)) =
                object.key().and_then(|key| Some((key, run_of(dataset, key)?)))
            {
                let folder = folders.entry(name).or_default();
                folder.keys.push(key.to_owned());
                folder.newest = folder.newest.max(modified(object));
            }
        }
    }
    Ok(folders)
}

/// When an object was written.
pub fn modified(object: &Object) -> Option<Timestamp> {
    Timestamp::from_second(object.last_modified()?.secs()).ok()
}

/// Month and run of a key that lies in a run's folder, and in no other place.
fn run_of(dataset: DatasetName, key: &str) -> Option<(String, Run)> {
    let rest = key.strip_prefix(dataset.as_str())?.strip_prefix("/month=")?;
    let (month, rest) = rest.split_once("/run=")?;
    let (run, file) = rest.split_once('/')?;
    let named = !month.is_empty() && !month.contains('/') && !run.is_empty() && !file.is_empty();
    named.then(|| (month.to_owned(), Run::from(run.to_owned())))
}

/// Whether all are deleted. S3 says it key by key.
async fn delete_objects(
    state: &State,
    keys: &[String],
    garbage: &mut Garbage,
) -> Result<bool, LoadError> {
    let bucket = &state.config.lake_bucket;
    let mut all = true;
    for keys in keys.chunks(OBJECTS_A_CALL) {
        let objects = keys
            .iter()
            .map(|key| ObjectIdentifier::builder().key(key).build().expect("an object has a key"));
        let delete = Delete::builder().set_objects(Some(objects.collect())).quiet(true).build();
        let delete = delete.expect("there are objects");
        let request = state.s3.delete_objects().bucket(bucket).delete(delete);
        let deleted = request
            .send()
            .await
            .map_err(|error| StorageError::of(&format!("s3://{bucket}"), error))?;
        let failures = deleted.errors().len() as u64;
        for failed in deleted.errors() {
            tracing::warn!(key = failed.key(), code = failed.code(), "not deleted");
        }
        garbage.objects += keys.len() as u64 - failures;
        garbage.failures += failures;
        all &= failures == 0;
    }
    Ok(all)
}

async fn delete_partitions(
    state: &State,
    dataset: DatasetName,
    dead: &[(String, Run)],
    garbage: &mut Garbage,
) -> Result<(), LoadError> {
    let table = Dataset::named(dataset).runs_table();
    let values = dead.iter().flat_map(|(month, run)| {
        ["loaded", "rejected"].map(|outcome| [month.clone(), run.to_string(), outcome.to_owned()])
    });
    let values: Vec<_> = values.collect();
    for values in values.chunks(PARTITIONS_A_CALL) {
        let list = values.iter().map(|values| {
            let list = PartitionValueList::builder().set_values(Some(values.to_vec())).build();
            list.expect("a partition has values")
        });
        let request = state.glue.batch_delete_partition().database_name(&state.config.database);
        let request = request.table_name(&table).set_partitions_to_delete(Some(list.collect()));
        let deleted =
            request.send().await.map_err(|error| CatalogError::of(place(state, &table), error))?;
        // A run that failed before its commit has no partitions.
        let mut failed = HashMap::<&str, u64>::new();
        for error in deleted.errors() {
            let code = error.error_detail().and_then(|detail| detail.error_code());
            *failed.entry(code.unwrap_or_default()).or_default() += 1;
        }
        let absent = failed.remove("EntityNotFoundException").unwrap_or(0);
        let failures: u64 = failed.values().sum();
        garbage.partitions += values.len() as u64 - absent - failures;
        garbage.failures += failures;
    }
    Ok(())
}

/// Raw and stage tables are a run's own; the runs that ended well dropped theirs.
async fn collect_tables(
    state: &State,
    old: Timestamp,
    garbage: &mut Garbage,
) -> Result<(), LoadError> {
    let database = &state.config.database;
    let request = state.glue.get_tables().database_name(database);
    let mut pages = request.into_paginator().send();
    let mut left = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| CatalogError::of(database.clone(), error))?;
        left.extend(page.table_list.into_iter().flatten().filter(|table| {
            let created = table.create_time().map(aws_sdk_glue::primitives::DateTime::secs);
            let created = created.and_then(|secs| Timestamp::from_second(secs).ok());
            is_of_a_run(table.name()) && created.is_some_and(|created| created < old)
        }));
    }
    for table in left.iter().take(MOST_RUNS) {
        if drop_table(state, table.name()).await {
            garbage.tables += 1;
        } else {
            garbage.failures += 1;
        }
    }
    Ok(())
}

/// `raw_` or `stage_`, 16 digits, `_`, 12 digits: see [`shared::run::Run::raw_table`].
fn is_of_a_run(table: &str) -> bool {
    let name = table.strip_prefix("raw_").or_else(|| table.strip_prefix("stage_"));
    let digits = |text: &str, count: usize| {
        text.len() == count && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    name.and_then(|name| name.split_once('_'))
        .is_some_and(|(key, unique)| digits(key, 16) && digits(unique, 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_runs_are_ever_garbage() {
        let green = "green".parse().unwrap();
        let check = |key: &str, expected: Option<&str>| {
            let found = run_of(green, key).map(|(month, run)| format!("{month} {run}"));
            assert_eq!(found.as_deref(), expected, "{key}");
        };
        check("green/month=2024-01/run=a-1/outcome=loaded/0.parquet", Some("2024-01 a-1"));
        check("green/month=2024-01/run=a-1/0", Some("2024-01 a-1"));
        for key in [
            "ledger/green/00000001.json",
            "green/",
            "green/month=2024-01/",
            "green/month=2024-01/run=",
            "green/month=2024-01/run=a-1/",
            "green/month=2024-01/run=/0",
            "green/month=/run=a-1/0",
            "green/month=2024-01/other/run=a-1/0",
            "greenish/month=2024-01/run=a-1/0",
            "x/green/month=2024-01/run=a-1/0",
        ] {
            check(key, None);
        }
    }

    #[test]
    fn only_tables_of_runs_are_dropped() {
        assert!(is_of_a_run("raw_0123456789abcdef_0123456789ab"));
        assert!(is_of_a_run("stage_0123456789abcdef_0123456789ab"));
        for name in [
            "raw_data",
            "raw_0123456789abcdef",
            "green_runs",
            "stage_",
            "raw__",
            "my_raw_0123456789abcdef_0123456789ab",
        ] {
            assert!(!is_of_a_run(name), "{name}");
        }
    }
}
