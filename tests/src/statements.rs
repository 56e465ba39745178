//! `local sql` without a statement of its own: from a pipe, from a file, into files.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::json;

use crate::house::{program, root};

fn piped(data: &Path, arguments: &[&str], text: &str) -> Output {
    let mut child = Command::new(program())
        .arg("sql")
        .args(arguments)
        .arg("--data-dir")
        .arg(data)
        .current_dir(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("local starts");
    // One that has stopped reads no more.
    let _ = child.stdin.take().expect("a pipe").write_all(text.as_bytes());
    child.wait_with_output().expect("local ends")
}

fn texts(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn statements_of_a_pipe_run_one_after_another_up_to_the_first_that_fails() {
    let data = tempfile::tempdir().expect("a folder");
    let text = "-- a database; and what is in it\nCREATE DATABASE rides;\n\\c rides\n\
        CREATE VIEW fares AS SELECT * FROM (VALUES (1, 'a;b'), (2, NULL)) t(id, zone);\n\
        SELECT * FROM fares\n ORDER BY id; \\d\nSELECT count(*) AS n FROM fares";
    let run = |text: &str| texts(&piped(data.path(), &["--format", "csv"], text));
    let (code, out, error) = run(text);
    let tables = "name   kind  columns\n-----  ----  -------\nfares  view        2\n";
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert_eq!(out, format!("id,zone\n1,a;b\n2,\n{tables}n\n2\n"));

    let (code, out, error) = run(text);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(error.starts_with("standard input, line 1:\nerror: "), "{error}");
    assert!(error.contains("rides already exists"), "{error}");

    let failing = "SELECT 1 AS one;\nSELECT\n  zonne\nFROM rides.fares;\nSELECT 2 AS two;";
    let (code, out, error) = texts(&piped(data.path(), &["--format", "json"], failing));
    assert_eq!((code, out.as_str()), (Some(1), "[\n{\"one\":1}\n]\n"));
    assert!(
        error.starts_with(
            "standard input, line 2:\nerror: COLUMN_NOT_FOUND: line 2:3: Column 'zonne'"
        ),
        "{error}"
    );
    assert!(error.contains("\n    zonne\n    ^\n"), "{error}");
}

#[test]
fn a_file_of_statements_leaves_its_result_in_a_file() {
    let data = tempfile::tempdir().expect("a folder");
    let path = |name: &str| data.path().join(name).display().to_string();
    fs::write(
        path("load.sql"),
        "CREATE DATABASE rides;\nSELECT 1 AS id, DECIMAL '2.50' AS fare, ARRAY['a', NULL] AS zones",
    )
    .expect("a file");
    let run = |arguments: &[&str]| texts(&piped(data.path(), arguments, ""));

    let (code, out, error) = run(&["-f", &path("load.sql"), "--output", &path("rows.parquet")]);
    assert_eq!((code, out.as_str()), (Some(0), ""), "{error}");
    let bytes = fs::read(path("rows.parquet")).expect("the file is written");
    let items = lake::parquet_items(bytes.into(), 10).expect("it is Parquet");
    assert_eq!(json!(items), json!([{"id": 1, "fare": 2.50, "zones": ["a", null]}]));

    let (code, _, error) = run(&["SELECT 3 AS id", "--output", &path("rows.json")]);
    assert_eq!(
        (code, fs::read_to_string(path("rows.json")).expect("a file").as_str()),
        (Some(0), "[\n{\"id\":3}\n]\n"),
        "{error}"
    );

    // Many rows come from more than one writer, and none is lost.
    let many = "SELECT a + 1000 * b AS n FROM UNNEST(sequence(1, 1000)) t(a) CROSS JOIN UNNEST(sequence(0, 49)) u(b)";
    let (code, _, error) = run(&[many, "--format", "parquet", "-o", &path("many")]);
    assert_eq!(code, Some(0), "{error}");
    let bytes = fs::read(path("many")).expect("the file is written");
    let items = lake::parquet_items(bytes.into(), usize::MAX).expect("it is Parquet");
    let mut numbers: Vec<i64> = items.iter().filter_map(|item| item["n"].as_i64()).collect();
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(1..=50_000));

    // No rows are a file, too: its columns are known.
    let (code, _, error) = run(&["SELECT 1 AS id WHERE false", "-o", &path("none.parquet")]);
    assert_eq!(code, Some(0), "{error}");
    let bytes = fs::read(path("none.parquet")).expect("the file is written");
    assert_eq!(lake::parquet_items(bytes.into(), 10), Ok(Vec::new()));
}

#[test]
fn what_cannot_be_done_is_said_and_leaves_no_file() {
    let data = tempfile::tempdir().expect("a folder");
    let path = |name: &str| data.path().join(name).display().to_string();
    let to = path("rows.parquet");
    let cases: &[(&[&str], &str)] = &[
        (&["SELECT 1", "--format", "parquet"], "Parquet goes to a file: --output FILE"),
        (
            &["SELECT 1", "--output", "rows.xlsx"],
            "rows.xlsx: a file's name ends in .csv, .json or .parquet",
        ),
        (
            &["SHOW DATABASES", "--output", &to],
            "only what a query answers can be written as Parquet",
        ),
        (&["SELECT\n nothing", "--output", &to], "COLUMN_NOT_FOUND: line 2:2: Column 'nothing'"),
        (&["SELECT json_parse('1') AS j", "--output", &to], "NOT_SUPPORTED"),
        (&["SELECT ARRAY[1] AS a WHERE false", "--output", &to], "there are no rows"),
        (&["--file", "missing.sql"], "missing.sql cannot be read"),
    ];
    for (arguments, expected) in cases {
        let (code, out, error) = texts(&piped(data.path(), arguments, ""));
        assert!(code == Some(1) && error.contains(expected), "{arguments:?}: {out}{error}");
        assert!(!Path::new(&to).exists(), "{arguments:?}");
    }
    let two = piped(data.path(), &["--output", &path("rows.csv")], "SELECT 1 AS a; SELECT 2 AS b;");
    let (code, _, error) = texts(&two);
    assert!(code == Some(1) && error.contains("--output takes one result"), "{error}");
    assert_eq!(fs::read_to_string(path("rows.csv")).expect("the first is written"), "a\n1\n");
    let none = piped(data.path(), &["--output", &path("other.csv")], "CREATE DATABASE rides;");
    let (code, _, error) = texts(&none);
    assert!(code == Some(1) && error.contains("other.csv is not written"), "{error}");
}
