//! One account over several lives: opened on its data directory, killed, opened again.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use aws::lake::Lake;
use aws::lake::store::ListQuery;
use aws::lambda::Ending;
use aws::stand_in::{FunctionEvent, Functions};
use aws::{Services, Settings, StandIns, athena};
use jiff::SignedDuration;
use runner::cloud::Cloud;
use runner::deploy::deploy;
use runner::sample;
use runner::template::{Account, Kind, Stack};
use serde_json::{Value, json};

use super::dice;
use super::functions::InProcess;
use super::gate::{Gate, Plan};
use super::network::Gated;
use super::observer::{Observer, Place};
use super::site::Site;
use crate::house::root;

/// How long a run may take before the simulation calls it stuck: longer than the state machine's own limit.
const PATIENCE: Duration = Duration::from_hours(30);

/// The day on which every simulation begins.
const FIRST_DAY: &str = "2030-01-01T02:00:00Z";

/// The stack as every simulation has it.
pub fn stack(parameters: &[(&str, &str)]) -> anyhow::Result<Stack> {
    let mut overrides: BTreeMap<String, String> = BTreeMap::from([
        ("Stage".to_owned(), "local".to_owned()),
        ("SourceUrl".to_owned(), "https://tlc.test".to_owned()),
        ("SourceFormats".to_owned(), "csv".to_owned()),
        ("ScheduleState".to_owned(), "DISABLED".to_owned()),
    ]);
    overrides
        .extend(parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let settings = Settings::default();
    let account = Account {
        id: settings.account_id,
        region: settings.region,
        endpoint: settings.endpoint,
        stack_name: "taxi".to_owned(),
    };
    Ok(Stack::read(&root().join("template.yaml"), &overrides, account)?)
}

/// A data directory in which the stack is deployed, to be copied for each simulation.
pub struct Deployed {
    pub stack: Stack,
    folder: tempfile::TempDir,
}

impl Deployed {
    pub fn new(stack: Stack) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let binaries = folder.path().join("binaries");
        std::fs::create_dir_all(&binaries)?;
        for (_, function) in stack.functions() {
            // The name says which handler it is; a simulation starts no process.
            std::fs::write(binaries.join(&function.package), &function.package)?;
        }
        let data = folder.path().join("data");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let services = Services::open(Lake::open(&data)?, Settings::default())
                .map_err(|error| anyhow::anyhow!("{error}"))?;
            deploy(&stack, &Cloud::within(services), &binaries).await?;
            anyhow::Ok(())
        })?;
        Ok(Self { stack, folder })
    }

    /// A fresh copy of the account.
    pub fn copy(&self) -> anyhow::Result<tempfile::TempDir> {
        let copy = tempfile::tempdir()?;
        copy_folder(&self.folder.path().join("data"), copy.path())?;
        Ok(copy)
    }

    pub fn place(&self) -> Place {
        Place {
            database: "nyctaxidb".to_owned(),
            lake_bucket: bucket(&self.stack, "LakeBucket"),
            results: format!("s3://{}/reader/", bucket(&self.stack, "ResultsBucket")),
        }
    }
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn bucket(stack: &Stack, logical_id: &str) -> String {
    let found = stack
        .resources
        .iter()
        .find(|resource| resource.kind == Kind::Bucket && resource.logical_id == logical_id);
    found.map_or_else(|| panic!("no {logical_id}"), |resource| resource.identity.name.clone())
}

/// What lasts over all lives of a simulation.
pub struct Universe {
    pub stack: Stack,
    pub data: PathBuf,
    pub site: Site,
    pub gate: Arc<Gate>,
    pub observer: Arc<Observer>,
    pub limits: athena::Limits,
}

/// One life: services that run until they are dropped.
pub struct World<'a> {
    pub universe: &'a Universe,
    pub services: Services,
    machine: String,
    raw_bucket: String,
}

/// The functions are told of the services once these stand.
struct Late(OnceLock<InProcess>);

#[async_trait]
impl Functions for Late {
    async fn handle(&self, event: FunctionEvent) -> Ending {
        self.0.get().expect("functions are called by services that stand").handle(event).await
    }
}

