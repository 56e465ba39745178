//! One run over CSV files that are each bad in one way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::whole_run::{conserved, loads, local, run, succeed};

const HEADER: &str = "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,\
    store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,\
    improvement_surcharge,total_amount";
const GOOD_ROWS: usize = 10;

/// What must become of a file.
enum Outcome {
    /// Rows loaded, and rejected ones with the rule that each breaks.
    Loaded(u64, &'static [&'static str]),
    /// The error's name, and the column at fault.
    Refused(&'static str, Option<&'static str>),
}
use Outcome::{Loaded, Refused};

const TEN: u64 = GOOD_ROWS as u64;
const RAGGED: &str = "ragged_row";
const UNPARSABLE: &str = "unparsable_value";

struct Case {
    what: &'static str,
    extension: &'static str,
    bytes: Vec<u8>,
    outcome: Outcome,
}

/// A good row, with other values in some columns.
fn row(values: &[(&str, &str)]) -> Vec<u8> {
    let good = [
        "2",
        "2018-01-01 00:41:22",
        "2018-01-01 00:45:37",
        "1",
        ".42",
        "1",
        "N",
        "229",
        "79",
        "1",
        "4",
        "0.5",
        "0.5",
        "0.96",
        "0",
        "0.3",
        "6.26",
    ];
    let mut fields = good.map(str::to_owned);
    for (name, value) in values {
        let place = HEADER.split(',').position(|column| column == *name).expect("a column");
        (*value).clone_into(&mut fields[place]);
    }
    fields.join(",").into_bytes()
}

/// The header, ten good rows, and these.
fn file(end: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let rows = std::iter::once(HEADER.as_bytes().to_vec());
    let rows = rows.chain(std::iter::repeat_n(row(&[]), GOOD_ROWS)).chain(more.iter().cloned());
    rows.flat_map(|row| [row, end.as_bytes().to_vec()].concat()).collect()
}

/// A good file with a changed header, and something at each row's end.
fn headed(header: &str, tail: &str) -> Vec<u8> {
    let text = String::from_utf8(file(&format!("{tail}\n"), &[])).expect("good rows are text");
    text.replacen(&format!("{HEADER}{tail}"), header, 1).into_bytes()
}

fn with(column: &str, values: &[&str]) -> Vec<u8> {
    let rows: Vec<_> = values.iter().map(|value| row(&[(column, value)])).collect();
    file("\n", &rows)
}

fn case(what: &'static str, bytes: Vec<u8>, outcome: Outcome) -> Case {
    Case { what, extension: "csv", bytes, outcome }
}

