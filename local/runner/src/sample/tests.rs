//! The sample against the fact sheet: the same bytes every time, defects at their rates.
use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::*;
use crate::sample::trips::Trips;

fn month(text: &str) -> Month {
    text.parse().unwrap()
}

fn digest(path: &Path) -> String {
    format!("{:x}", Sha256::digest(std::fs::read(path).unwrap()))
}

#[test]
fn the_same_file_has_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    for sample in files() {
        let sample = SampleFile { rows: 700, ..sample };
        let (first, second) = (dir.path().join("first"), dir.path().join("second"));
        write(sample, &first).unwrap();
        write(sample, &second).unwrap();
        assert_eq!(digest(&first), digest(&second), "{}", sample.file);
    }
}

/// A changed digest here is a changed sample: raise `VERSION` with it.
#[test]
fn the_bytes_are_those_of_this_version() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("csv");
    let file = TripFile::from_name("yellow_tripdata_2019-03.csv").unwrap();
    write(SampleFile { file, rows: 20_000 }, &path).unwrap();
    assert_eq!(
        (VERSION, digest(&path).as_str()),
        (1, "6a9ef096da97d1d8c22a3b09407ea59a2304c623fd398fcb6019d5219e7a61ce")
    );
}

#[test]
fn csv_files_look_like_their_era() {
    let head = |name: &str| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("csv");
        write(SampleFile { file: TripFile::from_name(name).unwrap(), rows: 50 }, &path).unwrap();
        std::fs::read_to_string(&path).unwrap()
    };
    // (file, fields of its header, fields of its rows, whether line 2 is empty)
    for (name, header, row, blank) in [
        ("yellow_tripdata_2009-01.csv", 18, 18, true),
        ("yellow_tripdata_2014-05.csv", 18, 18, true),
        ("yellow_tripdata_2016-02.csv", 19, 19, false),
        ("yellow_tripdata_2016-08.csv", 17, 19, false),
        ("yellow_tripdata_2017-08.csv", 17, 17, true),
        ("yellow_tripdata_2019-03.csv", 18, 18, false),
        ("green_tripdata_2014-05.csv", 20, 22, true),
        ("green_tripdata_2016-10.csv", 19, 21, true),
        ("green_tripdata_2020-04.csv", 20, 20, false),
        ("fhv_tripdata_2018-03.csv", 7, 7, false),
        ("fhvhv_tripdata_2019-03.csv", 7, 7, false),
    ] {
        let text = head(name);
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines.len(), 52 + usize::from(blank), "{name}");
        assert_eq!(lines[0].split(',').count(), header, "{name}");
        assert_eq!(lines[1].is_empty(), blank, "{name}");
        assert_eq!(lines[3].split(',').count(), row, "{name}: {}", lines[3]);
    }
}

/// Where the originals' heads are at hand, our headers are theirs.
#[test]
fn headers_are_the_originals() {
    let heads = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/tlc/csv_heads");
    let mut compared = 0;
    for entry in std::fs::read_dir(&heads).into_iter().flatten() {
        let path = entry.unwrap().path();
        let Some(file) = path.file_name().and_then(|name| TripFile::from_name(name.to_str()?))
        else {
            continue;
        };
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
        let layout = Layout::csv(file.dataset, file.month).unwrap();
        let ours: Vec<&str> = layout.columns.iter().map(|column| column.name).collect();
        let header = text.lines().next().unwrap();
        assert_eq!(ours.join(","), header.replace('"', ""), "{file}");
        assert_eq!(header.starts_with('"'), layout.quoted, "{file}");
        let Some(second) = text.lines().nth(1) else { continue };
        assert_eq!(second.trim().is_empty(), layout.blank_second_line, "{file}");
        compared += 1;
    }
    println!("{compared} headers compared");
}

#[test]
fn defects_come_at_their_measured_rates() {
    let rows = 46_621;
    let mut counts: HashMap<&str, u64> = HashMap::new();
    let (start, end) = (1_738_368_000, 1_740_787_200);
    let mut previous = None;
    for trip in Trips::new(Dataset::Green, month("2025-02"), rows) {
        let mut count = |name, holds| *counts.entry(name).or_default() += u64::from(holds);
        count("rows", true);
        count("out of month", !(start..end).contains(&trip.pickup));
        count("dropoff before pickup", trip.seconds() < 0);
        count("a day or longer", trip.seconds() >= 86_400);
        count("negative", trip.money.fare < 0);
        count("zero distance", trip.distance == 0);
        count("over 100 miles", trip.distance > 10_000);
        count("null block", trip.meter.is_none());
        count("no passengers", trip.meter.is_some_and(|meter| meter.passengers == 0));
        count("unknown zone", trip.pickup_zone >= 264 || trip.dropoff_zone >= 264);
        let void = previous.is_some_and(|previous: super::trip::Trip| previous.voided() == trip);
        count("void", void);
        previous = Some(trip);
    }
    // facts: green 2025-02, measured
    for (name, measured) in [
        ("rows", rows),
        ("out of month", 19),
        ("dropoff before pickup", 210),
        ("a day or longer", 65),
        ("negative", 162),
        ("zero distance", 2_377),
        ("over 100 miles", 19),
        ("null block", 2_517),
        ("no passengers", 592),
        ("unknown zone", 637),
        ("void", 157),
    ] {
        let found = counts[name];
        assert!(
            found.abs_diff(measured) <= 3 + measured / 12,
            "{name}: {found}, measured {measured}"
        );
    }
}

#[test]
fn totals_are_the_sum_but_for_vendor_one_and_the_null_block() {
    for (dataset, month_text) in
        [(Dataset::Yellow, "2019-03"), (Dataset::Green, "2024-01"), (Dataset::Yellow, "2025-01")]
    {
        let trips: Vec<_> = Trips::new(dataset, month(month_text), 20_000).collect();
        let reported = |trip: &super::trip::Trip| {
            let hidden =
                if trip.meter.is_none() { trip.money.congestion + trip.money.airport } else { 0 };
            trip.money.total == trip.money.sum_of_parts() - hidden
        };
        let off = trips.iter().filter(|trip| !reported(trip)).count();
        // 35 % of yellow 2019-03, 14 % of green 2024-01, 22 % of yellow 2025-01 were off in the files.
        assert!((1_200..9_000).contains(&off), "{dataset} {month_text}: {off}");
        let second = trips
            .iter()
            .filter(|trip| trip.vendor == 2 && trip.meter.is_some() && trip.money.fare > 0);
        assert!(second.clone().count() > 9_000);
        assert!(second.clone().all(reported), "{dataset} {month_text}");
    }
}
