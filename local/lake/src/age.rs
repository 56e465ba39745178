//! Making a data directory older than it is, for rehearsals of what only time brings.

use std::time::Duration;

use rusqlite::params;

use crate::{Lake, LakeError, StoreError};

impl Lake {
    /// Dates all objects and tables back: they have been there for so much longer. What stands in objects stays.
    pub fn age(&self, by: Duration) -> Result<(), LakeError> {
        let milliseconds = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.database().write(|transaction| {
            transaction.execute(
                "UPDATE objects SET last_modified = last_modified - ?1",
                params![milliseconds],
            )?;
            transaction.execute(
                "UPDATE catalog_tables SET document = json_set(
                     document, '$.CreateTime', json_extract(document, '$.CreateTime') - ?1,
                     '$.UpdateTime', json_extract(document, '$.UpdateTime') - ?1)
                 WHERE json_extract(document, '$.CreateTime') IS NOT NULL",
                params![by.as_secs_f64()],
            )?;
            Ok::<_, StoreError>(())
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::catalog::{DatabaseInput, TableInput};
    use crate::store::PutOptions;

    #[test]
    fn everything_is_older_afterwards() {
        let lake = Lake::temporary().unwrap();
        lake.store.create_bucket("bucket", "us-east-1").unwrap();
        let object = lake.store.put("bucket", "key", b"x", PutOptions::default()).unwrap();
        let database = DatabaseInput { name: "d".to_owned(), ..DatabaseInput::default() };
        lake.catalog.create_database(database).unwrap();
        let table = TableInput { name: "t".to_owned(), ..TableInput::default() };
        let table = lake.catalog.create_table("d", table).unwrap();
        lake.age(Duration::from_hours(48)).unwrap();
        let two_days = SignedDuration::from_hours(48);
        let aged = lake.store.head("bucket", "key", None).unwrap();
        assert_eq!(object.last_modified.duration_since(aged.last_modified), two_days);
        let aged = lake.catalog.table("d", "t").unwrap();
        assert_eq!(table.create_time.unwrap().duration_since(aged.create_time.unwrap()), two_days);
    }
}
