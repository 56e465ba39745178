//! Others' cases, where the folder with them is present beside the project: Trino's
//! own unit tests, and the statements of Athena's user guide.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::record_batch::RecordBatch;
use serde_json::Value;

use super::canonical::{of_array, of_json};
use super::guide::{REFUSED, Reason};
use super::not_athena::Reasons;
use super::trino_functions::installed;
use super::{context, lake};
use crate::Lake;
use crate::sql::QueryError;

/// What was reached, in cases: a change may raise it, none may lower it.
const CORE_FLOOR: usize = 4072;
const ALL_FLOOR: usize = 11_686;

fn folder() -> Option<PathBuf> {
    let folder =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/athena");
    folder.is_dir().then_some(folder)
}

/// A file of JSON lines, with Python's NaN and Infinity as texts.
pub(super) fn cases(name: &str) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(folder()?.join(name)).ok()?;
    let number = regex::Regex::new(r"([\[,:]\s*)(NaN|-?Infinity)").unwrap();
    let lines = text.lines().map(|line| {
        serde_json::from_str(line).unwrap_or_else(|_| {
            let (statement, expected) = line.split_once("\"expect\"").unwrap();
            let expected = number.replace_all(expected, "${1}{\"t\":\"double\",\"v\":\"${2}\"}");
            serde_json::from_str(&format!("{statement}\"expect\"{expected}")).unwrap()
        })
    });
    Some(lines.collect())
}

pub(super) async fn evaluate(lake: &Lake, query: &str) -> Result<Vec<RecordBatch>, QueryError> {
    crate::trino::collect(lake, &context("conformance"), query).await
}

fn rows(batches: &[RecordBatch]) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let values: Vec<String> =
                batch.columns().iter().map(|column| of_array(column.as_ref(), row)).collect();
            rows.push(values.join(" | "));
        }
    }
    rows
}

/// The type of the first column.
fn column_type(batches: &[RecordBatch]) -> DataType {
    let first = batches.first().and_then(|batch| batch.columns().first());
    first.map_or(DataType::Null, |column| column.data_type().clone())
}

/// The query an expression stands in: its bindings as columns of one row.
fn query_of(case: &Value, expression: &str) -> String {
    match case.get("bindings").and_then(Value::as_object) {
        Some(bindings) => {
            let names: Vec<&str> = bindings.keys().map(String::as_str).collect();
            let values: Vec<&str> = bindings.values().filter_map(Value::as_str).collect();
            format!(
                "SELECT {expression} FROM (VALUES ROW({})) t({})",
                values.join(", "),
                names.join(", ")
            )
        }
        None => format!("SELECT {expression}"),
    }
}

#[derive(Debug, PartialEq)]
enum Verdict {
    Right,
    /// An answer, but not Trino's.
    Wrong(String),
    /// A failure where Trino answers, or the other way about.
    Failed(String),
}

async fn judge(lake: &Lake, case: &Value) -> Verdict {
    let expression = case["form"] == "expression";
    let sql = case["sql"].as_str().unwrap_or_default();
    let expect = &case["expect"];
    let query = if expression { query_of(case, sql) } else { sql.to_owned() };
    let found = evaluate(lake, &query).await;
    if expect["kind"] == "error" {
        return judge_error(expect, found.map(|batches| rows(&batches)));
    }
    let (kind, found) = match found {
        Ok(batches) => (column_type(&batches), rows(&batches)),
        Err(error) => return Verdict::Failed(error.to_string()),
    };
    let expected = match expect["kind"].as_str().unwrap_or_default() {
        "empty" => Vec::new(),
        "null" => vec!["null".to_owned()],
        "value" => vec![of_json(&expect["value"], &kind)],
        _ => {
            let other = expect["value"].as_str().unwrap_or_default();
            let other = if expression { query_of(case, other) } else { other.to_owned() };
            match evaluate(lake, &other).await {
                Ok(batches) => rows(&batches),
                Err(error) => return Verdict::Failed(format!("expected side: {error}")),
            }
        }
    };
    let (mut found, mut expected) = (found, expected);
    if case["ordered"] != true {
        found.sort();
        expected.sort();
    }
    if found == expected {
        Verdict::Right
    } else {
        Verdict::Wrong(format!("{found:?} for {expected:?}"))
    }
}

fn judge_error(expect: &Value, found: Result<Vec<String>, QueryError>) -> Verdict {
    let error = match found {
        Ok(rows) => return Verdict::Wrong(format!("answered {rows:?} for {expect}")),
        Err(error) => error.to_string(),
    };
    let (code, message) = error.split_once(": ").unwrap_or((&error, ""));
    let right = match (
        expect["code"].as_str(),
        expect["message"].as_str(),
        expect["message_contains"].as_str(),
    ) {
        (Some(expected), _, _) if expected == code => true,
        (_, Some(expected), _) => {
            message.contains(expected.trim_start_matches("line 1:1: "))
                || expected.ends_with(message)
        }
        (_, _, Some(expected)) => message.contains(expected),
        (None, None, None) => true,
        _ => false,
    };
    if right { Verdict::Right } else { Verdict::Failed(format!("{error} for {expect}")) }
}

#[derive(Default, Debug, Clone, Copy)]
struct Score {
    right: usize,
    wrong: usize,
    all: usize,
}

/// Counts by group, and cases that are not right and not Athena's, by the reason.
struct Scores {
    total: Score,
    groups: BTreeMap<String, Score>,
    excused: BTreeMap<&'static str, usize>,
}

