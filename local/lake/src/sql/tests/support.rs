//! The tables of SUPPORT.md, row by row.

use super::{lake, rows, run};

/// What a row says its statement does.
enum Said<'a> {
    Answers(&'a str),
    Refuses(&'a str),
}

struct Row<'a> {
    line: usize,
    statement: &'a str,
    said: Said<'a>,
}

/// Whether a cell begins with the name of an error.
fn is_error(cell: &str) -> bool {
    let name = cell.split([':', ' ']).next().unwrap_or_default();
    name.contains('_') && name.bytes().all(|letter| letter.is_ascii_uppercase() || letter == b'_')
}

/// The rows of the tables, whose second cells are statements.
fn read(text: &str) -> Vec<Row<'_>> {
    let mut section = "";
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
        }
        let Some((_, rest)) = line.strip_prefix("| ").and_then(|row| row.split_once(" | `")) else {
            continue;
        };
        let Some((statement, cells)) = rest.split_once("` | ") else { continue };
        let cell = cells.split(" | ").next().unwrap_or(cells).trim_end_matches('|').trim();
        let said = if section.starts_with("What is refused") || is_error(cell) {
            Said::Refuses(cell)
        } else {
            Said::Answers(cell)
        };
        found.push(Row { line: at + 1, statement, said });
    }
    found
}

fn document() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/SUPPORT.md")).unwrap()
}

/// Each trap names a statement of a file of cases, or a test.
#[test]
fn every_trap_has_its_case() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = document();
    let (_, traps) = document.split_once("\n## Traps").unwrap();
    let rows: Vec<&str> = traps
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| trap |"))
        .collect();
    let sources = |room: &str| {
        let mut all = String::new();
        for entry in std::fs::read_dir(folder.join(room)).unwrap() {
            all.push_str(&std::fs::read_to_string(entry.unwrap().path()).unwrap_or_default());
        }
        all
    };
    let tests = sources("src/sql/tests") + &sources("../aws/src/athena/tests");
    let missing: Vec<&&str> = rows
        .iter()
        .filter(|row| {
            let cell = row.trim_end_matches('|').rsplit(" | ").next().unwrap().trim();
            if cell.starts_with("fn ") {
                return !tests.contains(&format!("{cell}("));
            }
            let Some((file, statement)) =
                cell.strip_prefix('`').and_then(|cell| cell.split_once("`: "))
            else {
                return true;
            };
            let cases =
                std::fs::read_to_string(folder.join("cases").join(file)).unwrap_or_default();
            !cases.lines().any(|line| !line.starts_with('#') && line.contains(statement))
        })
        .collect();
    eprintln!("{} of {} traps have their case", rows.len() - missing.len(), rows.len());
    assert!(missing.is_empty(), "{missing:#?}");
}

/// An Iceberg table of format version 1, without rows.
fn register_first_format(lake: &crate::Lake) {
    let metadata = serde_json::json!({
        "format-version": 1, "location": "s3://lake/first", "last-updated-ms": 1, "last-column-id": 1,
        "schema": {"type": "struct", "fields": [
            {"id": 1, "name": "a", "required": false, "type": "int"},
        ]},
        "partition-spec": [],
    });
    let options = crate::store::PutOptions::default();
    lake.store
        .put("lake", "first.metadata.json", metadata.to_string().as_bytes(), options)
        .unwrap();
    let parameters =
        [("table_type", "ICEBERG"), ("metadata_location", "s3://lake/first.metadata.json")];
    let input = crate::catalog::TableInput {
        name: "first_format".to_owned(),
        parameters: parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Default::default()
    };
    lake.catalog.create_table("default", input).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_support_table_is_true() {
    let text = document();
    let text = text.split("\n## Traps").next().unwrap();
    let table = read(text);
    assert_eq!(
        table.len(),
        text.lines().filter(|line| line.starts_with('|') && line.contains(" | `")).count(),
        "each row with code has a statement"
    );
    let lake = lake();
    for made in [
        "CREATE TABLE orc_table WITH (format = 'ORC', external_location = 's3://lake/orc/') AS SELECT 7 AS b",
        "DROP TABLE orc_table",
        "CREATE EXTERNAL TABLE orc_table (a int) STORED AS ORC LOCATION 's3://lake/orc/'",
        "CREATE TABLE avro_table WITH (format = 'AVRO', external_location = 's3://lake/avro/') AS SELECT 7 AS a, 'x' AS b",
        "CREATE EXTERNAL TABLE ion_table (a int) STORED AS ION LOCATION 's3://lake/ion/'",
        "CREATE TABLE t WITH (external_location = 's3://lake/t/') AS SELECT 1 AS a",
        "CREATE TABLE ice WITH (table_type = 'ICEBERG', is_external = false, location = 's3://lake/ice/') AS SELECT a, b FROM (VALUES (1, 'x'), (2, 'y')) t(a, b)",
    ] {
        run(&lake, made).await.unwrap();
    }
    register_first_format(&lake);
    let mut wrong = Vec::new();
    for row in &table {
        let done = match lake.check(row.statement) {
            Err(error) => Err(error.to_string()),
            Ok(_) => run(&lake, row.statement).await,
        };
        let shown = match &done {
            Err(error) => error.clone(),
            Ok(output) => rows(&lake, output)
                .into_iter()
                .map(|row| {
                    let values =
                        row.into_iter().map(|value| value.unwrap_or_else(|| "NULL".to_owned()));
                    values.collect::<Vec<_>>().join(" · ")
                })
                .collect::<Vec<_>>()
                .join(" / "),
        };
        let holds = match row.said {
            Said::Answers(answer) => done.is_ok() && shown == answer,
            Said::Refuses(refusal) => done.is_err() && shown.contains(refusal),
        };
        if !holds {
            wrong.push(format!("SUPPORT.md:{}: {}\n  {shown}", row.line, row.statement));
        }
    }
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), table.len(), wrong.join("\n"));
}