#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn cases() -> Vec<Case> {
    let plus = |tail: &str| [row(&[]), tail.as_bytes().to_vec()].concat();
    let reversed = |line: &[u8]| {
        let mut fields: Vec<_> = line.split(|byte| *byte == b',').collect();
        fields.reverse();
        fields.join(&b","[..])
    };
    let good = file("\n", &[]);
    let reordered: Vec<_> = good.split(|byte| *byte == b'\n').map(reversed).collect();
    let replaced = |value: &str, by: &[u8]| {
        let bytes = with(value, &["@@"]);
        let at = bytes.windows(2).position(|found| found == b"@@").expect("it was put there");
        [&bytes[..at], by, &bytes[at + 2..]].concat()
    };
    let huge = "x".repeat(3 << 20);
    let mut cases = vec![
        case("nothing", good.clone(), Loaded(TEN, &[])),
        case(
            "a byte-order mark",
            [b"\xef\xbb\xbf".to_vec(), good.clone()].concat(),
            Loaded(TEN, &[]),
        ),
        case("CRLF", file("\r\n", &[]), Loaded(TEN, &[])),
        case("blank lines", file("\n\n\r\n", &[]), Loaded(TEN, &[])),
        case(
            "ragged rows",
            file("\n", &[b"1,2,3".to_vec(), row(&[])[..60].to_vec(), b",".to_vec()]),
            Loaded(TEN, &[RAGGED; 3]),
        ),
        case(
            "rows wider than the header",
            file(
                "\n",
                &[plus(","), plus(",,"), plus(",7"), plus(",,7"), plus(",,,"), plus(",,,,,,,,9")],
            ),
            Loaded(TEN + 2, &[RAGGED; 4]),
        ),
        case(
            "a huge number",
            with("fare_amount", &[&"9".repeat(1 << 20)]),
            Loaded(TEN, &[UNPARSABLE]),
        ),
        case("a huge text", with("store_and_fwd_flag", &[&huge]), Loaded(TEN, &[UNPARSABLE])),
        case(
            "bad UTF-8 in a number",
            replaced("fare_amount", b"\xff\xfe"),
            Loaded(TEN, &[UNPARSABLE]),
        ),
        case(
            "bad UTF-8 in a text",
            replaced("store_and_fwd_flag", b"\xc3("),
            Loaded(TEN, &[UNPARSABLE]),
        ),
        case("NUL", with("passenger_count", &["\0"]), Loaded(TEN, &[UNPARSABLE])),
        case("an open quote", with("store_and_fwd_flag", &["\"N"]), Loaded(TEN, &[RAGGED])),
        case(
            "a line end in quotes",
            with("store_and_fwd_flag", &["\"N\nY\""]),
            Loaded(TEN, &[RAGGED; 2]),
        ),
        case(
            "a cut last row",
            [file("\n", &[]), row(&[])[..60].to_vec()].concat(),
            Loaded(TEN, &[RAGGED]),
        ),
        case(
            "i64 overflow",
            with("PULocationID", &["9223372036854775808", "-99999999999999999999", "1e30"]),
            Loaded(TEN, &[UNPARSABLE; 3]),
        ),
        case(
            "1e999",
            with("total_amount", &["1e999", "-1e999", "NaN", "Infinity", "0x10", "1,5"]),
            Loaded(TEN, &[UNPARSABLE, UNPARSABLE, UNPARSABLE, UNPARSABLE, UNPARSABLE, RAGGED]),
        ),
        case(
            "impossible dates",
            with(
                "tpep_pickup_datetime",
                &[
                    "2018-02-30 00:00:00",
                    "2018-13-01 00:00:00",
                    "2018-01-01 25:00:00",
                    "0000-00-00 00:00:00",
                    "yesterday",
                ],
            ),
            Loaded(TEN, &[UNPARSABLE; 5]),
        ),
        case("an empty column", headed(&format!("{HEADER},nothing"), ","), Loaded(TEN, &[])),
        case("an extra column", headed(&format!("{HEADER},mood"), ",fine"), Loaded(TEN, &[])),
        case("reordered columns", reordered.join(&b"\n"[..]), Loaded(TEN, &[])),
        case("an empty file", Vec::new(), Refused("Data.Empty", None)),
        case("a header alone", format!("{HEADER}\n").into_bytes(), Refused("Data.Empty", None)),
        case(
            "a header and blank lines",
            format!("{HEADER}\r\n\r\n\n").into_bytes(),
            Refused("Data.Empty", None),
        ),
        case(
            "no header",
            good[HEADER.len() + 1..].to_vec(),
            Refused("Schema.MissingColumn", Some("pulocationid")),
        ),
        case(
            "a renamed column",
            headed(&HEADER.replace("PULocationID", "somewhere"), ""),
            Refused("Schema.MissingColumn", Some("pulocationid")),
        ),
        case(
            "a column twice",
            headed(&format!("{HEADER},PULocationID"), ",1"),
            Refused("Schema.Unreadable", Some("pulocationid")),
        ),
        case(
            "bad UTF-8 in the header",
            [b"\xff,".to_vec(), good.clone()].concat(),
            Refused("Schema.Unreadable", None),
        ),
        case(
            "mostly bad rows",
            file("\n", &vec![b"1,2".to_vec(); GOOD_ROWS + 1]),
            Refused("DataQuality.RuleFailed", None),
        ),
        case(
            "a measured column that is empty",
            [
                HEADER.as_bytes(),
                &[b"\n".as_slice(), &row(&[("total_amount", "")])].concat().repeat(10),
            ]
            .concat(),
            Refused("DataQuality.RuleFailed", None),
        ),
        case("a Parquet file", b"PAR1 and so on PAR1".to_vec(), Refused("Schema.Unreadable", None)),
    ];
    let packed = |what, bytes, outcome| Case { what, extension: "csv.gz", bytes, outcome };
    cases.push(packed("a suffix that lies", good, Refused("Schema.Unreadable", None)));
    cases.push(packed(
        "truncated gzip",
        GZIP[..GZIP.len() - 6].to_vec(),
        Refused("Data.Truncated", None),
    ));
    cases
}

