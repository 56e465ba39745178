//! One run of the pipeline from outside: start executions, watch them to their end, read
//! what they did. Everything goes through the public operations of the services.
pub mod executions;
pub mod outcome;
mod progress;
mod table;

use std::time::{Duration, Instant};

use http::Method;
use serde_json::{Value, json};

use self::executions::StepFunctions;
pub use self::outcome::Outcome;
pub use self::progress::Progress;
pub use self::table::render;
use crate::cloud::{CallError, Cloud};
use crate::origin::Origin;
use crate::template::{Kind, Stack};
use crate::tlc::{Dataset, Months};

/// How often the executions are looked at.
const LOOK: Duration = Duration::from_millis(150);
/// How long an arrived object may take to start an execution. EventBridge promises no
/// bound, and delivers within seconds.
const ARRIVAL: Duration = Duration::from_mins(1);

/// What to load.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// `None` for all.
    pub dataset: Option<Dataset>,
    /// `None` for all that the source has.
    pub months: Option<Months>,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the template has no state machine to run")]
    NoMachine,
    #[error("the source has none of the months asked for: it has {0}")]
    NothingToLoad(String),
    #[error("{0} cannot be read")]
    Unreadable(std::path::PathBuf, #[source] std::io::Error),
    #[error(
        "s3://{bucket}/{key} was put {seconds} s ago and no execution has started: does a rule of the template match it?"
    )]
    NoArrival { bucket: String, key: String, seconds: u64 },
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Selection {
    pub fn takes(&self, dataset: Dataset, month: crate::tlc::Month) -> bool {
        self.dataset.is_none_or(|wanted| wanted == dataset)
            && self.months.as_ref().is_none_or(|months| months.0.contains(&month))
    }

    /// The input of the main execution; `None` when all of it comes by arrival.
    fn input(&self, origin: &Origin) -> Result<Option<Value>, RunError> {
        let datasets = self.dataset.map_or_else(|| Dataset::ALL.to_vec(), |dataset| vec![dataset]);
        let Some(at_hand) = origin.months() else {
            return Ok(Some(match (&self.months, self.dataset) {
                (None, None) => json!({"trigger": "schedule"}),
                (None, Some(dataset)) => json!({"loads": [{"dataset": dataset}]}),
                (Some(months), _) => {
                    let loads: Vec<_> = datasets
                        .iter()
                        .map(|dataset| json!({"dataset": dataset, "months": months.0}))
                        .collect();
                    json!({"loads": loads})
                }
            }));
        };
        if !at_hand.iter().any(|(dataset, month)| self.takes(*dataset, *month)) {
            let has: Vec<String> =
                at_hand.iter().map(|(dataset, month)| format!("{dataset} {month}")).collect();
            return Err(RunError::NothingToLoad(has.join(", ")));
        }
        let arriving = origin.arrival().map(|(file, _)| (file.dataset, file.month));
        let mut loads = Vec::new();
        for dataset in datasets {
            let asked = self.months.as_ref().map(|months| months.0.clone());
            let there = at_hand
                .iter()
                .filter(|(of, month)| *of == dataset && self.takes(*of, *month))
                .map(|(_, month)| *month);
            // Months that were asked for by name are asked of the source, there or not; with
            // all data sets, only of those that have the month.
            let wanted = match (self.dataset, asked) {
                (Some(_), Some(asked)) => asked,
                _ => there.collect(),
            };
            let wanted: Vec<_> =
                wanted.into_iter().filter(|month| arriving != Some((dataset, *month))).collect();
            if !wanted.is_empty() {
                loads.push(json!({"dataset": dataset, "months": wanted}));
            }
        }
        Ok((!loads.is_empty()).then(|| json!({"loads": loads})))
    }
}

/// Runs the stack's state machine over the selection, to the end.
pub async fn conduct(
    cloud: &Cloud,
    stack: &Stack,
    origin: &Origin,
    selection: &Selection,
) -> Result<Outcome, RunError> {
    let started = Instant::now();
    let (_, machine) = stack.state_machines().next().ok_or(RunError::NoMachine)?;
    let step_functions = StepFunctions(cloud.services());
    let mut progress = Progress::new();
    let mut outcome = Outcome::default();
    if let Some(input) = selection.input(origin)? {
        let arn = step_functions.start(&machine.arn, &input).await?;
        watch(step_functions, &arn, "run", &mut progress).await?;
        outcome.read(cloud.services(), &arn).await?;
    }
    if let Some((file, path)) = origin.arrival() {
        progress.say(&format!("{file} arrives in S3"));
        let known = step_functions.of_machine(&machine.arn).await?;
        let bucket = arrivals(stack);
        let key = format!("arrivals/{file}");
        let body = tokio::fs::read(path)
            .await
            .map_err(|error| RunError::Unreadable(path.clone(), error))?;
        cloud.s3(Method::PUT, &format!("/{bucket}/{key}"), body).await?;
        let arn = arrived(step_functions, &machine.arn, &known)
            .await?
            .ok_or(RunError::NoArrival { bucket, key, seconds: ARRIVAL.as_secs() })?;
        watch(step_functions, &arn, "arrival", &mut progress).await?;
        outcome.read(cloud.services(), &arn).await?;
    }
    outcome.duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    outcome.settle();
    Ok(outcome)
}

/// The bucket whose arrivals the template's rule listens to.
pub(crate) fn arrivals(stack: &Stack) -> String {
    let patterns = stack.state_machines().flat_map(|(_, machine)| &machine.events);
    let named = patterns.filter_map(|event| {
        event.properties.pointer("/Pattern/detail/bucket/name/0")?.as_str().map(str::to_owned)
    });
    let first_bucket = || {
        stack
            .resources
            .iter()
            .find(|resource| resource.kind == Kind::Bucket)
            .map(|resource| resource.identity.name.clone())
    };
    named.into_iter().next().or_else(first_bucket).unwrap_or_default()
}

pub(crate) async fn arrived(
    step_functions: StepFunctions<'_>,
    machine: &str,
    known: &[String],
) -> Result<Option<String>, CallError> {
    let patience = Instant::now() + ARRIVAL;
    while Instant::now() < patience {
        let now = step_functions.of_machine(machine).await?;
        if let Some(new) = now.into_iter().find(|arn| !known.contains(arn)) {
            return Ok(Some(new));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(None)
}

/// Follows an execution and its children until it has ended.
pub async fn watch(
    step_functions: StepFunctions<'_>,
    arn: &str,
    title: &str,
    progress: &mut Progress,
) -> Result<(), CallError> {
    let mut ended = Vec::new();
    loop {
        let execution = step_functions.describe(arn).await?;
        let state = step_functions.state(arn).await?;
        progress.show(arn, title, &execution, state.as_deref());
        for child in step_functions.children(arn).await? {
            if ended.contains(&child) {
                continue;
            }
            let month = step_functions.describe(&child).await?;
            let state = step_functions.state(&child).await?;
            let unit = &month.input()["unit"];
            let name = |member: &str| unit[member].as_str().unwrap_or_default().to_owned();
            progress.show(
                &child,
                &format!("{} {}", name("dataset"), name("month")),
                &month,
                state.as_deref(),
            );
            if month.status.is_final() {
                ended.push(child);
            }
        }
        if execution.status.is_final() {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}
