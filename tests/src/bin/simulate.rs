//! Simulates the whole system with faults drawn from seeds: `cargo local simulate --seeds N`.
#![expect(clippy::print_stdout, reason = "a program's report is its standard output")]

use std::process::ExitCode;

use clap::Parser;
use tests::simulation::explore::{Laboratory, Tally, drawn};

/// Runs the deployed state machine and functions on virtual time, lets calls go wrong, and watches the published view.
#[derive(Parser)]
struct Arguments {
    /// How many seeds to draw scenarios and faults from
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Every fault at every call of one load, instead of seeds
    #[arg(long)]
    exhaustive: bool,
    /// Only every N-th point of --exhaustive
    #[arg(long, default_value_t = 1, value_name = "N")]
    stride: usize,
    /// Shows everything that happens under one seed
    #[arg(long, value_name = "SEED", conflicts_with_all = ["exhaustive", "seeds"])]
    replay: Option<u64>,
    /// Simulations at once
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    threads: usize,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let laboratory = Laboratory::new()?;
    if let Some(seed) = arguments.replay {
        return replay(&laboratory, seed);
    }
    let tally = if arguments.exhaustive {
        laboratory.exhaust(arguments.stride, arguments.threads)?
    } else {
        let seeds: Vec<u64> = (arguments.from..arguments.from + arguments.seeds).collect();
        laboratory.random(&seeds, arguments.threads)
    };
    print(&tally);
    Ok(if tally.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn replay(laboratory: &Laboratory, seed: u64) -> anyhow::Result<ExitCode> {
    let (steps, plan) = drawn(seed);
    println!("seed {seed}: {plan:?}");
    for step in steps {
        println!("  {step}");
    }
    let report = laboratory.seed(seed)?;
    print!("{}", report.trace);
    for violation in &report.violations {
        println!("VIOLATION: {violation}");
    }
    println!("{} faults, {} violations", report.faults, report.violations.len());
    Ok(if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print(tally: &Tally) {
    for failure in tally.failures.iter().take(3) {
        println!("FAILED: {}", failure.what);
        for violation in &failure.violations {
            println!("  {violation}");
        }
        print!("{}", failure.trace);
        if let Some(seed) = failure.seed {
            println!("replay it: cargo local simulate --replay {seed}");
        }
    }
    let seconds = tally.wall.as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = tally.simulations as f64 / seconds;
    println!(
        "{} simulations, {} calls, {} faults, {} lives, {} looks at the view, {} hours of virtual time in {seconds:.1} s ({rate:.1} simulations a second)",
        tally.simulations,
        tally.calls,
        tally.faults,
        tally.lives,
        tally.looks,
        tally.virtual_time.as_secs() / 3600,
    );
    println!("{} violations", tally.failures.len());
    for failure in tally.failures.iter().skip(3).take(40) {
        println!("also: {}: {}", failure.what, failure.violations.join("; "));
    }
}
