//! `local`: the pipeline on this machine. `cargo local` is its alias.
use std::process::ExitCode;

use clap::Parser as _;
use runner::cmd::Command;
use tracing_subscriber::EnvFilter;

#[derive(clap::Parser)]
#[command(name = "local", about = "The NYC-taxi ETL, whole, on this machine", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // To s3s a client's mistake is an error, bodies and all; what the store itself fails at is told by `aws`.
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,s3s=off"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let environment = runner::cmd::Environment::read();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no threads to run on: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(arguments.command.run(&environment)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
