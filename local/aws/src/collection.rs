//! Small control-plane resources (functions, rules, queues, topics, alarms, …), kept as JSON documents in the data
//! directory's database, so that they last and several processes see the same ones.

use std::marker::PhantomData;
use std::sync::Arc;

use lake::Database;
use rusqlite::{OptionalExtension, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::wire::ServiceError;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS aws_documents (
        kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, key)
    ) WITHOUT ROWID;";

/// The documents of one kind, by key. Every call is one short transaction.
pub struct Collection<T> {
    database: Arc<Database>,
    kind: &'static str,
    documents: PhantomData<fn() -> T>,
}

impl<T: Serialize + DeserializeOwned> Collection<T> {
    pub fn open(database: &Arc<Database>, kind: &'static str) -> Result<Self, ServiceError> {
        database.install(SCHEMA)?;
        Ok(Collection { database: database.clone(), kind, documents: PhantomData })
    }

    pub fn get(&self, key: &str) -> Result<Option<T>, ServiceError> {
        self.database.read(|transaction| get(transaction, self.kind, key))
    }

    /// Adds a document; `false` if the key is taken.
    pub fn insert(&self, key: &str, document: &T) -> Result<bool, ServiceError> {
        let body = encode(document)?;
        self.database.write(|transaction| {
            let added = transaction.execute(
                "INSERT OR IGNORE INTO aws_documents (kind, key, body) VALUES (?1, ?2, ?3)",
                params![self.kind, key, body],
            )?;
            Ok(added == 1)
        })
    }

    pub fn put(&self, key: &str, document: &T) -> Result<(), ServiceError> {
        self.database.write(|transaction| put(transaction, self.kind, key, document))
    }

    /// Changes a document where it is; `None` if there is none. Nothing changes when `change` fails.
    pub fn update<R>(
        &self,
        key: &str,
        change: impl FnOnce(&mut T) -> Result<R, ServiceError>,
    ) -> Result<Option<R>, ServiceError> {
        self.database.write(|transaction| {
            let Some(mut document) = get(transaction, self.kind, key)? else {
                return Ok(None);
            };
            let result = change(&mut document)?;
            put(transaction, self.kind, key, &document)?;
            Ok(Some(result))
        })
    }

    /// `false` if there was none.
    pub fn delete(&self, key: &str) -> Result<bool, ServiceError> {
        self.database.write(|transaction| {
            let gone = transaction.execute(
                "DELETE FROM aws_documents WHERE kind = ?1 AND key = ?2",
                params![self.kind, key],
            )?;
            Ok(gone == 1)
        })
    }

    /// Keys and documents whose key begins with `prefix`, in the order of keys.
    pub fn list(&self, prefix: &str) -> Result<Vec<(String, T)>, ServiceError> {
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT key, body FROM aws_documents
                 WHERE kind = ?1 AND substr(key, 1, length(?2)) = ?2 ORDER BY key",
            )?;
            let rows = statement.query_map(params![self.kind, prefix], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            rows.map(|row| {
                let (key, body) = row?;
                Ok((key, decode(&body)?))
            })
            .collect()
        })
    }

    /// The documents alone, in the order of their keys.
    pub fn values(&self) -> Result<Vec<T>, ServiceError> {
        let documents = self.list("")?;
        Ok(documents.into_iter().map(|(_, document)| document).collect())
    }
}

fn get<T: DeserializeOwned>(
    transaction: &Transaction<'_>,
    kind: &str,
    key: &str,
) -> Result<Option<T>, ServiceError> {
    let body: Option<String> = transaction
        .prepare_cached("SELECT body FROM aws_documents WHERE kind = ?1 AND key = ?2")?
        .query_row(params![kind, key], |row| row.get(0))
        .optional()?;
    body.map(|body| decode(&body)).transpose()
}

fn put<T: Serialize>(
    transaction: &Transaction<'_>,
    kind: &str,
    key: &str,
    document: &T,
) -> Result<(), ServiceError> {
    let body = encode(document)?;
    transaction
        .prepare_cached(
            "INSERT OR REPLACE INTO aws_documents (kind, key, body) VALUES (?1, ?2, ?3)",
        )?
        .execute(params![kind, key, body])?;
    Ok(())
}

fn encode<T: Serialize>(document: &T) -> Result<String, ServiceError> {
    serde_json::to_string(document).map_err(ServiceError::internal)
}

fn decode<T: DeserializeOwned>(body: &str) -> Result<T, ServiceError> {
    serde_json::from_str(body).map_err(ServiceError::internal)
}
