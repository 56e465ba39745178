//! What functions took: a row a function, memory size and cause.

use std::time::Duration;

use rusqlite::{Row, params};

use super::{Meters, signed, unsigned};
use crate::wire::ServiceError;

pub(super) const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS aws_invocations (
        function TEXT NOT NULL, memory INTEGER NOT NULL, cause TEXT NOT NULL,
        invocations INTEGER NOT NULL, errors INTEGER NOT NULL, cold_starts INTEGER NOT NULL,
        billed INTEGER NOT NULL, longest INTEGER NOT NULL, longest_init INTEGER NOT NULL,
        peak INTEGER NOT NULL, log_bytes INTEGER NOT NULL,
        PRIMARY KEY (cause, function, memory)
    ) STRICT, WITHOUT ROWID;";

/// An invocation that has ended.
#[derive(Clone, Copy, Debug)]
pub struct Invoked {
    /// The function's memory size, MB.
    pub memory: u64,
    pub failed: bool,
    /// How long the process took to its first `GET next`, of a cold start.
    pub init: Option<Duration>,
    pub duration: Duration,
    /// The largest resident size of the process so far, bytes.
    pub peak: u64,
    /// What CloudWatch Logs bills for its lines, bytes.
    pub log_bytes: u64,
}

/// What a function took in all invocations with one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionUse {
    pub function: String,
    /// The memory size it had then, MB.
    pub memory: u64,
    /// The root of a trace; empty where nothing is known.
    pub cause: String,
    pub invocations: u64,
    pub errors: u64,
    pub cold_starts: u64,
    /// Cold starts and invocations, each rounded up to a millisecond.
    pub billed: Duration,
    pub longest: Duration,
    pub longest_init: Duration,
    /// Bytes.
    pub peak: u64,
    pub log_bytes: u64,
}

impl FunctionUse {
    /// Adds what the same function took elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.invocations += other.invocations;
        self.errors += other.errors;
        self.cold_starts += other.cold_starts;
        self.billed += other.billed;
        self.longest = self.longest.max(other.longest);
        self.longest_init = self.longest_init.max(other.longest_init);
        self.peak = self.peak.max(other.peak);
        self.log_bytes += other.log_bytes;
    }
}

impl Meters {
    /// Adds an invocation, and writes what has been counted besides.
    pub fn invoked(
        &self,
        function: &str,
        cause: &str,
        invoked: Invoked,
    ) -> Result<(), ServiceError> {
        self.flush()?;
        let init = invoked.init.unwrap_or_default();
        // Since August 2025 a cold start is billed with its invocation.
        self.database.write(|transaction| {
            transaction
                .prepare_cached(
                    "INSERT INTO aws_invocations VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                     ON CONFLICT DO UPDATE SET
                        invocations = invocations + 1,
                        errors = errors + excluded.errors,
                        cold_starts = cold_starts + excluded.cold_starts,
                        billed = billed + excluded.billed,
                        longest = max(longest, excluded.longest),
                        longest_init = max(longest_init, excluded.longest_init),
                        peak = max(peak, excluded.peak),
                        log_bytes = log_bytes + excluded.log_bytes",
                )?
                .execute(params![
                    function,
                    signed(invoked.memory),
                    cause,
                    invoked.failed,
                    invoked.init.is_some(),
                    milliseconds(invoked.duration + init),
                    milliseconds(invoked.duration),
                    milliseconds(init),
                    signed(invoked.peak),
                    signed(invoked.log_bytes),
                ])?;
            Ok(())
        })
    }

    /// What functions took, by function, memory size and cause; of all causes for `None`.
    pub fn functions(&self, cause: Option<&str>) -> Result<Vec<FunctionUse>, ServiceError> {
        self.database.read(|transaction| {
            let mut statement = transaction.prepare_cached(
                "SELECT function, memory, cause, invocations, errors, cold_starts, billed, longest, longest_init,
                        peak, log_bytes
                 FROM aws_invocations WHERE ?1 IS NULL OR cause = ?1 ORDER BY function, memory, cause",
            )?;
            let rows = statement.query_map([cause], read)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

fn read(row: &Row<'_>) -> Result<FunctionUse, rusqlite::Error> {
    let time = |at| unsigned(row, at).map(Duration::from_millis);
    Ok(FunctionUse {
        function: row.get(0)?,
        memory: unsigned(row, 1)?,
        cause: row.get(2)?,
        invocations: unsigned(row, 3)?,
        errors: unsigned(row, 4)?,
        cold_starts: unsigned(row, 5)?,
        billed: time(6)?,
        longest: time(7)?,
        longest_init: time(8)?,
        peak: unsigned(row, 9)?,
        log_bytes: unsigned(row, 10)?,
    })
}

/// Whole milliseconds, rounded up.
fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros().div_ceil(1000)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use lake::Lake;

    use super::*;

    #[test]
    fn invocations_add_up_by_cause() {
        let lake = Lake::temporary().unwrap();
        let meters = Meters::open(lake.database()).unwrap();
        let cold = Invoked {
            memory: 128,
            failed: false,
            init: Some(Duration::from_micros(8_300)),
            duration: Duration::from_micros(1_200),
            peak: 9,
            log_bytes: 100,
        };
        let warm = Invoked { init: None, failed: true, peak: 12, ..cold };
        meters.invoked("f", "1-a", cold).unwrap();
        meters.invoked("f", "1-a", warm).unwrap();
        meters.invoked("f", "1-b", warm).unwrap();
        let all = meters.functions(None).unwrap();
        assert_eq!(all.len(), 2);
        let expected = FunctionUse {
            function: "f".to_owned(),
            memory: 128,
            cause: "1-a".to_owned(),
            invocations: 2,
            errors: 1,
            cold_starts: 1,
            billed: Duration::from_millis(10 + 2),
            longest: Duration::from_millis(2),
            longest_init: Duration::from_millis(9),
            peak: 12,
            log_bytes: 200,
        };
        assert_eq!(all[0], expected);
        assert_eq!(meters.functions(Some("1-b")).unwrap().len(), 1);
    }
}
