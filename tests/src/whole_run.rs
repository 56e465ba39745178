//! `local run` from template to view, as a person starts it: the real binary, the real functions.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::house::{program, root};

/// Rows of the TLC's own files (and of three re-saved ones), by counting them with other tools.
const GREEN_ROWS: &[(&str, u64)] = &[
    ("2020-04", 35_612),
    ("2020-10", 95_120),
    ("2021-01", 73_908),
    ("2022-01", 62_495),
    ("2022-03", 78_537),
    ("2023-01", 68_211),
    ("2023-03", 72_044),
    ("2024-01", 56_551),
    ("2025-01", 48_326),
    ("2025-02", 46_621),
    ("2025-11", 46_912),
];

#[test]
fn the_sample_loads_and_is_unchanged_the_second_time() {
    let data = tempfile::tempdir().expect("a folder");
    let first = run(data.path(), &[], 0);
    assert!(loads(&first).len() >= 5, "{first:#}");
    for execution in first["executions"].as_array().expect("executions") {
        assert_eq!(execution["status"], "SUCCEEDED", "{execution:#}");
    }
    conserved(&first);
    let second = run(data.path(), &[], 0);
    let mut months = 0;
    for load in second["loads"].as_array().expect("loads") {
        assert_eq!(load["unchanged"], true, "{load:#}");
        months += 1;
    }
    assert_eq!(months, loads(&first).len());
    assert_eq!(count(data.path(), "yellow"), total_out(&first, "yellow"));
}

#[test]
fn real_green_months_load_every_row() {
    let Some(folder) = crate::house::beside("data/tlc") else {
        eprintln!("0 real months: the files are not beside this checkout");
        return;
    };
    let data = tempfile::tempdir().expect("a folder");
    let report =
        run(data.path(), &["--dataset", "green", "--from", &folder.display().to_string()], 0);
    let found = loads(&report);
    for (month, rows) in GREEN_ROWS {
        let load = found
            .get(&("green".to_owned(), (*month).to_owned()))
            .unwrap_or_else(|| panic!("{month}"));
        assert_eq!(load.rows_in, *rows, "{month}");
    }
    conserved(&report);
    assert_eq!(count(data.path(), "green"), total_out(&report, "green"));
    println!("{} real months", found.len());
}

#[test]
fn a_month_without_a_required_column_is_refused_and_taken_back_when_it_is_mended() {
    let data = tempfile::tempdir().expect("a folder");
    let source = source_with_two_months();
    let path = source.path().join("yellow_tripdata_2019-04.csv");
    let text = fs::read_to_string(&path).expect("a sample is text");
    fs::write(&path, text.replacen("PULocationID", "somewhere", 1)).expect("written");
    let report = run(data.path(), &["--from", &source.path().display().to_string()], 3);
    let refused = report["refused"].as_array().expect("refused");
    assert_eq!(refused.len(), 1, "{report:#}");
    assert_eq!(refused[0]["month"], "2019-04");
    assert_eq!(refused[0]["error"], "Schema.MissingColumn");
    assert_eq!(refused[0]["file"], "yellow_tripdata_2019-04.csv");
    assert!(refused[0]["cause"].to_string().to_lowercase().contains("pulocationid"), "{report:#}");
    assert_eq!(loads(&report).len(), 1, "{report:#}");

    fs::write(&path, text).expect("written");
    let (data, source) = (data.path().display().to_string(), source.path().display().to_string());
    let redrive = || {
        let output = local(&["redrive", "--data-dir", &data, "--from", &source]);
        succeed(&output, 0);
        String::from_utf8(output.stdout).expect("text")
    };
    let told = redrive();
    assert!(told.contains("yellow 2019-04 (Schema.MissingColumn): started arn:"), "{told}");
    assert!(told.contains("2019-04  loaded"), "{told}");
    assert_eq!(redrive(), "there are no dead letters\n");
}