impl Universe {
    /// Publishes what the site always has.
    pub fn furnish(&self) {
        let day = "2024-03-01T00:00:00Z".parse().expect("a time");
        self.site.publish("misc/taxi_zone_lookup.csv", sample::lookup(), day);
    }

    pub fn lake_bucket(&self) -> String {
        bucket(&self.stack, "LakeBucket")
    }

    /// Begins a life in the present runtime.
    pub fn open(&self) -> anyhow::Result<World<'_>> {
        let lake = Lake::open(&self.data)?;
        let functions = Arc::new(Late(OnceLock::new()));
        let stand_ins = StandIns {
            functions: Some(functions.clone()),
            network: Some(Arc::new(Gated { gate: self.gate.clone(), store: lake.store.clone() })),
            random: Some(dice::number),
            athena: self.limits.clone(),
        };
        let services = Services::open_with(lake, Settings::default(), stand_ins)
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        let in_process = InProcess {
            link: services.link(),
            gate: self.gate.clone(),
            observer: self.observer.clone(),
            site: self.site.clone(),
        };
        assert!(functions.0.set(in_process).is_ok(), "it is set here alone");
        let (_, machine) = self.stack.state_machines().next().context("a state machine")?;
        Ok(World {
            universe: self,
            services,
            machine: machine.arn.clone(),
            raw_bucket: bucket(&self.stack, "RawBucket"),
        })
    }
}

