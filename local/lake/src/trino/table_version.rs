//! `FOR TIMESTAMP AS OF …` and `FOR VERSION AS OF …` after a table.
//! Source: user guide, querying-iceberg-table-data.md.

use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::TokenWithSpan;

use super::dialect::TrinoDialect;
use super::statement::{Source, refusal};
use super::tokens::is_word;
use crate::sql::{Failure, SyntaxError};

/// The first clause of a statement that asks for an earlier state of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVersion {
    /// `TIMESTAMP` or `VERSION`.
    kind: &'static str,
    line: u64,
    column: u64,
}

impl TableVersion {
    /// Only Iceberg tables have versions. Trino's words of any other.
    pub(super) fn refusal(&self) -> Failure {
        let Self { kind, line, column } = self;
        Failure::not_supported(format!(
            "line {line}:{column}: This connector does not support versioned tables \
             (FOR {kind} AS OF is for Iceberg tables, which are not supported here)"
        ))
    }
}

/// The tokens without such clauses, and the first of them.
pub(super) fn without(
    tokens: &[TokenWithSpan],
    source: &Source<'_>,
) -> Result<(Vec<TokenWithSpan>, Option<TableVersion>), SyntaxError> {
    let (mut left, mut first) = (Vec::with_capacity(tokens.len()), None);
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        let Some(kind) = kind(rest) else {
            left.push(token.clone());
            rest = after;
            continue;
        };
        let place = token.span.start;
        first.get_or_insert(TableVersion { kind, line: place.line, column: place.column });
        let after = &rest[4..];
        let mut parser = Parser::new(&TrinoDialect).with_tokens_with_locations(after.to_vec());
        parser.parse_expr().map_err(|error| refusal(&error, &parser, source))?;
        rest = &after[parser.index().min(after.len())..];
    }
    Ok((left, first))
}

fn kind(tokens: &[TokenWithSpan]) -> Option<&'static str> {
    let is =
        |at: usize, word: &str| tokens.get(at).is_some_and(|token| is_word(&token.token, word));
    let kind = ["TIMESTAMP", "VERSION"].into_iter().find(|kind| is(1, kind))?;
    (is(0, "FOR") && is(2, "AS") && is(3, "OF")).then_some(kind)
}
