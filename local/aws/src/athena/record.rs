//! The rows of query executions: they outlast the process that ran them.

use std::sync::Arc;

use lake::Database;
use rusqlite::{OptionalExtension, Transaction, params};

use super::query::QueryExecution;
use crate::wire::ServiceError;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS athena_queries (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE, workgroup TEXT NOT NULL, state TEXT NOT NULL, submitted INTEGER NOT NULL,
        token TEXT UNIQUE, request TEXT NOT NULL, reuse TEXT NOT NULL, body TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS athena_queries_by_workgroup ON athena_queries (workgroup, sequence);
    CREATE INDEX IF NOT EXISTS athena_queries_by_reuse ON athena_queries (reuse, sequence)
        WHERE state = 'SUCCEEDED';
    CREATE INDEX IF NOT EXISTS athena_queries_unfinished ON athena_queries (state)
        WHERE state IN ('QUEUED', 'RUNNING');";

/// Athena keeps a query's record for 45 days.
/// Source: <https://docs.aws.amazon.com/athena/latest/ug/queries-viewing-history.html>
const KEPT_MILLISECONDS: i64 = 45 * 86_400_000;

/// What a new execution is recognised by.
pub(super) struct Identity<'a> {
    /// ClientRequestToken.
    pub token: Option<&'a str>,
    /// A digest of the whole request: another request with the same token is refused.
    pub request: &'a str,
    /// A digest of what makes a result the same ([`super::reuse`]).
    pub reuse: &'a str,
}

/// What became of an insert.
pub(super) enum Inserted {
    New,
    /// The token has started this execution before.
    Known(String),
    /// The token belongs to another request.
    Mismatch,
}

/// The table.
pub(super) struct Queries {
    database: Arc<Database>,
}

impl Queries {
    /// Opens the table and forgets what Athena would have forgotten.
    pub fn open(database: &Arc<Database>, now: i64) -> Result<Self, ServiceError> {
        database.install(SCHEMA)?;
        database.write(|transaction| {
            transaction.execute(
                "DELETE FROM athena_queries WHERE submitted < ?1 AND state NOT IN ('QUEUED', 'RUNNING')",
                [now - KEPT_MILLISECONDS],
            )?;
            Ok::<_, ServiceError>(())
        })?;
        Ok(Queries { database: database.clone() })
    }

    pub fn get(&self, id: &str) -> Result<Option<QueryExecution>, ServiceError> {
        self.database.read(|transaction| find(transaction, id))
    }

