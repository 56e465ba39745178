//! `EXPLAIN` and `SHOW FUNCTIONS`.
#![expect(clippy::match_same_arms, reason = "one arm a line of the user guide's tables")]

use datafusion::physical_plan::displayable;
use futures::StreamExt;

use super::planning;
use super::query::Running;
use super::statement::TrinoStatement;
use crate::sql::{Failure, QueryError, QueryOutput, TextRows};

/// The plan of a statement's query, in DataFusion's words; with ANALYZE after running
/// it, with what each step did.
pub(super) async fn run(
    running: &Running<'_>,
    analyze: bool,
    statement: &TrinoStatement,
) -> Result<QueryOutput, QueryError> {
    let query = match statement {
        TrinoStatement::Query(query) => query,
        TrinoStatement::CreateTableAs(create) => &create.query,
        TrinoStatement::Insert { query, .. }
        | TrinoStatement::Unload { query, .. }
        | TrinoStatement::CreateView { query, .. } => query,
        TrinoStatement::DropView { .. }
        | TrinoStatement::Explain { .. }
        | TrinoStatement::ShowFunctions { .. }
        | TrinoStatement::Change(_)
        | TrinoStatement::ExternalFunctions { .. }
        | TrinoStatement::TimeTravel { .. }
        | TrinoStatement::Prepared(_) => {
            return Err(Failure::not_supported("EXPLAIN is for statements with a query").into());
        }
    };
    let state = planning::session(&running.visible(), running.context)?;
    let plan = planning::plan(&state, query).await?;
    let frame = planning::frame(state, plan);
    let physical = frame.clone().create_physical_plan().await?;
    let text = if analyze {
        let context = frame.task_ctx();
        let mut stream =
            datafusion::physical_plan::execute_stream(physical.clone(), context.into())?;
        while let Some(batch) = stream.next().await {
            batch?;
        }
        datafusion::physical_plan::display::DisplayableExecutionPlan::with_metrics(
            physical.as_ref(),
        )
        .indent(false)
        .to_string()
    } else {
        displayable(physical.as_ref()).indent(false).to_string()
    };
    let lines = text.lines().map(str::to_owned).collect();
    running.text(&TextRows::one_column("Query Plan", lines))
}

/// Name and kind of every function, tab-separated.
pub(super) fn functions(
    running: &Running<'_>,
    pattern: Option<&str>,
) -> Result<QueryOutput, QueryError> {
    let lines = running
        .lake
        .engine
        .function_names()
        .into_iter()
        .filter(|(name, _)| pattern.is_none_or(|pattern| like(name, pattern)))
        .map(|(name, kind)| format!("{name}\t{kind}"))
        .collect();
    running.text(&TextRows::one_column("Function", lines))
}

/// SQL's LIKE without an escape.
fn like(text: &str, pattern: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('%') => {
            let rest = &pattern[1..];
            (0..=text.len()).any(|at| text.get(at..).is_some_and(|text| like(text, rest)))
        }
        Some(c) => {
            let mut chars = text.chars();
            chars.next().is_some_and(|found| c == '_' || found == c)
                && like(chars.as_str(), &pattern[c.len_utf8()..])
        }
    }
}
