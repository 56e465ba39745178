//! Starts workers, watches them, and notes on which input one of them panicked, died or hung.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::target::Target;
use super::worker::Task;

/// The address space of a worker; the whole program and its threads take half of it.
const MEMORY_KIB: u64 = 4 << 20;
/// An expression of JSONata is cut off after five seconds; all else takes milliseconds.
pub const DEADLINE: Duration = Duration::from_secs(20);
/// So many findings of one target are enough.
const MOST_FINDINGS: usize = 10;

/// How long it goes on.
#[derive(Clone, Copy, Debug)]
pub enum Budget {
    Inputs(u64),
    Time(Duration),
}

#[derive(Debug)]
pub struct Finding {
    pub target: &'static str,
    pub seed: u64,
    pub index: u64,
    pub what: String,
}

#[derive(Debug, Default)]
pub struct Tally {
    pub inputs: u64,
    pub findings: Vec<Finding>,
}

/// Tries inputs of one target, each for as long as `deadline`; `launch` starts a worker for a task, whose standard output is watched.
pub fn run(
    target: &'static Target,
    seed: u64,
    budget: Budget,
    deadline: Duration,
    launch: &dyn Fn(&Task) -> Command,
) -> Tally {
    let begun = Instant::now();
    let (to, until) = match budget {
        Budget::Inputs(inputs) => (inputs, None),
        Budget::Time(time) => (u64::MAX, Some(begun + time)),
    };
    let mut tally = Tally::default();
    let mut from = 0;
    while from < to
        && tally.findings.len() < MOST_FINDINGS
        && until.is_none_or(|until| Instant::now() < until)
    {
        let task = Task { target: target.name.to_owned(), seed, from, to };
        let mut watch = Watch { task, deadline, last: None, panics: Vec::new() };
        let end = watch.worker(bounded(&launch(&watch.task)), until);
        let finding = |index, what| Finding { target: target.name, seed, index, what };
        let panics = std::mem::take(&mut watch.panics).into_iter();
        tally.findings.extend(panics.map(|(index, what)| finding(index, what)));
        let tried = watch.last.map_or(from, |last| last + 1);
        tally.inputs += tried - from;
        from = match end {
            End::Done => break,
            End::Bad(what) => {
                tally.findings.push(finding(watch.last.unwrap_or(from), what));
                tried.max(from + 1)
            }
        };
    }
    tally
}

/// The same command under a limit on its memory.
fn bounded(command: &Command) -> Command {
    let mut bounded = Command::new("sh");
    bounded.arg("-c").arg(format!("ulimit -c 0; ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\""));
    bounded.arg(command.get_program()).args(command.get_args());
    bounded
}

enum End {
    /// Every input was tried, or time is up.
    Done,
    Bad(String),
}

struct Watch {
    task: Task,
    /// For one input.
    deadline: Duration,
    last: Option<u64>,
    panics: Vec<(u64, String)>,
}

impl Watch {
    fn worker(&mut self, mut command: Command, until: Option<Instant>) -> End {
        let child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = match child {
            Ok(child) => child,
            Err(error) => return End::Bad(format!("no worker starts: {error}")),
        };
        let lines = lines(&mut child);
        loop {
            let wait = until.map_or(self.deadline, |until| {
                self.deadline.min(until.saturating_duration_since(Instant::now()))
            });
            match lines.recv_timeout(wait) {
                Ok(line) if line == "@ done" => {
                    let _ = child.wait();
                    return End::Done;
                }
                Ok(line) => self.note(&line),
                Err(reason) => {
                    let hangs = reason == RecvTimeoutError::Timeout;
                    if hangs {
                        let _ = child.kill();
                    }
                    let status = child.wait();
                    if hangs && wait < self.deadline {
                        return End::Done;
                    }
                    return End::Bad(if hangs { "it hangs".to_owned() } else { died(status.ok()) });
                }
            }
        }
    }

    fn note(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("@ ") else { return };
        match rest.split_once(' ') {
            None => self.last = rest.parse().ok().or(self.last),
            Some((index, what)) => {
                self.panics.extend(index.parse().ok().map(|index| (index, what.to_owned())));
            }
        }
    }
}

fn died(status: Option<ExitStatus>) -> String {
    status.map_or_else(|| "it died".to_owned(), |status| format!("it died: {status}"))
}

fn lines(child: &mut Child) -> Receiver<String> {
    let (sender, receiver) = channel();
    let output = child.stdout.take().expect("it is piped");
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if line.starts_with('@') && sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}
