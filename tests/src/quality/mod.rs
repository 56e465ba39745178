//! What rules mean: tables of rules over small data, with the verdict and the metrics of each.
//!
//! A file has the query that makes its table, metrics' history and other tables, and a line for each rule:
//! `passed | rule | metrics`. Without metrics they are not looked at; with an empty third field there must be none.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dqdl::{History, Ruleset};
use runner::cloud::Cloud;
use runner::quality::{NotRun, Question, Subject};
use runner::query::{self, Answer};

mod real_months;

const FILES: [(&str, &str); 2] =
    [("people", include_str!("cases/people.txt")), ("empty", include_str!("cases/empty.txt"))];

/// A file of cases.
struct Sheet<'a> {
    query: String,
    history: History,
    /// Queries by the names of the tables they make.
    references: Vec<(&'a str, &'a str)>,
    cases: Vec<Case<'a>>,
}

struct Case<'a> {
    expected: &'a str,
    rule: &'a str,
    metrics: Option<Vec<(&'a str, f64)>>,
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_mean_what_they_mean_in_glue() {
    let cloud = Cloud::temporary().await.unwrap();
    let (mut count, mut wrong) = (0, String::new());
    for (name, text) in FILES {
        let sheet = Sheet::read(text);
        make(&cloud, name, &sheet.query).await;
        let mut references = BTreeMap::new();
        for (reference, query) in &sheet.references {
            make(&cloud, &format!("{name}_{reference}"), query).await;
            references
                .insert((*reference).to_owned(), Subject::Table(format!("{name}_{reference}")));
        }
        count += sheet.cases.len();
        sheet.compare(&cloud, name, &references, &mut wrong).await;
    }
    println!("{count} rules judged");
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count >= 250, "{count} cases");
}

/// Every rule type that a table can be judged by has a case, and every other one is refused in one.
#[test]
fn every_rule_type_has_a_case() {
    let rules: Vec<&str> =
        FILES.iter().flat_map(|(_, text)| Sheet::read(text).cases).map(|case| case.rule).collect();
    for rule_type in dqdl::RuleType::all().filter(|rule_type| !rule_type.is_analyzer_only()) {
        let name = rule_type.to_string();
        assert!(
            rules.iter().any(|rule| rule.split([' ', '(']).any(|word| word == name)),
            "{name} has no case"
        );
    }
}

async fn make(cloud: &Cloud, name: &str, query: &str) {
    let context = query::context(cloud).await.unwrap();
    let statement = format!(
        "CREATE TABLE {name} WITH (format = 'PARQUET', external_location = 's3://nyctaxi-local-sql/{name}/') AS {query}"
    );
    if let Answer::Refused(reason) = query::run(cloud, &context, &statement).await.unwrap() {
        panic!("{reason}\n{statement}");
    }
}

impl<'a> Sheet<'a> {
    fn read(text: &'a str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let mut sheet = Self {
            query: String::new(),
            history: History::new(),
            references: Vec::new(),
            cases: Vec::new(),
        };
        for line in lines {
            if let Some(metric) = line.strip_prefix("history ") {
                let (name, values) = metric.split_once(" = ").unwrap();
                let values = values.split(' ').map(|value| value.parse().unwrap());
                sheet.history.insert(name.to_owned(), values.collect());
            } else if let Some(reference) = line.strip_prefix("reference ") {
                sheet.references.push(reference.split_once(" = ").unwrap());
            } else if ["passed |", "failed |", "refused |"]
                .iter()
                .any(|start| line.starts_with(start))
            {
                sheet.cases.push(Case::read(line));
            } else {
                writeln!(sheet.query, "{line}").unwrap();
            }
        }
        sheet
    }

    fn question<'q>(
        &self,
        ruleset: &'q Ruleset,
        table: &'q str,
        references: &BTreeMap<String, Subject>,
    ) -> Question<'q> {
        Question {
            ruleset,
            file: table,
            subject: Subject::Table(table.to_owned()),
            references: references.clone(),
            now: "2024-06-01T12:00:00".parse().unwrap(),
            history: self.history.clone(),
        }
    }

    async fn compare(
        &self,
        cloud: &Cloud,
        table: &str,
        references: &BTreeMap<String, Subject>,
        wrong: &mut String,
    ) {
        let (refused, judged): (Vec<_>, Vec<_>) =
            self.cases.iter().partition(|case| case.expected == "refused");
        for case in refused {
            let ruleset = case.ruleset();
            match self.question(&ruleset, table, references).answer_on(cloud).await {
                Err(error) if error.is::<NotRun>() => {}
                other => {
                    writeln!(wrong, "{table}: {} is not refused: {:?}", case.rule, other.err())
                        .unwrap();
                }
            }
        }
        // All in one ruleset, as rules come.
        let text: Vec<_> = judged.iter().map(|case| case.rule).collect();
        let ruleset = dqdl::parse(&format!("Rules = [ {} ]", text.join(",\n"))).unwrap();
        let outcome = self.question(&ruleset, table, references).answer_on(cloud).await.unwrap();
        assert_eq!(outcome.verdicts.len(), judged.len());
        for (case, verdict) in judged.iter().zip(&outcome.verdicts) {
            let found = if verdict.passed { "passed" } else { "failed" };
            if found != case.expected || !case.fits(&verdict.metrics) {
                writeln!(wrong, "{table}: {} {found}: {verdict:?}", case.rule).unwrap();
            }
        }
    }
}

impl<'a> Case<'a> {
    fn read(line: &'a str) -> Self {
        let mut fields = line.split(" |");
        let (expected, rule) = (fields.next().unwrap(), fields.next().unwrap().trim());
        let metrics = fields.next().map(|metrics| {
            let metrics = metrics.split_whitespace().map(|metric| metric.rsplit_once('=').unwrap());
            metrics.map(|(name, value)| (name, value.parse().unwrap())).collect()
        });
        Self { expected, rule, metrics }
    }

    fn ruleset(&self) -> Ruleset {
        dqdl::parse(&format!("Rules = [ {} ]", self.rule)).unwrap()
    }

    fn fits(&self, found: &[(String, f64)]) -> bool {
        let Some(expected) = &self.metrics else { return true };
        expected.len() == found.len()
            && expected.iter().zip(found).all(|((name, value), (found_name, found))| {
                name == found_name && (value - found).abs() < 1e-9
            })
    }
}
