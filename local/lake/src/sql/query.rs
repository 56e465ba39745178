//! `Lake::check` and `Lake::run`.

use std::time::Instant;

use tokio_util::sync::CancellationToken;

use super::kind::Parser;
use super::{QueryContext, QueryError, QueryOutput, StatementKind, SyntaxError, classify};
use crate::Lake;
use crate::hive::{self, HiveStatement};
use crate::tables::Scanned;
use crate::trino::{self, Prepared, TrinoStatement};

/// Longest statement in bytes. Source: `StartQueryExecution`'s `QueryString`.
const LONGEST: usize = 262_144;

/// A parsed statement of either language.
#[derive(Debug, Clone)]
pub enum Statement {
    Hive(HiveStatement),
    Trino(TrinoStatement),
}

impl Statement {
    /// Parses a statement; `parameters` take the place of its `?`, `None` leaves them.
    pub fn parse(
        text: &str,
        parameters: Option<&[String]>,
    ) -> Result<(StatementKind, Self), SyntaxError> {
        if text.len() > LONGEST {
            return Err(SyntaxError::plain(format!(
                "the query string is longer than {LONGEST} bytes"
            )));
        }
        let Some(kind) = classify(text) else { return Err(beginning(text)) };
        let statement = match kind.parser {
            Parser::Hive => Self::Hive(hive::parse(text)?),
            Parser::Trino => Self::Trino(trino::parse(text, parameters)?),
            Parser::Refused => return Err(SyntaxError::unsupported()),
        };
        Ok((kind, statement))
    }

    /// The statement about prepared statements this is, if it is one: those belong to
    /// the workgroup and are not run here.
    pub fn prepared(&self) -> Option<&Prepared> {
        match self {
            Self::Trino(TrinoStatement::Prepared(prepared)) => Some(prepared),
            _ => None,
        }
    }
}

/// The refusal of a text whose first word begins no statement.
fn beginning(text: &str) -> SyntaxError {
    const EXPECTED: &str = "'ALTER', 'ANALYZE', 'CALL', 'COMMENT', 'COMMIT', 'CREATE', 'DEALLOCATE', 'DELETE', \
        'DENY', 'DESC', 'DESCRIBE', 'DROP', 'EXECUTE', 'EXPLAIN', 'GRANT', 'INSERT', 'MERGE', 'PREPARE', 'REFRESH', \
        'RESET', 'REVOKE', 'ROLLBACK', 'SET', 'SHOW', 'START', 'TRUNCATE', 'UNLOAD', 'UPDATE', 'USE', 'VACUUM', <query>";
    let lead = text.len() - text.trim_start().len();
    let line = text[..lead].matches('\n').count() as u64 + 1;
    let column = text[..lead].chars().rev().take_while(|c| *c != '\n').count() as u64 + 1;
    let rest = text.trim_start();
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let found = match (rest.is_empty(), end) {
        (true, _) => "<EOF>".to_owned(),
        (false, 0) => rest.chars().take(1).collect(),
        (false, end) => rest[..end].to_owned(),
    };
    SyntaxError::at(line, column, &format!("mismatched input '{found}'. Expecting: {EXPECTED}"))
}

impl Lake {
    /// What `StartQueryExecution` refuses while the caller waits: texts that are no
    /// statement, and statements Athena does not run.
    pub fn check(&self, statement: &str) -> Result<StatementKind, SyntaxError> {
        Statement::parse(statement, None).map(|(kind, _)| kind)
    }

    /// Runs a statement to its end and leaves its result objects in the context's
    /// output folder. Dropping the future, or cancelling, stops it; files that a
    /// stopped CTAS or INSERT has finished stay.
    pub async fn run(
        &self,
        statement: &str,
        context: &QueryContext,
        cancel: CancellationToken,
    ) -> Result<QueryOutput, QueryError> {
        let begun = Instant::now();
        let parsed = Statement::parse(statement, Some(&context.parameters));
        let (kind, parsed) =
            parsed.map_err(|error| QueryError::trino("SYNTAX_ERROR", error.message))?;
        let lake = Lake { store: self.store.metered(&context.meter), ..self.clone() };
        let running = trino::Running {
            lake: &lake,
            context,
            text: statement,
            kind,
            scanned: Scanned::new(context.meter.clone(), context.scan_limit),
            begun,
            versions: trino::Versions::default(),
        };
        match parsed {
            Statement::Hive(parsed) => running.text(&hive::execute(&lake, context, &parsed)?),
            Statement::Trino(parsed) => trino::execute(&running, parsed, &cancel).await,
        }
    }
}
