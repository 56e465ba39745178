//! Texts that come from outside and stand in statements, and errors of those who handle errors.

use std::fs;
use std::time::Instant;

use lake::hive::HiveStatement;
use lake::sql::Statement;
use lake::trino::TrinoStatement;
use serde_json::{Value, json};
use shared::event::ValidateInput;

use crate::house::root;
use crate::whole_run::local;

/// What a name may not do is end its text and begin another.
const HOSTILE: &[&str] = &[
    "a+b%2Fc",
    "%E2%98%83",
    "../../x",
    "//",
    "x\0y",
    "'; DROP TABLE green_trips; --",
    "\\'; DROP TABLE green_trips; --",
    "\\",
    "`; DROP TABLE x",
    "\" FROM x; --",
    "*/ x /*",
    "{} {}",
    "line\nend\r",
    "\u{2603}\u{202e}",
    "${x}",
    "?",
];

fn input(file: &str) -> ValidateInput {
    let key = format!("raw/zones/{file}/");
    let source = json!({"kind": "s3", "bucket": "raw", "key": key});
    let input = json!({
        "unit": {"dataset": "zones", "month": "current", "source": source, "reason": "new"},
        "manifest": {"location": format!("s3://raw/{key}"), "key": key, "file": file, "bytes": 1, "lines": 3,
            "fingerprint": "f", "etag": "e", "format": "csv", "unchanged": false},
    });
    serde_json::from_value(input).expect("it is the agreed form")
}

#[test]
fn no_name_of_a_file_ends_its_text() {
    let database = "a\"b`c";
    let config = validate::Config {
        database: database.to_owned(),
        raw_bucket: "raw".to_owned(),
        lake_bucket: "lake".to_owned(),
    };
    let long = "k".repeat(1_024);
    for name in HOSTILE.iter().copied().chain([long.as_str()]) {
        let header =
            format!("LocationID,Borough,Zone,service_zone,\"{}\"\n", name.replace('"', "\"\""));
        let Ok(schema) = validate::csv_header::parse(header.as_bytes(), false) else { continue };
        let input = input(name);
        let validation = validate::validate(
            &config,
            &input,
            &schema,
            "0123456789ab",
            jiff::civil::DateTime::default(),
        )
        .expect("the columns are there");
        let parse = |sql: &str| {
            let parsed = Statement::parse(sql, Some(&[]));
            parsed.unwrap_or_else(|error| panic!("{name:?}: {error:?}\n{sql}")).1
        };
        let Statement::Hive(HiveStatement::CreateTable(raw)) = parse(&validation.sql.create_raw)
        else {
            panic!("{name:?}: {}", validation.sql.create_raw);
        };
        assert_eq!(raw.location, Some(input.manifest.location.to_string()), "{name:?}");
        assert_eq!(raw.name.database.as_deref(), Some(database));
        let convert = parse(&validation.sql.convert);
        assert!(matches!(convert, Statement::Trino(TrinoStatement::CreateTableAs(_))), "{name:?}");
        let audit = parse(&validation.sql.audit);
        assert!(matches!(audit, Statement::Trino(TrinoStatement::Query(_))), "{name:?}");
    }
}

/// Contracts have no SQL of their own; what their rules become is one statement, and one that fails is no answer.
#[test]
fn no_query_of_a_rule_takes_for_ever_or_passes_by_failing() {
    let data = tempfile::tempdir().expect("a folder");
    let data = data.path().display().to_string();
    let check = |query: &str, expected: Result<&str, &str>| {
        let begun = Instant::now();
        let output = local(&["sql", query, "--format", "csv", "--data-dir", &data]);
        assert!(begun.elapsed().as_secs() < 60, "{query}");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (found, said) = (text(&output.stdout), text(&output.stderr));
        match expected {
            Ok(value) => {
                assert!(
                    output.status.success() && found.contains(value),
                    "{query}: {found} {said}"
                );
            }
            Err(reason) => assert!(
                !output.status.success() && said.contains(reason),
                "{query}: {found} {said}"
            ),
        }
    };
    let catastrophe = format!("SELECT regexp_like('{}!', '^(a+)+$') AS x", "a".repeat(5_000));
    check(&catastrophe, Ok("false"));
    check("SELECT 1 / 0", Err("DIVISION_BY_ZERO"));
    check("SELECT count(*) AS n FROM (VALUES 1) AS t(x) WHERE x > 1", Ok("0"));
    check("SELECT 1; SELECT 2", Err("line 1:9"));
    check("SELECT 1; DROP TABLE x", Err("line 1:9"));
    let chain = format!("SELECT 1{}", " + 1".repeat(20_000));
    check(&chain, Err("more than 1000 operators"));
}

#[test]
fn an_error_of_the_handler_leads_to_the_queue_and_never_back() {
    let path = root().join("statemachines/nyc_taxi_etl.asl.json");
    let text = fs::read_to_string(path).expect("the state machine");
    let machine: Value = serde_json::from_str(&text).expect("JSON");
    let mut handlers = 0;
    machines(&machine, &mut |states| {
        for (name, state) in states.as_object().expect("states") {
            let function = state["Arguments"]["FunctionName"].as_str().unwrap_or_default();
            if !function.contains("HandleError") {
                continue;
            }
            handlers += 1;
            let catch = state["Catch"].as_array().and_then(|catch| catch.last()).expect("a Catch");
            assert_eq!(catch["ErrorEquals"], json!(["States.ALL"]), "{name}");
            let mut seen = vec![catch["Next"].as_str().expect("a state").to_owned()];
            let mut at = 0;
            while let Some(next) = seen.get(at).cloned() {
                let more: Vec<_> = leads(&states[next.as_str()]);
                seen.extend(
                    more.into_iter().filter(|lead| !seen.contains(lead)).collect::<Vec<_>>(),
                );
                at += 1;
            }
            assert!(!seen.contains(name), "{name} is led back to by {seen:?}");
            assert!(seen.iter().any(|name| name.contains("DeadLetter")), "{name}: {seen:?}");
        }
    });
    assert_eq!(handlers, 2);
}

fn machines(value: &Value, visit: &mut dyn FnMut(&Value)) {
    if value["States"].is_object() {
        visit(&value["States"]);
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| machines(item, visit)),
        Value::Object(members) => members.values().for_each(|member| machines(member, visit)),
        _ => {}
    }
}

fn leads(state: &Value) -> Vec<String> {
    let entries = ["Choices", "Catch"].iter().filter_map(|name| state[*name].as_array()).flatten();
    let nexts = entries.map(|entry| &entry["Next"]).chain([&state["Next"], &state["Default"]]);
    nexts.filter_map(Value::as_str).map(str::to_owned).collect()
}
