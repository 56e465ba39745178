//! `local cost`
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{Deployed, Environment};
use crate::cloud::{Address, Cloud};
use crate::cost::{Assumption, Costs, render};
use crate::origin::From;
use crate::run::{Selection, conduct};
use crate::sample::{self, SampleFile};
use crate::tlc::{Dataset, Format, Month, Months, TripFile};

#[derive(clap::Args)]
pub struct Arguments {
    /// Where the local account keeps its state
    #[arg(long, value_name = "DIR", default_value = ".local", conflicts_with = "scenario")]
    data_dir: PathBuf,
    /// Nights of the month that the schedule runs in
    #[arg(long, default_value_t = 30)]
    nights: u32,
    /// Months of trips that turn up in a month: four, when the TLC publishes every data set
    #[arg(long, default_value_t = 4)]
    units: u32,
    /// Measure it first, on a data directory of its own: a first month, one more, nothing new, twelve at once
    #[arg(long)]
    scenario: bool,
    /// The data set of the scenario
    #[arg(long, value_enum, requires = "scenario", default_value = "green")]
    dataset: Dataset,
    /// Rows of each of the scenario's months
    #[arg(long, requires = "scenario", default_value_t = 50_000)]
    rows: u64,
    /// Print one JSON object on standard output, and nothing else
    #[arg(long)]
    json: bool,
}

/// The scenario's months: the first, one more, and the twelve of a backfill.
const FIRST: &str = "2022-12";
const ONE_MORE: &str = "2023-01";
const BACKFILL: &str = "2023-02..2024-01";

pub async fn run(arguments: Arguments, environment: &Environment) -> anyhow::Result<u8> {
    let assumption = Assumption { nights: arguments.nights, units: arguments.units };
    let costs = if arguments.scenario {
        let folder = tempfile::tempdir().context("no folder for the scenario")?;
        scenario(&arguments, folder.path(), environment).await?;
        read(folder.path(), assumption).await?
    } else {
        read(&arguments.data_dir, assumption).await?
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&costs)?);
    } else {
        print!("{}", render(&costs));
    }
    Ok(0)
}

async fn read(data_dir: &Path, assumption: Assumption) -> anyhow::Result<Costs> {
    let cloud = Cloud::open(data_dir, &Address::default(), |_| None).await?;
    Ok(Costs::read(cloud.services(), assumption).await?)
}

/// Runs the scenario to its end in a data directory.
async fn scenario(
    arguments: &Arguments,
    data_dir: &Path,
    environment: &Environment,
) -> anyhow::Result<()> {
    let source = data_dir.join("source");
    let [first, one_more, backfill] =
        [FIRST, ONE_MORE, BACKFILL].map(|text| text.parse::<Months>().expect("months as written"));
    let months = [&first, &one_more, &backfill].into_iter().flat_map(|months| months.0.clone());
    let files: Vec<SampleFile> =
        months.map(|month| file(arguments.dataset, month, arguments.rows)).collect();
    eprintln!("writing {} months of {} rows", files.len(), arguments.rows);
    let folder = source.clone();
    tokio::task::spawn_blocking(move || sample::write_all(&folder, &files)).await??;
    let deployed = Deployed::open(
        data_dir,
        &Address::default(),
        &From::Dir(source),
        |_, _| true,
        &[("ScheduleState", "DISABLED")],
        |_| None,
        environment,
    )
    .await?;
    let runs = [
        ("the first month", &first),
        ("one more month", &one_more),
        ("nothing new", &one_more),
        ("twelve months at once", &backfill),
    ];
    for (what, months) in runs {
        eprintln!("{what}");
        let selection =
            Selection { dataset: Some(arguments.dataset), months: Some(months.clone()) };
        let outcome =
            conduct(&deployed.cloud, &deployed.stack, &deployed.origin, &selection).await?;
        anyhow::ensure!(
            outcome.exit_code() == 0,
            "the run of {what} did not load all: {:?}",
            outcome.refused
        );
    }
    Ok(())
}

/// A month as the TLC publishes it now.
fn file(dataset: Dataset, month: Month, rows: u64) -> SampleFile {
    SampleFile { file: TripFile { dataset, month, format: Format::Parquet }, rows }
}
