//! Every month of every data set at once, under Athena's quotas, on virtual time.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws::athena::{Limits, Rate};
use runner::cost::{Assumption, Costs};
use runner::sample::{self, SampleFile};
use runner::tlc::{Dataset, Month, TripFile};
use serde_json::json;

use super::site::Site;
use super::world::{Deployed, World, alone, stack};

/// Months tried at once: more than the quota below lets Athena take, so that it throttles.
const AT_ONCE: &str = "30";

/// Athena's default quotas of the smallest regions, and what a query of a month takes there at least.
/// Source: <https://docs.aws.amazon.com/athena/latest/ug/service-limits.html>.
fn limits() -> Limits {
    Limits {
        dml_running: 20,
        ddl_running: 20,
        dml_active: Some(20),
        ddl_active: Some(20),
        dml_timeout: Some(Duration::from_mins(30)),
        ddl_timeout: Some(Duration::from_hours(10)),
        starts: Some(Rate { per_second: 20.0, burst: 80.0 }),
        least_running: Duration::from_secs(8),
    }
}

/// The months from one to another, both included, of every data set that has them.
#[derive(Clone, Copy, Debug)]
pub struct Backfill {
    pub from: Month,
    pub to: Month,
    /// Rows of each file.
    pub rows: u64,
}

/// How a backfill went.
#[derive(Debug, Default)]
pub struct Report {
    pub status: String,
    /// Asked for; loaded, by the ledgers; shown, by the views.
    pub months: usize,
    pub loaded: u64,
    pub shown: u64,
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_rejected: u64,
    pub rows_shown: u64,
    pub dead_letters: u64,
    pub virtual_time: Duration,
    pub wall: Duration,
    pub transitions: u64,
    pub retries: u64,
    pub usd: f64,
}

impl Report {
    /// What is not as it must be.
    pub fn violations(&self) -> Vec<String> {
        let months = self.months as u64;
        let must = [
            (self.status == "SUCCEEDED", format!("the run {}", self.status)),
            (self.loaded == months, format!("{} of {months} months loaded", self.loaded)),
            (self.shown == months, format!("{} of {months} months shown", self.shown)),
            (
                self.rows_in == self.rows_out + self.rows_rejected,
                format!(
                    "{} in, {} out, {} rejected",
                    self.rows_in, self.rows_out, self.rows_rejected
                ),
            ),
            (
                self.rows_shown == self.rows_out,
                format!("{} rows loaded, {} shown", self.rows_out, self.rows_shown),
            ),
            (self.dead_letters == 0, format!("{} dead letters", self.dead_letters)),
        ];
        must.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what).collect()
    }
}

impl Backfill {
    /// Its files, in the format that the TLC used first.
    pub fn files(&self) -> Vec<TripFile> {
        let first = |dataset: Dataset| {
            let contract = shared::dataset::Dataset::named(dataset.name().parse().expect("ours"));
            contract.first_month.to_string()
        };
        let months = || std::iter::successors(Some(self.from), |month| Some(month.next()));
        let months = || months().take_while(|month| *month <= self.to);
        let all = [Dataset::Yellow, Dataset::Green, Dataset::Fhv, Dataset::Fhvhv];
        all.into_iter()
            .flat_map(|dataset| {
                let first = first(dataset);
                months().filter(move |month| month.to_string() >= first).map(move |month| {
                    TripFile { dataset, month, format: sample::usual_format(month) }
                })
            })
            .collect()
    }

    /// Loads all of them by one execution.
    pub fn run(&self) -> anyhow::Result<Report> {
        let parameters = [
            ("Datasets", "yellow,green,fhv,fhvhv"),
            ("SourceFormats", "parquet,csv"),
            ("MaxConcurrency", AT_ONCE),
        ];
        let deployed = Deployed::new(stack(&parameters)?)?;
        let started = Instant::now();
        let report = alone(&deployed, limits(), async |world| {
            let (files, folder) = (self.files(), tempfile::tempdir()?);
            for file in &files {
                self.publish(*file, &world.universe.site, folder.path())?;
            }
            self.load(world, files.len()).await
        })?;
        Ok(Report { wall: started.elapsed(), ..report })
    }

    fn publish(&self, file: TripFile, site: &Site, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join("file");
        sample::write(SampleFile { file, rows: self.rows }, &path)?;
        let day = "2029-12-01T00:00:00Z".parse()?;
        site.publish(&format!("trip-data/{file}"), std::fs::read(&path)?, day);
        Ok(())
    }

    async fn load(&self, world: &World<'_>, months: usize) -> anyhow::Result<Report> {
        let began = tokio::time::Instant::now();
        let asked = json!({
            "dataset": "all",
            "from": self.from.to_string(),
            "to": self.to.to_string(),
        });
        let arn = world.start(&asked).await?;
        world.settle().await?;
        let virtual_time = began.elapsed();
        let described =
            world.call("states", "DescribeExecution", json!({"executionArn": arn})).await?;
        let mut report = Report {
            status: described["status"].as_str().unwrap_or_default().to_owned(),
            months,
            virtual_time,
            ..Report::default()
        };
        report.read_ledgers(world)?;
        report.read_views(world).await?;
        report.dead_letters = world.letters().await?.len() as u64;
        let costs = Costs::read(&world.services, Assumption { nights: 30, units: 4 }).await?;
        let run = costs.runs.iter().find(|cost| cost.run.arn == arn).context("the run's cost")?;
        (report.transitions, report.retries) = (run.total.transitions, run.total.retries);
        report.usd = run.usd;
        Ok(report)
    }
}

const VIEWS: [&str; 4] = ["yellow_trips", "green_trips", "fhv_trips", "fhvhv_trips"];

impl Report {
    /// The newest entry of each ledger.
    fn read_ledgers(&mut self, world: &World<'_>) -> anyhow::Result<()> {
        for dataset in ["yellow", "green", "fhv", "fhvhv"] {
            let entries = world.ledger(dataset)?;
            let Some(entry) = entries.last() else { continue };
            for run in entry["live"].as_object().into_iter().flat_map(|live| live.values()) {
                let count = |name: &str| run[name].as_u64().unwrap_or_default();
                self.loaded += 1;
                self.rows_in += count("rows_in");
                self.rows_out += count("rows_out");
                self.rows_rejected += count("rows_rejected");
            }
        }
        Ok(())
    }

    async fn read_views(&mut self, world: &World<'_>) -> anyhow::Result<()> {
        for view in VIEWS {
            let query = format!("SELECT count(DISTINCT month), count(*) FROM {view}");
            let row = world.universe.observer.first_row(&world.services, &query).await;
            let row = row.map_err(anyhow::Error::msg)?;
            let number = |index: usize| {
                let text = row[index]["VarCharValue"].as_str().unwrap_or_default();
                text.parse::<u64>().with_context(|| format!("{query} answered {row}"))
            };
            self.shown += number(0)?;
            self.rows_shown += number(1)?;
        }
        Ok(())
    }
}
