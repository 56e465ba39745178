//! `FOR TIMESTAMP AS OF …` and `FOR VERSION AS OF …` after a table.
//! Source: user guide, querying-iceberg-table-data.md.
//!
//! sqlparser does not read them. So before it sees the tokens, a table with such a clause gets a name
//! that tells which of the statement's clauses is its ([`versioned`]); the clauses' values are known
//! before the statement is planned.

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::sql::sqlparser::ast::{Expr, Query, SelectItem, SetExpr};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use iceberg::{Snapshot, TableMetadata};

use super::dialect::TrinoDialect;
use super::planning;
use super::query::Running;
use super::statement::{Source, refusal};
use super::tokens::is_word;
use crate::moment::moments;
use crate::sql::{Failure, QueryError, SyntaxError, TrinoType};

/// What stands between a table's name and the number of its clause.
const MARK: &str = "$version:";

/// A clause that asks for an earlier state of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableVersion {
    kind: Kind,
    /// The time or the version.
    pointer: Expr,
    line: u64,
    column: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Timestamp,
    Version,
}

/// The state a clause asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Pointer {
    /// Milliseconds since 1970-01-01 00:00:00 UTC.
    At(i64),
    Snapshot(i64),
    /// A branch or a tag.
    Reference(String),
}

/// A clause whose value is known.
#[derive(Debug, Clone)]
pub(super) struct KnownVersion {
    pointer: Pointer,
    line: u64,
    column: u64,
}

/// A table's own name and the number of its clause, if its name has one.
pub(super) fn versioned(name: &str) -> Option<(&str, usize)> {
    let (name, number) = name.rsplit_once(MARK)?;
    Some((name, number.parse().ok()?))
}

/// The tokens without such clauses, and the clauses.
pub(super) fn without(
    tokens: &[TokenWithSpan],
    source: &Source<'_>,
) -> Result<(Vec<TokenWithSpan>, Vec<TableVersion>), SyntaxError> {
    let mut left: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut found = Vec::new();
    let mut rest = tokens;
    while let Some((token, after)) = rest.split_first() {
        let Some(kind) = kind(rest) else {
            left.push(token.clone());
            rest = after;
            continue;
        };
        let place = token.span.start;
        let after = &rest[4..];
        let mut parser = Parser::new(&TrinoDialect).with_tokens_with_locations(after.to_vec());
        let pointer = parser.parse_expr().map_err(|error| refusal(&error, &parser, source))?;
        rest = &after[parser.index().min(after.len())..];
        let table = match left.last_mut().map(|last| &mut last.token) {
            Some(Token::Word(table))
                if table.quote_style.is_some() || table.keyword != Keyword::TABLE =>
            {
                table
            }
            _ => {
                let message = "mismatched input 'FOR'. Expecting: <identifier>";
                return Err(SyntaxError::at(place.line, place.column, message));
            }
        };
        let name = table.value.clone();
        table.value = format!("{}{MARK}{}", name.to_lowercase(), found.len());
        table.quote_style = Some('"');
        table.keyword = Keyword::NoKeyword;
        if !has_alias(rest) {
            // The table keeps its name.
            left.push(TokenWithSpan::new(Token::make_keyword("AS"), token.span));
            left.push(TokenWithSpan::new(Token::make_word(&name, Some('"')), token.span));
        }
        found.push(TableVersion { kind, pointer, line: place.line, column: place.column });
    }
    Ok((left, found))
}

fn kind(tokens: &[TokenWithSpan]) -> Option<Kind> {
    let is =
        |at: usize, word: &str| tokens.get(at).is_some_and(|token| is_word(&token.token, word));
    let kinds = [("TIMESTAMP", Kind::Timestamp), ("VERSION", Kind::Version)];
    let (_, kind) = kinds.into_iter().find(|(word, _)| is(1, word))?;
    (is(0, "FOR") && is(2, "AS") && is(3, "OF")).then_some(kind)
}

