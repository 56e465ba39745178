//! What AWS would bill of the work done here, kept in the data directory: requests by service and kind, and what
//! each function took.
//!
//! A count belongs to what caused it: the trace of a Step Functions execution, which its functions pass on with every
//! request they send, or the id of an Athena query. Nothing here knows a price.

mod function;
mod request;

use std::collections::BTreeMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lake::Database;
use lake::store::Requests;
use rusqlite::{Row, params};

use crate::wire::ServiceError;

pub use function::{FunctionUse, Invoked};
pub use request::Sender;
pub(crate) use request::{kind_of_s3, of_request};

/// `cause` is empty where there is none.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS aws_requests (
        service TEXT NOT NULL, kind TEXT NOT NULL, sender TEXT NOT NULL, cause TEXT NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (cause, service, kind, sender)
    ) STRICT, WITHOUT ROWID;";

/// Counts held in memory at most, before they are written. A process that is killed loses them.
const MOST_PENDING: usize = 500;

/// S3's kinds of requests. DELETE is free and not counted.
pub const WRITE: &str = "write";
pub const LIST: &str = "list";
pub const READ: &str = "read";

/// Of `monitoring`: one measurement of one metric, beside the request that brought it.
pub const METRIC: &str = "metric";

/// Requests of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// The name that AWS signs the service's requests for.
    pub service: String,
    /// The action; of S3 [`WRITE`], [`LIST`] or [`READ`].
    pub kind: String,
    pub sender: Sender,
    /// The root of a trace, or a query's id; empty where nothing is known.
    pub cause: String,
}

/// All counts of a data directory.
pub struct Meters {
    database: Arc<Database>,
    pending: Mutex<BTreeMap<Counted, u64>>,
}

impl Meters {
    pub fn open(database: &Arc<Database>) -> Result<Self, ServiceError> {
        database.install(SCHEMA)?;
        database.install(function::SCHEMA)?;
        Ok(Meters { database: database.clone(), pending: Mutex::default() })
    }

    /// Counts requests that were answered.
    pub fn count(&self, counted: Counted, requests: u64) {
        if requests == 0 {
            return;
        }
        let mut pending = self.pending();
        *pending.entry(counted).or_default() += requests;
        let full = pending.len() >= MOST_PENDING;
        drop(pending);
        if full {
            self.flush_or_warn();
        }
    }

    /// Counts what somebody took from the store without a request over the wire.
    pub fn count_store(&self, sender: Sender, cause: &str, requests: Requests) {
        let kinds = [(WRITE, requests.writes), (LIST, requests.lists), (READ, requests.reads)];
        for (kind, count) in kinds {
            let (service, kind) = ("s3".to_owned(), kind.to_owned());
            self.count(Counted { service, kind, sender, cause: cause.to_owned() }, count);
        }
    }

    /// Requests with this cause; all of the data directory for `None`.
    pub fn requests(&self, cause: Option<&str>) -> Result<BTreeMap<Counted, u64>, ServiceError> {
        self.flush()?;
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT service, kind, sender, cause, count FROM aws_requests
                 WHERE ?1 IS NULL OR cause = ?1",
            )?;
            let rows = statement.query_map([cause], |row| {
                let sender: String = row.get(2)?;
                let counted = Counted {
                    service: row.get(0)?,
                    kind: row.get(1)?,
                    sender: Sender::of_name(&sender),
                    cause: row.get(3)?,
                };
                Ok((counted, unsigned(row, 4)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Writes what has been counted since the last time.
    pub fn flush(&self) -> Result<(), ServiceError> {
        let counts = mem::take(&mut *self.pending());
        if counts.is_empty() {
            return Ok(());
        }
        let written = self.database.write(|transaction| {
            let mut add = transaction.prepare_cached(
                "INSERT INTO aws_requests (service, kind, sender, cause, count) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT DO UPDATE SET count = count + excluded.count",
            )?;
            for (counted, count) in &counts {
                let Counted { service, kind, sender, cause } = counted;
                add.execute(params![service, kind, sender.name(), cause, signed(*count)])?;
            }
            Ok(())
        });
        if written.is_err() {
            let mut pending = self.pending();
            for (counted, count) in counts {
                *pending.entry(counted).or_default() += count;
            }
        }
        written
    }

    fn flush_or_warn(&self) {
        if let Err(error) = self.flush() {
            tracing::warn!(%error, "counts of requests were not written");
        }
    }

    fn pending(&self) -> MutexGuard<'_, BTreeMap<Counted, u64>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Meters {
    fn drop(&mut self) {
        self.flush_or_warn();
    }
}

/// SQLite has no unsigned integers; no count here comes near the end of the signed ones.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row<'_>, at: usize) -> Result<u64, rusqlite::Error> {
    Ok(u64::try_from(row.get::<_, i64>(at)?).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use lake::Lake;

    use super::*;

    fn counted(kind: &str, cause: &str) -> Counted {
        Counted {
            service: "s3".to_owned(),
            kind: kind.to_owned(),
            sender: Sender::Function,
            cause: cause.to_owned(),
        }
    }

    #[test]
    fn counts_last_and_add_up() {
        let lake = Lake::temporary().unwrap();
        let meters = Meters::open(lake.database()).unwrap();
        meters.count(counted(READ, "1-a"), 2);
        meters.count(counted(READ, "1-a"), 1);
        drop(meters);
        let meters = Meters::open(lake.database()).unwrap();
        meters.count(counted(READ, "1-a"), 4);
        meters.count(counted(WRITE, "1-b"), 1);
        meters.count(counted(LIST, "1-b"), 0);
        let expected = [(counted(READ, "1-a"), 7), (counted(WRITE, "1-b"), 1)];
        assert_eq!(meters.requests(None).unwrap(), expected.clone().into());
        let one = meters.requests(Some("1-b")).unwrap();
        assert_eq!(one, [expected[1].clone()].into());
    }
}
