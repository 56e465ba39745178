//! The rows of executions.

use std::sync::Arc;

use asl::Failure;
use lake::Database;
use rusqlite::{OptionalExtension, Row, ToSql, Transaction, params};

use crate::wire::ServiceError;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS aws_executions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        arn TEXT NOT NULL UNIQUE, name TEXT NOT NULL, machine TEXT NOT NULL, qualifier TEXT,
        revision TEXT NOT NULL, status TEXT NOT NULL, input TEXT NOT NULL, output TEXT,
        error TEXT, cause TEXT, started INTEGER NOT NULL, stopped INTEGER,
        redrives INTEGER NOT NULL DEFAULT 0, redriven INTEGER,
        map_run TEXT, item_index INTEGER, trace TEXT, owner TEXT NOT NULL,
        stop_error TEXT, stop_cause TEXT, stop_asked INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX IF NOT EXISTS aws_executions_by_machine ON aws_executions (machine, id);
    CREATE INDEX IF NOT EXISTS aws_executions_by_map_run ON aws_executions (map_run, id) WHERE map_run IS NOT NULL;
    CREATE INDEX IF NOT EXISTS aws_executions_running ON aws_executions (owner) WHERE status = 'RUNNING';";

const COLUMNS: &str =
    "arn, name, machine, qualifier, revision, status, input, output, error, cause, started,
    stopped, redrives, redriven, map_run, item_index, trace, owner";

/// An execution as it stands. Times are milliseconds since the epoch, payloads JSON text.
#[derive(Clone, Debug)]
pub struct Execution {
    pub arn: String,
    pub name: String,
    /// The machine's ARN; of a Distributed Map's child `…:<machine>/<label>`.
    pub machine: String,
    /// The version's or alias' ARN it was started by.
    pub qualifier: Option<String>,
    pub revision: String,
    pub status: String,
    pub input: String,
    pub output: Option<String>,
    pub error: Option<String>,
    pub cause: Option<String>,
    pub started: i64,
    pub stopped: Option<i64>,
    pub redrives: u32,
    pub redriven: Option<i64>,
    pub map_run: Option<String>,
    pub item_index: Option<i64>,
    pub trace: Option<String>,
    pub owner: String,
}

/// Which executions to list, newest first.
#[derive(Default)]
pub struct Filter<'a> {
    pub machine: Option<&'a str>,
    pub qualifier: Option<&'a str>,
    pub map_run: Option<&'a str>,
    pub status: Option<&'a str>,
}

/// The table.
pub struct Executions {
    database: Arc<Database>,
}

impl Executions {
    pub fn open(database: &Arc<Database>) -> Result<Self, ServiceError> {
        database.install(SCHEMA)?;
        Ok(Executions { database: database.clone() })
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    pub fn get(&self, arn: &str) -> Result<Option<Execution>, ServiceError> {
        self.database.read(|transaction| find(transaction, arn))
    }

    /// Adds a new execution, or answers the one that has its ARN already.
    pub fn insert(&self, execution: &Execution) -> Result<Option<Execution>, ServiceError> {
        self.database.write(|transaction| {
            if let Some(existing) = find(transaction, &execution.arn)? {
                return Ok(Some(existing));
            }
            transaction
                .prepare_cached(
                    "INSERT INTO aws_executions (arn, name, machine, qualifier, revision, status, input, started,
                     map_run, item_index, trace, owner)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                )?
                .execute(params![
                    execution.arn,
                    execution.name,
                    execution.machine,
                    execution.qualifier,
                    execution.revision,
                    execution.status,
                    execution.input,
                    execution.started,
                    execution.map_run,
                    execution.item_index,
                    execution.trace,
                    execution.owner,
                ])?;
            Ok(None)
        })
    }

    /// The child that a Map Run started for an item, the newest where there are several.
    pub fn child(&self, map_run: &str, index: usize) -> Result<Option<Execution>, ServiceError> {
        let query = format!(
            "SELECT {COLUMNS} FROM aws_executions WHERE map_run = ?1 AND item_index = ?2 ORDER BY id DESC LIMIT 1"
        );
        self.database.read(|transaction| {
            let values = params![map_run, i64::try_from(index).unwrap_or(i64::MAX)];
            Ok(transaction.prepare_cached(&query)?.query_row(values, execution).optional()?)
        })
    }

