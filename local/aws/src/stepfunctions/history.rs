//! Execution histories: append-only, written in batches, read in pages.
//!
//! A row holds a run of consecutive events, one JSON document a line: a fast machine makes hundreds of events between
//! two writes, and a row for each would cost more than the machine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use asl::Event;
use lake::Database;
use rusqlite::{Transaction, params};
use serde_json::{Value, json};

use super::{StepFunctions, arn, text};
use crate::wire::ServiceError;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS aws_history (
        execution TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, events TEXT NOT NULL,
        PRIMARY KEY (execution, first)
    ) WITHOUT ROWID;";

/// Events of one execution held in memory at most.
const MOST_PENDING: usize = 2_000;

/// `GetExecutionHistory`'s largest page.
const LARGEST_PAGE: u64 = 1_000;

/// All histories.
pub struct Histories {
    database: Arc<Database>,
    /// Events not yet written, of executions of this process.
    pending: Mutex<HashMap<String, Buffer>>,
}

type Buffer = Arc<Mutex<Vec<Event>>>;

/// One execution's end of its history.
pub struct Recorder {
    execution: String,
    buffer: Buffer,
    database: Arc<Database>,
}

impl Recorder {
    pub fn record(&self, event: Event) {
        let mut buffer = lock(&self.buffer);
        buffer.push(event);
        if buffer.len() >= MOST_PENDING {
            let written =
                self.database.write(|transaction| write(transaction, &self.execution, &buffer));
            match written {
                Ok(()) => buffer.clear(),
                Err(error) => {
                    tracing::error!(%error, "a history could not be written; trying again");
                }
            }
        }
    }
}

impl Histories {
    pub fn open(database: &Arc<Database>) -> Result<Self, ServiceError> {
        database.install(SCHEMA)?;
        Ok(Histories { database: database.clone(), pending: Mutex::default() })
    }

    pub fn recorder(&self, execution: &str) -> Recorder {
        let buffer = Buffer::default();
        lock(&self.pending).insert(execution.to_owned(), buffer.clone());
        Recorder { execution: execution.to_owned(), buffer, database: self.database.clone() }
    }

    /// What remains to be written of an execution that has ended: for [`write`], in the transaction that says so.
    /// Taken before that transaction begins, since others wait for it while they hold a buffer.
    pub fn take(&self, execution: &str) -> Vec<Event> {
        let buffer = lock(&self.pending).remove(execution);
        buffer.map(|buffer| std::mem::take(&mut *lock(&buffer))).unwrap_or_default()
    }

    /// Writes what has come in since the last time.
    pub fn flush(&self) -> Result<(), ServiceError> {
        let waiting: Vec<(String, Buffer)> = lock(&self.pending)
            .iter()
            .filter(|(_, buffer)| !lock(buffer).is_empty())
            .map(|(execution, buffer)| (execution.clone(), buffer.clone()))
            .collect();
        if waiting.is_empty() {
            return Ok(());
        }
        // Held until the commit, so that nobody reads between the two places.
        let mut taken: Vec<_> =
            waiting.iter().map(|(execution, buffer)| (execution, lock(buffer))).collect();
        self.database.write(|transaction| {
            taken.iter().try_for_each(|(execution, events)| write(transaction, execution, events))
        })?;
        for (_, events) in &mut taken {
            events.clear();
        }
        Ok(())
    }

    /// Adds one event at the end of a history nobody writes any more.
    pub fn append(
        transaction: &Transaction<'_>,
        execution: &str,
        make: impl FnOnce(u64) -> Event,
    ) -> Result<(), ServiceError> {
        let last: Option<i64> = transaction.query_row(
            "SELECT max(last) FROM aws_history WHERE execution = ?1",
            [execution],
            |row| row.get(0),
        )?;
        let next = u64::try_from(last.unwrap_or(0)).unwrap_or(0) + 1;
        write(transaction, execution, &[make(next)])
    }

