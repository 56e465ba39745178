//! The protocol against a cloud in memory: every request of a commit fails once before and once
//! after it is carried out; many commit at once; old content comes late.
#![allow(clippy::unwrap_used, clippy::panic)]

use base64::Engine;
use load::commit::{Audited, commit, touch};
use load::garbage::collect;
use load::{LoadError, State};
use serde_json::{Value, json};
use shared::dataset::{Dataset, DatasetName};
use shared::error::NamedError;
use shared::event::{LoadResult, LoadStatus};
use shared::run::{Run, RunKey};

mod cloud;
mod server;

use cloud::{Cloud, Fault, Shared, cloud};

/// A run of green that has passed its audit. `content` stands for the file's bytes.
fn audited(
    month: &str,
    content: &str,
    unique: &str,
    date: &str,
    replaces: Option<&str>,
) -> Audited {
    let dataset: DatasetName = "green".parse().unwrap();
    let version = Dataset::named(dataset).version;
    let key = RunKey::new(dataset, month.parse().unwrap(), content, &version);
    let run = Run::new(&key, unique);
    let source = json!({"kind": "http", "url": "u", "etag": content, "last_modified": date});
    let location = run.location("lake", dataset, month.parse().unwrap());
    Audited {
        bytes_scanned: 0,
        unit: serde_json::from_value(json!({"dataset": "green", "month": month, "source": source,
            "reason": "new", "replaces": replaces})).unwrap(),
        manifest: serde_json::from_value(json!({"location": "s3://raw/x/", "key": "x/f", "file": "f", "bytes": 1,
            "fingerprint": content, "etag": "e", "format": "csv", "unchanged": false})).unwrap(),
        validation: serde_json::from_value(json!({"run": run, "run_key": key, "contract_version": version,
            "rows_in": 3, "raw_table": run.raw_table(), "stage_table": run.stage_table(), "location": location,
            "sql": {"create_raw": "", "convert": "", "audit": ""},
            "drift": {"missing_optional": [], "unknown": [], "retyped": []}})).unwrap(),
        verdict: serde_json::from_value(json!({"rows_in": 3, "rows_out": 2, "rows_rejected": 1,
            "rejected_by_rule": [], "bytes_scanned": 0,
            "quality": {"score": 100.0, "outcome": "pass", "rules": []}})).unwrap(),
    }
}

/// Writes the run's file and commits it, as its own execution.
async fn run(state: &State, cloud: &Shared, run: &Audited) -> Result<LoadResult, LoadError> {
    {
        let mut cloud = cloud.lock().unwrap();
        let file = format!("lake/{}outcome=loaded/0", run.validation.location.key);
        cloud.objects.insert(file, Vec::new());
        for table in [&run.validation.raw_table, &run.validation.stage_table] {
            cloud.tables.insert(table.clone(), json!({"Name": table}));
        }
    }
    commit(state, run.validation.run.as_str(), None, run.clone()).await
}

/// The ledger's entries, newest last.
fn ledger(cloud: &Cloud) -> Vec<Value> {
    let entries = cloud.objects.iter().filter(|(key, _)| key.starts_with("lake/ledger/green/"));
    entries.map(|(_, body)| serde_json::from_slice(body).unwrap()).collect()
}

/// What a reader of the view sees: its ledger entry and its SELECT.
fn view(cloud: &Cloud, name: &str) -> (u64, String) {
    let view = &cloud.tables[name];
    let text = view["ViewOriginalText"].as_str().unwrap();
    let text = text.trim_start_matches("/* Presto View: ").trim_end_matches(" */");
    let text = base64::engine::general_purpose::STANDARD.decode(text).unwrap();
    let definition: Value = serde_json::from_slice(&text).unwrap();
    let seq = view["Parameters"]["ledger_seq"].as_str().unwrap().parse().unwrap();
    (seq, definition["originalSql"].as_str().unwrap().to_owned())
}

const DAY: &str = "2024-03-01T00:00:00Z";
const LATER: &str = "2024-04-01T00:00:00Z";

