//! The commands of `local`, a file each.
//!
//! Standard output is for what was asked for; progress, notes and errors go to standard error.
#![expect(clippy::print_stdout, reason = "a command's answer is its standard output")]
mod check;
mod cost;
mod fire;
mod graph;
mod quality;
mod redrive;
mod run;
mod sample;
mod serve;
mod simulate;
mod sql;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use clap::Subcommand;

use crate::cloud::{Address, Cloud};
use crate::deploy;
use crate::origin::{From, Origin};
use crate::project::Project;
use crate::run::executions::StepFunctions;
use crate::run::{Outcome, Progress, watch};
use crate::template::{Account, Stack};
use crate::tlc::{Dataset, Month};

#[derive(Subcommand)]
pub enum Command {
    /// Deploy the template on this machine, load months, and say what was loaded
    Run(run::Arguments),
    /// Answer as AWS on one port, with the template deployed
    Serve(serve::Arguments),
    /// Send a statement to the local Athena
    Sql(sql::Arguments),
    /// What the runs of a data directory would cost on AWS, and whether functions have the right size
    Cost(cost::Arguments),
    /// Check template, state machines and what they promise each other
    Check(check::Arguments),
    /// Write months of the built-in sample, of any length
    Sample(sample::Arguments),
    /// Fire the schedule now
    Fire(fire::Arguments),
    /// Take dead letters back: start again what they tell of
    Redrive(redrive::Arguments),
    /// Let calls go wrong on virtual time, and watch whether any row is lost or doubled
    Simulate(simulate::Arguments),
    /// Judge a table or a file by a ruleset in DQDL, the language of Glue Data Quality
    Quality(quality::Arguments),
    /// Draw a state machine as Mermaid
    Graph(graph::Arguments),
}

/// What commands read from the environment, once.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The cargo that started this program.
    cargo: Option<PathBuf>,
}

impl Environment {
    pub fn read() -> Self {
        Self { cargo: std::env::var_os("CARGO").map(PathBuf::from) }
    }
}

impl Command {
    /// The exit code, or an error for exit code 1.
    pub async fn run(self, environment: &Environment) -> anyhow::Result<u8> {
        match self {
            Self::Run(arguments) => run::run(arguments, environment).await,
            Self::Serve(arguments) => serve::run(arguments, environment).await,
            Self::Sql(arguments) => sql::run(arguments).await,
            Self::Cost(arguments) => cost::run(arguments, environment).await,
            Self::Check(arguments) => check::run(&arguments, environment).await,
            Self::Sample(arguments) => sample::run(&arguments),
            Self::Fire(arguments) => fire::run(arguments, environment).await,
            Self::Redrive(arguments) => redrive::run(arguments, environment).await,
            Self::Simulate(arguments) => simulate::run(&arguments, environment),
            Self::Quality(arguments) => quality::run(&arguments).await,
            Self::Graph(arguments) => graph::run(&arguments).await,
        }
    }
}

/// The name of the one stack of a data directory.
pub(crate) const STACK: &str = "nyctaxi-local";

/// The `--dataset` option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum DatasetChoice {
    Yellow,
    Green,
    Fhv,
    Fhvhv,
    All,
}

impl DatasetChoice {
    fn one(self) -> Option<Dataset> {
        match self {
            Self::Yellow => Some(Dataset::Yellow),
            Self::Green => Some(Dataset::Green),
            Self::Fhv => Some(Dataset::Fhv),
            Self::Fhvhv => Some(Dataset::Fhvhv),
            Self::All => None,
        }
    }
}

/// A data directory with the template deployed and a source to load from.
struct Deployed {
    stack: Stack,
    origin: Origin,
    /// Last, so that its functions end after all else.
    cloud: Cloud,
}

impl Deployed {
    async fn open(
        data_dir: &Path,
        address: &Address,
        from: &From,
        keep: impl Fn(Dataset, Month) -> bool,
        overrides: &[(&str, &str)],
        front: impl FnOnce(aws::Services) -> Option<aws::Front>,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let project = Project::find()?;
        let cloud = Cloud::open(data_dir, address, front).await?;
        let origin = Origin::start(from, data_dir, keep).await?;
        let mut parameters = origin.parameters();
        parameters.extend(
            overrides.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let stack = Stack::read(&project.template(), &parameters, cloud.account(STACK))
            .context("the template has problems")?;
        let binaries = binaries(&project, &stack, environment)?;
        deploy::deploy(&stack, &cloud, &binaries).await?;
        Ok(Self { stack, origin, cloud })
    }

    /// On any port, as the template says it.
    async fn plain(
        data_dir: &Path,
        from: &From,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let address = Address::default();
        Self::open(data_dir, &address, from, |_, _| false, &[], |_| None, environment).await
    }

    /// Watches executions to their ends, under this title, and reads what came of them.
    async fn follow(&self, arns: &[&str], title: &str) -> anyhow::Result<Outcome> {
        let (began, mut outcome) = (Instant::now(), Outcome::default());
        let services = self.cloud.services();
        for arn in arns {
            watch(StepFunctions(services), arn, title, &mut Progress::new()).await?;
            outcome.read(services, arn).await?;
        }
        outcome.duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(outcome)
    }
}

/// The folder of the binaries of a stack's functions.
fn binaries(
    project: &Project,
    stack: &Stack,
    environment: &Environment,
) -> anyhow::Result<PathBuf> {
    let packages: Vec<&str> =
        stack.functions().map(|(_, function)| function.package.as_str()).collect();
    Ok(project.binaries(&packages, environment.cargo.as_deref())?)
}

/// The template as it is deployed locally, without an account that runs.
pub(crate) fn local_stack(project: &Project) -> anyhow::Result<Stack> {
    let address = Address::default();
    let account = Account {
        id: address.account_id,
        region: address.region,
        endpoint: "http://127.0.0.1:4566".to_owned(),
        stack_name: STACK.to_owned(),
    };
    let parameters = std::collections::BTreeMap::from([("Stage".to_owned(), "local".to_owned())]);
    Stack::read(&project.template(), &parameters, account).context("the template has problems")
}

/// Waits for Ctrl-C, or for the signal that ends programs.
async fn interrupted() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed,
        _ = terminate.recv() => Ok(()),
    }
}
