//! The life of queries: they wait for a slot, run, and end once, however many try to end them.
//!
//! Two slots for what reads and writes data and two for what only changes or shows the catalog, so that a CREATE
//! TABLE does not wait behind a conversion. A query belongs to the process that took it ([`crate::owner`]); any
//! process may stop it, and any process that looks at it after its owner has died records that it failed.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use lake::sql::{QueryContext, QueryError, QueryOutput, StatementKind, StatementType};
use lake::store::{Meter, PutOptions};
use lake::{Lake, S3Url};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::limits::{Bucket, Limits};
use super::now;
use super::permission::Permission;
use super::prepared::PreparedStatement;
use super::query::{Answer, AthenaError, QueryExecution, State};
use super::record::Queries;
use crate::collection::Collection;
use crate::metering::{Meters, Sender};
use crate::owner::Owner;
use crate::wire::ServiceError;

/// How often a query of another process is looked at.
const OTHER_PROCESS: Duration = Duration::from_millis(200);
/// How often a query looks whether another process has stopped it.
const STOPPED_ELSEWHERE: Duration = Duration::from_millis(500);

/// Which slots a statement waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Dml,
    Ddl,
}

impl Class {
    pub fn of(kind: StatementKind) -> Self {
        match (kind.statement_type, kind.substatement) {
            (StatementType::Dml, _) | (_, "CREATE_TABLE_AS_SELECT" | "EXPLAIN") => Class::Dml,
            (StatementType::Ddl | StatementType::Utility, _) => Class::Ddl,
        }
    }
}

/// What a query does when its turn comes. `folder` is where its result object goes.
pub(super) enum Work {
    Run { statement: String, context: QueryContext },
    Prepare { statement: PreparedStatement, folder: S3Url },
    Deallocate { key: String, folder: S3Url },
}

impl Work {
    fn meter(&self) -> Meter {
        match self {
            Work::Run { context, .. } => context.meter.clone(),
            Work::Prepare { .. } | Work::Deallocate { .. } => Meter::default(),
        }
    }
}

/// A query of this process that has not ended.
struct Active {
    class: Class,
    cancel: CancellationToken,
    ended: watch::Sender<bool>,
}

/// All executions, as this process sees them.
pub(super) struct Executions {
    pub lake: Lake,
    pub queries: Queries,
    pub owner: Owner,
    prepared: Arc<Collection<PreparedStatement>>,
    meters: Arc<Meters>,
    limits: Limits,
    dml: Semaphore,
    ddl: Semaphore,
    active: Mutex<HashMap<String, Active>>,
    starts: Mutex<Option<Bucket>>,
    /// Cancelled when the service goes.
    closing: CancellationToken,
}

impl Executions {
    pub fn open(
        lake: &Lake,
        prepared: Arc<Collection<PreparedStatement>>,
        meters: Arc<Meters>,
        limits: Limits,
        closing: CancellationToken,
    ) -> Result<Arc<Self>, ServiceError> {
        let executions = Arc::new(Executions {
            queries: Queries::open(lake.database(), now())?,
            owner: Owner::claim(lake.database(), "athena-owners")?,
            lake: lake.clone(),
            prepared,
            meters,
            dml: Semaphore::new(limits.dml_running),
            ddl: Semaphore::new(limits.ddl_running),
            starts: Mutex::new(limits.starts.map(Bucket::new)),
            limits,
            active: Mutex::default(),
            closing,
        });
        for query in executions.queries.unfinished()? {
            executions.settle(query)?;
        }
        Ok(executions)
    }

    fn active(&self) -> MutexGuard<'_, HashMap<String, Active>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the quota of a class is used up.
    pub fn is_full(&self, class: Class) -> bool {
        let most = match class {
            Class::Dml => self.limits.dml_active,
            Class::Ddl => self.limits.ddl_active,
        };
        most.is_some_and(|most| {
            self.active().values().filter(|active| active.class == class).count() >= most
        })
    }

    /// Whether one more query may be started now; if so, it counts as started.
    pub fn may_start(&self) -> bool {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        starts.as_mut().is_none_or(Bucket::take)
    }

    /// Queues a recorded execution.
    pub fn launch(
        self: &Arc<Self>,
        id: &str,
        class: Class,
        work: Work,
        permission: Option<Arc<Permission>>,
    ) {
        let cancel = self.closing.child_token();
        let active = Active { class, cancel: cancel.clone(), ended: watch::Sender::new(false) };
        self.active().insert(id.to_owned(), active);
        let (executions, id) = (self.clone(), id.to_owned());
        tokio::spawn(async move {
            if let Err(error) = executions.live(&id, class, (work, permission), &cancel).await {
                tracing::error!(query = id, %error, "a query's state could not be recorded");
            }
            if let Some(active) = executions.active().remove(&id) {
                active.ended.send_replace(true);
            }
        });
    }

