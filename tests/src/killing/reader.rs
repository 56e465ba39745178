//! A reader in another process: a second `local serve` on the same data directory, asked by Athena and S3.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_athena::types::{QueryExecution, QueryExecutionState, ResultConfiguration};
use aws_sdk_s3::config::Credentials;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::book::{Digest, Figures, Look, Rows};

/// Where results of queries go.
const BUCKET: &str = "readers-results";

/// The database that the template publishes in.
const DATABASE: &str = "nyctaxidb";

/// Clients of the second process, which ends when this is dropped.
pub struct Reader {
    athena: aws_sdk_athena::Client,
    s3: aws_sdk_s3::Client,
    dataset: String,
    _process: Child,
}

impl Reader {
    pub async fn start(program: &Path, data: &Path, dataset: &str) -> anyhow::Result<Self> {
        let mut process = Command::new(program)
            .args(["serve", "--empty", "--port", "0", "--data-dir"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let mut lines = BufReader::new(process.stdout.take().context("no stdout")?).lines();
        let endpoint = loop {
            let line = lines.next_line().await?.context("serve ended before it was ready")?;
            if let Some(endpoint) = line.strip_prefix("ready ") {
                break endpoint.to_owned();
            }
        };
        let credentials = Credentials::new("reader", "reader", None, None, "fixed");
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(endpoint)
            .credentials_provider(credentials)
            .load()
            .await;
        let s3 = aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build();
        let s3 = aws_sdk_s3::Client::from_conf(s3);
        if s3.head_bucket().bucket(BUCKET).send().await.is_err() {
            s3.create_bucket().bucket(BUCKET).send().await?;
        }
        let athena = aws_sdk_athena::Client::new(&config);
        Ok(Self { athena, s3, dataset: dataset.to_owned(), _process: process })
    }

    /// Rows and revenue of every month in the published view.
    pub async fn look(&self) -> anyhow::Result<Look> {
        let query = format!(
            "SELECT month, count(*), sum(CAST(round(coalesce(total_amount, 0) * 100) AS bigint)) FROM {}_trips GROUP BY month",
            self.dataset
        );
        let Some(text) = self.query(&query).await? else {
            return Ok(None);
        };
        let mut look = BTreeMap::new();
        for line in text.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').map(|cell| cell.trim_matches('"')).collect();
            let [month, rows, cents] = cells[..] else {
                anyhow::bail!("expected three columns, found {line}");
            };
            let figures = Figures { rows: rows.parse()?, cents: cents.parse()? };
            anyhow::ensure!(
                look.insert(month.to_owned(), figures).is_none(),
                "{month} stands twice in {text}"
            );
        }
        Ok(Some(look))
    }

    /// Everything that is published of a month.
    pub async fn rows(&self, month: &str, figures: Figures) -> anyhow::Result<Rows> {
        let mut digests = [Digest::default(); 2];
        for (digest, view) in digests.iter_mut().zip(["trips", "rejected"]) {
            let query = format!("SELECT * FROM {}_{view} WHERE month = '{month}'", self.dataset);
            for line in self.query(&query).await?.unwrap_or_default().lines().skip(1) {
                let hash = Sha256::digest(line);
                let number = hash[..16].iter().fold(0, |sum, byte| sum << 8 | u128::from(*byte));
                digest.sum = digest.sum.wrapping_add(number);
                digest.lines += 1;
            }
        }
        let [good, rejected] = digests;
        Ok(Rows { figures, good, rejected })
    }

    /// A query's result as CSV; `None` where its table is not there.
    async fn query(&self, query: &str) -> anyhow::Result<Option<String>> {
        let context =
            aws_sdk_athena::types::QueryExecutionContext::builder().database(DATABASE).build();
        let results =
            ResultConfiguration::builder().output_location(format!("s3://{BUCKET}/")).build();
        let started = self
            .athena
            .start_query_execution()
            .query_string(query)
            .query_execution_context(context)
            .result_configuration(results)
            .send()
            .await?;
        let execution = self.finished(started.query_execution_id().unwrap_or_default()).await?;
        let status = execution.status().context("a query has a status")?;
        if status.state() != Some(&QueryExecutionState::Succeeded) {
            let reason = status.state_change_reason().unwrap_or("no reason");
            if reason.contains("does not exist") {
                return Ok(None);
            }
            anyhow::bail!("{query}: {reason}");
        }
        let location = execution.result_configuration().and_then(|found| found.output_location());
        let key = location.and_then(|found| found.strip_prefix(&format!("s3://{BUCKET}/")));
        let key = key.context("a result lies in the bucket it was asked into")?;
        let object = self.s3.get_object().bucket(BUCKET).key(key).send().await?;
        let bytes = object.body.collect().await?.to_vec();
        self.s3.delete_object().bucket(BUCKET).key(key).send().await?;
        Ok(Some(String::from_utf8(bytes)?))
    }

    async fn finished(&self, id: &str) -> anyhow::Result<QueryExecution> {
        loop {
            let answer = self.athena.get_query_execution().query_execution_id(id).send().await?;
            let execution = answer.query_execution.context("an execution")?;
            let state = execution.status().and_then(|status| status.state());
            if !matches!(state, Some(QueryExecutionState::Queued | QueryExecutionState::Running)) {
                return Ok(execution);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
