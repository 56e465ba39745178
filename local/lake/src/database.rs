//! The one state file, `<data-dir>/local.db`: SQLite in WAL mode, open in several
//! processes at once.
//!
//! SQLite's locks belong to the process: when it is killed they are gone, and what
//! it had not committed never was. Everything kept here is small; bytes of objects
//! are files (see [`crate::store`]).

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

/// How long a writer waits for another process's writer. Transactions here take
/// milliseconds, so only a stopped (not killed) process can use it up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Connections kept for reading; more are opened when needed, and dropped again.
const IDLE_READERS: usize = 8;

/// Connections to the state file. Calls are synchronous and short: they may be made
/// from async code, with nothing awaited inside.
pub struct Database {
    path: std::path::PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
}

impl Database {
    /// Opens the file, creating it where it is missing.
    ///
    /// # Errors
    /// What SQLite says, for example of a file that is no database.
    pub fn open(path: &Path) -> Result<Self, rusqlite::Error> {
        let writer = connect(path)?;
        Ok(Self {
            path: path.to_owned(),
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
        })
    }

    /// Reads from one consistent snapshot of all tables. Sees every transaction
    /// committed before the call, of any process.
    pub fn read<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let idle = lock(&self.readers).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let result = {
            let snapshot = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
            work(&snapshot)
        };
        let mut readers = lock(&self.readers);
        if readers.len() < IDLE_READERS {
            readers.push(connection);
        }
        result
    }

    /// Runs one write transaction: all of it on `Ok`, nothing of it on `Err` or when
    /// the process dies. Writers of all processes run one after another, so what
    /// `work` reads cannot change before it commits. It must not call
    /// [`Database::write`] itself.
    pub fn write<T, E: From<rusqlite::Error>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = lock(&self.writer);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// Adds tables: `schema` is `CREATE … IF NOT EXISTS` statements, and may be
    /// installed any number of times.
    pub fn install(&self, schema: &str) -> Result<(), rusqlite::Error> {
        self.write(|transaction| transaction.execute_batch(schema))
    }
}

/// A panic inside a transaction has rolled it back, so the connection is still good.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    enter_wal_mode(&connection)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// The first switch of a new file to WAL needs it alone, and SQLite answers "busy"
/// at once, without its timeout, while another process is doing the same.
#[expect(
    clippy::disallowed_methods,
    reason = "waits for another process, which no clock here can hurry"
)]
fn enter_wal_mode(connection: &Connection) -> Result<(), rusqlite::Error> {
    let deadline = Instant::now() + BUSY_TIMEOUT;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && Instant::now() < deadline =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}