    /// From the queue to the end.
    async fn live(
        &self,
        id: &str,
        class: Class,
        (work, permission): (Work, Option<Arc<Permission>>),
        cancel: &CancellationToken,
    ) -> Result<(), ServiceError> {
        let (slots, timeout) = match class {
            Class::Dml => (&self.dml, self.limits.dml_timeout),
            Class::Ddl => (&self.ddl, self.limits.ddl_timeout),
        };
        let slot = tokio::select! {
            slot = slots.acquire() => Some(slot),
            () = cancel.cancelled() => None,
            () = self.stopped_elsewhere(id) => None,
        };
        let meter = work.meter();
        if slot.is_none() {
            return self.record(id, Err(QueryError::Cancelled), &meter);
        }
        let Some(started) = self.queries.advance(id, |query| query.start(now()))? else {
            return Ok(()); // Stopped while it waited.
        };
        let lake = match &permission {
            None => self.lake.clone(),
            Some(permission) => match permission.begin(&started.substatement) {
                Ok(()) => self.lake.watched(permission.watch()),
                Err(_) => return self.refuse(id, permission),
            },
        };
        let until = Instant::now() + self.limits.least_running;
        let run = AssertUnwindSafe(self.carry_out(&lake, id, work, cancel)).catch_unwind();
        let outcome = match timeout {
            None => run.await,
            Some(limit) => match tokio::time::timeout(limit, run).await {
                Ok(outcome) => outcome,
                Err(_) => Ok(Err(QueryError::trino("EXCEEDED_TIME_LIMIT", "Query timeout"))),
            },
        };
        let outcome = outcome.unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            () = cancel.cancelled() => {}
        }
        self.meters.count_store(Sender::Athena, id, meter.requests());
        if let Some(permission) = &permission {
            if outcome.is_err() {
                permission.abandon();
            }
            if permission.refusal().is_some() {
                return self.refuse(id, permission);
            }
        }
        self.record(id, outcome, &meter)
    }

    /// Ends a query that was refused something, for that reason and no other.
    fn refuse(&self, id: &str, permission: &Permission) -> Result<(), ServiceError> {
        if let Some(refusal) = permission.refusal() {
            self.queries.advance(id, |query| query.fail(State::Failed, refusal, now()))?;
        }
        Ok(())
    }

    async fn carry_out(
        &self,
        lake: &Lake,
        id: &str,
        work: Work,
        cancel: &CancellationToken,
    ) -> Result<Outcome, QueryError> {
        match work {
            Work::Run { statement, context } => {
                let run = lake.run(&statement, &context, cancel.clone());
                tokio::pin!(run);
                let output = tokio::select! {
                    output = &mut run => output,
                    () = self.stopped_elsewhere(id) => {
                        cancel.cancel();
                        run.await
                    }
                };
                Ok(Outcome::Ran(Box::new(output?)))
            }
            Work::Prepare { statement, folder } => {
                self.prepared.put(&statement.key(), &statement).map_err(unrecorded)?;
                empty_result(lake, id, &folder)
            }
            Work::Deallocate { key, folder } => {
                self.prepared.delete(&key).map_err(unrecorded)?;
                empty_result(lake, id, &folder)
            }
        }
    }

    /// Returns when the query has been ended from outside, as by another process; never otherwise.
    async fn stopped_elsewhere(&self, id: &str) {
        loop {
            tokio::time::sleep(STOPPED_ELSEWHERE).await;
            if let Ok(true) = self.queries.has_ended(id) {
                return;
            }
        }
    }

    /// Writes the end of a query, unless it has been stopped meanwhile. What it has scanned is told however it
    /// ended.
    fn record(
        &self,
        id: &str,
        outcome: Result<Outcome, QueryError>,
        meter: &Meter,
    ) -> Result<(), ServiceError> {
        let scanned = meter.scanned();
        let ended = self.queries.advance(id, |query| match outcome {
            Ok(Outcome::Ran(output)) => succeed(query, *output),
            Ok(Outcome::Empty(place)) => {
                query.end(State::Succeeded, now());
                query.answer.object = Some(place.to_string());
            }
            Err(QueryError::Cancelled) if self.closing.is_cancelled() => {
                query.fail(State::Failed, ownerless(), now());
            }
            Err(QueryError::Trino { code, .. }) if code == "EXCEEDED_SCAN_LIMIT" => {
                let error = QueryError::trino(&code, "Bytes scanned limit was exceeded");
                let message = "Bytes scanned limit was exceeded".to_owned();
                query.fail(
                    State::Cancelled,
                    AthenaError { message, ..AthenaError::of(&error) },
                    now(),
                );
            }
            Err(error @ QueryError::Cancelled) => {
                query.fail(State::Cancelled, AthenaError::of(&error), now());
            }
            Err(error) => query.fail(State::Failed, AthenaError::of(&error), now()),
        })?;
        if ended.is_none_or(|query| query.statistics.scanned_bytes != scanned) {
            self.queries.amend(id, |query| query.statistics.scanned_bytes = scanned)?;
        }
        Ok(())
    }

    /// StopQueryExecution; nothing happens to a query that has ended.
    pub fn stop(&self, id: &str) -> Result<(), ServiceError> {
        let error = AthenaError::of(&QueryError::Cancelled);
        self.queries.advance(id, |query| query.fail(State::Cancelled, error, now()))?;
        if let Some(active) = self.active().get(id) {
            active.cancel.cancel();
        }
        Ok(())
    }

    /// An execution as it stands; one whose process has died is recorded as failed first.
    pub fn get(&self, id: &str) -> Result<Option<QueryExecution>, ServiceError> {
        match self.queries.get(id)? {
            Some(query) => self.settle(query),
            None => Ok(None),
        }
    }

    fn settle(&self, query: QueryExecution) -> Result<Option<QueryExecution>, ServiceError> {
        if query.state.is_final() || self.owner.is_alive(&query.owner) {
            return Ok(Some(query));
        }
        let ended = self.queries.advance(&query.id, |query| {
            query.fail(State::Failed, ownerless(), now());
        })?;
        match ended {
            Some(query) => Ok(Some(query)),
            None => self.queries.get(&query.id),
        }
    }

    /// Waits for the end of a query; `None` if there is no such query. One of this process is told at once, one of
    /// another is looked at again and again.
    pub async fn finished(&self, id: &str) -> Result<Option<QueryExecution>, ServiceError> {
        loop {
            let here = self.active().get(id).map(|active| active.ended.subscribe());
            if let Some(mut ended) = here {
                // An error means that the sender is gone: it has ended.
                let _ = ended.wait_for(|ended| *ended).await;
            }
            match self.get(id)? {
                Some(query) if !query.state.is_final() => {}
                found => return Ok(found),
            }
            tokio::time::sleep(OTHER_PROCESS).await;
        }
    }
}

