//! The tables and views of a data set that outlive a run.

use super::{Column, Dataset, QUARANTINE_COLUMNS};
use crate::month::Month;
use crate::run::Run;
use crate::s3_uri::S3Uri;
use crate::sql::{HiveName, HiveText, Name, Sql, Text, sql};

/// The partition columns of a `_runs` table, in their order; all are strings.
const PARTITION_COLUMNS: [&str; 3] = ["month", "run", "outcome"];

/// What `load` writes to the catalog as a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    pub name: String,
    /// The SELECT; its tables are written with their database.
    pub sql: Sql,
    pub columns: Vec<ViewColumn>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewColumn {
    pub name: String,
    /// In the Glue catalog.
    pub hive_type: &'static str,
    /// In the view's own definition.
    pub trino_type: &'static str,
}

/// A partition of a `_runs` table: one outcome of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// In the order of [`PARTITION_COLUMNS`].
    pub values: [String; 3],
    pub location: S3Uri,
}

impl Dataset {
    /// The table of all its runs, live or not.
    pub fn runs_table(&self) -> String {
        format!("{}_runs", self.name)
    }

    /// The view of its rejected rows.
    fn rejected_view_name(&self) -> String {
        format!("{}_rejected", self.name)
    }

    /// Canonical and quarantine columns with their Hive types, as the catalog lists them.
    fn table_columns(&self) -> Vec<(String, &'static str)> {
        let canonical = self.columns.iter().map(|c| (c.name.clone(), c.column_type.hive()));
        let quarantine = QUARANTINE_COLUMNS.map(|name| (name.to_owned(), "string"));
        canonical.chain(quarantine).collect()
    }

    /// Where the `_runs` table and all its partitions are.
    fn location(&self, lake_bucket: &str) -> S3Uri {
        S3Uri::new(lake_bucket, format!("{}/", self.name))
    }

    /// Both partitions of a run; one without rows has no files, which is no error.
    pub fn partitions(&self, lake_bucket: &str, month: Month, run: &Run) -> [Partition; 2] {
        let location = run.location(lake_bucket, self.name, month);
        ["loaded", "rejected"].map(|outcome| Partition {
            values: [month.to_string(), run.to_string(), outcome.to_owned()],
            location: location.join(&format!("outcome={outcome}/")),
        })
    }

    /// The DDL of the `_runs` table.
    pub fn create_runs_table(&self, database: &str, lake_bucket: &str) -> Sql {
        let column =
            |name: &str, hive_type: &'static str| sql("{} {}", &[&HiveName(name), &hive_type]);
        let columns = self.table_columns();
        let columns = columns.iter().map(|(name, hive_type)| column(name, hive_type));
        sql(
            "CREATE EXTERNAL TABLE IF NOT EXISTS {}.{} ({}) PARTITIONED BY ({}) \
             STORED AS PARQUET LOCATION {}",
            &[
                &HiveName(database),
                &HiveName(&self.runs_table()),
                &Sql::join(columns, ", "),
                &Sql::join(PARTITION_COLUMNS.map(|name| column(name, "string")), ", "),
                &HiveText(&self.location(lake_bucket).to_string()),
            ],
        )
    }

    /// The view of the live rows: canonical columns, then `month`.
    pub fn published_view(&self, database: &str, live: &[Run]) -> View {
        let mut columns: Vec<_> = self.columns.iter().map(ViewColumn::of).collect();
        columns.push(ViewColumn::text("month"));
        self.view_of(self.view.clone(), database, columns, live, "loaded")
    }

    /// The view of the live runs' rejected rows: `month`, why, then the canonical columns.
    pub fn rejected_view(&self, database: &str, live: &[Run]) -> View {
        let mut columns = vec![ViewColumn::text("month")];
        columns.extend(QUARANTINE_COLUMNS.map(ViewColumn::text));
        columns.extend(self.columns.iter().map(ViewColumn::of));
        self.view_of(self.rejected_view_name(), database, columns, live, "rejected")
    }

    /// Rows of the live runs alone: the list of runs prunes the partitions.
    fn view_of(
        &self,
        name: String,
        database: &str,
        columns: Vec<ViewColumn>,
        live: &[Run],
        outcome: &str,
    ) -> View {
        let names = columns.iter().map(|column| sql("{}", &[&Name(&column.name)]));
        let live = match live {
            [] => sql("1 = 0", &[]),
            runs => {
                let runs = runs.iter().map(|run| sql("{}", &[&Text(run.as_str())]));
                sql("\"run\" IN ({})", &[&Sql::join(runs, ", ")])
            }
        };
        let select = sql(
            "SELECT {} FROM {}.{} WHERE {} AND \"outcome\" = {}",
            &[
                &Sql::join(names, ", "),
                &Name(database),
                &Name(&self.runs_table()),
                &live,
                &Text(outcome),
            ],
        );
        View { name, sql: select, columns }
    }
}

impl ViewColumn {
    fn of(column: &Column) -> Self {
        Self {
            name: column.name.clone(),
            hive_type: column.column_type.hive(),
            trino_type: column.column_type.trino(),
        }
    }

    fn text(name: &str) -> Self {
        Self { name: name.to_owned(), hive_type: "string", trino_type: "varchar" }
    }
}

#[cfg(test)]
mod tests {
    use crate::dataset::Dataset;
    use crate::run::Run;

    #[test]
    fn statements_of_zones_and_green() {
        let zones = Dataset::named("zones".parse().unwrap());
        assert_eq!(
            zones.create_runs_table("taxi-db", "lake").as_str(),
            "CREATE EXTERNAL TABLE IF NOT EXISTS `taxi-db`.`zones_runs` (`locationid` bigint, \
             `borough` string, `zone` string, `service_zone` string, `file` string, \
             `rule` string, `reason` string, `raw` string) PARTITIONED BY (`month` string, \
             `run` string, `outcome` string) STORED AS PARQUET LOCATION 's3://lake/zones/'"
        );
        let runs = ["a-1", "b-2"].map(|run| Run::from(run.to_owned()));
        let view = zones.published_view("taxi", &runs);
        assert_eq!(view.name, "taxi_zones");
        assert_eq!(
            view.sql.as_str(),
            "SELECT \"locationid\", \"borough\", \"zone\", \"service_zone\", \"month\" \
             FROM \"taxi\".\"zones_runs\" WHERE \"run\" IN ('a-1', 'b-2') AND \"outcome\" = 'loaded'"
        );
        let rejected = zones.rejected_view("taxi", &[]);
        assert_eq!(rejected.name, "zones_rejected");
        assert!(rejected.sql.as_str().ends_with("WHERE 1 = 0 AND \"outcome\" = 'rejected'"));
        assert_eq!(zones.create_gold_view("taxi"), None);
        let green = Dataset::named("green".parse().unwrap());
        let gold = green.create_gold_view("taxi").unwrap();
        assert!(
            gold.as_str().starts_with(
                "CREATE OR REPLACE VIEW \"taxi\".\"gold_green_daily\" AS SELECT t.\"pulocationid\", \
                 z.\"zone\", z.\"borough\", CAST(t.\"lpep_pickup_datetime\" AS date) AS \"day\", "
            ),
            "{gold}"
        );
        assert!(gold.as_str().ends_with("GROUP BY 1, 2, 3, 4, 5, 6"), "{gold}");
    }
}
