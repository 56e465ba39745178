//! The protocol of a month: register, append, publish, clear.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::dataset::{Dataset, DatasetName};
use shared::event::{AuditVerdict, LoadResult, LoadStatus, Manifest, Quality, Unit, Validation};
use shared::ledger::{self, Entry, LiveRun};
use shared::metrics::{self, Metric};
use shared::quality_log;
use shared::storage::StorageError;

use crate::append::{Appended, append};
use crate::order::{Step, follows, next_entry, step};
use crate::publication::publish;
use crate::{LoadError, State, catalog, garbage};

/// Tries to append before giving the month back to the state machine. Of `n` runs that commit at
/// once the last needs `n` tries, and a state machine loads at most 100 months at once.
const TRIES: u32 = 128;
/// Before an entry is tried again that S3 said nothing about.
const PAUSE: Duration = Duration::from_millis(100);
/// No invocation takes longer (Lambda quotas: 15 minutes).
const LONGEST_COMMIT: Duration = Duration::from_mins(15);

/// A run whose rows are accounted for.
#[derive(Clone, Debug)]
pub struct Audited {
    pub unit: Unit,
    pub manifest: Manifest,
    pub validation: Validation,
    pub verdict: AuditVerdict,
    /// By the conversion.
    pub bytes_scanned: u64,
}

/// Makes the run live, unless the same or newer content is; in any case readers see then what the
/// ledger says.
pub async fn commit(
    state: &State,
    execution: &str,
    started_at: Option<Timestamp>,
    run: Audited,
) -> Result<LoadResult, LoadError> {
    let Audited { unit, manifest, validation, verdict, bytes_scanned } = run;
    let contract = Dataset::named(unit.dataset);
    let proposed = LiveRun {
        dataset: unit.dataset,
        month: unit.month,
        run_key: validation.run_key,
        run: validation.run,
        fingerprint: manifest.fingerprint,
        source: manifest.source.unwrap_or_else(|| unit.source.clone()),
        rows_in: verdict.rows_in,
        rows_out: verdict.rows_out,
        rows_rejected: verdict.rows_rejected,
        contract_version: validation.contract_version,
        approved_by: verdict.quality.approved_by.clone(),
    };
    // Before the commit: no live run is without the results of its rules.
    let (bucket, now) = (&state.config.lake_bucket, (state.clock)());
    let which = (unit.dataset, unit.month, &proposed.run);
    quality_log::write(&state.s3, bucket, which, &verdict.quality, now).await?;
    let committed = write(state, execution, &contract, &unit, proposed).await?;
    let seq = publish(state, &contract).await?.unwrap_or(committed.seq);
    for table in [&validation.stage_table, &validation.raw_table] {
        catalog::drop_table(state, table).await;
    }
    if committed.status == LoadStatus::Loaded {
        let bytes_scanned = bytes_scanned + verdict.bytes_scanned;
        measure(state, &committed.live, &verdict.quality, bytes_scanned, started_at).await;
    }
    Ok(committed.result(seq, Some(verdict.quality)))
}

/// The content is live already: the ledger notes its new date, the rows stay as they are.
pub async fn touch(
    state: &State,
    execution: &str,
    unit: &Unit,
    manifest: &Manifest,
) -> Result<LoadResult, LoadError> {
    let contract = Dataset::named(unit.dataset);
    let source = manifest.source.as_ref().unwrap_or(&unit.source);
    let mut known = None;
    for _ in 0..TRIES {
        let head = head(state, unit.dataset, known).await?;
        let live = head.as_ref().and_then(|head| head.live.get(&unit.month));
        let live = live.filter(|live| live.fingerprint == manifest.fingerprint);
        let (Some(head), Some(live)) = (&head, live) else {
            return Err(LoadError::NotLive { month: unit.month });
        };
        let noted = Committed { status: LoadStatus::Unchanged, seq: head.seq, live: live.clone() };
        if live.source == *source || !follows(source, unit.replaces.as_ref(), live) {
            return finish_touch(state, &contract, noted).await;
        }
        let touched = LiveRun { source: source.clone(), ..live.clone() };
        let entry = next_entry(Some(head), touched, execution, (state.clock)());
        known = Some(head.seq);
        if append(&state.s3, &state.config.lake_bucket, &entry).await? == Appended::Written {
            let noted = Committed { seq: entry.seq, live: entry.entry, ..noted };
            return finish_touch(state, &contract, noted).await;
        }
    }
    Err(LoadError::Contended { tries: TRIES })
}

async fn finish_touch(
    state: &State,
    contract: &Dataset,
    noted: Committed,
) -> Result<LoadResult, LoadError> {
    let seq = publish(state, contract).await?.unwrap_or(noted.seq);
    Ok(noted.result(seq, None))
}

