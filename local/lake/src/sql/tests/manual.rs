//! The examples of Trino's manual. What they show is prose: rows as `(1, 12)` or
//! `ROW(1, 12)`, texts with quotes or without, maps with `=` or `->`, remarks after it.

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::record_batch::RecordBatch;
use serde_json::Value;

use super::conformance::{cases, evaluate, on_a_deep_stack};
use super::lake;
use super::not_athena::Reasons;
use crate::sql::write_value;

/// What was reached, in examples: a change may raise it, none may lower it.
const FLOOR: usize = 213;

/// Examples whose answer is another each time or everywhere.
const UNSTEADY: [(&str, &str); 6] = [
    ("localtimestamp(", "the clock"),
    ("current_timezone()", "the zone of the manual's session"),
    ("from_iso8601_timestamp('2020-05-11')", "the zone of the manual's session"),
    ("AT LOCAL", "AT LOCAL (Trino 482)"),
    ("FROM table", "no statement"),
    (r#"json_parse('["a": 1"#, "a document that is none"),
];

fn reason(reasons: &Reasons, case: &Value) -> Option<&'static str> {
    let sql = case["sql"].as_str().unwrap_or_default();
    if case["group"] == "ai" {
        return Some("functions of a language model: ai_…");
    }
    let unsteady = UNSTEADY.iter().find(|(mark, _)| sql.contains(mark)).map(|(_, why)| *why);
    unsteady.or_else(|| {
        let methods =
            case["source"].as_str().is_some_and(|source| source.contains("language/types"))
                && sql.contains("'.");
        if methods {
            return Some("values by methods: 'x'.length() (Trino 482)");
        }
        reasons.not_athena(case)
    })
}

/// How rows are written: `ROW(1, x)`, `{a=1, b=x}` or `(1, x)`.
#[derive(Clone, Copy)]
enum Rows {
    Named,
    Plain,
}

fn shown(array: &dyn Array, at: usize, rows: Rows) -> String {
    if array.is_null(at) || array.data_type() == &DataType::Null {
        return "null".to_owned();
    }
    match array.data_type() {
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(at);
            let items: Vec<String> =
                (0..items.len()).map(|item| shown(items.as_ref(), item, rows)).collect();
            format!("[{}]", items.join(", "))
        }
        DataType::Struct(fields) => {
            let row = array.as_struct();
            let parts = row.columns().iter().zip(fields);
            let parts: Vec<String> = parts
                .map(|(column, field)| match rows {
                    Rows::Named => format!("{}={}", field.name(), shown(column.as_ref(), at, rows)),
                    Rows::Plain => shown(column.as_ref(), at, rows),
                })
                .collect();
            match rows {
                Rows::Named => format!("{{{}}}", parts.join(", ")),
                Rows::Plain => format!("ROW({})", parts.join(", ")),
            }
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(at);
            let pairs: Vec<String> = (0..entries.len())
                .map(|entry| {
                    let part = |column: usize| shown(entries.column(column).as_ref(), entry, rows);
                    format!("{}={}", part(0), part(1))
                })
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        _ => {
            let mut text = String::new();
            write_value(array, at, &mut text);
            text
        }
    }
}

fn answer(batches: &[RecordBatch], rows: Rows) -> String {
    let mut lines = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let values: Vec<String> =
                batch.columns().iter().map(|column| shown(column.as_ref(), row, rows)).collect();
            lines.push(match values.as_slice() {
                [value] => value.clone(),
                _ => format!("({})", values.join(", ")),
            });
        }
    }
    lines.sort();
    lines.join("\n")
}

/// A text without what the manual writes now so, now otherwise.
fn normal(text: &str) -> String {
    // Timestamps of the manual have three digits, whatever their type.
    let thousandths = regex::Regex::new(r"(\d\d:\d\d:\d\d)\.000\b").unwrap();
    let text = thousandths.replace_all(text, "$1");
    let text = text.trim().trim_start_matches("> ").replace("NULL", "null");
    let text =
        text.replace(" -> ", "=").replace(" = ", "=").replace("JSON '", "'").replace("X'", "'");
    let mut lines: Vec<String> = text.lines().map(|line| line.replace('\'', "")).collect();
    lines.sort();
    lines.join("\n")
}

fn is_right(expected: &str, found: Result<&[RecordBatch], &str>) -> bool {
    let fails = ["ERROR", "failure"].iter().any(|mark| normal(expected).starts_with(mark));
    match found {
        Err(_) => fails || expected.contains("invalid JSON"),
        Ok(batches) => [Rows::Named, Rows::Plain].into_iter().any(|rows| {
            let (expected, found) = (normal(expected), normal(&answer(batches, rows)));
            // What follows in parentheses is a remark.
            expected == found
                || expected.strip_prefix(&found).is_some_and(|rest| rest.trim().starts_with('('))
                || as_json(&expected).is_some_and(|wanted| Some(wanted) == as_json(&found))
        }),
    }
}

/// Documents that differ in blanks alone are one.
fn as_json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

#[test]
fn trino_manual() {
    let Some(cases) = cases("trino_functions.jsonl") else {
        eprintln!("0 examples: no conformance folder");
        return;
    };
    on_a_deep_stack(async move {
        let (lake, reasons) = (lake(), Reasons::new());
        let mut excused: std::collections::BTreeMap<&str, usize> =
            std::collections::BTreeMap::new();
        let (mut right, mut all) = (0, 0);
        for case in &cases {
            if let Some(why) = reason(&reasons, case) {
                *excused.entry(why).or_default() += 1;
                continue;
            }
            all += 1;
            let sql = case["sql"].as_str().unwrap_or_default();
            let expected = case["expect"]["value"].as_str().unwrap_or_default();
            let found = evaluate(&lake, sql).await.map_err(|error| error.to_string());
            if is_right(expected, found.as_deref().map_err(String::as_str)) {
                right += 1;
                continue;
            }
            let found = found.map_or_else(|error| error, |rows| answer(&rows, Rows::Plain));
            eprintln!("{} {sql}\n    {found}\n    expected {expected}", case["id"]);
        }
        eprintln!("{right} of {all} examples of the manual are right");
        for (why, count) in excused {
            eprintln!("  {count} are not Athena's: {why}");
        }
        assert!(right >= FLOOR, "{right} examples are right, {FLOOR} were");
    });
}
