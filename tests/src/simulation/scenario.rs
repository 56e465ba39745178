//! What happens to one month: contents appear, triggers fire, and in the end everything must have come right.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use aws::athena::Limits;
use serde_json::{Value, json};

use super::content::{Content, DATASET, FILE, MONTH};
use super::dice;
use super::gate::{Gate, Plan};
use super::observer::{Observer, Seen};
use super::site::Site;
use super::world::{Deployed, Universe, World, begin};

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The site has this content from now on.
    Publish(usize),
    /// This content is put under `arrivals/`.
    Arrive(usize),
    /// The 2 AM schedule.
    Fire,
    /// A person asks for the month.
    Ask,
    /// The event of an earlier execution is delivered once more, late or twice.
    Redeliver(usize),
    /// The newest execution that ended without success goes on.
    Redrive,
    /// Time passes while the executions go on.
    Pause(Duration),
    /// All executions come to their end.
    Settle,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |index: &usize| char::from(b'A' + u8::try_from(*index).unwrap_or_default());
        match self {
            Step::Publish(index) => write!(f, "the site publishes {}", name(index)),
            Step::Arrive(index) => write!(f, "{} arrives in S3", name(index)),
            Step::Fire => f.write_str("the schedule fires"),
            Step::Ask => f.write_str("a person asks for the month"),
            Step::Redeliver(index) => write!(f, "the event of execution {index} comes again"),
            Step::Redrive => f.write_str("what ended without success is redriven"),
            Step::Pause(pause) => write!(f, "{} s pass", pause.as_secs()),
            Step::Settle => f.write_str("all executions end"),
        }
    }
}

/// How a simulation went.
#[derive(Debug)]
pub struct Report {
    pub violations: Vec<String>,
    pub trace: String,
    pub calls: usize,
    pub faults: usize,
    pub looks: u64,
    pub lives: u32,
    pub virtual_time: Duration,
    pub sites: Vec<super::fault::CallSite>,
    /// The call after which the scenario's own steps were over and nothing went wrong any more.
    pub calm_at: usize,
}

/// Longer than the template's GARBAGE_AFTER_HOURS.
const UNTIL_GARBAGE: Duration = Duration::from_hours(30);

/// A simulation killed more often than this does not come to an end by itself.
const MOST_LIVES: u32 = 50;

/// Runs the steps under the plan, then one last content undisturbed; the seed draws what the plan leaves open.
pub fn run(
    deployed: &Deployed,
    contents: &[Content],
    steps: &[Step],
    plan: Plan,
    seed: u64,
) -> anyhow::Result<Report> {
    dice::seed(seed);
    let data = deployed.copy()?;
    let gate = Arc::new(Gate::new(plan, seed));
    let universe = Universe {
        stack: deployed.stack.clone(),
        data: data.path().to_owned(),
        site: Site::default(),
        gate: gate.clone(),
        observer: Arc::new(Observer::new(deployed.place(), contents.to_vec())),
        limits: Limits::default(),
    };
    universe.furnish();
    let mut progress = Progress { next: 0, calm_at: None };
    let (mut lives, mut elapsed) = (0, Duration::ZERO);
    loop {
        lives += 1;
        anyhow::ensure!(lives < MOST_LIVES, "killed {MOST_LIVES} times: the plan has no end");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .max_blocking_threads(1)
            .build()?;
        let (ended, now) = runtime.block_on(async {
            begin(elapsed).await;
            gate.revive(elapsed);
            let ended = tokio::select! {
                done = live(&universe, contents, steps, &mut progress) => Some(done),
                () = gate.killed() => None,
            };
            (ended, gate.elapsed())
        });
        elapsed = now;
        drop(runtime);
        if let Some(done) = ended {
            done?;
            break;
        }
    }
    Ok(Report {
        violations: universe.observer.violations(),
        trace: gate.trace(),
        calls: gate.calls(),
        faults: gate.faults().len(),
        looks: universe.observer.looks(),
        lives,
        virtual_time: elapsed,
        sites: gate.sites(),
        calm_at: progress.calm_at.unwrap_or_default(),
    })
}

/// How far the steps have come, over all lives.
struct Progress {
    next: usize,
    calm_at: Option<usize>,
}

async fn live(
    universe: &Universe,
    contents: &[Content],
    steps: &[Step],
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let world = universe.open()?;
    universe.observer.look(&world.services).await;
    while let Some(step) = steps.get(progress.next) {
        // Before it is done: a step that kills is not done again.
        progress.next += 1;
        universe.gate.note(format!("== {step}"));
        act(&world, contents, *step).await?;
    }
    world.settle().await?;
    progress.calm_at.get_or_insert(universe.gate.calls());
    universe.gate.calm();
    finish(&world, contents).await
}