/// `x\n` in gzip.
const GZIP: &[u8] = &[
    0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0xff, 0x01, 0x02, 0, 0xfd, 0xff, b'x', b'\n', 0x13, 0x6b,
    0x7c, 0x1c, 2, 0, 0, 0,
];

/// One month each, all with the columns of 2017 and 2018 and the months around them.
fn month(number: usize) -> String {
    format!("{}-{:02}", 2017 + number / 12, number % 12 + 1)
}

#[test]
fn every_row_of_a_bad_file_is_accounted_for_or_the_file_is_refused() {
    let (source, data) =
        (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let cases = cases();
    for (number, case) in cases.iter().enumerate() {
        let name = format!("yellow_tripdata_{}.{}", month(number), case.extension);
        fs::write(source.path().join(name), &case.bytes).expect("written");
    }
    let months = format!("{}..{}", month(0), month(cases.len() - 1));
    let from = source.path().display().to_string();
    let arguments = ["--dataset", "yellow", "--from", &from, "--months", &months];
    let report = run(data.path(), &arguments, 3);
    conserved(&report);
    let (loaded, rejected) = (loads(&report), rejects(data.path()));
    for (number, Case { what, extension, outcome, .. }) in cases.iter().enumerate() {
        let month = month(number);
        let file = format!("yellow_tripdata_{month}.{extension}");
        let load = loaded.get(&("yellow".to_owned(), month.clone()));
        let refused = report["refused"].as_array().expect("refused");
        let refused = refused.iter().find(|refused| refused["month"] == month.as_str());
        match outcome {
            Loaded(rows, rules) => {
                let load = load.unwrap_or_else(|| panic!("{what}: {refused:#?}"));
                assert_eq!(
                    (load.rows_out, load.rows_rejected),
                    (*rows, rules.len() as u64),
                    "{what}"
                );
                let mut expected: Vec<_> =
                    rules.iter().map(|rule| (file.clone(), (*rule).to_owned())).collect();
                let mut found = rejected.get(&month).cloned().unwrap_or_default();
                expected.sort();
                found.sort();
                assert_eq!(found, expected, "{what}");
            }
            Refused(error, column) => {
                let refused = refused.unwrap_or_else(|| panic!("{what}: it was not refused"));
                assert!(load.is_none(), "{what}: it was loaded");
                assert_eq!(refused["error"], *error, "{what}: {refused:#}");
                assert_eq!(refused["file"], file.as_str(), "{what}");
                let named = refused["column"].as_str().unwrap_or_default();
                assert!(column.is_none_or(|column| named.contains(column)), "{what}: {refused:#}");
            }
        }
    }
    println!("{} bad CSV files", cases.len());
}

/// File and rule of every rejected row, by month; each has its reason and its text.
fn rejects(data: &Path) -> BTreeMap<String, Vec<(String, String)>> {
    let query =
        "SELECT month, file, rule, length(reason) > 10 AND length(raw) > 0 FROM yellow_rejected";
    let output =
        local(&["sql", query, "--format", "csv", "--data-dir", &data.display().to_string()]);
    succeed(&output, 0);
    let mut rejects = BTreeMap::<_, Vec<_>>::new();
    for line in String::from_utf8_lossy(&output.stdout).lines().skip(1) {
        let fields: Vec<_> =
            line.split(',').map(|field| field.trim_matches('"').to_owned()).collect();
        let [month, file, rule, told] = fields.as_slice() else { panic!("{line}") };
        assert_eq!(told, "true", "{line}");
        rejects.entry(month.clone()).or_default().push((file.clone(), rule.clone()));
    }
    rejects
}