#[tokio::test]
async fn a_fault_at_any_request_neither_loses_nor_doubles_a_month() {
    let (state, cloud) = cloud().await;
    run(&state, &cloud, &audited("2024-01", "a", "000000000001", DAY, None)).await.unwrap();
    let requests = cloud.lock().unwrap().requests;
    assert!(requests >= 10, "{requests}");
    for at in 0..requests {
        for fault in [Fault::Refused, Fault::Lost] {
            *cloud.lock().unwrap() = Cloud::new(Some((at, fault)));
            let month = audited("2024-01", "a", "000000000001", DAY, None);
            let first = run(&state, &cloud, &month).await;
            if let Ok(result) = &first {
                assert_eq!(result.status, LoadStatus::Loaded, "{fault:?} at {at}");
            }
            // The state machine tries again; another execution loads the same content.
            let result = run(&state, &cloud, &month).await.unwrap();
            assert_eq!((result.status, result.seq), (LoadStatus::Loaded, 1), "{fault:?} at {at}");
            let other = audited("2024-01", "a", "000000000002", DAY, None);
            let result = run(&state, &cloud, &other).await.unwrap();
            assert_eq!(result.status, LoadStatus::Unchanged, "{fault:?} at {at}");
            assert_eq!(result.run, month.validation.run.as_str());
            let cloud = cloud.lock().unwrap();
            assert_eq!(ledger(&cloud).len(), 1, "{fault:?} at {at}");
            for name in ["green_trips", "green_rejected"] {
                let (seq, sql) = view(&cloud, name);
                assert!(seq == 1 && sql.contains(&result.run), "{fault:?} at {at}: {sql}");
            }
            assert_eq!(cloud.partitions.len(), 2);
        }
    }
}