#[test]
fn a_changed_month_is_reloaded_once() {
    let data = tempfile::tempdir().expect("a folder");
    let source = source_with_two_months();
    let from = source.path().display().to_string();
    let first = run(data.path(), &["--from", &from], 0);
    let path = source.path().join("yellow_tripdata_2019-04.csv");
    let text = fs::read_to_string(&path).expect("a sample is text");
    let shorter: Vec<&str> = text.lines().take(401).collect();
    fs::write(&path, shorter.join("\r\n") + "\r\n").expect("written");
    let second = run(data.path(), &["--from", &from], 0);
    let changed = &loads(&second)[&("yellow".to_owned(), "2019-04".to_owned())];
    assert_eq!((changed.rows_in, changed.unchanged), (400, false), "{second:#}");
    let kept = &loads(&second)[&("yellow".to_owned(), "2019-03".to_owned())];
    assert!(kept.unchanged, "{second:#}");
    let before = loads(&first)[&("yellow".to_owned(), "2019-03".to_owned())].rows_out;
    assert_eq!(count(data.path(), "yellow"), before + changed.rows_out);
}

/// 2019-03 and 2019-04 of the yellow sample, 1,000 rows each.
pub(crate) fn source_with_two_months() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for month in ["2019-03", "2019-04"] {
        let out = folder.path().display().to_string();
        let arguments =
            ["sample", "--dataset", "yellow", "--month", month, "--rows", "1000", "--out", &out];
        succeed(&local(&arguments), 0);
    }
    folder
}

pub(crate) struct Load {
    pub rows_in: u64,
    pub rows_out: u64,
    pub rows_rejected: u64,
    pub unchanged: bool,
}

pub(crate) fn loads(report: &Value) -> BTreeMap<(String, String), Load> {
    let number = |load: &Value, name: &str| {
        load[name].as_u64().unwrap_or_else(|| panic!("{name}: {load:#}"))
    };
    let text = |load: &Value, name: &str| load[name].as_str().expect("text").to_owned();
    let found = report["loads"].as_array().expect("loads").iter().map(|load| {
        let counts = Load {
            rows_in: number(load, "rows_in"),
            rows_out: number(load, "rows_out"),
            rows_rejected: number(load, "rows_rejected"),
            unchanged: load["unchanged"].as_bool().expect("a verdict"),
        };
        ((text(load, "dataset"), text(load, "month")), counts)
    });
    found.collect()
}

pub(crate) fn conserved(report: &Value) {
    for ((dataset, month), load) in loads(report) {
        assert!(load.rows_in > 0, "{dataset} {month}");
        assert_eq!(load.rows_in, load.rows_out + load.rows_rejected, "{dataset} {month}");
    }
}

fn total_out(report: &Value, dataset: &str) -> u64 {
    loads(report)
        .iter()
        .filter(|((name, _), _)| name == dataset)
        .map(|(_, load)| load.rows_out)
        .sum()
}

/// Rows of the published view.
fn count(data: &Path, dataset: &str) -> u64 {
    let query = format!("SELECT count(*) AS n FROM {dataset}_trips");
    let output =
        local(&["sql", &query, "--format", "csv", "--data-dir", &data.display().to_string()]);
    succeed(&output, 0);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = text.lines().nth(1).unwrap_or_else(|| panic!("{text}")).trim_matches('"').parse();
    number.unwrap_or_else(|_| panic!("{text}"))
}

pub(crate) fn run(data: &Path, arguments: &[&str], code: i32) -> Value {
    let data = data.display().to_string();
    let output = local(&[&["run", "--json", "--data-dir", &data], arguments].concat());
    succeed(&output, code);
    serde_json::from_slice(&output.stdout).expect("one object on stdout")
}

pub(crate) fn succeed(output: &Output, code: i32) {
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
}

pub(crate) fn local(arguments: &[&str]) -> Output {
    Command::new(program())
        .args(arguments)
        .current_dir(root())
        .env_remove("CARGO")
        .output()
        .expect("local starts")
}
