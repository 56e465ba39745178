//! Simulates the whole system with faults drawn from seeds: `cargo local simulate --seeds N`.
#![expect(clippy::print_stdout, reason = "a program's report is its standard output")]

use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use runner::tlc::Month;
use tests::simulation::backfill::Backfill;
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
    /// Loads all months of all data sets at once instead, under Athena's quotas
    #[arg(long, value_name = "FROM..TO", num_args = 0..=1, default_missing_value = "2009-01..2028-09",
          value_parser = range, conflicts_with_all = ["exhaustive", "seeds", "replay"])]
    backfill: Option<Backfill>,
    /// Simulations at once
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    threads: usize,
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(backfill) = arguments.backfill {
        return load_all(backfill);
    }
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

/// Rows of each file of a backfill.
const ROWS: u64 = 12;

fn range(text: &str) -> Result<Backfill, String> {
    let (from, to) = text.split_once("..").ok_or("expected FROM..TO, such as 2019-01..2023-12")?;
    let month = |text: &str| text.parse::<Month>().map_err(|error| error.to_string());
    Ok(Backfill { from: month(from)?, to: month(to)?, rows: ROWS })
}

fn load_all(backfill: Backfill) -> anyhow::Result<ExitCode> {
    let report = backfill.run()?;
    println!(
        "{}: {} of {} months loaded, {} rows in, {} out, {} rejected",
        report.status,
        report.loaded,
        report.months,
        report.rows_in,
        report.rows_out,
        report.rows_rejected
    );
    println!(
        "{:.0} minutes of virtual time in {:.0} s, {} MiB of memory at most",
        report.virtual_time.as_secs_f64() / 60.0,
        report.wall.as_secs_f64(),
        most_memory()?
    );
    #[expect(clippy::cast_precision_loss, reason = "a price for people")]
    let each = report.usd / report.months as f64;
    println!(
        "{} state transitions ({} of them retries), {:.4} USD, {each:.6} a month",
        report.transitions, report.retries, report.usd
    );
    let violations = report.violations();
    for violation in &violations {
        println!("VIOLATION: {violation}");
    }
    Ok(if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The most this process has had of memory, in MiB.
fn most_memory() -> anyhow::Result<u64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("memory is read from Linux")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM")?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes / 1024)
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
        for violation in distinct(&failure.violations) {
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
        println!("also: {}: {}", failure.what, distinct(&failure.violations).join("; "));
    }
}

/// What was seen at many looks is said once.
fn distinct(violations: &[String]) -> Vec<&str> {
    let mut said = Vec::new();
    for violation in violations {
        if !said.contains(&violation.as_str()) {
            said.push(violation);
        }
    }
    said
}