#[tokio::test]
async fn months_that_commit_at_once_are_all_published() {
    let (state, cloud) = cloud().await;
    let mut tasks = Vec::new();
    for month in 1..=12 {
        for year in [2023, 2024] {
            let (state, cloud) = (state.clone(), cloud.clone());
            let month = audited(&format!("{year}-{month:02}"), "a", "000000000001", DAY, None);
            tasks.push(tokio::spawn(async move { run(&state, &cloud, &month).await.unwrap().run }));
        }
    }
    let mut runs = Vec::new();
    for task in tasks {
        runs.push(task.await.unwrap());
    }
    let cloud = cloud.lock().unwrap();
    assert_eq!(ledger(&cloud).len(), 24);
    let (seq, sql) = view(&cloud, "green_trips");
    assert_eq!(seq, 24);
    assert!(runs.iter().all(|run| sql.contains(run)), "{sql}");
    let left: Vec<_> = cloud.tables.keys().filter(|name| name.starts_with("stage_")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn old_content_that_comes_late_is_superseded() {
    let (state, cloud) = cloud().await;
    let old = audited("2024-01", "a", "000000000001", DAY, None);
    let new = audited("2024-01", "b", "000000000002", LATER, None);
    assert_eq!(run(&state, &cloud, &new).await.unwrap().status, LoadStatus::Loaded);
    let late = run(&state, &cloud, &old).await.unwrap();
    assert_eq!(
        (late.status, late.run.as_str()),
        (LoadStatus::Superseded, new.validation.run.as_str())
    );
    // The source has put the old file back, and a plan has seen it after the new one was live.
    let live = new.validation.run.to_string();
    let again = audited("2024-01", "a", "000000000003", DAY, Some(&live));
    assert_eq!(run(&state, &cloud, &again).await.unwrap().status, LoadStatus::Loaded);
    let cloud = cloud.lock().unwrap();
    assert_eq!(ledger(&cloud).len(), 2);
    let (seq, sql) = view(&cloud, "green_trips");
    assert!(
        seq == 2 && sql.contains(again.validation.run.as_str()) && !sql.contains(&live),
        "{sql}"
    );
}

#[tokio::test]
async fn a_touch_notes_the_date_and_keeps_the_rows() {
    let (state, cloud) = cloud().await;
    let first = audited("2024-01", "a", "000000000001", DAY, None);
    let committed = run(&state, &cloud, &first).await.unwrap();
    let again = audited("2024-01", "a", "000000000002", LATER, None);
    for _ in 0..2 {
        let touched = touch(&state, "e2", &again.unit, &again.manifest).await.unwrap();
        assert_eq!((touched.status, touched.seq), (LoadStatus::Unchanged, 2));
        assert_eq!((touched.run, touched.rows_in), (committed.run.clone(), 3));
    }
    let other = audited("2024-01", "b", "000000000003", LATER, None);
    let error = touch(&state, "e3", &other.unit, &other.manifest).await.unwrap_err();
    assert!(matches!(error, LoadError::NotLive { .. }), "{error}");
    let cloud = cloud.lock().unwrap();
    let entries = ledger(&cloud);
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[1]["entry"]["source"]["last_modified"], LATER);
}

#[tokio::test]
async fn a_run_is_garbage_a_day_after_it_was_live() {
    let (state, cloud) = cloud().await;
    let first = audited("2024-01", "a", "000000000001", DAY, None);
    let second = audited("2024-01", "b", "000000000002", LATER, None);
    for month in [&first, &second] {
        run(&state, &cloud, month).await.unwrap();
    }
    let orphan = "lake/green/month=2024-01/run=x-1/outcome=loaded/0";
    cloud.lock().unwrap().objects.insert(orphan.to_owned(), Vec::new());
    let datasets = ["green".parse().unwrap()];
    let collected = async |hours: i64| {
        let now = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
        collect(&state, &datasets, now).await.unwrap().runs
    };
    assert_eq!(collected(0).await, 0);
    // A query that began when the first run was live may read its old files still.
    cloud.lock().unwrap().old = Some("run=".to_owned());
    assert_eq!(collected(0).await, 1);
    assert!(!cloud.lock().unwrap().objects.contains_key(orphan));
    assert_eq!(collected(25).await, 1);
    let cloud = cloud.lock().unwrap();
    let left: Vec<_> = cloud.objects.keys().filter(|key| key.contains("run=")).collect();
    assert!(left.len() == 1 && left[0].contains(second.validation.run.as_str()), "{left:?}");
    assert_eq!((cloud.partitions.len(), ledger(&cloud).len()), (2, 2));
}

#[tokio::test]
async fn a_run_without_files_is_never_committed() {
    let (state, cloud) = cloud().await;
    let month = audited("2024-01", "a", "000000000001", DAY, None);
    let error = commit(&state, "e", None, month).await.unwrap_err();
    assert!(matches!(error, LoadError::Stale { .. }), "{error}");
    let cloud = cloud.lock().unwrap();
    assert!(ledger(&cloud).is_empty() && cloud.partitions.is_empty());
}

/// A run's partitions may stand already, from a try whose answer was lost, but nowhere else.
#[tokio::test]
async fn a_partition_of_another_place_is_no_partition_of_ours() {
    let month = audited("2024-01", "a", "000000000001", DAY, None);
    let values = json!(["2024-01", month.validation.run, "loaded"]).to_string();
    let ours = format!("{}outcome=loaded/", month.validation.location);
    for (location, commits) in [("s3://other/place/", false), (ours.as_str(), true)] {
        let (state, cloud) = cloud().await;
        let partition = json!({"StorageDescriptor": {"Location": location}});
        cloud.lock().unwrap().partitions.insert(values.clone(), partition);
        match run(&state, &cloud, &month).await {
            Ok(result) => assert!(commits && result.status == LoadStatus::Loaded, "{location}"),
            Err(error) => {
                assert_eq!(error.name().as_str(), "Ledger.Conflict", "{error}");
                assert!(!commits, "{error}");
            }
        }
        assert_eq!(ledger(&cloud.lock().unwrap()).len(), usize::from(commits), "{location}");
    }
}