/// Moves the clock of a paused runtime to the first day, and on by what earlier lives took.
pub async fn begin(elapsed: Duration) {
    let first: jiff::Timestamp = FIRST_DAY.parse().expect("a time");
    let to = first + SignedDuration::try_from(elapsed).expect("a few days");
    if let Ok(ahead) = Duration::try_from(to.duration_since(lake::clock::now())) {
        tokio::time::advance(ahead).await;
    }
    // Onto a tick of the runtime's timers, from which all later waits are whole.
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// One life of a fresh copy in which nothing goes wrong, on virtual time.
pub fn alone<T>(
    deployed: &Deployed,
    limits: athena::Limits,
    body: impl AsyncFnOnce(&World<'_>) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    dice::seed(0);
    let data = deployed.copy()?;
    let universe = Universe {
        stack: deployed.stack.clone(),
        data: data.path().to_owned(),
        site: Site::default(),
        gate: Arc::new(Gate::new(Plan::Calm, 0)),
        observer: Arc::new(Observer::elsewhere(deployed.place())),
        limits,
    };
    universe.furnish();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()?;
    runtime.block_on(async {
        begin(Duration::ZERO).await;
        let world = universe.open()?;
        body(&world).await
    })
}

impl World<'_> {
    /// Starts an execution as a person or another trigger does.
    pub async fn start(&self, input: &Value) -> anyhow::Result<String> {
        let request = json!({"stateMachineArn": self.machine, "input": input.to_string()});
        let started = self.call("states", "StartExecution", request).await?;
        Ok(started["executionArn"].as_str().unwrap_or_default().to_owned())
    }

    /// Fires the 2 AM schedule now.
    pub async fn fire(&self) -> anyhow::Result<()> {
        let schedules = self.call("scheduler", "ListSchedules", json!({})).await?;
        let name = schedules["Schedules"][0]["Name"].as_str().context("a schedule")?.to_owned();
        let fired = self.services.scheduler().fire(&name).await;
        fired.map(drop).map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// Puts a file under `arrivals/`; the bucket's event starts an execution.
    pub fn arrive(&self, file: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let key = format!("arrivals/{file}");
        self.services.lake().store.put(
            &self.raw_bucket,
            &key,
            bytes,
            aws::lake::store::PutOptions::default(),
        )?;
        Ok(())
    }

    /// Waits until no execution runs and no function is at work.
    pub async fn settle(&self) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut quiet = 0;
        while quiet < 3 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let running = self.executions(Some("RUNNING")).await?;
            let at_work = self.services.lambda().at_work();
            quiet = if running.is_empty() && at_work == 0 { quiet + 1 } else { 0 };
            if let Some(first) = running.first() {
                let arn = first["executionArn"].as_str().unwrap_or_default();
                let ended =
                    tokio::time::timeout_at(deadline, self.services.stepfunctions().wait(arn));
                ended
                    .await
                    .with_context(|| format!("{arn} does not end"))?
                    .map_err(|error| anyhow::anyhow!("{error}"))?;
            }
            anyhow::ensure!(
                tokio::time::Instant::now() < deadline,
                "{at_work} functions do not end"
            );
        }
        Ok(())
    }

    /// Executions of the state machine itself, newest first.
    pub async fn executions(&self, status: Option<&str>) -> anyhow::Result<Vec<Value>> {
        let request =
            json!({"stateMachineArn": self.machine, "statusFilter": status, "maxResults": 1000});
        self.listed(request).await
    }

    /// The months' executions of a run.
    pub async fn children(&self, execution: &str) -> anyhow::Result<Vec<Value>> {
        let runs = self.call("states", "ListMapRuns", json!({"executionArn": execution})).await?;
        let mut children = Vec::new();
        for run in runs["mapRuns"].as_array().into_iter().flatten() {
            children.extend(
                self.listed(json!({"mapRunArn": run["mapRunArn"], "maxResults": 1000})).await?,
            );
        }
        Ok(children)
    }

    async fn listed(&self, mut request: Value) -> anyhow::Result<Vec<Value>> {
        let mut all = Vec::new();
        loop {
            let page = self.call("states", "ListExecutions", request.clone()).await?;
            all.extend(page["executions"].as_array().into_iter().flatten().cloned());
            match &page["nextToken"] {
                Value::Null => return Ok(all),
                token => request["nextToken"] = token.clone(),
            }
        }
    }

    /// All entries of a data set's ledger, the oldest first.
    pub fn ledger(&self, dataset: &str) -> anyhow::Result<Vec<Value>> {
        let (store, bucket) = (&self.services.lake().store, self.universe.lake_bucket());
        let keys = self.lake_keys(&format!("ledger/{dataset}/"))?.into_iter();
        keys.map(|key| Ok(serde_json::from_slice(&store.read(&bucket, &key)?)?)).collect()
    }

    /// The keys of the lake bucket that begin so, in their order.
    pub fn lake_keys(&self, prefix: &str) -> anyhow::Result<Vec<String>> {
        let query = ListQuery { prefix, delimiter: None, after: None, max: 10_000 };
        let listed = self.services.lake().store.list(&self.universe.lake_bucket(), query)?;
        Ok(listed.objects.into_iter().map(|object| object.key).collect())
    }

    /// The bodies of all dead letters, which are hidden for half a day.
    pub async fn letters(&self) -> anyhow::Result<Vec<String>> {
        let url = self.universe.stack.outputs.get("DeadLetterQueueUrl").context("the queue")?;
        let mut letters = Vec::new();
        loop {
            let request =
                json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 43_200});
            let received = self.call("sqs", "ReceiveMessage", request).await?;
            let messages = received["Messages"].as_array().cloned().unwrap_or_default();
            if messages.is_empty() {
                return Ok(letters);
            }
            let bodies = messages.iter().filter_map(|message| message["Body"].as_str());
            letters.extend(bodies.map(str::to_owned));
        }
    }

    /// The messages of all notifications, the oldest first.
    pub fn told(&self) -> anyhow::Result<Vec<String>> {
        let topic =
            self.universe.stack.outputs.get("NotificationsTopicArn").context("the topic")?;
        let told =
            self.services.sns().published(topic).map_err(|error| anyhow::anyhow!("{error}"))?;
        Ok(told.into_iter().map(|published| published.message).collect())
    }

    pub async fn call(&self, service: &str, action: &str, input: Value) -> anyhow::Result<Value> {
        let answer = self.services.dispatch(service, action, input).await;
        answer.map_err(|error| anyhow::anyhow!("{service} {action}: {error}"))
    }
}