/// What the ledger says of the month now.
struct Committed {
    status: LoadStatus,
    seq: u64,
    live: LiveRun,
}

impl Committed {
    /// `seq` is the newest entry that was published; it holds the month still.
    fn result(self, seq: u64, quality: Option<Quality>) -> LoadResult {
        let Self { status, live, .. } = self;
        LoadResult {
            status,
            dataset: live.dataset,
            month: live.month,
            rows_in: live.rows_in,
            rows_out: live.rows_out,
            rows_rejected: live.rows_rejected,
            run: live.run.to_string(),
            seq,
            quality,
        }
    }
}

/// Appends the run to the ledger, if it is not there and nothing newer is.
async fn write(
    state: &State,
    execution: &str,
    contract: &Dataset,
    unit: &Unit,
    proposed: LiveRun,
) -> Result<Committed, LoadError> {
    let mut known = None;
    let mut registered = false;
    for _ in 0..TRIES {
        let head = head(state, unit.dataset, known).await?;
        let seq = head.as_ref().map_or(0, |head| head.seq);
        let (status, seq, live) = match step(head.as_ref(), &proposed, unit) {
            Step::Committed => (LoadStatus::Loaded, seq, proposed),
            Step::Unchanged(live) => (LoadStatus::Unchanged, seq, *live),
            Step::Superseded(live) => (LoadStatus::Superseded, seq, *live),
            Step::Append => {
                // Readers go by the ledger's runs: they must find the partitions of each.
                if !registered {
                    is_fresh(state, contract, &proposed).await?;
                    let (month, run) = (proposed.month, &proposed.run);
                    let partitions = contract.partitions(&state.config.lake_bucket, month, run);
                    catalog::register(state, &contract.runs_table(), &partitions).await?;
                    registered = true;
                }
                let now = (state.clock)();
                let entry = next_entry(head.as_ref(), proposed.clone(), execution, now);
                known = Some(seq);
                match append(&state.s3, &state.config.lake_bucket, &entry).await? {
                    Appended::Written => (LoadStatus::Loaded, entry.seq, proposed),
                    Appended::Taken => continue,
                    Appended::Unknown => {
                        tokio::time::sleep(PAUSE).await;
                        continue;
                    }
                }
            }
        };
        tracing::info!(?status, run = %live.run, seq, "committed");
        return Ok(Committed { status, seq, live });
    }
    Err(LoadError::Contended { tries: TRIES })
}

/// The run's files are there, and will be while it is being committed: an execution that is
/// stopped here and redriven days later finds them collected.
async fn is_fresh(state: &State, contract: &Dataset, proposed: &LiveRun) -> Result<(), LoadError> {
    let bucket = &state.config.lake_bucket;
    let location = proposed.run.location(bucket, contract.name, proposed.month);
    let request = state.s3.list_objects_v2().bucket(bucket).prefix(&location.key).max_keys(1);
    let listed = request.send().await;
    let listed = listed.map_err(|error| StorageError::of(&location.to_string(), error))?;
    let written = listed.contents().first().and_then(garbage::modified);
    let limit = state.config.garbage_after.saturating_sub(LONGEST_COMMIT);
    let age = written.map(|written| (state.clock)().duration_since(written));
    match age.map(|age| age <= limit.try_into().unwrap_or(SignedDuration::MAX)) {
        Some(true) => Ok(()),
        Some(false) | None => Err(LoadError::Stale { location }),
    }
}

async fn head(
    state: &State,
    dataset: DatasetName,
    known: Option<u64>,
) -> Result<Option<Entry>, LoadError> {
    Ok(ledger::head(&state.s3, &state.config.lake_bucket, dataset, known).await?)
}

/// What a dashboard shows of a month: rows in, out and rejected, how good they are, and what it took.
async fn measure(
    state: &State,
    live: &LiveRun,
    quality: &Quality,
    bytes_scanned: u64,
    started_at: Option<Timestamp>,
) {
    let dimensions = [("Stage", state.config.stage.as_str()), ("Dataset", live.dataset.as_str())];
    let mut measured = vec![
        Metric::RecordsProcessed(live.rows_in),
        Metric::RecordsLoaded(live.rows_out),
        Metric::RecordsRejected(live.rows_rejected),
        Metric::QualityScore(quality.score),
        Metric::BytesScanned(bytes_scanned),
    ];
    let time = started_at.map(|start| (state.clock)().duration_since(start));
    measured.extend(time.and_then(|time| time.try_into().ok()).map(Metric::ProcessingTime));
    metrics::record(&state.cloudwatch, &[&dimensions[..1], &dimensions], &measured).await;
}
