//! Feeds the readers of this project with broken input: `cargo run --release -p tests --bin fuzz -- --minutes 10`.
#![expect(clippy::print_stdout, reason = "a program's report is its standard output")]

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::Parser;
use tests::fuzz::campaign::{self, Budget, DEADLINE};
use tests::fuzz::mutation;
use tests::fuzz::target::TARGETS;
use tests::fuzz::worker::{self, Task};

/// Tries mutations of valid inputs in processes of their own; whatever panics, dies or hangs is told with its number.
#[derive(Parser)]
struct Arguments {
    /// For all targets together
    #[arg(long, default_value_t = 10)]
    minutes: u64,
    /// Another seed, other inputs
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// This target alone
    #[arg(long)]
    target: Option<String>,
    /// Writes input N of --target and --seed to a file instead of trying any
    #[arg(long, value_name = "N", requires = "target")]
    show: Option<u64>,
    /// Where --show writes
    #[arg(long, default_value = "input")]
    out: PathBuf,
    /// What this process is to do for the one that watches it
    #[arg(long, hide = true)]
    worker: Option<String>,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(task) = arguments.worker.as_deref().and_then(Task::from_text) {
        worker::work(&task)?;
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = TARGETS
        .iter()
        .filter(|target| arguments.target.as_ref().is_none_or(|name| name == target.name));
    let chosen: Vec<_> = chosen.collect();
    let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
    anyhow::ensure!(!chosen.is_empty(), "targets: {}", names.join(", "));
    if let Some(index) = arguments.show {
        std::fs::write(
            &arguments.out,
            mutation::input(&(chosen[0].seeds)(), arguments.seed, index),
        )?;
        return Ok(ExitCode::SUCCESS);
    }
    let program = std::env::current_exe()?;
    let launch = |task: &Task| {
        let mut command = Command::new(&program);
        command.args(["--worker", &task.to_text()]);
        command
    };
    let seconds = arguments.minutes * 60 / chosen.len() as u64;
    let mut failed = false;
    for target in chosen {
        let tally = campaign::run(
            target,
            arguments.seed,
            Budget::Time(Duration::from_secs(seconds)),
            DEADLINE,
            &launch,
        );
        println!("{}: {} inputs, {} findings", target.name, tally.inputs, tally.findings.len());
        for finding in &tally.findings {
            println!(
                "  --target {} --seed {} --show {}: {}",
                finding.target, finding.seed, finding.index, finding.what
            );
        }
        failed |= !tally.findings.is_empty();
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
