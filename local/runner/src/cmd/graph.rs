//! `local graph`
use std::path::PathBuf;

use anyhow::Context as _;
use clap::ValueEnum;
use serde_json::Value;

use crate::cloud::{Address, Cloud};
use crate::graph::{self, Visits};
use crate::project::Project;
use crate::run::executions::StepFunctions;
use crate::template::{Stack, StateMachine};

#[derive(clap::Args)]
pub struct Arguments {
    /// A state machine: its file's name without .asl.json, or its logical id
    #[arg(default_value = "nyc_taxi_etl")]
    machine: String,
    /// Draw the path of an execution of the data directory, by its ARN, or of the machine's latest
    #[arg(long, value_name = "ARN|latest")]
    execution: Option<String>,
    #[arg(long, default_value = "mermaid")]
    format: Format,
    /// Where the local account keeps its state
    #[arg(long, value_name = "DIR", default_value = ".local")]
    data_dir: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Mermaid,
    Svg,
}

pub async fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let (definition, visits) = match &arguments.execution {
        None => (written(&arguments.machine)?, None),
        Some(execution) => {
            let cloud = Cloud::open(&arguments.data_dir, &Address::default(), |_| None).await?;
            let step_functions = StepFunctions(cloud.services());
            let arn = match execution.as_str() {
                "latest" => latest(step_functions, arguments).await?,
                arn => arn.to_owned(),
            };
            let definition = step_functions.definition(&arn).await?;
            (definition, Some(step_functions.visits(&arn).await?))
        }
    };
    let visits: Option<&Visits> = visits.as_ref();
    match arguments.format {
        Format::Mermaid => print!("{}", graph::mermaid(&definition, visits)),
        Format::Svg => print!("{}", graph::svg(&definition, visits)),
    }
    Ok(0)
}

async fn latest(
    step_functions: StepFunctions<'_>,
    arguments: &Arguments,
) -> anyhow::Result<String> {
    let stack = super::local_stack(&Project::find()?)?;
    let arn = &found(&stack, &arguments.machine)?.arn;
    let none = || format!("{} has not run in {}", arguments.machine, arguments.data_dir.display());
    let executions = match step_functions.of_machine(arn).await {
        Err(error) if error.code() == "StateMachineDoesNotExist" => Vec::new(),
        executions => executions?,
    };
    executions.into_iter().next().with_context(none)
}

/// A machine of the project as it is written: what a deployment puts in is no part of the picture.
fn written(machine: &str) -> anyhow::Result<Value> {
    let project = Project::find()?;
    let stack = super::local_stack(&project)?;
    let found = found(&stack, machine)?;
    let text = match &found.file {
        Some(file) => std::fs::read_to_string(project.template().with_file_name(file))?,
        None => found.definition.clone(),
    };
    serde_json::from_str(&text).context("the definition is no JSON")
}

fn found<'s>(stack: &'s Stack, machine: &str) -> anyhow::Result<&'s StateMachine> {
    let stem = |file: &Option<String>| {
        file.as_deref()
            .and_then(|file| file.rsplit('/').next())
            .map(|file| file.trim_end_matches(".asl.json").to_owned())
    };
    let found = stack.state_machines().find(|(resource, known)| {
        resource.logical_id == machine
            || known.name == machine
            || stem(&known.file).as_deref() == Some(machine)
    });
    let (_, found) = found.with_context(|| {
        let known: Vec<String> =
            stack.state_machines().filter_map(|(_, machine)| stem(&machine.file)).collect();
        format!("no state machine {machine}: expected one of {}", known.join(", "))
    })?;
    Ok(found)
}
