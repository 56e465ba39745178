//! Kills the whole local side again and again in the middle of its runs, and holds what a reader sees to what undisturbed
//! runs publish: `cargo run --release --bin kill -- --times 100 --from DIR --dataset green`.
#![expect(clippy::print_stdout, reason = "a program's report is its standard output")]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tests::house;
use tests::killing::trial::{Kill, Life, Reference, Trial};
use tests::killing::victim::Aim;

#[derive(Parser)]
struct Arguments {
    /// Kills in all
    #[arg(long, default_value_t = 100)]
    times: usize,
    /// Kills in one data directory, before its run to the end
    #[arg(long, default_value_t = 10)]
    life: usize,
    /// A folder of the TLC's files: two months of the data set or more
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    #[arg(long, default_value = "green")]
    dataset: String,
    /// What moments, months and victims are drawn from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The `local` to kill, beside its functions; one is built otherwise
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let trial = Trial {
        program: arguments.program.unwrap_or_else(|| house::program().to_owned()),
        root: house::root(),
        from: arguments.from.canonicalize()?,
        dataset: arguments.dataset,
        times: arguments.times,
        kills_per_life: arguments.life,
        seed: arguments.seed,
    };
    let folder = tempfile::tempdir()?;
    let reference = trial.reference(folder.path()).await?;
    describe(&trial, &reference);
    let mut lives = Vec::new();
    let mut left = trial.times;
    println!(
        " life kills spared changed  moments (ms)  polls no-view absent present earlier states last run  wrong"
    );
    while left > 0 {
        let number = lives.len() as u64;
        let life = trial.life(&reference, number, trial.kills_per_life.min(left)).await?;
        left -= life.kills.len();
        row(&format!("{number:5}"), &life);
        for violation in life.violations.iter().take(10) {
            println!("      WRONG: {violation}");
        }
        lives.push(life);
    }
    Ok(summary(&lives))
}

fn describe(trial: &Trial, reference: &Reference) {
    let [rows_in, rows_out, rejected] = reference.counts;
    println!(
        "{} months of {}, undisturbed: {rows_in} rows in = {rows_out} out + {rejected} rejected; a run takes {:.1} s and {:.2} s a month; seed {}",
        reference.rows.len(),
        trial.dataset,
        reference.idle.as_secs_f64(),
        reference.month.as_secs_f64(),
        trial.seed,
    );
}

fn row(name: &str, life: &Life) {
    let milliseconds = |moment: Option<Duration>| moment.unwrap_or_default().as_millis();
    let moments = || life.kills.iter().map(|kill| kill.moment);
    let tally = &life.tally;
    println!(
        "{name} {:5} {:6} {:7} {:>5} to {:>5} {:6} {:7} {:6} {:7} {:7} {:6} {:6.1} s {:6}",
        life.kills.len(),
        life.spared,
        life.changes,
        milliseconds(moments().min()),
        milliseconds(moments().max()),
        tally.polls,
        tally.without_view,
        tally.absent,
        tally.present,
        tally.earlier,
        tally.states.len(),
        life.last_run.as_secs_f64(),
        life.violations.len(),
    );
}

fn summary(lives: &[Life]) -> ExitCode {
    let kills: Vec<&Kill> = lives.iter().flat_map(|life| &life.kills).collect();
    let sum = |count: fn(&Life) -> u64| lives.iter().map(count).sum::<u64>();
    let count = |which: fn(&Kill) -> bool| kills.iter().filter(|kill| which(kill)).count();
    println!(
        "{} kills ({} of everything at once, {} of the runner alone; {} in a run with a changed month) in {} lives",
        kills.len(),
        count(|kill| kill.aim == Aim::Everything),
        count(|kill| kill.aim == Aim::Runner),
        count(|kill| kill.has_changed),
        lives.len(),
    );
    let tenths = (0..10).map(|tenth| {
        let share = f64::from(tenth) / 10.0..f64::from(tenth + 1) / 10.0;
        kills.iter().filter(|kill| share.contains(&kill.share)).count().to_string()
    });
    println!("kills by tenths of a run: {}", tenths.collect::<Vec<_>>().join(" "));
    println!(
        "{} polls: months {} times absent, {} as their file is, {} as it was before; {} states of the view; {} polls before there was one",
        sum(|life| life.tally.polls),
        sum(|life| life.tally.absent),
        sum(|life| life.tally.present),
        sum(|life| life.tally.earlier),
        sum(|life| life.tally.states.len() as u64),
        sum(|life| life.tally.without_view),
    );
    let wrong = sum(|life| life.violations.len() as u64);
    println!(
        "{wrong} violations; after each life the rows are those of undisturbed runs, or it is said above"
    );
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
