//! DELETE, UPDATE, MERGE, OPTIMIZE and VACUUM as they are written.
//! Source: user guide, delete-statement.md, update-statement.md, merge-into-statement.md,
//! optimize-statement.md, vacuum-statement.md.

use datafusion::sql::sqlparser::ast::{Expr, Ident, TableWithJoins};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::hive::TableName;
use crate::trino::statement::{table_name, word, word_if, words_if};

/// Columns with their new values.
pub type Assignments = Vec<(String, Expr)>;

/// A statement that changes the rows or the files of an Iceberg table.
#[derive(Debug, Clone)]
pub enum TableChange {
    Delete { table: TableName, filter: Option<Expr> },
    Update { table: TableName, assignments: Assignments, filter: Option<Expr> },
    Merge(Box<Merge>),
    Optimize { table: TableName, filter: Option<Expr> },
    Vacuum { table: TableName },
}

#[derive(Debug, Clone)]
pub struct Merge {
    pub table: TableName,
    pub alias: Option<String>,
    pub source: TableWithJoins,
    pub condition: Expr,
    /// In their order: the first that fits a row is its.
    pub clauses: Vec<MergeClause>,
}

#[derive(Debug, Clone)]
pub struct MergeClause {
    pub matched: bool,
    pub condition: Option<Expr>,
    pub action: MergeAction,
}

#[derive(Debug, Clone)]
pub enum MergeAction {
    Delete,
    Update(Assignments),
    /// No columns are all of them.
    Insert {
        columns: Vec<String>,
        values: Vec<Expr>,
    },
}

impl TableChange {
    pub fn table(&self) -> &TableName {
        match self {
            Self::Delete { table, .. }
            | Self::Update { table, .. }
            | Self::Optimize { table, .. }
            | Self::Vacuum { table } => table,
            Self::Merge(merge) => &merge.table,
        }
    }

    pub fn verb(&self) -> &'static str {
        match self {
            Self::Delete { .. } => "DELETE",
            Self::Update { .. } => "UPDATE",
            Self::Merge(_) => "MERGE",
            Self::Optimize { .. } => "OPTIMIZE",
            Self::Vacuum { .. } => "VACUUM",
        }
    }

    /// Reads the statement that begins with `verb`, which is next.
    pub(in crate::trino) fn read(parser: &mut Parser, verb: &str) -> Result<Self, ParserError> {
        parser.next_token();
        match verb {
            "DELETE" => {
                word(parser, "FROM")?;
                let table = table_name(parser)?;
                Ok(Self::Delete { table, filter: filter(parser)? })
            }
            "UPDATE" => {
                let table = table_name(parser)?;
                word(parser, "SET")?;
                let assignments = parser.parse_comma_separated(assignment)?;
                Ok(Self::Update { table, assignments, filter: filter(parser)? })
            }
            "MERGE" => merge(parser).map(|merge| Self::Merge(Box::new(merge))),
            "OPTIMIZE" => {
                let table = table_name(parser)?;
                if !words_if(parser, &["REWRITE", "DATA", "USING", "BIN_PACK"]) {
                    return parser.expected_ref("REWRITE", parser.peek_token_ref());
                }
                Ok(Self::Optimize { table, filter: filter(parser)? })
            }
            _ => Ok(Self::Vacuum { table: table_name(parser)? }),
        }
    }
}

fn filter(parser: &mut Parser) -> Result<Option<Expr>, ParserError> {
    if word_if(parser, "WHERE") { parser.parse_expr().map(Some) } else { Ok(None) }
}

fn assignment(parser: &mut Parser) -> Result<(String, Expr), ParserError> {
    let column = parser.parse_identifier()?.value.to_lowercase();
    parser.expect_token(&Token::Eq)?;
    Ok((column, parser.parse_expr()?))
}

fn merge(parser: &mut Parser) -> Result<Merge, ParserError> {
    word(parser, "INTO")?;
    let table = table_name(parser)?;
    let alias = if word_if(parser, "USING") {
        None
    } else {
        word_if(parser, "AS");
        let alias = parser.parse_identifier()?.value.to_lowercase();
        word(parser, "USING")?;
        Some(alias)
    };
    let source = parser.parse_table_and_joins()?;
    word(parser, "ON")?;
    let condition = parser.parse_expr()?;
    let mut clauses = Vec::new();
    while word_if(parser, "WHEN") {
        clauses.push(clause(parser)?);
    }
    if clauses.is_empty() {
        return parser.expected_ref("WHEN", parser.peek_token_ref());
    }
    Ok(Merge { table, alias, source, condition, clauses })
}

fn clause(parser: &mut Parser) -> Result<MergeClause, ParserError> {
    let matched = !word_if(parser, "NOT");
    word(parser, "MATCHED")?;
    let condition = if word_if(parser, "AND") { Some(parser.parse_expr()?) } else { None };
    word(parser, "THEN")?;
    let action = if !matched {
        word(parser, "INSERT")?;
        let columns = if parser.consume_token(&Token::LParen) {
            let names = parser.parse_comma_separated(Parser::parse_identifier)?;
            parser.expect_token(&Token::RParen)?;
            names.into_iter().map(|name: Ident| name.value.to_lowercase()).collect()
        } else {
            Vec::new()
        };
        word(parser, "VALUES")?;
        parser.expect_token(&Token::LParen)?;
        let values = parser.parse_comma_separated(Parser::parse_expr)?;
        parser.expect_token(&Token::RParen)?;
        MergeAction::Insert { columns, values }
    } else if word_if(parser, "DELETE") {
        MergeAction::Delete
    } else {
        word(parser, "UPDATE")?;
        word(parser, "SET")?;
        MergeAction::Update(parser.parse_comma_separated(assignment)?)
    };
    Ok(MergeClause { matched, condition, action })
}
