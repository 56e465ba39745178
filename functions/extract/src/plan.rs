//! Makes a plan: asks ledger and source, and leaves the rules to [`crate::planning`].

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde_json::Value;
use shared::dataset::{Dataset, DatasetName};
use shared::event::{Arrival, Plan, PlanInput, Source};
use shared::ledger;
use shared::month::Month;

use crate::planning::{Live, MOST_PLAN_BYTES, assemble, wanted};
use crate::survey::{Found, Survey, Wanted};
use crate::{ExtractError, State, arrival, catalog};

/// The plan of an execution's input, whatever started it.
pub async fn plan(state: &State, input: Value, today: Date) -> Result<Plan, ExtractError> {
    if let Some(ignored) = arrival::foreign(&input) {
        return Ok(Plan { ignored: vec![ignored], ..Plan::default() });
    }
    let input = PlanInput::try_from(input)?;
    let contracts: Vec<_> = DatasetName::all().map(Dataset::named).collect();
    let mut plan = match &input {
        PlanInput::Arrival(arrival) => plan_arrival(state, arrival, &contracts).await?,
        PlanInput::Schedule { force } | PlanInput::Manual { force, .. } => {
            let config = &state.config;
            let (datasets, back) = (&config.datasets, config.lookback_months);
            let asked = wanted(&input, datasets, back, Month::of(today), &contracts);
            plan_months(state, asked, &contracts, *force).await?
        }
    };
    plan.first_run = catalog::is_first_run(state, &plan.datasets).await;
    let bytes = serde_json::to_vec(&plan).expect("a plan is JSON").len();
    if bytes > MOST_PLAN_BYTES {
        return Err(ExtractError::TooManyMonths { months: plan.units.len(), bytes });
    }
    tracing::info!(
        units = plan.units.len(),
        unchanged = plan.unchanged.len(),
        not_published = plan.not_published.len(),
        ignored = plan.ignored.len(),
        first_run = plan.first_run,
        "planned",
    );
    Ok(plan)
}

/// The ledger is read before the source is asked: whatever the source has then is newer than what
/// was live.
async fn plan_months(
    state: &State,
    asked: BTreeSet<Wanted>,
    contracts: &[Dataset],
    force: bool,
) -> Result<Plan, ExtractError> {
    let mut all = asked.clone();
    all.extend(undated(contracts));
    let Ledgers { live, seqs } =
        read_ledgers(state, all.iter().map(|wanted| wanted.dataset).collect()).await?;
    let loaded_from_here = live
        .iter()
        .filter(|(_, run)| matches!(run.source, Source::Http { .. }))
        .map(|(wanted, _)| *wanted)
        .collect();
    let survey = Survey {
        site: &state.site,
        contracts,
        formats: &state.config.source_formats,
        live: &loaded_from_here,
        certain: certain_path(contracts),
    };
    let mut found = survey.run(asked.clone()).await?;
    let along: BTreeSet<_> = all.difference(&asked).copied().collect();
    if found.values().any(Option::is_some) {
        found.extend(look_along(&survey, along).await);
    }
    let plan = assemble(found, &live, contracts, &asked, force);
    Ok(Plan { unpublished: catalog::unpublished(state, &seqs).await, ..plan })
}

async fn plan_arrival(
    state: &State,
    arrival: &Arrival,
    contracts: &[Dataset],
) -> Result<Plan, ExtractError> {
    let ignored = |ignored| Plan { ignored: vec![ignored], ..Plan::default() };
    let name = match arrival::name(arrival, &state.config.raw_bucket, contracts) {
        Ok(name) => name,
        Err(reason) => return Ok(ignored(reason)),
    };
    let wanted = Wanted { dataset: name.dataset, month: name.month };
    let mut datasets: BTreeSet<_> = undated(contracts).map(|wanted| wanted.dataset).collect();
    datasets.insert(name.dataset);
    let Ledgers { live, seqs } = read_ledgers(state, datasets).await?;
    let source = match arrival::object(&state.s3, arrival).await? {
        Ok(source) => source,
        Err(reason) => return Ok(ignored(reason)),
    };
    let mut found = Found::from([(wanted, Some(source))]);
    let along: BTreeSet<_> = undated(contracts)
        .filter(|undated| *undated != wanted && !live.contains_key(undated))
        .collect();
    if !along.is_empty() {
        let survey = Survey {
            site: &state.site,
            contracts,
            formats: &state.config.source_formats,
            live: &BTreeSet::new(),
            certain: None,
        };
        found.extend(look_along(&survey, along).await);
    }
    let mut plan = assemble(found, &live, contracts, &BTreeSet::from([wanted]), false);
    // Which of two arrivals is newer their dates say: an event may come late.
    for unit in &mut plan.units {
        unit.replaces = None;
    }
    plan.unpublished = catalog::unpublished(state, &seqs).await;
    Ok(plan)
}

/// What is loaded along with a month is not worth failing it.
async fn look_along(survey: &Survey<'_>, along: BTreeSet<Wanted>) -> Found {
    let mut found = Found::new();
    for wanted in along {
        match survey.look_once(wanted).await {
            Ok(source) => {
                found.insert(wanted, source);
            }
            Err(error) => tracing::warn!(%error, dataset = %wanted.dataset, "not loaded along"),
        }
    }
    found
}

/// What the ledgers say.
struct Ledgers {
    live: Live,
    /// The newest entry of each data set that has one.
    seqs: BTreeMap<DatasetName, u64>,
}

async fn read_ledgers(
    state: &State,
    datasets: BTreeSet<DatasetName>,
) -> Result<Ledgers, ExtractError> {
    let heads = datasets
        .into_iter()
        .map(|dataset| ledger::head(&state.s3, &state.config.lake_bucket, dataset, None));
    let (mut live, mut seqs) = (Live::new(), BTreeMap::new());
    for head in futures::future::try_join_all(heads).await?.into_iter().flatten() {
        seqs.insert(head.entry.dataset, head.seq);
        for (month, run) in head.live {
            live.insert(Wanted { dataset: run.dataset, month }, run);
        }
    }
    Ok(Ledgers { live, seqs })
}

/// The data sets of one undated file.
fn undated(contracts: &[Dataset]) -> impl Iterator<Item = Wanted> {
    let undated = contracts.iter().filter(|contract| contract.first_month == Month::Current);
    undated.map(|contract| Wanted { dataset: contract.name, month: Month::Current })
}

/// The path of a file that the source certainly has.
pub fn certain_path(contracts: &[Dataset]) -> Option<String> {
    let undated = contracts.iter().find(|contract| contract.first_month == Month::Current)?;
    let format = undated.formats.first()?;
    undated.source_path(Month::Current, *format)
}