    /// Takes up an execution that has ended without success; `None` if it is no such execution.
    pub fn redrive(
        &self,
        arn: &str,
        owner: &str,
        now: i64,
    ) -> Result<Option<Execution>, ServiceError> {
        self.database.write(|transaction| {
            let changed = transaction
                .prepare_cached(
                    "UPDATE aws_executions SET status = 'RUNNING', redrives = redrives + 1, redriven = ?2, owner = ?3,
                     error = NULL, cause = NULL, stopped = NULL, stop_asked = 0, stop_error = NULL, stop_cause = NULL
                     WHERE arn = ?1 AND status IN ('FAILED', 'TIMED_OUT', 'ABORTED')",
                )?
                .execute(params![arn, now, owner])?;
            if changed == 1 { find(transaction, arn) } else { Ok(None) }
        })
    }

    /// One page; `skip` counts from the newest.
    pub fn list(
        &self,
        filter: &Filter<'_>,
        skip: i64,
        count: i64,
    ) -> Result<Vec<Execution>, ServiceError> {
        let query = format!(
            "SELECT {COLUMNS} FROM aws_executions
             WHERE (?1 IS NULL OR machine = ?1) AND (?2 IS NULL OR qualifier = ?2)
               AND (?3 IS NULL OR map_run = ?3) AND (?4 IS NULL OR status = ?4)
             ORDER BY id DESC LIMIT ?5 OFFSET ?6"
        );
        let values: [&dyn ToSql; 6] =
            [&filter.machine, &filter.qualifier, &filter.map_run, &filter.status, &count, &skip];
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(&query)?;
            let rows = statement.query_map(values, execution)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// ARNs and owners of everything that is said to run.
    pub fn running(&self) -> Result<Vec<(String, String)>, ServiceError> {
        self.database.read(|transaction| {
            let mut statement = transaction
                .prepare_cached("SELECT arn, owner FROM aws_executions WHERE status = 'RUNNING'")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Leaves a wish to stop for the process that runs the execution.
    pub fn ask_to_stop(&self, arn: &str, failure: &Failure) -> Result<(), ServiceError> {
        self.database.write(|transaction| {
            transaction.execute(
                "UPDATE aws_executions SET stop_asked = 1, stop_error = ?2, stop_cause = ?3
                 WHERE arn = ?1 AND status = 'RUNNING'",
                params![arn, failure.error, failure.cause],
            )?;
            Ok(())
        })
    }

    /// Running executions of `owner` that another process wants stopped.
    pub fn asked_to_stop(&self, owner: &str) -> Result<Vec<(String, Failure)>, ServiceError> {
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT arn, stop_error, stop_cause FROM aws_executions
                 WHERE owner = ?1 AND status = 'RUNNING' AND stop_asked",
            )?;
            let rows = statement.query_map([owner], |row| {
                Ok((row.get(0)?, Failure { error: row.get(1)?, cause: row.get(2)? }))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How many children of a Map Run have each status.
    pub fn count_children(&self, map_run: &str) -> Result<Vec<(String, i64)>, ServiceError> {
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT status, count(*) FROM aws_executions WHERE map_run = ?1 GROUP BY status",
            )?;
            let rows = statement.query_map([map_run], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

/// How an execution ended, for its row.
pub struct End<'a> {
    pub status: &'a str,
    pub output: Option<String>,
    pub error: Option<&'a str>,
    pub cause: Option<&'a str>,
    pub stopped: i64,
}

/// Writes the end of a running execution; `false` if it does not run.
pub fn end(transaction: &Transaction<'_>, arn: &str, end: &End<'_>) -> Result<bool, ServiceError> {
    let changed = transaction
        .prepare_cached(
            "UPDATE aws_executions SET status = ?2, output = ?3, error = ?4, cause = ?5, stopped = ?6
             WHERE arn = ?1 AND status = 'RUNNING'",
        )?
        .execute(params![arn, end.status, end.output, end.error, end.cause, end.stopped])?;
    Ok(changed == 1)
}

fn find(transaction: &Transaction<'_>, arn: &str) -> Result<Option<Execution>, ServiceError> {
    let query = format!("SELECT {COLUMNS} FROM aws_executions WHERE arn = ?1");
    Ok(transaction.prepare_cached(&query)?.query_row([arn], execution).optional()?)
}

fn execution(row: &Row<'_>) -> Result<Execution, rusqlite::Error> {
    Ok(Execution {
        arn: row.get(0)?,
        name: row.get(1)?,
        machine: row.get(2)?,
        qualifier: row.get(3)?,
        revision: row.get(4)?,
        status: row.get(5)?,
        input: row.get(6)?,
        output: row.get(7)?,
        error: row.get(8)?,
        cause: row.get(9)?,
        started: row.get(10)?,
        stopped: row.get(11)?,
        redrives: row.get(12)?,
        redriven: row.get(13)?,
        map_run: row.get(14)?,
        item_index: row.get(15)?,
        trace: row.get(16)?,
        owner: row.get(17)?,
    })
}