    /// Adds an execution, unless its token is known.
    pub fn insert(
        &self,
        query: &QueryExecution,
        identity: &Identity<'_>,
    ) -> Result<Inserted, ServiceError> {
        let body = encode(query)?;
        self.database.write(|transaction| {
            if let Some(known) = known(transaction, identity)? {
                return Ok(known);
            }
            transaction
                .prepare_cached(
                    "INSERT INTO athena_queries (id, workgroup, state, submitted, token, request, reuse, body)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    query.id,
                    query.workgroup,
                    query.state.as_str(),
                    query.submitted,
                    identity.token,
                    identity.request,
                    identity.reuse,
                    body,
                ])?;
            Ok(Inserted::New)
        })
    }

    /// What a token means already; `None` for a new one.
    pub fn known(&self, identity: &Identity<'_>) -> Result<Option<Inserted>, ServiceError> {
        self.database.read(|transaction| known(transaction, identity))
    }

    /// Changes an execution that is not finished; `None` if there is none or it is. `change` runs inside the
    /// transaction, so that of two ends only the first counts.
    pub fn advance(
        &self,
        id: &str,
        change: impl FnOnce(&mut QueryExecution),
    ) -> Result<Option<QueryExecution>, ServiceError> {
        self.database.write(|transaction| {
            let Some(mut query) = find(transaction, id)? else { return Ok(None) };
            if query.state.is_final() {
                return Ok(None);
            }
            change(&mut query);
            let body = encode(&query)?;
            transaction
                .prepare_cached("UPDATE athena_queries SET state = ?2, body = ?3 WHERE id = ?1")?
                .execute(params![id, query.state.as_str(), body])?;
            Ok(Some(query))
        })
    }

    /// Changes what is told of an execution that has ended.
    pub fn amend(
        &self,
        id: &str,
        change: impl FnOnce(&mut QueryExecution),
    ) -> Result<(), ServiceError> {
        self.database.write(|transaction| {
            let Some(mut query) = find(transaction, id)? else { return Ok(()) };
            change(&mut query);
            let body = encode(&query)?;
            transaction
                .prepare_cached("UPDATE athena_queries SET body = ?2 WHERE id = ?1")?
                .execute(params![id, body])?;
            Ok(())
        })
    }

    /// Whether a query has ended, or is not known any more.
    pub fn has_ended(&self, id: &str) -> Result<bool, ServiceError> {
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT NOT EXISTS (SELECT 1 FROM athena_queries WHERE id = ?1 AND state IN ('QUEUED', 'RUNNING'))",
            )?;
            Ok(statement.query_row([id], |row| row.get(0))?)
        })
    }

    /// Ids of a workgroup, newest first, with their places; `before` is the place of the last one seen.
    pub fn list(
        &self,
        workgroup: &str,
        before: i64,
        count: i64,
    ) -> Result<Vec<(i64, String)>, ServiceError> {
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT sequence, id FROM athena_queries WHERE workgroup = ?1 AND sequence < ?2
                 ORDER BY sequence DESC LIMIT ?3",
            )?;
            let rows = statement.query_map(params![workgroup, before, count], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The newest success with this digest, submitted at `since` or later.
    pub fn reusable(
        &self,
        reuse: &str,
        since: i64,
    ) -> Result<Option<QueryExecution>, ServiceError> {
        self.database.read(|transaction| {
            let body: Option<String> = transaction
                .prepare_cached(
                    "SELECT body FROM athena_queries
                     WHERE reuse = ?1 AND state = 'SUCCEEDED' AND submitted >= ?2
                     ORDER BY sequence DESC LIMIT 1",
                )?
                .query_row(params![reuse, since], |row| row.get(0))
                .optional()?;
            body.map(|body| decode(&body)).transpose()
        })
    }

    /// Executions that are not finished, of any process.
    pub fn unfinished(&self) -> Result<Vec<QueryExecution>, ServiceError> {
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT body FROM athena_queries WHERE state IN ('QUEUED', 'RUNNING')",
            )?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            rows.map(|body| decode(&body?)).collect()
        })
    }

    pub fn is_empty(&self, workgroup: &str) -> Result<bool, ServiceError> {
        Ok(self.list(workgroup, i64::MAX, 1)?.is_empty())
    }

    /// Forgets all executions of a workgroup.
    pub fn delete_of(&self, workgroup: &str) -> Result<(), ServiceError> {
        self.database.write(|transaction| {
            transaction.execute("DELETE FROM athena_queries WHERE workgroup = ?1", [workgroup])?;
            Ok(())
        })
    }
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Option<QueryExecution>, ServiceError> {
    let body: Option<String> = transaction
        .prepare_cached("SELECT body FROM athena_queries WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    body.map(|body| decode(&body)).transpose()
}

fn known(
    transaction: &Transaction<'_>,
    identity: &Identity<'_>,
) -> Result<Option<Inserted>, ServiceError> {
    let found: Option<(String, String)> = transaction
        .prepare_cached("SELECT id, request FROM athena_queries WHERE token = ?1")?
        .query_row([identity.token], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(found.map(|(id, request)| {
        if request == identity.request { Inserted::Known(id) } else { Inserted::Mismatch }
    }))
}

fn encode(query: &QueryExecution) -> Result<String, ServiceError> {
    serde_json::to_string(query).map_err(ServiceError::internal)
}

fn decode(body: &str) -> Result<QueryExecution, ServiceError> {
    serde_json::from_str(body).map_err(ServiceError::internal)
}
