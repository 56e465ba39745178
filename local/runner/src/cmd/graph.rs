//! `local graph`
use anyhow::Context as _;

use crate::graph;
use crate::project::Project;

#[derive(clap::Args)]
pub struct Arguments {
    /// A state machine: its file's name without .asl.json, or its logical id
    #[arg(default_value = "nyc_taxi_etl")]
    machine: String,
}

pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let project = Project::find()?;
    let stack = super::local_stack(&project)?;
    let stem = |file: &Option<String>| {
        file.as_deref()
            .and_then(|file| file.rsplit('/').next())
            .map(|file| file.trim_end_matches(".asl.json").to_owned())
    };
    let found = stack.state_machines().find(|(resource, machine)| {
        resource.logical_id == arguments.machine
            || machine.name == arguments.machine
            || stem(&machine.file).as_deref() == Some(&arguments.machine)
    });
    let (_, machine) = found.with_context(|| {
        let known: Vec<String> =
            stack.state_machines().filter_map(|(_, machine)| stem(&machine.file)).collect();
        format!("no state machine {}: expected one of {}", arguments.machine, known.join(", "))
    })?;
    // As it is written: what a deployment puts in is no part of the picture.
    let text = match &machine.file {
        Some(file) => std::fs::read_to_string(project.template().with_file_name(file))?,
        None => machine.definition.clone(),
    };
    let definition = serde_json::from_str(&text).context("the definition is no JSON")?;
    print!("{}", graph::mermaid(&definition));
    Ok(0)
}
