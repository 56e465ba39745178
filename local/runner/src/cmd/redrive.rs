//! `local redrive`
use std::path::PathBuf;

use anyhow::Context as _;

use super::{Deployed, Environment};
use crate::origin::From;
use crate::redrive::{Door, Place, Remote, Report, take_back};
use crate::run::render;

#[derive(clap::Args)]
pub struct Arguments {
    /// The stack's DeadLetterQueueUrl: on AWS, or on a running `local serve`
    #[arg(long, value_name = "URL", requires = "state_machine_arn")]
    queue_url: Option<String>,
    /// The stack's StateMachineAliasArn
    #[arg(long, value_name = "ARN", requires = "queue_url")]
    state_machine_arn: Option<String>,
    /// Where that stack is; without it, where AWS's tools would look
    #[arg(long, requires = "queue_url")]
    region: Option<String>,
    /// An endpoint that answers as AWS does, such as a running `local serve`
    #[arg(long, value_name = "URL", requires = "queue_url")]
    endpoint_url: Option<String>,
    /// Without --queue-url: where the local account keeps its state
    #[arg(long, value_name = "DIR", default_value = ".local", conflicts_with = "queue_url")]
    data_dir: PathBuf,
    /// Without --queue-url: what the months are fetched from
    #[arg(
        long,
        value_name = "sample|tlc|DIR",
        default_value = "sample",
        conflicts_with = "queue_url"
    )]
    from: From,
}

/// Takes every dead letter back. On a data directory, what is started runs here to its end.
pub async fn run(arguments: Arguments, environment: &Environment) -> anyhow::Result<u8> {
    if let (Some(queue_url), Some(machine_arn)) = (arguments.queue_url, arguments.state_machine_arn)
    {
        let remote = Remote::open(arguments.region, arguments.endpoint_url).await?;
        let report = take_back(&Door::Remote(remote), &Place { queue_url, machine_arn }).await?;
        tell(&report);
        return Ok(u8::from(!report.left.is_empty()));
    }
    let deployed = Deployed::plain(&arguments.data_dir, &arguments.from, environment).await?;
    let output = |name: &str| {
        let value = deployed.stack.outputs.get(name).cloned();
        value.with_context(|| format!("the template has no output {name}"))
    };
    let place = Place {
        queue_url: output("DeadLetterQueueUrl")?,
        machine_arn: output("StateMachineAliasArn")?,
    };
    let report = take_back(&Door::Here(&deployed.cloud), &place).await?;
    tell(&report);
    let started: Vec<&str> =
        report.redriven.iter().filter_map(|redriven| redriven.execution.as_deref()).collect();
    if started.is_empty() {
        return Ok(u8::from(!report.left.is_empty()));
    }
    let mut outcome = deployed.follow(&started, "redrive").await?;
    outcome.settle();
    print!("{}", render(&outcome, None));
    Ok(outcome.exit_code().max(u8::from(!report.left.is_empty())))
}

fn tell(report: &Report) {
    for redriven in &report.redriven {
        match &redriven.execution {
            Some(execution) => {
                println!("{} ({}): started {execution}", redriven.what, redriven.error);
            }
            None => println!("{} ({}): was started before", redriven.what, redriven.error),
        }
    }
    for left in &report.left {
        eprintln!("{left}");
    }
    if report.redriven.is_empty() && report.left.is_empty() {
        println!("there are no dead letters");
    }
}
