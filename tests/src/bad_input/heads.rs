//! The first lines of the TLC's own CSV files, where they lie beside the checkout: every era's columns are found, and
//! no value lands in its neighbour's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::whole_run::{conserved, loads, local, run, succeed};

/// A file's first 1,024 bytes: a header, some rows, and one that is cut.
struct Head {
    dataset: String,
    month: String,
    lines: Vec<String>,
}

impl Head {
    fn read(path: &Path) -> Option<Self> {
        let stem = path.file_stem()?.to_str()?;
        let (dataset, month) = stem.split_once("_tripdata_")?;
        let text = fs::read_to_string(path).ok()?;
        let lines = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
        Some(Self { dataset: dataset.to_owned(), month: month.to_owned(), lines })
    }

    /// What files of one era have in common.
    fn shape(&self) -> (String, String, usize) {
        let widths = self.lines.get(1).map_or(0, |row| row.split(',').count());
        (self.dataset.clone(), self.lines[0].clone(), widths)
    }

    fn whole_rows(&self) -> &[String] {
        &self.lines[1..self.lines.len() - 1]
    }

    /// The sum of the column that has one of these names, over the whole rows.
    fn sum(&self, names: &[&str]) -> Option<f64> {
        let mut header = self.lines[0].split(',').map(|name| name.trim().trim_matches('"'));
        let place = header.position(|name| names.contains(&name.to_lowercase().as_str()))?;
        let values = self.whole_rows().iter().map(|row| {
            let value = row.split(',').nth(place).unwrap_or_default().trim().trim_matches('"');
            value.parse().unwrap_or(0.0)
        });
        Some(values.sum())
    }
}

#[test]
fn rows_of_every_era_are_loaded_and_never_shifted() {
    let Some(folder) = crate::house::beside("data/tlc/csv_heads") else {
        eprintln!("0 heads of CSV files: they are not beside this checkout");
        return;
    };
    let heads = chosen(&folder);
    let (source, data) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    for head in &heads {
        let name = format!("{}_tripdata_{}.csv", head.dataset, head.month);
        fs::copy(folder.join(&name), source.path().join(name)).expect("copied");
    }
    let from = source.path().display().to_string();
    let report = run(data.path(), &["--from", &from, "--months", "2009-01..2020-12"], 0);
    conserved(&report);
    let loaded = loads(&report);
    let mut sums = BTreeMap::new();
    for dataset in ["yellow", "green"] {
        sums.insert(dataset, totals(data.path(), dataset));
    }
    let mut compared = 0;
    for head in &heads {
        let what = format!("{} {}", head.dataset, head.month);
        let load = &loaded[&(head.dataset.clone(), head.month.clone())];
        assert_eq!(load.rows_in, head.lines.len() as u64 - 1, "{what}");
        assert!(load.rows_rejected <= 1, "{what}: more than the cut row is rejected");
        let Some(sums) = sums.get(head.dataset.as_str()).filter(|_| load.rows_rejected == 1) else {
            continue;
        };
        let expected = (
            head.sum(&["total_amount", "total_amt"]).expect("an amount"),
            head.sum(&["trip_distance"]).expect("a distance"),
        );
        let found = sums[&head.month];
        let same = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(
            same(found.0, expected.0) && same(found.1, expected.1),
            "{what}: {found:?} {expected:?}"
        );
        compared += 1;
    }
    println!("{} heads of CSV files, of {compared} the amounts too", heads.len());
}

/// The first and the last file of every era.
fn chosen(folder: &Path) -> Vec<Head> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let mut eras = BTreeMap::<_, Vec<Head>>::new();
    for head in paths.iter().filter_map(|path| Head::read(path)) {
        let era = eras.entry(head.shape()).or_default();
        era.truncate(1);
        era.push(head);
    }
    eras.into_values().flatten().collect()
}

/// Sums of amount and distance of the loaded rows by month.
fn totals(data: &Path, dataset: &str) -> BTreeMap<String, (f64, f64)> {
    let query = format!(
        "SELECT month, SUM(total_amount), SUM(trip_distance) FROM {dataset}_trips GROUP BY month"
    );
    let output =
        local(&["sql", &query, "--format", "csv", "--data-dir", &data.display().to_string()]);
    succeed(&output, 0);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let rows = text.lines().skip(1).map(|line| {
        let fields: Vec<_> = line.split(',').map(|field| field.trim_matches('"')).collect();
        let number = |at: usize| fields[at].parse().unwrap_or(f64::NAN);
        (fields[0].to_owned(), (number(1), number(2)))
    });
    rows.collect()
}
