//! A few inputs of every target, at every change; the program `fuzz` tries as many as one likes.

use std::process::Command;
use std::time::Duration;

use super::campaign::{self, Budget, DEADLINE};
use super::target::{TARGETS, Target};
use super::worker::{self, Task};

const INPUTS: u64 = 250;
const SEED: u64 = 1;

#[test]
fn no_reader_panics_dies_or_hangs() {
    let mut inputs = 0;
    let mut findings = Vec::new();
    for target in TARGETS {
        let tally = campaign::run(target, SEED, Budget::Inputs(INPUTS), DEADLINE, &launch);
        inputs += tally.inputs;
        findings.extend(tally.findings);
    }
    println!("{inputs} inputs of {} targets", TARGETS.len());
    assert!(findings.is_empty(), "{findings:#?}");
    assert_eq!(inputs, INPUTS * TARGETS.len() as u64);
}

/// Readers that do what none may.
pub const BROKEN: &[Target] = &[
    Target { name: "panics", run: |_| panic!("on purpose"), seeds: nothing },
    Target { name: "overflows", run: |_| assert!(deeper(u64::MAX) > 0), seeds: nothing },
    Target { name: "grows", run: |_| drop(Vec::<u8>::with_capacity(1 << 40)), seeds: nothing },
    Target { name: "hangs", run: |_| while std::hint::black_box(true) {}, seeds: nothing },
];

fn nothing() -> Vec<Vec<u8>> {
    vec![Vec::new()]
}

fn deeper(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 64]);
    if depth == 0 { 0 } else { deeper(depth - 1).wrapping_add(room[1]) }
}

/// A watch that sees nothing would be green for ever.
#[test]
fn whatever_a_reader_does_wrong_is_seen() {
    for (target, expected) in BROKEN.iter().zip(["on purpose", "it died", "it died", "it hangs"]) {
        let deadline = Duration::from_secs(2);
        let tally = campaign::run(target, SEED, Budget::Inputs(2), deadline, &launch);
        let found: Vec<_> = tally.findings.iter().map(|found| (found.index, &found.what)).collect();
        assert_eq!(tally.inputs, 2, "{}: {found:?}", target.name);
        let told = found.iter().all(|(_, what)| what.contains(expected));
        assert!(found.len() == 2 && told, "{}: {found:?}", target.name);
    }
}

fn launch(task: &Task) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a test is a program"));
    let worker = "fuzz::short::a_worker_where_there_is_a_task";
    command.args(["--exact", "--nocapture", worker, &task.to_text()]);
    command
}

/// The other end of the tests above, started by them with a task among its arguments.
#[test]
fn a_worker_where_there_is_a_task() {
    if let Some(task) = std::env::args().find_map(|argument| Task::from_text(&argument)) {
        worker::work(&task).expect("somebody listens");
    }
}