    /// Up to `count` events from position `from` (0-based, in the order asked for).
    pub fn read(
        &self,
        execution: &str,
        from: u64,
        count: u64,
        reverse: bool,
    ) -> Result<Vec<Value>, ServiceError> {
        self.flush()?;
        self.database.read(|transaction| {
            let total: Option<i64> = transaction.query_row(
                "SELECT max(last) FROM aws_history WHERE execution = ?1",
                [execution],
                |row| row.get(0),
            )?;
            let total = u64::try_from(total.unwrap_or(0)).unwrap_or(0);
            let until = from.saturating_add(count).min(total);
            let (low, high) = if reverse {
                (total - until + 1, total - from.min(total))
            } else {
                (from + 1, until)
            };
            let mut events = between(transaction, execution, low, high)?;
            if reverse {
                events.reverse();
            }
            Ok(events)
        })
    }
}

/// Events with ids `low..=high`.
fn between(
    transaction: &Transaction<'_>,
    execution: &str,
    low: u64,
    high: u64,
) -> Result<Vec<Value>, ServiceError> {
    let mut statement = transaction.prepare_cached(
        "SELECT first, events FROM aws_history
         WHERE execution = ?1 AND last >= ?2 AND first <= ?3 ORDER BY first",
    )?;
    let (low, high) = (signed(low), signed(high));
    let rows = statement.query_map(params![execution, low, high], |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
    })?;
    let mut events = Vec::new();
    for row in rows {
        let (first, lines) = row?;
        for (id, line) in (first..).zip(lines.lines()) {
            if (low..=high).contains(&id) {
                events.push(serde_json::from_str(line).map_err(ServiceError::internal)?);
            }
        }
    }
    Ok(events)
}

/// Appends consecutive events.
pub fn write(
    transaction: &Transaction<'_>,
    execution: &str,
    events: &[Event],
) -> Result<(), ServiceError> {
    let (Some(first), Some(last)) = (events.first(), events.last()) else {
        return Ok(());
    };
    let mut lines = String::new();
    for event in events {
        lines.push_str(&event.to_json().to_string());
        lines.push('\n');
    }
    transaction
        .prepare_cached(
            "INSERT INTO aws_history (execution, first, last, events) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![execution, signed(first.id), signed(last.id), lines])?;
    Ok(())
}

fn signed(id: u64) -> i64 {
    i64::try_from(id).unwrap_or(i64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StepFunctions {
    pub(super) fn get_execution_history(&self, input: &Value) -> Result<Value, ServiceError> {
        let execution = arn::check(text(input, "executionArn")?, &["execution"])?;
        self.recorded(execution)?;
        let count = match input["maxResults"].as_u64() {
            None | Some(0) => 100,
            Some(count) => count.min(LARGEST_PAGE),
        };
        let from = match input["nextToken"].as_str() {
            None => 0,
            Some(token) => token.parse().map_err(|_| {
                ServiceError::new("InvalidToken", format!("Invalid Token: '{token}'"))
            })?,
        };
        let reverse = input["reverseOrder"] == true;
        // One more than the page tells whether there is another.
        let mut events = self.histories.read(execution, from, count + 1, reverse)?;
        let more = events.len() as u64 > count;
        events.truncate(usize::try_from(count).unwrap_or(usize::MAX));
        if input["includeExecutionData"] == false {
            events.iter_mut().for_each(strip);
        }
        let mut answer = json!({"events": events});
        if more {
            answer["nextToken"] = (from + count).to_string().into();
        }
        Ok(answer)
    }
}

/// Leaves out what flowed through the execution.
fn strip(event: &mut Value) {
    let Value::Object(members) = event else {
        return;
    };
    for (name, details) in members.iter_mut() {
        if let (true, Value::Object(details)) = (name.ends_with("EventDetails"), details) {
            for payload in ["input", "output"] {
                details.shift_remove(payload);
                details.shift_remove(&format!("{payload}Details"));
            }
            for payload in ["parameters", "assignedVariables", "assignedVariablesDetails"] {
                details.shift_remove(payload);
            }
        }
    }
}
