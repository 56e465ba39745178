//! Judges a table or a file by a ruleset: every scan of its plan is a statement for the local Athena.
//!
//! `dqdl` says what is to be measured and what the measures mean. A ruleset that passes here passes in Glue Data Quality.
use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use dqdl::plan::PlannedRule;
use dqdl::{History, Measures, Plan, Problem, Ruleset, Sources, Verdict};
use jiff::civil::DateTime;
use thiserror::Error;

use crate::cloud::{Address, Cloud};
use crate::query::{self, Answer, Context};

pub mod report;
mod subject;

use subject::Loaded;
pub use subject::Subject;

/// Why a ruleset is not run.
#[derive(Debug, Error)]
#[error("{}", problems.iter().map(|problem| format!("{file}:{problem}")).collect::<Vec<_>>().join("\n"))]
pub struct NotRun {
    pub file: String,
    pub problems: Vec<Problem>,
}

/// What a ruleset came to.
pub struct Outcome {
    pub rules: Vec<PlannedRule>,
    pub verdicts: Vec<Verdict>,
    /// Metrics that analyzers have gathered.
    pub gathered: Vec<(String, f64)>,
    /// How often the table was read.
    pub scans: usize,
}

/// What is judged, by what.
pub struct Question<'a> {
    pub ruleset: &'a Ruleset,
    /// The ruleset's file, for messages.
    pub file: &'a str,
    pub subject: Subject,
    /// Other tables and files, by the names that rules have for them.
    pub references: BTreeMap<String, Subject>,
    pub now: DateTime,
    pub history: History,
}

impl Question<'_> {
    /// Runs the ruleset in a data directory; files need none of their own.
    ///
    /// # Errors
    /// When a subject cannot be read, or a rule cannot be run.
    pub async fn answer(&self, data_dir: &Path) -> anyhow::Result<Outcome> {
        let files = std::iter::once(&self.subject).chain(self.references.values());
        let cloud = if files.clone().all(Subject::is_file) {
            Cloud::temporary().await?
        } else {
            Cloud::open(data_dir, &Address::default(), |_| None).await?
        };
        self.answer_on(&cloud).await
    }

    /// Runs the ruleset on an account.
    ///
    /// # Errors
    /// As [`Self::answer`].
    pub async fn answer_on(&self, cloud: &Cloud) -> anyhow::Result<Outcome> {
        let context = query::context(cloud).await?;
        let mut loaded = Vec::new();
        let outcome = self.judge(cloud, &context, &mut loaded).await;
        for file in loaded {
            file.forget(cloud, &context).await?;
        }
        outcome
    }

    async fn judge(
        &self,
        cloud: &Cloud,
        context: &Context,
        loaded: &mut Vec<Loaded>,
    ) -> anyhow::Result<Outcome> {
        let primary = self.subject.table(cloud, context, loaded).await?;
        let mut references = BTreeMap::new();
        for (name, subject) in &self.references {
            let table = subject.table(cloud, context, loaded).await;
            references
                .insert(name.clone(), table.with_context(|| format!("the data source {name}"))?);
        }
        let sources = Sources { primary, references, now: self.now };
        let plan = Plan::new(self.ruleset, &sources)
            .map_err(|problems| NotRun { file: self.file.to_owned(), problems })?;
        let statements = plan.scans.statements();
        let measures = measure(cloud, context, &statements).await?;
        let verdicts = plan.judge(&measures, &self.history);
        let gathered = plan.gathered(&measures);
        Ok(Outcome { rules: plan.rules, verdicts, gathered, scans: statements.len() })
    }
}

/// Runs the statements, each of which answers one row of numbers.
async fn measure(
    cloud: &Cloud,
    context: &Context,
    statements: &[String],
) -> anyhow::Result<Measures> {
    let mut measures = Measures::new();
    for statement in statements {
        let rows = match query::run(cloud, context, statement).await? {
            Answer::Rows(rows) => rows,
            Answer::Refused(reason) => anyhow::bail!("{reason}\nin the statement\n{statement}"),
        };
        let row = rows.rows.first().context("an aggregate answers a row")?;
        for (column, cell) in rows.columns.iter().zip(row) {
            let Some(text) = cell else { continue };
            let value = text
                .parse()
                .with_context(|| format!("{text} is no number\nin the statement\n{statement}"))?;
            measures.insert(column.name.clone(), value);
        }
    }
    Ok(measures)
}
