//! Many simulations: every fault at every call of one load, or scenarios and faults drawn from seeds.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::content::{Content, DATASET, contents};
use super::fault::Fault;
use super::gate::Plan;
use super::scenario::{Report, Step, run};
use super::world::{Deployed, stack};

/// Contents of the month; the last is kept for the end.
const CONTENTS: u8 = 4;

/// A simulation that broke a promise, or did not come to its end.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What to give to `replay`.
    pub seed: Option<u64>,
    pub what: String,
    pub violations: Vec<String>,
    pub trace: String,
}

/// What many simulations came to.
#[derive(Debug, Default)]
pub struct Tally {
    pub simulations: usize,
    pub faults: usize,
    pub calls: usize,
    /// Looks at the published view.
    pub looks: u64,
    pub lives: u64,
    pub virtual_time: Duration,
    pub wall: Duration,
    pub failures: Vec<Failure>,
}

/// What all simulations have in common.
pub struct Laboratory {
    deployed: Deployed,
    contents: Vec<Content>,
    _folder: tempfile::TempDir,
}

impl Laboratory {
    pub fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let parameters = [("Datasets", DATASET), ("LookbackMonths", "132")];
        Ok(Self {
            deployed: Deployed::new(stack(&parameters)?)?,
            contents: contents(CONTENTS, folder.path()),
            _folder: folder,
        })
    }

    /// One load, calm: its calls are what the exhaustive mode disturbs.
    pub fn calm(&self) -> anyhow::Result<Report> {
        run(&self.deployed, &self.contents, &LOAD, Plan::Calm, 0)
    }

    /// Every call of one load, in every way it can go wrong; of those only each `stride`-th.
    pub fn exhaust(&self, stride: usize, threads: usize) -> anyhow::Result<Tally> {
        let calm = self.calm()?;
        anyhow::ensure!(
            calm.violations.is_empty(),
            "undisturbed: {:?}\n{}",
            calm.violations,
            calm.trace
        );
        let mut points = Vec::new();
        for (number, site) in calm.sites.iter().enumerate().take(calm.calm_at) {
            points.extend(Fault::of(site).into_iter().map(|fault| (number, site, fault)));
        }
        let points: Vec<_> = points.into_iter().step_by(stride.max(1)).collect();
        Ok(many(points.len(), threads, |index| {
            let (number, site, fault) = points[index];
            let what = format!("call {number}, {site}: {fault}");
            (None, what, run(&self.deployed, &self.contents, &LOAD, Plan::At(number, fault), 0))
        }))
    }

    /// Scenarios and faults drawn from each of the seeds.
    pub fn random(&self, seeds: &[u64], threads: usize) -> Tally {
        many(seeds.len(), threads, |index| {
            let seed = seeds[index];
            (Some(seed), format!("seed {seed}"), self.seed(seed))
        })
    }

    /// The simulation of one seed.
    pub fn seed(&self, seed: u64) -> anyhow::Result<Report> {
        let (steps, plan) = drawn(seed);
        run(&self.deployed, &self.contents, &steps, plan, seed)
    }
}

/// Runs `count` simulations on so many threads.
fn many(
    count: usize,
    threads: usize,
    simulate: impl Fn(usize) -> (Option<u64>, String, anyhow::Result<Report>) + Sync,
) -> Tally {
    let (next, tally, started) =
        (AtomicUsize::new(0), Mutex::new(Tally::default()), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let (seed, what, report) = simulate(index);
                    tally.lock().expect("no holder panics").add(seed, what, report);
                }
            });
        }
    });
    let mut tally = tally.into_inner().expect("no holder panics");
    tally.wall = started.elapsed();
    tally
}

impl Tally {
    fn add(&mut self, seed: Option<u64>, what: String, report: anyhow::Result<Report>) {
        self.simulations += 1;
        match report {
            Ok(report) => {
                self.faults += report.faults;
                self.calls += report.calls;
                self.looks += report.looks;
                self.lives += u64::from(report.lives);
                self.virtual_time += report.virtual_time;
                if !report.violations.is_empty() {
                    let (violations, trace) = (report.violations, report.trace);
                    self.failures.push(Failure { seed, what, violations, trace });
                }
            }
            Err(error) => {
                let violations = vec![format!("{error:#}")];
                self.failures.push(Failure { seed, what, violations, trace: String::new() });
            }
        }
    }
}

/// One month, asked for by a person.
const LOAD: [Step; 3] = [Step::Publish(0), Step::Ask, Step::Settle];

/// What a seed stands for.
pub fn drawn(seed: u64) -> (Vec<Step>, Plan) {
    let mut random = fastrand::Rng::with_seed(seed);
    let orders: [&[usize]; 5] = [&[0], &[0, 1], &[0, 1, 0], &[0, 1, 2], &[1, 0, 1]];
    let mut steps = Vec::new();
    for index in orders[random.usize(..orders.len())] {
        match random.u8(..6) {
            0 => steps.extend([Step::Publish(*index), Step::Fire]),
            1 => steps.extend([Step::Publish(*index), Step::Ask]),
            2 => steps.push(Step::Arrive(*index)),
            3 => steps.extend([Step::Publish(*index), Step::Ask, Step::Fire]),
            4 => steps.extend([Step::Publish(*index), Step::Arrive(*index), Step::Fire]),
            _ => steps.extend([Step::Arrive(*index), Step::Redeliver(random.usize(..2))]),
        }
        if random.u8(..4) == 0 {
            steps.push(Step::Redeliver(random.usize(..3)));
        }
        if random.u8(..4) == 0 {
            steps.push(Step::Redrive);
        }
        match random.u8(..5) {
            0 => {}
            1 => steps.push(Step::Pause(Duration::from_millis(random.u64(1..3_000)))),
            2 => steps.push(Step::Pause(Duration::from_secs(random.u64(3..120)))),
            3 => steps.push(Step::Pause(Duration::from_secs(random.u64(120..1_200)))),
            _ => steps.push(Step::Settle),
        }
    }
    if random.bool() {
        steps.extend([Step::Settle, Step::Redrive]);
    }
    let plan = match random.u8(..4) {
        0 => Plan::Random { probability: 0.01, most: 1 },
        1 => Plan::Random { probability: 0.03, most: 3 },
        2 => Plan::Random { probability: 0.08, most: 6 },
        _ => Plan::Random { probability: 0.2, most: 12 },
    };
    (steps, plan)
}
