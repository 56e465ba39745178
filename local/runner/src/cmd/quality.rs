//! `local quality`
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use dqdl::{History, Problem};
use serde_json::json;

use crate::quality::{NotRun, Question, Subject};

/// Some rules have failed.
const FAILED: u8 = 3;

/// So many characters of a line are shown on both sides of a place.
const AROUND: usize = 90;

#[derive(clap::Args)]
pub struct Arguments {
    /// The file of the ruleset; `-` reads standard input
    ruleset: PathBuf,
    /// A table or view of the local catalog, or a file that ends in .parquet, .csv or .csv.gz
    #[arg(value_name = "TABLE|FILE", required_unless_present = "parse")]
    subject: Option<String>,
    /// Another table or file that rules refer to, by the name they have for it
    #[arg(long = "reference", value_name = "NAME=TABLE|FILE", value_parser = reference)]
    references: Vec<(String, String)>,
    /// Read the ruleset only, and say what it is
    #[arg(long, conflicts_with_all = ["subject", "references"])]
    parse: bool,
    /// Answer as JSON
    #[arg(long)]
    json: bool,
    /// Where the local account keeps its state
    #[arg(long, value_name = "DIR", default_value = ".local")]
    data_dir: PathBuf,
}

fn reference(text: &str) -> Result<(String, String), String> {
    let (name, subject) = text.split_once('=').ok_or("write NAME=TABLE or NAME=FILE")?;
    Ok((name.to_owned(), subject.to_owned()))
}

pub async fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let file = arguments.ruleset.display().to_string();
    let text =
        read(&arguments.ruleset).with_context(|| format!("the ruleset {file} cannot be read"))?;
    let ruleset = match dqdl::parse(&text) {
        Ok(ruleset) => ruleset,
        Err(problems) => return Ok(refuse(arguments, &file, &text, &problems)),
    };
    for warning in &ruleset.warnings {
        eprintln!("warning: {file}:{warning}");
    }
    let Some(subject) = &arguments.subject else {
        if arguments.json {
            println!("{}", json!({"accepted": true, "canonical": ruleset.to_string()}));
        } else {
            println!("{ruleset}");
        }
        return Ok(0);
    };
    let references: BTreeMap<_, _> = arguments
        .references
        .iter()
        .map(|(name, subject)| (name.clone(), Subject::named(subject)))
        .collect();
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).datetime();
    let question = Question {
        ruleset: &ruleset,
        file: &file,
        subject: Subject::named(subject),
        references,
        now,
        history: History::new(),
    };
    let outcome = match question.answer(&arguments.data_dir).await {
        Ok(outcome) => outcome,
        Err(error) => match error.downcast::<NotRun>() {
            Ok(not_run) => return Ok(refuse(arguments, &file, &text, &not_run.problems)),
            Err(error) => return Err(error),
        },
    };
    if arguments.json {
        println!("{}", outcome.json(subject));
    } else {
        println!("{outcome}");
    }
    Ok(if outcome.passed() { 0 } else { FAILED })
}

fn read(path: &Path) -> std::io::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path)
}

/// All that is wrong, each with its line and a caret below the place.
fn refuse(arguments: &Arguments, file: &str, text: &str, problems: &[Problem]) -> u8 {
    if arguments.json {
        let errors = problems.iter().map(|problem| {
            json!({"line": problem.place.line, "column": problem.place.column, "message": problem.message})
        });
        println!("{}", json!({"accepted": false, "errors": errors.collect::<Vec<_>>()}));
        return 1;
    }
    for problem in problems {
        eprintln!("error: {file}:{problem}");
        if let Some(line) = text.lines().nth(problem.place.line - 1) {
            // Of a long line what is around the place.
            let from = problem.place.column.saturating_sub(AROUND);
            let shown: String = line.chars().skip(from).take(2 * AROUND).collect();
            let before =
                shown.chars().take(problem.place.column - 1 - from.min(problem.place.column - 1));
            let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
            eprintln!("  {shown}\n  {indent}^");
        }
    }
    1
}
