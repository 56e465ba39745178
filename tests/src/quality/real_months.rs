//! The rulesets on the TLC's own months, on machines that have them: what is measured is what is known of them.

use std::fs;
use std::path::Path;

use crate::house::{beside, root};
use crate::whole_run::local;

/// Green months as the TLC published them: rows loaded, rows rejected, and of the loaded rows those out of the month, with
/// a negative fare, without distance, without passengers.
const KNOWN: &[(&str, [f64; 6])] = &[
    ("2022-01", [62_495.0, 0.0, 4.0, 209.0, 3_593.0, 6_295.0]),
    ("2022-03", [78_537.0, 0.0, 24.0, 210.0, 4_394.0, 8_065.0]),
    ("2023-01", [68_211.0, 0.0, 4.0, 176.0, 3_350.0, 4_324.0]),
    ("2024-01", [56_551.0, 0.0, 2.0, 182.0, 2_870.0, 3_415.0]),
    ("2025-01", [48_326.0, 0.0, 43.0, 150.0, 2_671.0, 1_836.0]),
];

/// What is out of the ordinary in any of the months: warnings, and no more than these.
const WARNINGS: &[(&str, &str)] = &[
    ("2020-10", "empty_passenger_count"),
    ("2020-10", "no_congestion_surcharge"),
    ("2021-01", "empty_passenger_count"),
    ("2021-01", "no_congestion_surcharge"),
    ("2022-01", "over_100_miles"),
    ("2022-03", "unknown_vendor"),
];

#[test]
fn real_months_have_the_rates_that_are_known_of_them() {
    let Some(source) = beside("data/tlc") else {
        println!("0 real months: they are not here");
        return;
    };
    let data = tempfile::tempdir().unwrap();
    let from = source.display().to_string();
    let run =
        local(&["run", "--from", &from, "--dataset", "green", "--data-dir", &path(data.path())]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let results = rows(
        data.path(),
        "SELECT month, name, outcome, value FROM quality_results WHERE dataset = 'green' ORDER BY 1, 2",
    );
    let value = |month: &str, name: &str| -> f64 {
        let row = results.iter().find(|row| row[0] == month && row[1] == name);
        row.unwrap_or_else(|| panic!("{month}: {name}"))[3].parse().unwrap()
    };
    for (month, [loaded, rejected, out, negative, still, nobody]) in KNOWN {
        let all = loaded + rejected;
        for (name, expected) in [
            ("rejected", loaded / all),
            ("out_of_month", out / loaded),
            ("negative_fare_amount", 1.0 - negative / loaded),
            ("zero_trip_distance", 1.0 - still / loaded),
            ("empty_passenger_count", 1.0 - nobody / loaded),
        ] {
            let found = value(month, name);
            assert!((found - expected).abs() < 1e-9, "{month} {name}: {found}, known {expected}");
        }
        // Nearly every negative row repeats another one.
        assert!((0.93..=0.991).contains(&value(month, "negative_without_original")), "{month}");
    }
    let mut warnings: Vec<_> = results
        .iter()
        .filter(|row| row[2] != "pass")
        .map(|row| (row[0].as_str(), row[1].as_str()))
        .collect();
    warnings.dedup();
    assert_eq!(warnings, WARNINGS);
    let rejected = rows(
        data.path(),
        "SELECT month, rule, count(*) FROM green_rejected GROUP BY 1, 2 ORDER BY 1",
    );
    let expected =
        [["2025-02", "dropoff_before_pickup", "210"], ["2025-11", "dropoff_before_pickup", "1"]];
    assert_eq!(rejected, expected);
    let months = results.iter().map(|row| &row[0]).collect::<std::collections::BTreeSet<_>>().len();
    println!("{months} real months judged, {} of them against known rates", KNOWN.len());
}

/// The ruleset of a data set, on the published view as anyone would judge it: only what is not there to compare with is
/// left out.
#[test]
fn a_shipped_ruleset_judges_a_published_view() {
    let data = tempfile::tempdir().unwrap();
    let run = local(&["run", "--dataset", "green", "--data-dir", &path(data.path())]);
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let ruleset = path(&root().join("shared/datasets/green.dqdl"));
    let judged = local(&[
        "quality",
        &ruleset,
        "green_trips",
        "--reference",
        "staged=green_trips",
        "--json",
        "--data-dir",
        &path(data.path()),
    ]);
    let text = String::from_utf8_lossy(&judged.stdout).into_owned();
    let report: serde_json::Value =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{judged:?}"));
    let rules = report["rules"].as_array().unwrap();
    let outcome = |name: &str| {
        let rule = rules.iter().find(|rule| rule["labels"]["name"] == name);
        rule.unwrap_or_else(|| panic!("{name}"))["outcome"].as_str().unwrap().to_owned()
    };
    for name in
        ["missing_pickup", "dropoff_before_pickup", "negative_distance", "rejected", "out_of_month"]
    {
        assert_eq!(outcome(name), "Passed", "{name}: {text}");
    }
    assert_eq!(report["scans"], 3, "{text}");
}

fn rows(data: &Path, query: &str) -> Vec<Vec<String>> {
    let output = local(&["sql", query, "--format", "csv", "--data-dir", &path(data)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn path(path: &Path) -> String {
    fs::canonicalize(path).unwrap().display().to_string()
}