/// Whether a name follows that stands for the table.
fn has_alias(tokens: &[TokenWithSpan]) -> bool {
    match tokens.first().map(|token| &token.token) {
        Some(Token::Word(word)) => {
            word.quote_style.is_some() || matches!(word.keyword, Keyword::NoKeyword | Keyword::AS)
        }
        _ => false,
    }
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("INVALID_ARGUMENTS", message)
}

impl TableVersion {
    /// Evaluates the time or the version, which looks at no columns.
    pub(super) async fn known(&self, running: &Running<'_>) -> Result<KnownVersion, QueryError> {
        let state = planning::session(&running.visible(), running.context)?;
        let plan = planning::plan(&state, &query(&self.pointer)).await?;
        let kind = TrinoType::of_field(&plan.schema().fields()[0]);
        let batches = planning::frame(state, plan).collect().await?;
        let value = batches.iter().find(|batch| batch.num_rows() > 0);
        let value = value.map(|batch| batch.column(0).clone()).filter(|value| value.is_valid(0));
        let value = value.ok_or_else(|| self.refused("Pointer value cannot be NULL"))?;
        let pointer = match (self.kind, &kind) {
            (Kind::Timestamp, kind) if kind.is_moment() => {
                let moment = moments(value.as_ref())[0];
                let millis = moment.and_then(crate::moment::Moment::millis);
                let millis = millis.ok_or_else(|| self.refused("Pointer value is out of range"))?;
                if millis > crate::clock::now().as_millisecond() {
                    return Err(self.refused("Pointer value is not in the past").into());
                }
                Pointer::At(millis)
            }
            (
                Kind::Version,
                TrinoType::Tinyint | TrinoType::Smallint | TrinoType::Integer | TrinoType::Bigint,
            ) => {
                let value = cast(&value, &DataType::Int64)
                    .map_err(datafusion::error::DataFusionError::from)?;
                Pointer::Snapshot(value.as_primitive::<Int64Type>().value(0))
            }
            (Kind::Version, TrinoType::Varchar(_)) => {
                Pointer::Reference(value.as_string::<i32>().value(0).to_owned())
            }
            (Kind::Timestamp, kind) => {
                return Err(self
                    .refused(&format!("Unsupported type for temporal table version: {kind}"))
                    .into());
            }
            (Kind::Version, kind) => {
                return Err(self
                    .refused(&format!("Unsupported type for table version: {kind}"))
                    .into());
            }
        };
        Ok(KnownVersion { pointer, line: self.line, column: self.column })
    }

    fn refused(&self, why: &str) -> Failure {
        invalid(format!("line {}:{}: {why}", self.line, self.column))
    }
}

/// `SELECT pointer`
fn query(pointer: &Expr) -> Query {
    let parsed = Parser::new(&TrinoDialect).try_with_sql("SELECT 1");
    let mut query = *parsed.and_then(|mut parser| parser.parse_query()).expect("it is a query");
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.projection = vec![SelectItem::UnnamedExpr(pointer.clone())];
    }
    query
}

impl KnownVersion {
    /// Only Iceberg tables have versions. Trino's words of any other.
    pub fn refusal(&self) -> Failure {
        let Self { line, column, .. } = self;
        Failure::not_supported(format!(
            "line {line}:{column}: This connector does not support versioned tables"
        ))
    }

    /// The snapshot of a table. Source: Trino's `IcebergMetadata.getSnapshotIdFromVersion`.
    pub fn snapshot<'a>(
        &self,
        table: &'a TableMetadata,
        name: &str,
    ) -> Result<&'a Snapshot, Failure> {
        match &self.pointer {
            Pointer::At(millis) => table.snapshot_at(*millis).ok_or_else(|| {
                let time = jiff::Timestamp::from_millisecond(*millis).unwrap_or_default();
                invalid(format!("No version history table {name} at or before {time}"))
            }),
            Pointer::Snapshot(id) => table
                .snapshot(*id)
                .ok_or_else(|| invalid(format!("Iceberg snapshot ID does not exists: {id}"))),
            Pointer::Reference(reference) => {
                let found = table.refs.get(reference);
                found.and_then(|found| table.snapshot(found.snapshot_id)).ok_or_else(|| {
                    invalid(format!("Cannot find snapshot with reference name: {reference}"))
                })
            }
        }
    }
}