/// What is not right goes to a file when `CONFORMANCE_REPORT` names one.
async fn score(lakes: &Lakes, cases: &[Value]) -> Scores {
    let (reasons, mut excused) = (Reasons::new(), BTreeMap::new());
    let mut total = Score::default();
    let mut groups: BTreeMap<String, Score> = BTreeMap::new();
    let mut report = String::new();
    for case in cases {
        let verdict = judge(lakes.of(case), case).await;
        if verdict != Verdict::Right
            && let Some(reason) = reasons.not_athena(case)
        {
            *excused.entry(reason).or_default() += 1;
            continue;
        }
        let group =
            groups.entry(case["group"].as_str().unwrap_or_default().to_owned()).or_default();
        for score in [&mut total, group] {
            score.all += 1;
            score.right += usize::from(verdict == Verdict::Right);
            score.wrong += usize::from(matches!(verdict, Verdict::Wrong(_)));
        }
        if verdict != Verdict::Right {
            let _ = writeln!(
                report,
                "{}\t{}\t{} {}\t{verdict:?}",
                case["id"], case["group"], case["sql"], case["bindings"]
            );
        }
    }
    if let Some(path) = std::env::var_os("CONFORMANCE_REPORT") {
        use std::io::Write as _;
        let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(report.as_bytes()).unwrap();
    }
    Scores { total, groups, excused }
}

fn show(title: &str, scores: &Scores) {
    let Scores { total, groups, excused } = scores;
    eprintln!(
        "{title}: {} of {} right, {} answered otherwise",
        total.right, total.all, total.wrong
    );
    for (group, score) in groups {
        eprintln!(
            "  {group}: {} of {}, {} answered otherwise",
            score.right, score.all, score.wrong
        );
    }
    for (reason, count) in excused {
        eprintln!("  {count} are not Athena's: {reason}");
    }
}

pub(super) fn on_a_deep_stack(work: impl Future<Output = ()> + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(64 * 1024 * 1024).spawn(move || {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
    });
    thread.unwrap().join().unwrap();
}

/// A lake whose sessions are in a zone.
fn lake_in(zone: &str) -> Lake {
    let mut lake = installed(lake());
    lake.engine = lake.engine.in_zone(crate::moment::Zone::parse(zone).unwrap());
    lake
}

/// Lakes with the sessions the cases were recorded in.
struct Lakes {
    apia: Lake,
    los_angeles: Lake,
}

impl Lakes {
    fn new() -> Self {
        Self { apia: lake_in("Pacific/Apia"), los_angeles: lake_in("America/Los_Angeles") }
    }

    fn of(&self, case: &Value) -> &Lake {
        match case["source"].as_str() {
            Some(source) if source.contains("TestAtLocal") => &self.los_angeles,
            _ => &self.apia,
        }
    }
}

#[test]
fn trino_unit_tests() {
    let Some(cases) = cases("trino_unit_tests.jsonl") else {
        eprintln!("0 cases: no conformance folder");
        return;
    };
    on_a_deep_stack(async move {
        let lakes = Lakes::new();
        let (core, rest): (Vec<Value>, Vec<Value>) =
            cases.into_iter().partition(|case| case["etl_core"] == true);
        let core_scores = score(&lakes, &core).await;
        show("etl_core", &core_scores);
        let rest_scores = score(&lakes, &rest).await;
        show("the rest", &rest_scores);
        let (core_total, rest_total) = (core_scores.total, rest_scores.total);
        assert!(
            core_total.right >= CORE_FLOOR,
            "{} core cases are right, {CORE_FLOOR} were",
            core_total.right
        );
        let all = core_total.right + rest_total.right;
        assert!(all >= ALL_FLOOR, "{all} cases are right, {ALL_FLOOR} were");
    });
}

/// Every statement of the guide is read, and what is none, or none of Athena's, is refused.
#[test]
fn athena_doc_statements() {
    let Some(folder) = folder() else {
        eprintln!("0 statements: no conformance folder");
        return;
    };
    let text = std::fs::read_to_string(folder.join("athena_doc_statements.json")).unwrap();
    let statements: Vec<Value> = serde_json::from_str(&text).unwrap();
    let lake = lake();
    let mut refused: BTreeMap<Reason, usize> = BTreeMap::new();
    let (mut read, mut all, mut wrong) = (0, 0, Vec::new());
    for statement in statements.iter().filter(|statement| statement["grammar"] != true) {
        let sql = statement["sql"].as_str().unwrap_or_default();
        let (file, line) = (&statement["file"], statement["line"].as_u64().unwrap_or_default());
        let reason = REFUSED.iter().find(|(name, at, _)| *file == *name && *at == line);
        all += 1;
        match (lake.check(sql), reason) {
            (Ok(_), None) => read += 1,
            (Err(_), Some((_, _, reason))) => *refused.entry(*reason).or_default() += 1,
            (Ok(kind), Some(_)) => wrong.push(format!("{file}:{line} is read as {kind:?}\n{sql}")),
            (Err(error), None) => wrong.push(format!("{file}:{line}: {error}\n{sql}")),
        }
    }
    eprintln!(
        "{read} of {all} statements of the guide are read, refused as they must be: {refused:?}"
    );
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
    assert_eq!(refused.values().sum::<usize>(), REFUSED.len(), "a text that is not in the guide");
}
