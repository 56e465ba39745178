//! `local run`
use std::path::PathBuf;

use super::{DatasetChoice, Deployed, Environment, interrupted};
use crate::cloud::Address;
use crate::origin::From;
use crate::run::{Selection, conduct, render};
use crate::tlc::Months;

#[derive(clap::Args)]
pub struct Arguments {
    /// Which data set to load
    #[arg(long, value_enum, default_value = "all")]
    dataset: DatasetChoice,
    /// Where months come from: the built-in sample, the TLC's own site, or a folder of its files
    #[arg(long, value_name = "sample|tlc|DIR", default_value = "sample")]
    from: From,
    /// Which months: 2024-01..2024-03, or a list
    #[arg(long, value_name = "MONTHS")]
    months: Option<Months>,
    /// Where the local account keeps its state
    #[arg(long, value_name = "DIR", default_value = ".local")]
    data_dir: PathBuf,
    /// Print one JSON object on standard output, and nothing else
    #[arg(long)]
    json: bool,
}

pub async fn run(arguments: Arguments, environment: &Environment) -> anyhow::Result<u8> {
    let selection = Selection { dataset: arguments.dataset.one(), months: arguments.months };
    let keep = |dataset, month| selection.takes(dataset, month);
    // The schedule is not to start anything in the middle of a run.
    let overrides = [("ScheduleState", "DISABLED")];
    let deployed = Deployed::open(
        &arguments.data_dir,
        &Address::default(),
        &arguments.from,
        keep,
        &overrides,
        |_| None,
        environment,
    )
    .await?;
    for note in deployed.origin.notes() {
        eprintln!("{note}");
    }
    let outcome = tokio::select! {
        outcome = conduct(&deployed.cloud, &deployed.stack, &deployed.origin, &selection) => outcome?,
        _ = interrupted() => anyhow::bail!("interrupted; what was loaded is kept, run again for the rest"),
    };
    if arguments.json {
        for note in &outcome.notes {
            eprintln!("{note}");
        }
        println!("{}", serde_json::to_string_pretty(&outcome)?);
    } else {
        let dir =
            (arguments.data_dir != *".local").then(|| arguments.data_dir.display().to_string());
        print!("{}", render(&outcome, dir.as_deref()));
    }
    Ok(outcome.exit_code())
}