async fn act(world: &World<'_>, contents: &[Content], step: Step) -> anyhow::Result<()> {
    match step {
        Step::Publish(index) => publish(world, &contents[index]),
        Step::Arrive(index) => {
            let content = &contents[index];
            world.universe.observer.publish(content.name);
            world.arrive(FILE, &content.bytes)?;
            // The event is on its way.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Step::Fire => world.fire().await?,
        Step::Ask => {
            world.start(&json!({"dataset": DATASET, "months": [MONTH]})).await?;
        }
        Step::Redeliver(index) => {
            let executions = world.executions(None).await?;
            if let Some(execution) = executions.iter().rev().nth(index) {
                let arn = json!({"executionArn": execution["executionArn"]});
                let described = world.call("states", "DescribeExecution", arn).await?;
                let input = described["input"].as_str().unwrap_or("{}");
                world.start(&serde_json::from_str(input)?).await?;
            }
        }
        Step::Redrive => {
            let executions = world.executions(None).await?;
            let unsuccessful = ["FAILED", "ABORTED", "TIMED_OUT"];
            let is_one = |execution: &&Value| {
                unsuccessful.iter().any(|status| execution["status"] == *status)
            };
            if let Some(execution) = executions.iter().find(is_one) {
                let arn = json!({"executionArn": execution["executionArn"]});
                world.call("states", "RedriveExecution", arn).await?;
            }
        }
        Step::Pause(pause) => tokio::time::sleep(pause).await,
        Step::Settle => world.settle().await?,
    }
    Ok(())
}

fn publish(world: &World<'_>, content: &Content) {
    world.universe.observer.publish(content.name);
    let path = format!("trip-data/{FILE}");
    world.universe.site.publish(&path, content.bytes.clone(), lake::clock::now());
}

/// The last content is loaded undisturbed, a day later, and everything must have come right.
async fn finish(world: &World<'_>, contents: &[Content]) -> anyhow::Result<()> {
    let observer = &world.universe.observer;
    dead_letters(world).await?;
    night(world, contents).await?;
    tokio::time::advance(UNTIL_GARBAGE).await;
    let last = contents.last().context("contents")?;
    world.universe.gate.note("== a day later, undisturbed");
    publish(world, last);
    world.start(&json!({"dataset": DATASET, "months": [MONTH]})).await?;
    world.settle().await?;
    observer.look(&world.services).await;
    if observer.seen() != Seen::All(last.name) {
        observer.violated(format!(
            "content {} was loaded undisturbed, and the view shows {:?}",
            last.name,
            observer.seen()
        ));
    }
    let rejected = observer.rows(&world.services, "rejected", "count(DISTINCT rule)").await;
    if rejected.as_ref().map(|(rows, _)| *rows) != Ok(last.broken) {
        observer.violated(format!("expected {} rejected rows, found {rejected:?}", last.broken));
    }
    ledger(world, contents, last)
}

/// A run that nothing disturbs shows readers whatever was committed before it, new months or not.
async fn night(world: &World<'_>, contents: &[Content]) -> anyhow::Result<()> {
    world.universe.gate.note("== a night without faults");
    world.start(&json!({"dataset": DATASET, "months": [MONTH]})).await?;
    world.settle().await?;
    let observer = &world.universe.observer;
    observer.look(&world.services).await;
    let Some(entry) = world.ledger(DATASET)?.pop() else { return Ok(()) };
    let rows = &entry["live"][MONTH]["rows_in"];
    let committed = contents.iter().find(|content| *rows == content.rows);
    let committed = committed.map_or(Seen::Nothing, |content| Seen::All(content.name));
    if observer.seen() != committed {
        observer.violated(format!(
            "{committed:?} is committed, and the view shows {:?}",
            observer.seen()
        ));
    }
    Ok(())
}

/// Every execution that failed by itself has left a letter and was told of.
async fn dead_letters(world: &World<'_>) -> anyhow::Result<()> {
    let (letters, told) = (world.letters().await?, world.told()?.concat());
    for letter in &letters {
        let again = &serde_json::from_str::<Value>(letter)?["start_again"];
        if !again["input"].is_object() && !again["object"]["key"].is_string() {
            world.universe.observer.violated(format!("nothing can be started again by {letter}"));
        }
    }
    let letters = letters.concat();
    for run in world.executions(None).await? {
        let arn = run["executionArn"].as_str().unwrap_or_default().to_owned();
        let mut failed = world.children(&arn).await?;
        failed.push(run);
        for execution in failed.iter().filter(|execution| execution["status"] == "FAILED") {
            let arn = execution["executionArn"].as_str().unwrap_or_default();
            if !letters.contains(arn) {
                world.universe.observer.violated(format!("{arn} failed and left no dead letter"));
            }
            if !told.contains(arn) {
                world.universe.observer.violated(format!("{arn} failed and nobody was told"));
            }
        }
    }
    Ok(())
}

/// The ledger has no gap, no content twice in a row, and rows that add up; and only its runs have files.
fn ledger(world: &World<'_>, contents: &[Content], last: &Content) -> anyhow::Result<()> {
    let observer = &world.universe.observer;
    let mut before = Value::Null;
    let mut runs = Vec::new();
    for (entry, number) in world.ledger(DATASET)?.iter().zip(1..) {
        if entry["seq"] != number {
            observer.violated(format!("ledger entry {number} says it is {}", entry["seq"]));
        }
        let run = &entry["entry"];
        if run["run_key"] == before["run_key"] && run["run"] != before["run"] {
            observer.violated(format!("entry {number} commits {} a second time", run["run_key"]));
        }
        let count = |name: &str| run[name].as_u64().unwrap_or_default();
        let counts = (count("rows_in"), count("rows_out"), count("rows_rejected"));
        let known = |content: &Content| {
            (content.rows, content.rows - content.broken, content.broken) == counts
        };
        if !contents.iter().any(known) {
            observer.violated(format!("entry {number} counts {counts:?}, which no content has"));
        }
        runs.push(run["run"].as_str().unwrap_or_default().to_owned());
        before = run.clone();
    }
    if before["rows_in"] != last.rows {
        observer.violated(format!("the last ledger entry is not of {}: {before}", last.name));
    }
    // What was live within the last day may still be read.
    runs.dedup();
    let kept: Vec<&String> = runs.iter().rev().take(2).collect();
    for key in world.lake_keys(&format!("{DATASET}/"))? {
        if !kept.iter().any(|run| key.contains(run.as_str())) {
            observer.violated(format!("{key} is named by no ledger entry and was not collected"));
        }
    }
    Ok(())
}
