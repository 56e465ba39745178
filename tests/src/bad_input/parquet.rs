//! One run over Parquet files that are each broken in one way.

use std::fs;

use crate::whole_run::{conserved, loads, local, run, succeed};

/// As many as the sample has.
const ROWS: u64 = 300;

/// A month of the sample.
fn sample() -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("yellow_tripdata_2023-03.parquet");
    let out = path.display().to_string();
    let rows = ROWS.to_string();
    let arguments =
        ["sample", "--dataset", "yellow", "--month", "2023-03", "--rows", &rows, "--out", &out];
    succeed(&local(&arguments), 0);
    fs::read(path).expect("the sample")
}

/// Where the footer begins, which ends eight bytes before the file.
fn footer(file: &[u8]) -> usize {
    let end = file.len() - 8;
    let length = file[end..end + 4].try_into().expect("four bytes");
    end - usize::try_from(u32::from_le_bytes(length)).expect("it fits")
}

/// Data and another footer.
fn refooted(file: &[u8], footer: &[u8]) -> Vec<u8> {
    let length = u32::try_from(footer.len()).expect("it fits").to_le_bytes();
    [&file[..self::footer(file)], footer, &length, b"PAR1"].concat()
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        found.extend([&rest[..at], to].concat());
        rest = &rest[at + from.len()..];
    }
    found.extend(rest);
    found
}

fn noise(bytes: &[u8], range: std::ops::Range<usize>) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[range].fill(0xff);
    bytes
}

/// What a file is, its bytes, and the name of its refusal; any name where none is given.
fn broken(good: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let (start, end) = (footer(good), good.len());
    let foot = &good[start..end - 8];
    // Field 4 of the footer, a list of one structure; and a varint of 2^31.
    let list = foot.windows(2).rposition(|bytes| bytes == [0x19, 0x1c]).expect("row groups");
    let many = [&foot[..=list], &[0xfc, 0x80, 0x80, 0x80, 0x80, 0x08], &foot[list + 2..]].concat();
    // 300 rows and 300 values become 301: zigzag of 16 bits after a field's header.
    let more = replaced(foot, &[0x16, 0xd8, 0x04], &[0x16, 0xda, 0x04]);
    vec![
        ("half of a file", good[..end / 2].to_vec(), "Data.Truncated"),
        ("a file without its beginning", good[end / 2..].to_vec(), "Schema.Unreadable"),
        ("a file without its middle", [&good[..4], &good[start..]].concat(), "Schema.Unreadable"),
        ("a footer longer than the file", noise(good, end - 8..end - 5), "Schema.Unreadable"),
        ("noise in the footer", noise(good, start + 40..start + 80), "Schema.Unreadable"),
        ("no footer", refooted(good, &[]), "Schema.Unreadable"),
        ("two thousand million row groups", refooted(good, &many), "Schema.Unreadable"),
        ("a row more than there is", refooted(good, &more), ""),
        ("noise in the data", noise(good, 40..start - 40), ""),
    ]
}

#[test]
fn a_broken_parquet_file_is_refused_and_the_others_load() {
    let (source, data) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let good = sample();
    let arrow =
        good.windows(12).rposition(|bytes| bytes == b"ARROW:schema").expect("arrow wrote it");
    let fine = [("nothing", good.clone())];
    let mut broken = broken(&good);
    broken.push(("a corrupt ARROW:schema", noise_text(&good, arrow + 20), ""));
    let month = |number: usize| format!("2023-{:02}", number + 1);
    let name = |number: usize| format!("yellow_tripdata_{}.parquet", month(number));
    let files = fine.iter().map(|(_, bytes)| bytes).chain(broken.iter().map(|(_, bytes, _)| bytes));
    for (number, bytes) in files.enumerate() {
        fs::write(source.path().join(name(number)), bytes).expect("written");
    }
    let from = source.path().display().to_string();
    let report = run(
        data.path(),
        &["--dataset", "yellow", "--from", &from, "--months", "2023-01..2023-12"],
        3,
    );
    conserved(&report);
    let loaded = loads(&report);
    for (number, (what, _)) in fine.iter().enumerate() {
        let load = loaded.get(&("yellow".to_owned(), month(number)));
        assert_eq!(load.map(|load| load.rows_in), Some(ROWS), "{what}: {:#}", report["refused"]);
    }
    for (number, (what, _, error)) in broken.iter().enumerate() {
        let number = number + fine.len();
        let refused = report["refused"].as_array().expect("refused");
        let refused = refused.iter().find(|refused| refused["month"] == month(number).as_str());
        let refused = refused.unwrap_or_else(|| panic!("{what} was not refused"));
        assert_eq!(refused["file"], name(number).as_str(), "{what}: {refused:#}");
        let found = refused["error"].as_str().unwrap_or_default();
        assert!(
            if error.is_empty() { !found.is_empty() } else { found == *error },
            "{what}: {refused:#}"
        );
        println!("{what}: {found}");
    }
    println!("{} Parquet files, {} of them broken", fine.len() + broken.len(), broken.len());
}

/// Other letters in the middle of a base64 text.
fn noise_text(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + 40].fill(b'!');
    bytes
}
