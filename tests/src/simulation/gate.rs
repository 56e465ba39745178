//! The one place every call passes: it counts them, draws faults, and keeps the trace.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::fault::{CallSite, Fault, OUTAGE};

/// Which calls go wrong.
#[derive(Clone, Debug)]
pub enum Plan {
    /// None: an undisturbed run.
    Calm,
    /// The call of this number, in this way.
    At(usize, Fault),
    /// Each call with this probability, in a way drawn too; at most so many faults.
    Random { probability: f64, most: u32 },
}

/// Passed by every call of a simulation, over all its lives.
pub struct Gate {
    state: Mutex<State>,
    killed: watch::Sender<bool>,
}

struct State {
    plan: Plan,
    random: fastrand::Rng,
    calls: usize,
    /// The calls of the undisturbed run, for the exhaustive mode.
    sites: Vec<CallSite>,
    faults: Vec<(usize, CallSite, Fault)>,
    outages: BTreeMap<String, Instant>,
    trace: Vec<Line>,
    started: Instant,
    /// Virtual time of the lives before this one.
    elapsed: Duration,
}

/// A line of the trace.
struct Line {
    at: Duration,
    text: String,
}

/// What the gate says of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Pass,
    Fail(Fault),
}

impl Gate {
    /// To be made inside of the simulation's runtime.
    pub fn new(plan: Plan, seed: u64) -> Self {
        Gate {
            state: Mutex::new(State {
                plan,
                random: fastrand::Rng::with_seed(seed),
                calls: 0,
                sites: Vec::new(),
                faults: Vec::new(),
                outages: BTreeMap::new(),
                trace: Vec::new(),
                started: Instant::now(),
                elapsed: Duration::ZERO,
            }),
            killed: watch::Sender::new(false),
        }
    }

    /// Counts a call and decides about it.
    pub fn call(&self, site: &CallSite) -> Verdict {
        let mut state = self.state();
        let number = state.calls;
        state.calls += 1;
        state.sites.push(site.clone());
        let now = Instant::now();
        if state.outages.get(&site.service).is_some_and(|until| now < *until) {
            state.note(format!("#{number} {site}: refused (outage)"));
            return Verdict::Fail(Fault::Refused);
        }
        let Some(fault) = state.draw(number, site) else {
            state.note(format!("#{number} {site}"));
            return Verdict::Pass;
        };
        state.note(format!("#{number} {site}: {fault}"));
        state.faults.push((number, site.clone(), fault));
        if fault == Fault::Outage {
            state.outages.insert(site.service.clone(), now + OUTAGE);
        }
        Verdict::Fail(fault)
    }

    /// Ends this life; the one who called waits for its end.
    pub async fn kill<T>(&self) -> T {
        self.killed.send_replace(true);
        std::future::pending().await
    }

    /// Returns when this life is to end.
    pub async fn killed(&self) {
        // The sender lives as long as this gate.
        let _ = self.killed.subscribe().wait_for(|killed| *killed).await;
    }

    /// Begins the next life, inside of its runtime.
    pub fn revive(&self, elapsed: Duration) {
        self.killed.send_replace(false);
        let mut state = self.state();
        state.elapsed = elapsed;
        state.started = Instant::now();
        state.outages.clear();
        state.note("everything starts".to_owned());
    }

    /// From now on nothing goes wrong.
    pub fn calm(&self) {
        let mut state = self.state();
        state.plan = Plan::Calm;
        state.outages.clear();
    }

    pub fn note(&self, text: impl Into<String>) {
        self.state().note(text.into());
    }

    /// Virtual time since the beginning, over all lives.
    pub fn elapsed(&self) -> Duration {
        self.state().now()
    }

    /// A number below `bound`, by the seed.
    pub fn below(&self, bound: u64) -> u64 {
        self.state().random.u64(..bound)
    }

    pub fn sites(&self) -> Vec<CallSite> {
        self.state().sites.clone()
    }

    pub fn calls(&self) -> usize {
        self.state().calls
    }

    pub fn faults(&self) -> Vec<(usize, CallSite, Fault)> {
        self.state().faults.clone()
    }

    /// Everything that happened, a line each, with its virtual time.
    pub fn trace(&self) -> String {
        let state = self.state();
        state.trace.iter().fold(String::new(), |mut text, line| {
            let seconds = line.at.as_secs_f64();
            writeln!(text, "{seconds:>12.3} {}", line.text).expect("a String takes everything");
            text
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn draw(&mut self, number: usize, site: &CallSite) -> Option<Fault> {
        match self.plan {
            Plan::Calm => None,
            Plan::At(at, fault) => (at == number).then_some(fault),
            Plan::Random { probability, most } => {
                // Drawn for every call, so that one fault more or less moves no other.
                let (hit, which) = (self.random.f64() < probability, self.random.usize(..));
                let spent = u32::try_from(self.faults.len()).is_ok_and(|count| count >= most);
                let faults = Fault::of(site);
                (hit && !spent).then(|| faults[which % faults.len()])
            }
        }
    }

    fn now(&self) -> Duration {
        self.elapsed + self.started.elapsed()
    }

    fn note(&mut self, text: String) {
        let at = self.now();
        self.trace.push(Line { at, text });
    }
}
