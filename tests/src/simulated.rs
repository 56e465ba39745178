//! A share of the simulations, small enough for every change; `cargo local simulate` runs as many as one likes.

use crate::simulation::backfill::Backfill;
use crate::simulation::explore::{Laboratory, Tally};

/// Every so many-th of the (call, fault) points of one load; coprime to the number of faults a call can meet, so that
/// every fault is drawn.
const STRIDE: usize = 11;
const SEEDS: std::ops::RangeInclusive<u64> = 1..=60;
const THREADS: usize = 2;

#[test]
fn no_fault_at_any_call_loses_doubles_or_mixes_rows() {
    let laboratory = Laboratory::new().expect("the template deploys");
    let tally = laboratory.exhaust(STRIDE, THREADS).expect("an undisturbed load");
    assert!(tally.simulations > 50, "{}", tally.simulations);
    held(&tally);
}

#[test]
fn no_seed_loses_doubles_or_mixes_rows() {
    let laboratory = Laboratory::new().expect("the template deploys");
    let seeds: Vec<u64> = SEEDS.collect();
    let tally = laboratory.random(&seeds, THREADS);
    assert!(tally.faults > 100, "{}", tally.faults);
    held(&tally);
}

#[test]
fn a_seed_tells_the_same_story_twice() {
    let laboratory = Laboratory::new().expect("the template deploys");
    for seed in [45, 119, 363] {
        let story = || names_aside(&laboratory.seed(seed).expect("it comes to its end").trace);
        let (first, second) = (story(), story());
        assert!(first.lines().count() > 100, "{first}");
        assert_eq!(first, second, "seed {seed}");
    }
}

#[test]
fn a_backfill_under_quotas_loads_every_month_once_at_the_same_price_each() {
    let run = |from: &str, to: &str| {
        let month = |text: &str| text.parse().expect("a month");
        let backfill = Backfill { from: month(from), to: month(to), rows: 12 };
        let report = backfill.run().expect("it comes to its end");
        assert_eq!(report.violations(), Vec::<String>::new(), "{report:?}");
        report
    };
    let (few, many) = (run("2021-06", "2021-09"), run("2021-01", "2021-12"));
    assert_eq!((few.months, many.months), (16, 48));
    // More months than Athena takes at once: it throttled, and nothing came of it but waiting.
    assert!(many.retries > 0, "{many:?}");
    let ratio = (many.usd / 48.0) / (few.usd / 16.0);
    assert!((0.9..1.1).contains(&ratio), "{ratio}: {few:?} {many:?}");
}

/// The calls and faults in their order. Runs, uploads and files have names that no other has, and a wait may end a
/// millisecond earlier or later.
fn names_aside(trace: &str) -> String {
    let is_name = |word: &str| word.len() >= 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let untimed =
        trace.lines().map(|line| line.trim_start().split_once(' ').map_or(line, |(_, rest)| rest));
    let lines = untimed.map(|line| {
        let words = line.split(|letter: char| !letter.is_ascii_alphanumeric());
        words.map(|word| if is_name(word) { "NAME" } else { word }).collect::<Vec<_>>().join(" ")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn held(tally: &Tally) {
    for failure in &tally.failures {
        println!("{}: {:?}\n{}", failure.what, failure.violations, failure.trace);
    }
    println!(
        "{} simulations, {} calls, {} faults, {} looks at the view",
        tally.simulations, tally.calls, tally.faults, tally.looks
    );
    assert!(
        tally.failures.is_empty(),
        "{} of {} broke a promise",
        tally.failures.len(),
        tally.simulations
    );
}
