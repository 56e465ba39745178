//! `local run`, and its end.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;
use tokio::process::{Child, Command};

/// How long functions may take to follow a killed runner.
const LAST_BREATH: Duration = Duration::from_secs(10);

/// A run that takes longer hangs.
const LONGEST_RUN: Duration = Duration::from_mins(10);

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// The runner and every process below it, at once.
    Everything,
    /// The runner alone: what is below it has to end by itself.
    Runner,
}

/// Where and what to run.
#[derive(Clone, Debug)]
pub struct Place {
    pub program: PathBuf,
    /// Where the template is.
    pub root: PathBuf,
    pub source: PathBuf,
    pub dataset: String,
    pub data: PathBuf,
}

/// A run that goes on. Dropped, it is killed.
pub struct Victim {
    child: Child,
    report: PathBuf,
    log: PathBuf,
}

impl Victim {
    pub fn start(place: &Place) -> anyhow::Result<Self> {
        let beside = |extension: &str| place.data.with_extension(extension);
        let (report, log) = (beside("json"), beside("log"));
        let child = Command::new(&place.program)
            .args(["run", "--json", "--dataset", &place.dataset, "--from"])
            .arg(&place.source)
            .arg("--data-dir")
            .arg(&place.data)
            .current_dir(&place.root)
            .env_remove("CARGO")
            .stdin(Stdio::null())
            .stdout(File::create(&report)?)
            .stderr(File::create(&log)?)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} does not start", place.program.display()))?;
        Ok(Self { child, report, log })
    }

    /// Lets the run come to its end, and answers its report.
    pub async fn report(mut self) -> anyhow::Result<Value> {
        let status = tokio::time::timeout(LONGEST_RUN, self.child.wait()).await;
        let status = status.context("the run hangs")??;
        let log = std::fs::read_to_string(&self.log)?;
        anyhow::ensure!(status.success(), "the run failed: {status}\n{log}");
        Ok(serde_json::from_slice(&std::fs::read(&self.report)?)?)
    }

    /// Waits for `moment` and kills. False if the run was done before.
    ///
    /// Errors: a process below the runner outlives it.
    pub async fn kill(mut self, moment: Duration, aim: Aim) -> anyhow::Result<bool> {
        if let Ok(status) = tokio::time::timeout(moment, self.child.wait()).await {
            let status = status?;
            let log = std::fs::read_to_string(&self.log)?;
            anyhow::ensure!(status.success(), "the run failed before it was killed: {log}");
            return Ok(false);
        }
        let runner = self.child.id().context("the run has just ended")?;
        let below = descendants(runner, &processes().await?);
        let aimed = match aim {
            Aim::Everything => below.as_slice(),
            Aim::Runner => &[],
        };
        let ids = std::iter::once(&runner).chain(aimed).map(u32::to_string);
        // One that has ended meanwhile is no failure.
        Command::new("kill").arg("-KILL").args(ids).stderr(Stdio::null()).status().await?;
        self.child.wait().await?;
        let waited = tokio::time::timeout(LAST_BREATH, gone(&below)).await;
        waited
            .with_context(|| format!("{below:?} outlive the runner {runner}, {aim:?} killed"))??;
        Ok(true)
    }
}

/// Returns when none of these processes runs any more.
async fn gone(ids: &[u32]) -> anyhow::Result<()> {
    loop {
        let running = processes().await?;
        if !ids.iter().any(|id| running.contains_key(id)) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The parent of every process but the dead ones that nobody has collected.
async fn processes() -> anyhow::Result<BTreeMap<u32, u32>> {
    let listed = Command::new("ps").args(["-A", "-o", "pid=,ppid=,stat="]).output().await?;
    let lines = String::from_utf8_lossy(&listed.stdout).into_owned();
    let parse = |line: &str| {
        let mut words = line.split_whitespace();
        let (id, parent) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        (!words.next()?.starts_with('Z')).then_some((id, parent))
    };
    Ok(lines.lines().filter_map(parse).collect())
}

fn descendants(of: u32, parents: &BTreeMap<u32, u32>) -> Vec<u32> {
    let mut found = Vec::new();
    let mut open = vec![of];
    while let Some(parent) = open.pop() {
        let children = parents.iter().filter(|(_, p)| **p == parent).map(|(id, _)| *id);
        let children: Vec<u32> = children.collect();
        open.extend(&children);
        found.extend(children);
    }
    found
}

/// Of a run that was not disturbed.
pub async fn undisturbed(place: &Place) -> anyhow::Result<(Value, Duration)> {
    let began = std::time::Instant::now();
    let report = Victim::start(place)?.report().await?;
    Ok((report, began.elapsed()))
}

/// Removes a life's data directory and what was written beside it.
pub fn bury(data: &Path) -> anyhow::Result<()> {
    std::fs::remove_dir_all(data)?;
    for extension in ["json", "log"] {
        std::fs::remove_file(data.with_extension(extension))?;
    }
    Ok(())
}
