//! Trino's statements as Athena runs them, and the reading of everything around the
//! queries in them.

use datafusion::sql::sqlparser::ast::{Expr, Ident, ObjectName, Query};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token};

use super::dialect::TrinoDialect;
use super::iceberg::TableChange;
use super::prepared::{self, Prepared};
use super::table_version::{self, TableVersion};
use super::{chain, external_function, json_call, tokens};
use crate::hive::TableName;
use crate::sql::SyntaxError;

/// The one catalog that has data here.
const CATALOG: &str = "awsdatacatalog";
/// Most nested parentheses and operators the parser follows.
const DEPTH: usize = 250;

/// Properties of `WITH (…)`: names in lower case, values as written.
pub type Properties = Vec<(String, Expr)>;

#[derive(Debug, Clone)]
pub enum TrinoStatement {
    Query(Box<Query>),
    CreateTableAs(Box<CreateTableAs>),
    Insert {
        table: TableName,
        columns: Vec<String>,
        query: Box<Query>,
    },
    Unload {
        query: Box<Query>,
        location: String,
        properties: Properties,
    },
    CreateView {
        name: TableName,
        replace: bool,
        text: String,
        query: Box<Query>,
    },
    DropView {
        name: TableName,
        if_exists: bool,
    },
    Explain {
        analyze: bool,
        statement: Box<TrinoStatement>,
    },
    ShowFunctions {
        pattern: Option<String>,
    },
    /// UPDATE, DELETE, MERGE, OPTIMIZE and VACUUM: for Iceberg tables alone.
    Change(Box<TableChange>),
    /// `USING EXTERNAL FUNCTION`: functions of Lambda and SageMaker, by name.
    ExternalFunctions {
        names: Vec<String>,
    },
    /// A statement that reads tables as of times or versions.
    TimeTravel {
        versions: Vec<TableVersion>,
        statement: Box<TrinoStatement>,
    },
    /// Statements about prepared statements belong to the workgroup, not to the lake.
    Prepared(Prepared),
}

#[derive(Debug, Clone)]
pub struct CreateTableAs {
    pub name: TableName,
    pub if_not_exists: bool,
    pub comment: Option<String>,
    pub properties: Properties,
    pub query: Box<Query>,
    /// False of `WITH NO DATA`.
    pub with_data: bool,
}

/// Parses a statement with `parameters` in place of its `?`; `None` leaves them open,
/// as a check before execution does.
pub fn parse(
    statement: &str,
    parameters: Option<&[String]>,
) -> Result<TrinoStatement, SyntaxError> {
    let tokens = match vacuum_with_back_quotes(statement) {
        Some(statement) => tokens::tokens(&statement)?,
        None => tokens::tokens(statement)?,
    };
    if let Some(prepared) = prepared::read(statement, &tokens)? {
        return Ok(TrinoStatement::Prepared(prepared));
    }
    let tokens = match parameters {
        Some(parameters) => tokens::with_parameters(tokens, parameters)?,
        None => tokens,
    };
    chain::refuse_long(&tokens)?;
    json_call::refuse_table(&tokens)?;
    let source = Source { text: statement, end: tokens.last().map(|token| token.span.end) };
    let (tokens, versions) = table_version::without(&tokens, &source)?;
    let tokens = tokens::with_plain_queries(tokens::with_value_rows(&tokens));
    let mut parser =
        Parser::new(&TrinoDialect).with_recursion_limit(DEPTH).with_tokens_with_locations(tokens);
    let parsed = read(&mut parser, &source).and_then(|found| {
        let next = parser.peek_token();
        if next.token == Token::EOF { Ok(found) } else { parser.expected("<EOF>", next) }
    });
    let parsed = parsed.map_err(|error| refusal(&error, &parser, &source))?;
    Ok(if versions.is_empty() {
        parsed
    } else {
        TrinoStatement::TimeTravel { versions, statement: Box::new(parsed) }
    })
}

/// VACUUM alone takes a table's name in back quotes. Source: user guide, vacuum-statement.md.
fn vacuum_with_back_quotes(statement: &str) -> Option<String> {
    let verb = statement.trim_start().get(..6)?;
    let found = verb.eq_ignore_ascii_case("VACUUM") && statement.contains('`');
    found.then(|| statement.replace('`', "\""))
}

/// Where the text of the statement can be found again.
pub(super) struct Source<'a> {
    pub text: &'a str,
    pub end: Option<Location>,
}

