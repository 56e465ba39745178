//! A first run: which of our tables are not there yet?

use shared::dataset::{Dataset, DatasetName};
use shared::event::{TableStatement, TablesVerdict};
use shared::quality_log;

use crate::Config;

/// Which tables of `datasets` are not among those `found`, whatever else there is. Views are made
/// by `load`, when there is something to see.
pub fn verdict(config: &Config, datasets: &[DatasetName], found: &[&str]) -> TablesVerdict {
    let results = (!found.contains(&quality_log::TABLE)).then(|| TableStatement {
        table: quality_log::TABLE.to_owned(),
        sql: quality_log::create_table(&config.database, &config.lake_bucket).into(),
    });
    let missing = datasets
        .iter()
        .map(|name| Dataset::named(*name))
        .filter(|dataset| !found.contains(&dataset.runs_table().as_str()))
        .map(|dataset| TableStatement {
            table: dataset.runs_table(),
            sql: dataset.create_runs_table(&config.database, &config.lake_bucket).into(),
        });
    TablesVerdict { missing: missing.chain(results).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_for_ours_alone() {
        let config = Config { database: "taxi".to_owned(), lake_bucket: "lake".to_owned() };
        let datasets = ["green", "zones"].map(|name| name.parse().unwrap());
        let check = |found: &[&str], expected: &[&str]| {
            let verdict = verdict(&config, &datasets, found);
            let tables: Vec<_> = verdict.missing.iter().map(|m| m.table.as_str()).collect();
            assert_eq!(tables, expected, "{found:?}");
            for missing in &verdict.missing {
                assert!(missing.sql.contains("IF NOT EXISTS `taxi`."), "{}", missing.sql);
            }
        };
        let all = ["green_runs", "zones_runs", "quality_results"];
        check(&[], &all);
        check(&["yellow_runs", "green_trips", "green_runs_old"], &all);
        check(&["zones_runs", "quality_results"], &["green_runs"]);
        check(&["green_runs", "zones_runs", "mine"], &["quality_results"]);
        check(&["green_runs", "zones_runs", "quality_results"], &[]);
    }
}
