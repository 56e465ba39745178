//! What became of every rule of every run, kept beside the ledger: `quality/<data set>/<month>/<run>.jsonl`.
//!
//! `load` writes it before a run is committed, `check-athena-result` reads what was measured of earlier months, and the
//! table `quality_results` lies over all of it.

use std::collections::BTreeMap;

use aws_sdk_s3::Client;
use dqdl::History;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::dataset::DatasetName;
use crate::event::{Outcome, Quality};
use crate::month::Month;
use crate::run::Run;
use crate::sql::{HiveName, HiveText, Sql, sql};
use crate::storage::{StorageError, read_object};

/// The table over it.
pub const TABLE: &str = "quality_results";

/// So many months before a month are its history.
pub const EARLIER_MONTHS: usize = 3;

/// A run has one file of results.
const FOLDER: &str = "quality/";

/// The name of the lines of what analyzers have measured.
const GATHERED: &str = "analyzers";

/// One metric of one rule: a line of a file, and a row of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub dataset: DatasetName,
    pub month: Month,
    pub run: Run,
    /// The rule's name, and its text.
    pub name: String,
    pub rule: String,
    pub outcome: Outcome,
    #[serde(default)]
    pub metric: Option<String>,
    #[serde(default)]
    pub value: Option<f64>,
    #[serde(default)]
    pub reason: Option<String>,
    pub evaluated_at: Timestamp,
}

/// The DDL of the table.
pub fn create_table(database: &str, lake_bucket: &str) -> Sql {
    let names = [
        "dataset",
        "month",
        "run",
        "name",
        "rule",
        "outcome",
        "metric",
        "value",
        "reason",
        "evaluated_at",
    ];
    let columns = names.map(|name| {
        let hive_type = if name == "value" { "double" } else { "string" };
        sql("{} {}", &[&HiveName(name), &hive_type])
    });
    sql(
        "CREATE EXTERNAL TABLE IF NOT EXISTS {}.{} ({}) \
         ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe' LOCATION {}",
        &[
            &HiveName(database),
            &HiveName(TABLE),
            &Sql::join(columns, ", "),
            &HiveText(&format!("s3://{lake_bucket}/{FOLDER}")),
        ],
    )
}

fn folder(dataset: DatasetName, month: Month) -> String {
    format!("{FOLDER}{dataset}/{month}/")
}

/// Writes what became of a run's rules. It may be written again: it says the same but for the time.
pub async fn write(
    s3: &Client,
    bucket: &str,
    (dataset, month, run): (DatasetName, Month, &Run),
    quality: &Quality,
    now: Timestamp,
) -> Result<(), StorageError> {
    let line = |name: &str, rule: &str, outcome, metric: Option<(&String, &f64)>, reason| Line {
        dataset,
        month,
        run: run.clone(),
        name: name.to_owned(),
        rule: rule.to_owned(),
        outcome,
        metric: metric.map(|(name, _)| name.clone()),
        value: metric.map(|(_, value)| *value),
        reason,
        evaluated_at: now,
    };
    let rules = quality.rules.iter().flat_map(|rule| {
        let metrics = rule.metrics.iter().map(Some);
        // A rule without metrics has a line all the same.
        let metrics = metrics.chain(rule.metrics.is_empty().then_some(None));
        metrics
            .map(|metric| line(&rule.name, &rule.rule, rule.outcome, metric, rule.reason.clone()))
    });
    let gathered = quality.gathered.iter();
    let gathered =
        gathered.map(|metric| line(GATHERED, GATHERED, Outcome::Pass, Some(metric), None));
    let lines = rules.chain(gathered);
    let body: Vec<String> =
        lines.map(|line| serde_json::to_string(&line).expect("a line is JSON") + "\n").collect();
    let key = format!("{}{run}.jsonl", folder(dataset, month));
    let put = s3.put_object().bucket(bucket).key(&key).content_type("application/x-ndjson");
    let put = put.body(body.concat().into_bytes().into()).send().await;
    put.map(|_| ()).map_err(|error| StorageError::of(&format!("s3://{bucket}/{key}"), error))
}

/// What became of a run's rules; nothing where that is not known.
pub async fn results(
    s3: &Client,
    bucket: &str,
    (dataset, month, run): (DatasetName, Month, &Run),
) -> Result<Vec<Line>, StorageError> {
    let key = format!("{}{run}.jsonl", folder(dataset, month));
    let bytes = read_object(s3, bucket, &key).await?.unwrap_or_default();
    Ok(lines(&bytes).collect())
}

/// A line of another version may be of another shape, and is passed over.
fn lines(bytes: &[u8]) -> impl Iterator<Item = Line> {
    bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
}

/// What was measured of the months before `month`, the oldest first; of a month that was loaded more than once, the
/// last time.
pub async fn history(
    s3: &Client,
    bucket: &str,
    dataset: DatasetName,
    month: Month,
) -> Result<History, StorageError> {
    let mut history = History::new();
    let earlier: Vec<Month> = std::iter::successors(month.previous(), |month| month.previous())
        .take(EARLIER_MONTHS)
        .collect();
    let Some(oldest) = earlier.last() else { return Ok(history) };
    let prefix = format!("{FOLDER}{dataset}/");
    let listed = s3
        .list_objects_v2()
        .bucket(bucket)
        .prefix(&prefix)
        .start_after(folder(dataset, *oldest))
        .send()
        .await;
    let listed =
        listed.map_err(|error| StorageError::of(&format!("s3://{bucket}/{prefix}"), error))?;
    for month in earlier.iter().rev() {
        let folder = folder(dataset, *month);
        let newest = listed
            .contents()
            .iter()
            .filter(|object| object.key().is_some_and(|key| key.starts_with(&folder)))
            .max_by_key(|object| {
                object.last_modified().map(|time| (time.secs(), time.subsec_nanos()))
            });
        let Some(key) = newest.and_then(|object| object.key()) else { continue };
        let Some(bytes) = read_object(s3, bucket, key).await? else { continue };
        let mut measured = BTreeMap::new();
        // A history without a metric is shorter.
        for line in lines(&bytes) {
            if let Line { metric: Some(metric), value: Some(value), .. } = line {
                measured.insert(metric, value);
            }
        }
        for (metric, value) in measured {
            history.entry(metric).or_default().push(value);
        }
    }
    Ok(history)
}
