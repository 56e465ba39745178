//! Reads and runs a file of cases.

use super::{lake, lines, rows, run as execute};
use crate::Lake;
use crate::store::PutOptions;

struct Case<'a> {
    line: usize,
    directive: &'a str,
    body: Vec<&'a str>,
    expected: Vec<&'a str>,
}

/// How many cases ran, and a text for each that failed.
async fn run_cases(lake: &Lake, name: &str, text: &str) -> (usize, Vec<String>) {
    let cases = parse(text);
    let mut failures = Vec::new();
    for case in &cases {
        if let Err(why) = check(lake, case).await {
            failures.push(format!(
                "{name}:{}: {}\n  {}\n  {why}",
                case.line,
                case.directive,
                case.body.join("\n  ")
            ));
        }
    }
    (cases.len(), failures)
}

pub(super) async fn run(name: &str, text: &str) -> (usize, Vec<String>) {
    run_cases(&lake(), name, text).await
}

fn parse(text: &str) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut case =
            Case { line: at + 1, directive: line, body: Vec::new(), expected: Vec::new() };
        let mut expecting = false;
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.trim().is_empty()) {
            if line == "----" {
                expecting = true;
            } else if expecting {
                case.expected.push(line);
            } else {
                case.body.push(line);
            }
        }
        cases.push(case);
    }
    cases
}

async fn check(lake: &Lake, case: &Case<'_>) -> Result<(), String> {
    let (word, argument) = case.directive.split_once(' ').unwrap_or((case.directive, ""));
    let statement = case.body.join("\n");
    if word == "file" {
        let url: crate::S3Url = argument.parse().map_err(|error| format!("{error}"))?;
        let mut body = case.body.join("\n").replace("<blank>", "");
        body.push('\n');
        lake.store
            .put(url.bucket(), url.key(), body.as_bytes(), PutOptions::default())
            .map_err(|error| error.to_string())?;
        return Ok(());
    }
    if word == "fixture" {
        let (url, name) = argument.split_once(' ').ok_or("fixture URL NAME")?;
        let url: crate::S3Url = url.parse().map_err(|error| format!("{error}"))?;
        let body = super::fixture(name);
        lake.store
            .put(url.bucket(), url.key(), &body, PutOptions::default())
            .map_err(|error| error.to_string())?;
        return Ok(());
    }
    if word == "refused" {
        return match lake.check(&statement) {
            Ok(kind) => Err(format!("was accepted as {kind:?}")),
            Err(error) if error.to_string().contains(argument) => Ok(()),
            Err(error) => Err(format!("was refused with: {error}")),
        };
    }
    lake.check(&statement).map_err(|error| format!("refused: {error}"))?;
    let done = execute(lake, &statement).await;
    match word {
        "error" => match done {
            Ok(output) => Err(format!("succeeded: {:?}", output.columns)),
            Err(error) if error.contains(argument) => Ok(()),
            Err(error) => Err(format!("failed with: {error}")),
        },
        "ok" => done.map(drop),
        "lines" => same(
            &lines(lake, &done?).iter().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>(),
            case,
        ),
        "query" | "typed" => {
            let output = done?;
            let mut shown = Vec::new();
            if word == "typed" {
                let columns: Vec<String> = output
                    .columns
                    .iter()
                    .map(|column| format!("{} {}", column.name, column.type_name))
                    .collect();
                shown.push(columns.join("|"));
            }
            shown.extend(rows(lake, &output).into_iter().map(|row| {
                let values: Vec<String> = row
                    .into_iter()
                    .map(|value| value.unwrap_or_else(|| "NULL".to_owned()))
                    .collect();
                values.join("|")
            }));
            same(&shown, case)
        }
        other => Err(format!("unknown directive {other}")),
    }
}

fn same(found: &[String], case: &Case<'_>) -> Result<(), String> {
    if found.iter().map(String::as_str).eq(case.expected.iter().copied()) {
        return Ok(());
    }
    Err(format!("expected {:#?}\n  found {found:#?}", case.expected))
}
