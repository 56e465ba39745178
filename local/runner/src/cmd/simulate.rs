//! `local simulate`
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::Environment;
use crate::project::Project;

/// The program that links the functions beside the services; it stands on top of the house.
const PROGRAM: &str = "simulate";

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// Passed on: --seeds N, --from SEED, --exhaustive, --replay SEED, --help
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Becomes the program `simulate`, which cargo builds where it is missing.
pub fn run(arguments: &Arguments, environment: &Environment) -> anyhow::Result<u8> {
    let folder = Project::find()?.binaries(&[PROGRAM], environment.cargo.as_deref())?;
    let error = Command::new(folder.join(PROGRAM)).args(&arguments.arguments).exec();
    Err(anyhow::Error::new(error).context("the program simulate cannot be started"))
}