impl Source<'_> {
    /// The text from a place to the end, without a closing `;`.
    pub fn from(&self, start: Location) -> String {
        let mut line = 1;
        let mut column = 1;
        for (at, c) in self.text.char_indices() {
            if (line, column) >= (start.line, start.column) {
                return self.text[at..].trim_end().trim_end_matches(';').trim_end().to_owned();
            }
            if c == '\n' {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        String::new()
    }
}

/// sqlparser's complaint in Trino's words.
pub(super) fn refusal(error: &ParserError, parser: &Parser, source: &Source<'_>) -> SyntaxError {
    let message = match error {
        ParserError::RecursionLimitExceeded => {
            return SyntaxError::at(1, 1, "statement is too large (stack overflow while parsing)");
        }
        ParserError::TokenizerError(message) | ParserError::ParserError(message) => message,
    };
    let next = parser.peek_token();
    let (expected, found, place) = split_complaint(message);
    let place = place.or_else(|| (next.span.start.line > 0).then_some(next.span.start));
    let place = place.or(source.end).unwrap_or(Location::new(1, 1));
    let found = found.map_or_else(|| next.token.to_string(), str::to_owned);
    let found = if found == "EOF" { "<EOF>" } else { found.as_str() };
    let expected = expected.unwrap_or("<statement>");
    SyntaxError::at(
        place.line,
        place.column,
        &format!("mismatched input '{found}'. Expecting: {}", expecting(expected)),
    )
}

/// `Expected: X, found: Y at Line: 1, Column: 8`.
fn split_complaint(message: &str) -> (Option<&str>, Option<&str>, Option<Location>) {
    let (message, place) = match message.rsplit_once(" at Line: ") {
        Some((message, place)) => {
            let place = place.split_once(", Column: ").and_then(|(line, column)| {
                Some(Location::new(line.parse().ok()?, column.parse().ok()?))
            });
            (message, place)
        }
        None => (message, None),
    };
    match message.strip_prefix("Expected: ").and_then(|rest| rest.rsplit_once(", found: ")) {
        Some((expected, found)) => (Some(expected), Some(found), place),
        None => (Some(message), None, place),
    }
}

fn expecting(expected: &str) -> String {
    match expected {
        "an expression" | "an SQL expression" => "<expression>".to_owned(),
        "identifier" => "<identifier>".to_owned(),
        "end of statement" | "<EOF>" => "<EOF>".to_owned(),
        "SELECT, VALUES, or a subquery in the query body" => {
            "'(', 'SELECT', 'TABLE', 'VALUES'".to_owned()
        }
        other => format!("'{other}'"),
    }
}

fn read(parser: &mut Parser, source: &Source<'_>) -> Result<TrinoStatement, ParserError> {
    let first = parser.peek_token();
    let word = match &first.token {
        Token::Word(word) => word.value.to_uppercase(),
        _ => String::new(),
    };
    match word.as_str() {
        "INSERT" => insert(parser),
        "CREATE" => create(parser, source),
        "DROP" => drop_view(parser),
        "UNLOAD" => unload(parser),
        "EXPLAIN" => explain(parser, source),
        "SHOW" => show_functions(parser),
        "USING" => external_function::read(parser),
        "DELETE" | "UPDATE" | "MERGE" | "OPTIMIZE" | "VACUUM" => {
            TableChange::read(parser, &word).map(Box::new).map(TrinoStatement::Change)
        }
        _ => Ok(TrinoStatement::Query(parser.parse_query()?)),
    }
}

pub(super) fn word(parser: &mut Parser, text: &str) -> Result<(), ParserError> {
    if word_if(parser, text) { Ok(()) } else { parser.expected_ref(text, parser.peek_token_ref()) }
}

pub(super) fn word_if(parser: &mut Parser, text: &str) -> bool {
    let found = tokens::is_word(&parser.peek_token_ref().token, text);
    if found {
        parser.next_token();
    }
    found
}

pub(super) fn words_if(parser: &mut Parser, texts: &[&str]) -> bool {
    let found = texts
        .iter()
        .enumerate()
        .all(|(at, text)| tokens::is_word(&parser.peek_nth_token_ref(at).token, text));
    if found {
        for _ in texts {
            parser.next_token();
        }
    }
    found
}

pub(super) fn table_name(parser: &mut Parser) -> Result<TableName, ParserError> {
    let token = parser.peek_token();
    let name = parser.parse_object_name(false)?;
    match name_of(&name) {
        Some((None, name)) => Ok(name),
        Some((Some(catalog), name)) if catalog == CATALOG => Ok(name),
        Some(_) => parser.expected("a table of the catalog awsdatacatalog", token),
        None => parser.expected("a table name of at most three parts", token),
    }
}

/// `[catalog.][database.]table`, in lower case.
fn name_of(name: &ObjectName) -> Option<(Option<String>, TableName)> {
    let mut parts: Vec<String> = name
        .0
        .iter()
        .map(|part| part.as_ident().map(|ident: &Ident| ident.value.to_lowercase()))
        .collect::<Option<_>>()?;
    let name = parts.pop()?;
    let database = parts.pop();
    let catalog = parts.pop();
    parts.is_empty().then_some((catalog, TableName { database, name }))
}

fn properties(parser: &mut Parser) -> Result<Properties, ParserError> {
    parser.expect_token(&Token::LParen)?;
    let mut found = Vec::new();
    loop {
        let name = parser.parse_identifier()?.value.to_lowercase();
        parser.expect_token(&Token::Eq)?;
        found.push((name, parser.parse_expr()?));
        if !parser.consume_token(&Token::Comma) {
            break;
        }
    }
    parser.expect_token(&Token::RParen)?;
    Ok(found)
}

fn create(parser: &mut Parser, source: &Source<'_>) -> Result<TrinoStatement, ParserError> {
    parser.next_token();
    let replace = words_if(parser, &["OR", "REPLACE"]);
    if word_if(parser, "VIEW") {
        let name = table_name(parser)?;
        if word_if(parser, "COMMENT") {
            parser.parse_literal_string()?;
        }
        if word_if(parser, "SECURITY") {
            parser.next_token();
        }
        word(parser, "AS")?;
        let text = source.from(parser.peek_token_ref().span.start);
        let query = parser.parse_query()?;
        return Ok(TrinoStatement::CreateView { name, replace, text, query });
    }
    word(parser, "TABLE")?;
    let if_not_exists = words_if(parser, &["IF", "NOT", "EXISTS"]);
    let name = table_name(parser)?;
    let comment =
        if word_if(parser, "COMMENT") { Some(parser.parse_literal_string()?) } else { None };
    let properties = if word_if(parser, "WITH") { properties(parser)? } else { Vec::new() };
    word(parser, "AS")?;
    let query = parser.parse_query()?;
    let no_data = words_if(parser, &["WITH", "NO", "DATA"]);
    if !no_data {
        words_if(parser, &["WITH", "DATA"]);
    }
    Ok(TrinoStatement::CreateTableAs(Box::new(CreateTableAs {
        name,
        if_not_exists,
        comment,
        properties,
        query,
        with_data: !no_data,
    })))
}

fn drop_view(parser: &mut Parser) -> Result<TrinoStatement, ParserError> {
    parser.next_token();
    word(parser, "VIEW")?;
    let if_exists = words_if(parser, &["IF", "EXISTS"]);
    Ok(TrinoStatement::DropView { name: table_name(parser)?, if_exists })
}

fn insert(parser: &mut Parser) -> Result<TrinoStatement, ParserError> {
    parser.next_token();
    word(parser, "INTO")?;
    let table = table_name(parser)?;
    let listed = parser.peek_token_ref().token == Token::LParen
        && !matches!(&parser.peek_nth_token_ref(1).token, Token::Word(word)
            if word.quote_style.is_none()
                && matches!(word.keyword, Keyword::SELECT | Keyword::WITH | Keyword::VALUES));
    let columns = if listed {
        parser.expect_token(&Token::LParen)?;
        let names = parser.parse_comma_separated(Parser::parse_identifier)?;
        parser.expect_token(&Token::RParen)?;
        names.into_iter().map(|name| name.value.to_lowercase()).collect()
    } else {
        Vec::new()
    };
    Ok(TrinoStatement::Insert { table, columns, query: parser.parse_query()? })
}

fn unload(parser: &mut Parser) -> Result<TrinoStatement, ParserError> {
    parser.next_token();
    parser.expect_token(&Token::LParen)?;
    let query = parser.parse_query()?;
    parser.expect_token(&Token::RParen)?;
    word(parser, "TO")?;
    let location = parser.parse_literal_string()?;
    let properties = if word_if(parser, "WITH") { properties(parser)? } else { Vec::new() };
    Ok(TrinoStatement::Unload { query, location, properties })
}

fn explain(parser: &mut Parser, source: &Source<'_>) -> Result<TrinoStatement, ParserError> {
    parser.next_token();
    let analyze = word_if(parser, "ANALYZE");
    word_if(parser, "VERBOSE");
    let [open, option] = parser.peek_tokens::<2>();
    if open == Token::LParen
        && (tokens::is_word(&option, "FORMAT") || tokens::is_word(&option, "TYPE"))
    {
        while parser.next_token().token != Token::RParen {
            if parser.peek_token_ref().token == Token::EOF {
                return parser.expected_ref(")", parser.peek_token_ref());
            }
        }
    }
    Ok(TrinoStatement::Explain { analyze, statement: Box::new(read(parser, source)?) })
}

fn show_functions(parser: &mut Parser) -> Result<TrinoStatement, ParserError> {
    parser.next_token();
    word(parser, "FUNCTIONS")?;
    let pattern = if word_if(parser, "LIKE") { Some(parser.parse_literal_string()?) } else { None };
    Ok(TrinoStatement::ShowFunctions { pattern })
}