fn empty_result(lake: &Lake, id: &str, folder: &S3Url) -> Result<Outcome, QueryError> {
    let place = folder.join(&format!("{id}.txt"));
    let put = lake.store.put(place.bucket(), place.key(), b"", PutOptions::default());
    put.map_err(|error| QueryError::trino("GENERIC_USER_ERROR", error.to_string()))?;
    Ok(Outcome::Empty(place))
}

/// What a query that succeeded has left.
enum Outcome {
    Ran(Box<QueryOutput>),
    /// An empty result object.
    Empty(S3Url),
}

fn succeed(query: &mut QueryExecution, output: QueryOutput) {
    query.end(State::Succeeded, now());
    query.statistics.planning = i64::try_from(output.planning_milliseconds).unwrap_or(i64::MAX);
    query.statistics.scanned_bytes = output.scanned_bytes;
    query.statistics.written_bytes = output.written_bytes;
    query.manifest = output.manifest;
    if query.managed_results.is_none() {
        query.output_location = Some(output.output_location.clone());
    }
    query.answer = Answer {
        columns: output.columns,
        rows: output.rows,
        update_count: output.update_count,
        object: output.update_count.is_none().then_some(output.output_location),
    };
}

/// Of a query whose process has gone. The name is one that clients try again.
fn ownerless() -> AthenaError {
    AthenaError::of(&QueryError::trino(
        "GENERIC_INTERNAL_ERROR",
        "the process that ran this query has ended",
    ))
}

fn unrecorded(error: ServiceError) -> QueryError {
    QueryError::trino("GENERIC_INTERNAL_ERROR", error.message)
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> QueryError {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    QueryError::trino("GENERIC_INTERNAL_ERROR", text.unwrap_or("the query panicked"))
}
